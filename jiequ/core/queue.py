"""Rows of the jobs table: putting them in, taking them back, moving them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .bulk import store
from .db import at_the_end
from .kinds import KINDS, round_key
from .models import Job


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job to enqueue. ``key``: the same key is enqueued once. ``lane``: jobs of one lane run one by one, by run_at."""

    kind: str
    args: dict[str, Any]
    run_at: datetime
    key: str | None = None
    street_id: int | None = None
    lane: str = ""


def enqueue(*specs: JobSpec) -> None:
    """Store jobs in the caller's transaction, all of it in one INSERT (per 70 jobs) at its end. A key that is already there is
    left as it is."""
    at_the_end(_insert, *specs)


def _insert(specs: Sequence[JobSpec]) -> None:
    store([_row(spec) for spec in specs], ignore_conflicts=True)


def _row(spec: JobSpec) -> Job:
    return Job(
        kind=spec.kind,
        key=spec.key,
        lane=spec.lane,
        street_id=spec.street_id,
        args=spec.args,
        due_at=spec.run_at,
        run_at=spec.run_at,
    )


def cancel(*keys: str) -> int:
    """Take jobs back by key; returns how many. An outside job that a worker already holds cannot be taken back, nor one
    that this very transaction enqueued: it is not stored yet."""
    return _in_hand(keys).delete()[0]


def reschedule(key: str, run_at: datetime) -> bool:
    """Move a job; False if there is none to move (done, dead, never enqueued, or already going out)."""
    moved = _in_hand([key]).update(run_at=run_at, due_at=run_at, lease_until=None, claims=F("claims") + 1)
    return bool(moved)


def _in_hand(keys: Sequence[str]) -> QuerySet[Job]:
    """The jobs that can still be changed. An inside job can until its effect commits: the fenced DELETE decides."""
    outside = [kind.name for kind in KINDS.values() if kind.outside]
    return Job.objects.filter(~Q(kind__in=outside) | Q(lease_until=None), key__in=keys, dead_at=None)


def schedule_periodic(at: datetime) -> None:
    """Have a row for every ``@every`` job (a worker does this when it starts). A shortened round takes effect at once."""
    rounds = {name: kind.every for name, kind in KINDS.items() if kind.every}
    zone = timezone.get_default_timezone()
    firsts = {name: at if turn.seconds else turn.next_after(at, zone) for name, turn in rounds.items()}
    enqueue(*(JobSpec(name, {}, first, key=round_key(name)) for name, first in sorted(firsts.items())))
    for name, turn in rounds.items():
        latest = turn.next_after(at, zone)
        Job.objects.filter(key=round_key(name), lease_until=None, run_at__gt=latest).update(run_at=latest, due_at=latest)
