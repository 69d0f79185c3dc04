"""What a confirmed move teaches: stored in its own transaction, taken back with it, of no use once the words are gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from jiequ.core.bulk import store

from .. import running
from ..models import Lesson

KEPT = timedelta(days=400)
"""Longer than the year that a dispatcher looks back; the ledger itself is what models are fitted from."""


def taught(lesson: Lesson) -> None:
    """One INSERT in the caller's transaction."""
    store([lesson])


def taken_back(event_ref: int) -> None:
    """The move was undone: nobody confirmed anything."""
    Lesson.objects.filter(event_ref=event_ref).delete()


def forget(case_refs: Iterable[int]) -> None:
    """The words of these cases were erased: nothing made of them is used from now on, in any process, within seconds."""
    if Lesson.objects.filter(case_ref__in=list(case_refs), is_forgotten=False).update(is_forgotten=True):
        running.forget()


def sweep(*, at: datetime) -> int:
    """Old lessons go; how many."""
    return Lesson.objects.filter(at__lt=at - KEPT).delete()[0]
