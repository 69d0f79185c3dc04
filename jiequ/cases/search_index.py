"""The index over ``Report.tokens``, each database's own: FTS5 kept by triggers, or a generated column with GIN.

The text is split already (``bigrams``), so no database's word breaker decides anything: FTS5 is told to take letters, digits
and ``_``, PostgreSQL gets the tokens as an array. ``tests/unit/cases/test_search.py`` finds, changes and forgets on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from .bigrams import Term

TABLE = "cases_report"
FTS = "cases_report_fts"

_SQLITE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {FTS} USING fts5(tokens, content='{TABLE}', content_rowid='id', columnsize=0, "
    "prefix='1', tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")",
    f"CREATE TRIGGER IF NOT EXISTS {FTS}_insert AFTER INSERT ON {TABLE} WHEN new.tokens <> '' BEGIN "
    f"INSERT INTO {FTS}(rowid, tokens) VALUES (new.id, new.tokens); END",
    f"CREATE TRIGGER IF NOT EXISTS {FTS}_forget BEFORE UPDATE OF tokens ON {TABLE} WHEN old.tokens <> '' BEGIN "
    f"INSERT INTO {FTS}({FTS}, rowid, tokens) VALUES ('delete', old.id, old.tokens); END",
    f"CREATE TRIGGER IF NOT EXISTS {FTS}_update AFTER UPDATE OF tokens ON {TABLE} WHEN new.tokens <> '' BEGIN "
    f"INSERT INTO {FTS}(rowid, tokens) VALUES (new.id, new.tokens); END",
    f"CREATE TRIGGER IF NOT EXISTS {FTS}_delete AFTER DELETE ON {TABLE} WHEN old.tokens <> '' BEGIN "
    f"INSERT INTO {FTS}({FTS}, rowid, tokens) VALUES ('delete', old.id, old.tokens); END",
)
_POSTGRESQL = (
    f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS lexemes tsvector "
    "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_lexemes ON {TABLE} USING gin (lexemes) WITH (fastupdate = off)",
)


def make(database: Any) -> None:
    """Put the index there where it is not; what there is, stays. Called again after a migration that remakes the table."""
    with database.cursor() as cursor:
        for statement in _SQLITE if database.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)


def matching(
    reports: QuerySet[Any], terms: Sequence[Term], scopes: Sequence[str] = (), *, is_newest_first: bool = True
) -> QuerySet[Any]:
    """The reports whose tokens hold every term, and one of the scopes if any are given; by id."""
    sign = "-" if is_newest_first else ""
    if connection.vendor == "sqlite":  # read in the order of its own rowid, the index need not be read to its end
        where = [f"{FTS}.rowid = {TABLE}.id", f"{FTS} MATCH %s"]
        return reports.extra(tables=[FTS], where=where, params=[_fts_query(terms, scopes)], order_by=[f"{sign}{FTS}.rowid"])
    phrases = [f"% {' '.join(term.tokens)} %" for term in terms if len(term.tokens) > 1]
    where = [f"{TABLE}.lexemes @@ %s::tsquery", *[f"' ' || {TABLE}.tokens || ' ' LIKE %s" for _phrase in phrases]]
    return reports.extra(where=where, params=[_tsquery(terms, scopes), *phrases]).order_by(f"{sign}pk")


def beyond(reports: QuerySet[Any], case_id: int, *, slack: int, is_newest_first: bool) -> QuerySet[Any]:
    """Of ``matching``: from the report that opened a case on, and ``slack`` ids around it."""
    column = f"{FTS}.rowid" if connection.vendor == "sqlite" else f"{TABLE}.id"
    opened = f"COALESCE((SELECT MIN(first.id) FROM {TABLE} first WHERE first.origin_id = %s), 0) + %s"  # our names, no input
    return reports.extra(where=[f"{column} {'<' if is_newest_first else '>'} {opened}"], params=[case_id, slack])


def _fts_query(terms: Sequence[Term], scopes: Sequence[str]) -> str:
    words = [f'"{" ".join(term.tokens)}"{" *" if term.is_open else ""}' for term in terms]
    return " AND ".join([*_any(scopes, '"', " OR "), *words])


def _tsquery(terms: Sequence[Term], scopes: Sequence[str]) -> str:
    words = [f"'{token}'" for term in terms for token in term.tokens[:-1]]
    words += [f"'{term.tokens[-1]}'{':*' if term.is_open else ''}" for term in terms]
    return " & ".join([*_any(scopes, "'", " | "), *words])


def _any(scopes: Sequence[str], quote: str, word: str) -> list[str]:
    return [f"({word.join(f'{quote}{one}{quote}' for one in scopes)})"] if scopes else []
