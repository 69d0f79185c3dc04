"""Tables filled by the million for a benchmark: bare of indexes, keys and triggers meanwhile, all of them back afterwards.

Only on a database of the benchmark's own: nobody else reads or writes, and a run that fails is thrown away. Foreign keys are
checked for every row at the end, CHECK and UNIQUE constraints hold as always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Model

from jiequ.core.bulk import Inserter, columns_of


class Loader:
    """Rows into one table: plain tuples in the order of ``names``, moments as UTC text, booleans as the database has them.

    PostgreSQL takes them by COPY; no text of a row may hold a tab, a line break or a backslash.
    """

    def __init__(self, model: type[Model], *names: str) -> None:
        self.insert = Inserter(model, *names).sql
        columns, defaults = columns_of(model, names)
        quote = connection.ops.quote_name
        self.copy = f"COPY {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) FROM STDIN"
        self.tail = "".join(f"\t{_copied(default)}" for default in defaults) + "\n"

    def __call__(self, rows: Iterable[Sequence[Any]]) -> None:
        """Store them all."""
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.executemany(self.insert, rows)
                return
            with cursor.copy(self.copy) as copy:
                copy.write("".join("\t".join(["\\N" if v is None else str(v) for v in row]) + self.tail for row in rows))


def insert_from(model: type[Model], names: str, select: str) -> None:
    """Rows of one table out of others: ``select`` gives the columns of ``names``; the rest get their fields' defaults."""
    columns, defaults = columns_of(model, names.split())
    quote = connection.ops.quote_name
    rest = "".join(f", {default}" for default in defaults)
    with connection.cursor() as cursor:  # our own names and texts, no input
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) "
            f"SELECT one.*{rest} FROM ({select}) AS one"
        )


@contextmanager
def bare(*models: type[Model]) -> Iterator[None]:
    """Inside it their tables have no index but the primary and unique keys, no foreign keys and no triggers."""
    tables = [model._meta.db_table for model in models]
    down, up = (_sqlite if connection.vendor == "sqlite" else _postgresql)(tables)
    _run(down)
    yield
    _run(up)
    if connection.vendor == "sqlite":
        connection.check_constraints(table_names=tables)
        connection.close()  # the next one is durable again: WAL and synchronous=FULL are set when it is opened


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _sqlite(tables: list[str]) -> tuple[list[str], list[str]]:
    """What to run before and after; the search index is built in one go, as its triggers would have."""
    from jiequ.cases import search_index

    marks = ", ".join(["%s"] * len(tables))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('index', 'trigger') "
            f"AND tbl_name IN ({marks})",
            tables,
        )
        found = cursor.fetchall()
    fast = ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -300000"]
    rebuilt = []
    if search_index.TABLE in tables:
        rebuilt = [f"INSERT INTO {search_index.FTS}({search_index.FTS}) VALUES ('rebuild')"]
    return [*fast, *(f'DROP {kind} "{name}"' for kind, name, _sql in found)], [*(sql for _k, _n, sql in found), *rebuilt]


def _postgresql(tables: list[str]) -> tuple[list[str], list[str]]:
    """The same; as the tables' owner. A foreign key that is made again checks every row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%s::regclass[])"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            [tables],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
            [tables],
        )
        keys = cursor.fetchall()
    down = [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _sql in keys]
    up = ["SET maintenance_work_mem = '512MB'", *(sql for _name, sql in indexes)]
    up += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {sql}" for table, name, sql in keys]
    return [*down, *(f"DROP INDEX {name}" for name, _sql in indexes)], [*up, "RESET maintenance_work_mem"]


def _copied(literal: str) -> str:
    """A default written as SQL, as COPY reads it."""
    return "\\N" if literal == "NULL" else literal.strip("'")
