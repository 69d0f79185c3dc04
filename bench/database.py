"""A database of one's own for a benchmark: the test machinery's, on SQLite or PostgreSQL, thrown away at the end."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from types import ModuleType


def begin(name: str) -> ModuleType:
    """Set Django up on a fresh migrated database; returns tests.database, whose ``reset()`` empties it."""
    os.environ["JIEQU_TEST_DATABASE"] = name
    import tests.environment  # noqa: F401 - sets the environment, removes its folder at exit

    import django  # isort: skip

    django.setup()
    from tests import database

    database.create()
    return database


def on_each(module: str, arguments: list[str]) -> int:
    """Run a benchmark once a database, each in a process of its own."""
    worst = 0
    for name in ("sqlite", "postgresql"):
        worst = max(
            worst, subprocess.run([sys.executable, "-m", module, "--database", name, *arguments], check=False).returncode
        )
    return worst


def machine_line() -> str:
    """What the figures were measured on."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        version = cursor.fetchone()[0]
    machine = f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), {platform.machine()}"
    return f"{machine}, Python {platform.python_version()}, {connection.vendor} {version}"
