"""Rows stored without the ORM's own work: many at once without a model object each (imports), few with a kept INSERT.

Measured on 10,000 imported orders: bulk_create 790 µs CPU a row over five tables, this a third (docs/adr/0024). Portable:
plain INSERT by executemany on both databases. Constraints and triggers hold as always; call it inside ``writing()``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    Field,
    FloatField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    TextField,
)

Convert = Callable[[Any], Any]


class Inserter:
    """Rows into one table: ``Inserter(Report, "case_id", "at")([(1, now), (2, now)])``.

    ``names`` are the columns that differ (attnames, ``id`` too); every other column gets its field's default.
    """

    def __init__(self, model: type[Model], *names: str) -> None:
        fields = {field.attname: field for field in model._meta.concrete_fields}
        columns, defaults = columns_of(model, names)
        quote = connection.ops.quote_name
        self.sql = (
            f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) "  # names of our models, no input
            f"VALUES ({', '.join([*['%s'] * len(names), *defaults])})"
        )
        found = [(place, convert) for place, name in enumerate(names) if (convert := _convert(fields[name]))]
        self.converts: list[tuple[int, Convert]] = found

    def __call__(self, rows: Iterable[Sequence[Any]]) -> None:
        """Store them all."""
        ready = [self._ready(row) for row in rows]
        if ready:
            with connection.cursor() as cursor:
                cursor.executemany(self.sql, ready)

    def _ready(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, convert in self.converts:
            if values[place] is not None:
                values[place] = convert(values[place])
        return values


MOST_PARAMS = 900  # an SQLite of a distribution may take no more than 999


def store(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    """New rows of one model, as ``bulk_create`` stores them and gives them their ids (none with ``ignore_conflicts``).

    One INSERT for as many as fit, whose text is kept: most of what ``create`` costs is writing it out again.
    """
    if not rows:
        return
    insert = _insert_of(type(rows[0]), connection.vendor, ignore_conflicts)
    for first in range(0, len(rows), insert.most):
        insert.run(rows[first : first + insert.most])


@cache
def _insert_of(model: type[Model], _vendor: str, ignore_conflicts: bool) -> _Insert:
    return _Insert(model, ignore_conflicts)


class _Insert:
    """The INSERT of one model; its key comes back where the database gives it."""

    def __init__(self, model: type[Model], ignore_conflicts: bool) -> None:
        key = model._meta.pk
        self._gives_key = isinstance(key, AutoField) and not ignore_conflicts
        self._fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
        self._columns = [(field.attname, _stored(field)) for field in self._fields]
        self.most = MOST_PARAMS // len(self._fields)
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self._fields)
        self._head = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES "  # names of our models, no input
        self._row = f"({', '.join(['%s'] * len(self._fields))})"
        self._tail = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
        if self._gives_key:
            self._tail += f" RETURNING {quote(str(key.column))}"

    def run(self, rows: Sequence[Model]) -> None:
        values = []
        for row in rows:
            for name, convert in self._columns:
                value = getattr(row, name)
                values.append(value if convert is None or value is None else convert(value))
        with connection.cursor() as cursor:
            cursor.execute(self._head + ", ".join([self._row] * len(rows)) + self._tail, values)
            keys = cursor.fetchall() if self._gives_key else []
        for row, (key,) in zip(rows, keys, strict=bool(keys)):
            row.pk = key
        for row in rows:
            row._state.adding, row._state.db = False, connection.alias


def new_ids(model: type[Model], count: int) -> list[int]:
    """Ids to insert rows with. On SQLite only inside a transaction: it holds the writers' turn."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # An AUTOINCREMENT table; SQLite moves the mark itself when a row with a higher id comes in.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            first = (cursor.fetchone() or (0,))[0] + 1
            return list(range(first, first + count))
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [int(row[0]) for row in cursor.fetchall()]


def columns_of(model: type[Model], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns of a row that names these attributes (the named ones first), and the defaults of the others as SQL."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    rest = [field for name, field in fields.items() if name not in names and not field.primary_key]
    columns = [str(fields[name].column) for name in names] + [str(field.column) for field in rest]
    return columns, [_literal(field) for field in rest]


def _literal(field: Field[Any, Any]) -> str:
    """The field's default as SQL; only what models of ours have: nothing, text, numbers, truths, empty JSON."""
    value = None if not field.has_default() and field.null else field.get_default()
    if value is None:
        return "NULL"
    if isinstance(field, BooleanField):
        return ("1" if value else "0") if connection.vendor == "sqlite" else str(bool(value)).upper()
    if isinstance(value, int | float):
        return repr(value)
    text = json.dumps(value) if isinstance(field, JSONField) else str(value)
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def _convert(field: Field[Any, Any]) -> Convert | None:
    """How a value of this field is handed to the database; None: as it is."""
    if isinstance(field, JSONField):
        return _as_json
    if isinstance(field, DateTimeField):
        return _as_utc_text if connection.vendor == "sqlite" else None
    if isinstance(field, DateField):
        return _as_text if connection.vendor == "sqlite" else None
    return None


_written = json.JSONEncoder(ensure_ascii=False).encode


_PLAIN = (CharField, TextField, IntegerField, BooleanField, FloatField)


def _stored(field: Field[Any, Any]) -> Convert | None:
    """``_convert`` for a value of any field, by the field's own means where it is of a rare kind."""
    kept = field.target_field if isinstance(field, ForeignKey) else field
    if (found := _convert(kept)) or isinstance(kept, (*_PLAIN, DateField)):
        return found
    return lambda value: kept.get_db_prep_save(value, connection)


def _as_json(value: Any) -> str:
    return "{}" if value == {} else _written(value)


def _as_utc_text(value: datetime) -> str:
    """As Django's SQLite backend writes a moment."""
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[:-6]


def _as_text(value: date) -> str:
    return str(value)
