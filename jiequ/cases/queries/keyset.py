"""The first rows of several queries that are each in order by an index of their own: one statement, one order.

A reader sees cases on several grounds (``models.case.grounds``). In one OR they fit no index, so each part gives its first rows
and the few that come back are put in order; a later page begins at its key, so it costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def first_ids(parts: Iterable[QuerySet[Any]], *, most: int, columns: int = 1, is_descending: bool = False) -> list[int]:
    """The ids of the first ``most`` rows of all parts, each once. One SELECT, none where no part can hold a row.

    Each part is an ordered ``values_list`` of the key's ``columns``, the id last. Written out, because Django's ``union``
    takes no ordered, sliced parts on SQLite.
    """
    compiled = []
    for part in parts:
        try:
            compiled.append(part[:most].query.sql_with_params())
        except EmptyResultSet:
            continue
    if not compiled:
        return []
    whole = " UNION ".join(f"SELECT * FROM ({sql}) part_{number}" for number, (sql, _params) in enumerate(compiled))
    order = ", ".join(f"{column} {'DESC' if is_descending else 'ASC'}" for column in range(1, columns + 1))
    params = [value for _sql, values in compiled for value in values]
    with connection.cursor() as cursor:
        cursor.execute(f"{whole} ORDER BY {order} LIMIT {most}", params)
        return [row[-1] for row in cursor.fetchall()]
