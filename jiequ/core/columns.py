"""A query's rows as one text a column, put together by the database: for thousands of rows that only pass through to a page.

Measured (docs/benchmarks.md, map): as rows, 4,000 of seven columns cost Django, Python and its JSON 12 ms, so 2 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def joined(
    rows: QuerySet[Any, Any], names: Sequence[str], *, known: str = "", params: Sequence[Any] = ()
) -> tuple[int, dict[str, str]]:
    """How many rows there are, and each named column's values in their order, commas between them. One SELECT.

    ``rows``: a sliced ``values_list`` whose columns have these names; none of them may be null, and no text may hold a comma.
    ``known``: what goes before the SELECT (``WITH …``), with its parameters.
    """
    try:
        sql, given = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0, dict.fromkeys(names, "")
    quote = connection.ops.quote_name
    wanted = ", ".join(_JOIN[connection.vendor].format(quote(name)) for name in names)
    with connection.cursor() as cursor:  # names of our own, no input; the rest are parameters
        cursor.execute(f"{known} SELECT COUNT(*), {wanted} FROM ({sql}) AS one", [*params, *given])
        count, *texts = cursor.fetchone()
    return count, {name: str(text or "") for name, text in zip(names, texts, strict=True)}


# Both take the rows of a sorted subquery in its order (PostgreSQL's manual, 9.21; SQLite reads it as a co-routine).
_JOIN = {"sqlite": "GROUP_CONCAT({})", "postgresql": "STRING_AGG(CAST({} AS text), ',')"}
