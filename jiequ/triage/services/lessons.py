"""What a confirmed move teaches: enqueued in its own transaction, taken back with it, of no use once the words are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from jiequ.core.bulk import store
from jiequ.core.jobs import JobSpec, cancel

from .. import running
from ..models import Lesson

KEPT = timedelta(days=400)
"""Longer than the year that a dispatcher looks back; the ledger itself is what models are fitted from."""


TEACH = "triage.teach"


def taught(lesson: Lesson) -> JobSpec:
    """The job that stores the lesson, for the caller's transaction: it goes with the jobs that a move enqueues anyway."""
    names = ("case_ref", "event_ref", "move", "type_code", "department", "is_return", "is_type_taught", "street", "community")
    args = {name: getattr(lesson, name) for name in names}
    args |= {"source": lesson.source, "taught_at": lesson.at.isoformat()}
    return JobSpec(TEACH, args, run_at=lesson.at, key=_key(lesson.event_ref))


def _key(event_ref: int) -> str:
    return f"{TEACH}:{event_ref}"


def keep(args: Mapping[str, Any], *, taught_at: str) -> None:
    """Store it: what the job does, within a second of the move."""
    store([Lesson(at=datetime.fromisoformat(taught_at), **args)])


def taken_back(event_ref: int) -> None:
    """The move was undone: nobody confirmed anything."""
    cancel(_key(event_ref))
    Lesson.objects.filter(event_ref=event_ref).delete()


def forget(case_refs: Iterable[int]) -> None:
    """The words of these cases were erased: nothing made of them is used from now on, in any process, within seconds."""
    if Lesson.objects.filter(case_ref__in=list(case_refs), is_forgotten=False).update(is_forgotten=True):
        running.forget()


def sweep(*, at: datetime) -> int:
    """Old lessons go; how many."""
    return Lesson.objects.filter(at__lt=at - KEPT).delete()[0]
