"""Queries that every request asks: written with the ORM, compiled once a connection, then only run.

Building and compiling a query costs Django several times what the database spends on it. A ``Prepared`` query is built from a
query set in which ``Bind`` stands for each value that changes; what comes back is what the query set would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import BigAutoField, Expression, Field, IntegerField, QuerySet

Row = TypeVar("Row")


class Bind(Expression):
    """A value that is given when the query runs: ``filter(pk=Bind("case"))``, an id unless another field is named.

    In ``pk__in=Bind("cases")`` it is a list, or a query set of ids: the narrowing that differs from reader to reader.
    For one row say ``pk=Bind("case")`` and give a query set that finds one: PostgreSQL then asks it first, however many tables
    are joined (with ``in`` and more than eight of them it read a million cases).
    """

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field=output_field or BigAutoField())
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, Any]:
        """Its own placeholder."""
        return "%s", [self]

    def written(self, value: Any) -> tuple[str, list[Any]]:
        """A value as SQL (Django puts it in parentheses) and parameters. EmptyResultSet where it can match nothing."""
        if isinstance(value, QuerySet):
            sql, params = value.query.sql_with_params()
            return sql, list(params)
        if isinstance(value, list | tuple):
            if not value:
                raise EmptyResultSet
            is_plain = isinstance(self.output_field, IntegerField) and all(type(one) is int for one in value)
            return ", ".join(["%s"] * len(value)), list(value) if is_plain else [self._adapted(one) for one in value]
        return "%s", [self._adapted(value)]

    def _adapted(self, value: Any) -> Any:
        return self.output_field.get_db_prep_value(value, connection)


class Prepared(Generic[Row]):
    """A query set with ``Bind`` in it, ready to run. Its rows are read at once; prefetching is not supported."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build

    def __call__(self, **values: Any) -> list[Row]:
        """The rows for these values. One SELECT, none where nothing can match. KeyError if a bound value is not given."""
        ours = connections[DEFAULT_DB_ALIAS]  # this thread's own; ``django.db.connection`` is one object for all threads
        held = ours.__dict__.setdefault("_jiequ_prepared", {})
        compiled = held.get(self)
        if compiled is None:
            compiled = held[self] = _Compiled(self._build())
        return cast("list[Row]", compiled.rows(values))

    def first(self, **values: Any) -> Row | None:
        """The first row, None without one."""
        return next(iter(self(**values)), None)


class _Compiled:
    """A query set whose compiler is kept: it reads rows as any query set does, from SQL that was written before."""

    def __init__(self, query_set: QuerySet[Any, Any]) -> None:
        compiler = query_set.query.get_compiler(using=connection.alias)
        sql, params = compiler.as_sql()
        self._pieces, self._params = sql.split("%s"), params
        if len(self._pieces) != len(params) + 1:
            raise ValueError(f"cannot prepare a query with %s in its own text: {sql}")
        converters = compiler.get_converters([column for column, _sql, _alias in compiler.select[: compiler.col_count]])
        compiler.get_converters = lambda _columns: converters
        compiler.execute_sql = self._execute
        query_set.query.get_compiler = lambda *_words, **_named: compiler  # type: ignore[method-assign]
        self._query_set, self._values = query_set, dict[str, Any]()

    def rows(self, values: dict[str, Any]) -> list[Any]:
        self._values = values
        rows: Iterable[Any] = self._query_set._iterable_class(self._query_set)  # type: ignore[assignment]
        return list(rows)

    def _execute(self, *_words: Any, **_named: Any) -> Iterator[list[Any]]:
        sql, given = [self._pieces[0]], list[Any]()
        try:
            for param, piece in zip(self._params, self._pieces[1:], strict=True):
                text, params = param.written(self._values[param.name]) if isinstance(param, Bind) else ("%s", [param])
                sql += [text, piece]
                given += params
        except EmptyResultSet:
            return iter([])
        with connection.cursor() as cursor:
            cursor.execute("".join(sql), given)
            return iter([cursor.fetchall()])
