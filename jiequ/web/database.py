"""DATABASE_URL → Django's DATABASES: SQLite by default, PostgreSQL in production."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ANSWER_SECONDS = 4


def databases(env: Mapping[str, str], file: Path) -> dict[str, dict[str, Any]]:
    """The ``DATABASES`` setting; ``file`` is the SQLite database when ``DATABASE_URL`` is not set.

    ``arrivals`` is the inbox of callbacks: beside an SQLite file another one, on PostgreSQL a connection of its own. It answers
    within four seconds or not at all: a platform waits for five.
    ``DATABASE_OWNER_URL`` is only for migrating (jiequ.web.cli.migrate).
    """
    main = database(env.get("DATABASE_URL") or f"sqlite:///{file}")
    return {"default": main, "arrivals": _inbox(main)}


def _inbox(main: dict[str, Any]) -> dict[str, Any]:
    if main["ENGINE"] != "jiequ.core.sqlite3":
        return {**main, "OPTIONS": {**main["OPTIONS"], "connect_timeout": ANSWER_SECONDS}}
    name = Path(main["NAME"])
    own = main["NAME"] if main["NAME"] == ":memory:" else str(name.with_name(f"{name.stem}-arrivals{name.suffix}"))
    return {**main, "NAME": own, "OPTIONS": {"timeout": ANSWER_SECONDS}}


def database(url: str) -> dict[str, Any]:
    """One database from its URL; refuses what is neither sqlite nor postgresql."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = parts.path[1:] if parts.path.startswith("//") else parts.path
        return {"ENGINE": "jiequ.core.sqlite3", "NAME": unquote(name) or ":memory:", "CONN_MAX_AGE": 600}
    if parts.scheme in {"postgresql", "postgres"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or dict(parse_qsl(parts.query)).get("host", ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": _prepared(dict(parse_qsl(parts.query)).get("prepare", "on")),
        }
    raise ImproperlyConfigured(f"DATABASE_URL must begin with sqlite:// or postgresql://, not {parts.scheme!r}.")


def _prepared(word: str) -> dict[str, Any]:
    """What is asked five times is planned once a connection (ADR 0038); ``?prepare=off`` where a pooler shares connections."""
    if word not in {"on", "off"}:
        raise ImproperlyConfigured(f"DATABASE_URL: prepare must be on or off, not {word!r}.")
    return {"server_side_binding": True, "prepare_threshold": 5} if word == "on" else {}
