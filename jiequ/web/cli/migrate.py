"""``./run migrate``: bring the database to this version, as its owner; the application's account gets only what it needs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

from jiequ.cases import search_index
from jiequ.channels.arrivals import router
from jiequ.core import insert_only
from jiequ.web.cli import ready
from jiequ.web.database import database


def main(options: argparse.Namespace) -> int:
    """Migrate; with ``--plan`` only say what would be done."""
    ready.make_var()
    with as_owner():
        migrate(plan=options.plan)
        if not options.plan:
            insert_only.protect(connection)
            search_index.make(connection)
            grant()
    return 0


def migrate(*, plan: bool = False, verbosity: int = 1) -> None:
    """Both databases to this version: the main one, and the inbox's where it has a file of its own."""
    call_command("migrate", plan=plan, interactive=False, verbosity=verbosity)
    if router.is_own_file():
        call_command("migrate", "arrivals", database=router.ALIAS, plan=plan, interactive=False, verbosity=verbosity)


@contextmanager
def as_owner() -> Iterator[None]:
    """The default connection signed in as DATABASE_OWNER_URL says; without that variable nothing changes."""
    url = os.environ.get("DATABASE_OWNER_URL")
    if not url:
        yield
        return
    ordinary = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    owner = database(url)
    connection.close()
    connection.settings_dict.update({name: owner[name] for name in ordinary})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(ordinary)


def grant() -> None:
    """PostgreSQL with an owner of its own: the application may read and write, but only add to the audit."""
    if connection.vendor != "postgresql" or not os.environ.get("DATABASE_OWNER_URL"):
        return
    role = connection.ops.quote_name(str(database(os.environ["DATABASE_URL"])["USER"]))
    audit = ", ".join(connection.ops.quote_name(table) for table in insert_only.TABLES)
    with connection.cursor() as cursor:
        for statement in (
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            f"REVOKE UPDATE, DELETE ON {audit} FROM {role}",
            f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
        ):
            cursor.execute(statement)
