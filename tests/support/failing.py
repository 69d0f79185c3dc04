"""RELIABILITY row 3: let the k-th SQL statement of an act fail, for every k; afterwards all of it is stored or none.

    tried = fail_each_statement(lambda: accept_case(case, by=lin, at=NOW))
    assert tried.partial == []

Like SQLite's own I/O-error loop: k grows until the act goes through untouched. The commit itself is failed too, where the act
has one of its own: in a test with ``transaction=True``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connection

_CONTROL = re.compile(r"\s*(BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)


class Planted(OperationalError):
    """The failure that was planted."""


@dataclass
class Tried:
    """How many statements were failed, and after which of them something was stored by half."""

    statements: int = 0
    commits: int = 0
    partial: list[str] = field(default_factory=list)
    swallowed: list[str] = field(default_factory=list)


@dataclass
class _Plan:
    position: int
    seen: int = 0
    fired: str = ""

    def step(self, sql: str) -> None:
        """Count one step; raise Planted if it is the one."""
        self.seen += 1
        if self.seen == self.position:
            self.fired = sql
            raise Planted("planted")


@contextmanager
def failing(position: int) -> Iterator[_Plan]:
    """Let the ``position``-th step (from 1) fail before it reaches the database: a statement, or a COMMIT of one's own."""
    plan = _Plan(position)
    commit = connection._commit

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not _CONTROL.match(sql):
            plan.step(sql)
        return execute(sql, params, many, context)

    def counted_commit() -> None:
        plan.step("COMMIT")
        commit()

    with connection.execute_wrapper(wrapper), patch.object(connection, "_commit", counted_commit):
        yield plan


def fail_each_statement(
    act: Callable[[], Any], *, state: Callable[[], Any] | None = None, again: Callable[[], Any] = lambda: None
) -> Tried:
    """Try ``act`` with its 1st, 2nd, … step failing; the last try goes through untouched.

    ``state`` (default: every row of every table) must be the same after each failed try. ``again`` runs before each try, for
    what the act uses up in memory. A failure the act swallowed and outlived is listed in ``swallowed``.
    """
    state = state or every_row
    tried = Tried()
    for position in range(1, 10_000):
        again()
        before = state()
        raised = False
        with failing(position) as plan:
            try:
                act()
            except Exception:
                if not plan.fired:
                    raise
                raised = True
        if not plan.fired:
            break
        if not raised:
            tried.swallowed.append(plan.fired)
        if state() != before:
            tried.partial.append(plan.fired)
        tried.statements += plan.fired != "COMMIT"
        tried.commits += plan.fired == "COMMIT"
    return tried


def every_row() -> dict[str, list[str]]:
    """Every row of every table: what "nothing was stored" means."""
    with connection.cursor() as cursor:
        rows = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows[table] = sorted(map(repr, cursor.fetchall()))
        return rows
