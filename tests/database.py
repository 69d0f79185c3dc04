"""The test database: migrated once, kept as a template, and put back from it after a test that committed."""

from __future__ import annotations

import shutil
import sqlite3

from django.core.management import call_command
from django.db import connection, connections

from jiequ.web.cli.migrate import as_owner, grant
from tests.environment import FOLDER, ON_POSTGRESQL

TEMPLATE = "jiequ_template"


def create() -> None:
    """Migrate (on PostgreSQL as the owner, then grant the application its rights) and keep a copy."""
    with as_owner():
        call_command("migrate", verbosity=0)
        grant()
    connections.close_all()
    if ON_POSTGRESQL:
        _copy_database(connection.settings_dict["NAME"], TEMPLATE)
    else:
        shutil.copy(connection.settings_dict["NAME"], FOLDER / "template.sqlite3")


def reset() -> None:
    """The database as it was after migrating: all rows of a committed test are gone, the audit's too."""
    connections.close_all()
    if ON_POSTGRESQL:
        _copy_database(TEMPLATE, connection.settings_dict["NAME"])
        return
    template, target = sqlite3.connect(FOLDER / "template.sqlite3"), sqlite3.connect(connection.settings_dict["NAME"])
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
