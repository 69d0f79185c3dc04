"""What several tests of a module read, made once: stored in a transaction around all of them, which is taken back at the end.

Each test works in a savepoint (pytest-django's ``db`` opens it) and on a copy of the objects, so that none sees what another
did. Not beside ``django_db(transaction=True)``, and not where a test of the module makes a world of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any, TypeVar

import pytest
from django.db import connections, transaction

from jiequ.cases.queries import types as type_queries
from jiequ.cases.views import filtering
from jiequ.core import calendar
from jiequ.core import clock as core_clock
from jiequ.grid import queries
from jiequ.web import shell
from tests.actors import NOW, MovableClock

T = TypeVar("T")


def forget_all() -> None:
    """What a process keeps for seconds or a minute (unit grids, names, event types) may come from another test.

    The house has no name unless a test forgets it: else it would be read again in the middle of a test that counts.
    """
    queries.forget()
    shell._kept = time.monotonic(), shell.House()
    calendar.forget()
    type_queries.forget()
    filtering.forget()


def kept(blocker: Any, make: Callable[[], T], *, at: datetime = NOW) -> Iterator[T]:
    """The body of a fixture of a module's scope (after ``django_db_setup``): ``yield from kept(blocker, make)``; the clock
    stands at ``at`` while it is made."""
    with ExitStack() as stack:
        stack.enter_context(blocker.unblock())
        for alias in connections:
            stack.enter_context(transaction.atomic(using=alias))
            stack.callback(transaction.set_rollback, True, using=alias)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(core_clock, "timezone", MovableClock(at))
            forget_all()
            made = make()
        yield made
