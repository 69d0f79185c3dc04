"""The test databases (the inbox of callbacks is one of its own): migrated once, kept as templates, and put back from them."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from django.db import connection, connections

from jiequ.web.cli.migrate import as_owner, grant, migrate
from tests.environment import FOLDER, ON_POSTGRESQL

TEMPLATE = "jiequ_template"


def create() -> None:
    """Migrate (on PostgreSQL as the owner, then grant the application its rights) and keep a copy."""
    with as_owner():
        migrate(verbosity=0)
        grant()
    connections.close_all()
    if ON_POSTGRESQL:
        _copy_database(connection.settings_dict["NAME"], TEMPLATE)
    else:
        for alias in connections:
            shutil.copy(connections[alias].settings_dict["NAME"], FOLDER / f"template-{alias}.sqlite3")


def reset() -> None:
    """The database as it was after migrating: all rows of a committed test are gone, the audit's too."""
    connections.close_all()
    if ON_POSTGRESQL:
        _copy_database(TEMPLATE, connection.settings_dict["NAME"])
        return
    for alias in connections:
        _put_back(FOLDER / f"template-{alias}.sqlite3", connections[alias].settings_dict["NAME"])


def _put_back(file: Path, name: str) -> None:
    template, target = sqlite3.connect(file), sqlite3.connect(name)
    try:
        template.backup(target)
    finally:
        template.close()
        target.close()


def _copy_database(source: str, target: str) -> None:
    import psycopg

    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {target} TEMPLATE {source} OWNER jiequ_owner")
