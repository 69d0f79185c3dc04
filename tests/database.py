"""The test databases (the inbox of callbacks is one of its own): migrated once, kept as templates, and put back from them."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
from pathlib import Path

from django.db import connection, connections

from jiequ.web.cli.migrate import as_owner, grant, migrate
from tests.environment import FOLDER, ON_POSTGRESQL, TEMPLATES

TEMPLATE = "jiequ_template"


def create() -> None:
    """Migrate (on PostgreSQL as the owner, then grant the application its rights) and keep a copy."""
    if TEMPLATES:
        _create_once(Path(TEMPLATES))
    else:
        _migrate()
        _keep(FOLDER)


def _migrate() -> None:
    with as_owner():
        migrate(verbosity=0)
        grant()
    connections.close_all()


def _keep(folder: Path) -> None:
    if ON_POSTGRESQL:
        _copy_database(connection.settings_dict["NAME"], TEMPLATE)
        return
    for alias in connections:
        shutil.copy(connections[alias].settings_dict["NAME"], folder / f"template-{alias}.sqlite3")


def _create_once(common: Path) -> None:
    """Of the runs side by side the first migrates (some ten seconds of a processor), the others wait and take what it made."""
    with (common / f"templates-{connection.vendor}").open("a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        if not mark.read():
            _migrate()
            _keep(common)
            mark.write("made")
    if not ON_POSTGRESQL:
        for alias in connections:
            shutil.copy(common / f"template-{alias}.sqlite3", FOLDER)
    reset()


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
