"""DATABASE_URL → Django's DATABASES: SQLite by default, PostgreSQL in production."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def databases(env: Mapping[str, str], file: Path) -> dict[str, dict[str, Any]]:
    """The ``DATABASES`` setting; ``file`` is the SQLite database when ``DATABASE_URL`` is not set.

    ``DATABASE_OWNER_URL`` is only for migrating (jiequ.web.cli.migrate).
    """
    return {"default": database(env.get("DATABASE_URL") or f"sqlite:///{file}")}


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
        }
    raise ImproperlyConfigured(f"DATABASE_URL must begin with sqlite:// or postgresql://, not {parts.scheme!r}.")
