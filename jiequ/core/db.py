"""Transactions: the one way to write.

Reading needs no transaction. On SQLite ``writing()`` takes the fair file lock of jiequ.core.sqlite3 and begins IMMEDIATE, so a
page that only reads must not open one: it would queue with the writers.

Rows that many transactions share (sums) are written last, by ``at_the_end``: they are held for the shortest time, and a
transaction that waits for one holds nothing that another still wants, so that no two can wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

Write = Callable[[Sequence[Any]], None]


class _Open(threading.local):
    """What this thread's open ``writing()`` blocks, the outermost first, have put off."""

    def __init__(self) -> None:
        self.levels: list[dict[Write, list[Any]]] = []


_open = _Open()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction for writes: all of it is stored or none. Nested use joins the outer transaction by a savepoint."""
    with transaction.atomic():
        _open.levels.append({})
        try:
            yield
        finally:
            ours = _open.levels.pop()
        for write, items in ours.items():  # not reached by a block that failed: what it put off is forgotten
            _put_off(write, items)


def at_the_end(write: Write, *items: Any) -> None:
    """Call ``write`` once with every item handed in, as the last act of the outermost ``writing()`` before it commits.

    Items of an inner block that fails are forgotten with it. Outside ``writing()`` it is called at once.
    """
    _put_off(write, list(items))


def _put_off(write: Write, items: list[Any]) -> None:
    if not items:
        return
    if _open.levels:
        _open.levels[-1].setdefault(write, []).extend(items)
    else:
        write(items)
