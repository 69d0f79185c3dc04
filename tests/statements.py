"""How many statements a request makes, counted as RELIABILITY counts: BEGIN, SAVEPOINT and the like apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def statements_of(ask: Callable[[], Any]) -> list[str]:
    """The SELECT, INSERT, UPDATE and DELETE statements behind one request, session and sign-in included."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    return [q["sql"] for q in captured.captured_queries if q["sql"].lstrip("( \n").upper().startswith(COUNTED)]
