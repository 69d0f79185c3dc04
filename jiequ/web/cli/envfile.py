"""An operator's settings in a file of NAME=value lines, so that a command by hand has those of the service."""

from __future__ import annotations

import os
from pathlib import Path

PLACES = (Path("jiequ.env"), Path("/etc/jiequ/jiequ.env"))


def load() -> Path | None:
    """Read JIEQU_ENV_FILE, or the first of ``PLACES`` that exists, into the environment; what is set there already stays."""
    named = os.environ.get("JIEQU_ENV_FILE")
    for file in [Path(named)] if named else PLACES:
        if named or os.access(file, os.R_OK):
            for name, value in parse(file.read_text(encoding="utf-8")).items():
                os.environ.setdefault(name, value)
            return file
    return None


def take_demo(root: Path) -> Path | None:
    """Where nothing at all was set and ``./run demo`` has made its data under ``root``: settle on those; else None.

    Nobody's real installation is meant by it: that has settings, or its own command would not start either.
    """
    if any(os.environ.get(name) for name in ("JIEQU_MODE", "JIEQU_ENV_FILE", "JIEQU_SECRET_KEY", "DATABASE_URL")):
        return None
    var = Path(os.environ.get("JIEQU_VAR") or root / "var" / "demo")
    if not (var / "demo.sqlite3").is_file():
        return None
    os.environ.update(JIEQU_MODE="demo", JIEQU_VAR=str(var))
    return var


def parse(text: str) -> dict[str, str]:
    """NAME=value lines; ``#`` begins a comment line; quotes around a value are taken off. ValueError names a bad line."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip().isidentifier():
            raise ValueError(f"line {number} is not NAME=value")
        value = value.strip()
        found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    return found
