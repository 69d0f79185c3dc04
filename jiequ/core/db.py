"""Transactions: the one way to write.

Reading needs no transaction. On SQLite ``writing()`` takes the fair file lock of jiequ.core.sqlite3 and begins IMMEDIATE, so a
page that only reads must not open one: it would queue with the writers.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.db import transaction


def writing() -> AbstractContextManager[None]:
    """A transaction for writes: all of it is stored or none. Nested use joins the outer transaction by a savepoint."""
    return transaction.atomic()
