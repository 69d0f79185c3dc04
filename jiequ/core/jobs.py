"""Work for later: the outbox, timers and chores in one lease table. This is the door; kinds, lease and worker lie behind it.

A job is enqueued in the transaction of its cause, so it exists exactly when its cause does. It is done at least once:

* ``@job("kind")``: the effect is in the database. Removing the row and the effect are one transaction: stored once.
* ``@job("kind", outside=True)``: the effect is elsewhere (a message, a file). The callable runs in no transaction, under the
  lease; only then is the row removed. A worker killed between the two does it again, so the effect carries an idempotency
  key of its own. If it returns a callable, that runs in the transaction that removes the row (mark as sent, say).

Both are called with their ``args`` as keywords and ``at``. A failure is tried again after ``RETRY_AFTER``; then the row stays,
dead and visible, and the ``on_dead`` hooks are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from .kinds import KINDS, DeadJob, Every, Kind, every, job, on_dead
from .lease import LEASE, RETRY_AFTER, work_once
from .models import Job

__all__ = [
    "KINDS",
    "LEASE",
    "RETRY_AFTER",
    "DeadJob",
    "Every",
    "JobSpec",
    "Kind",
    "LateJobs",
    "cancel",
    "dead_jobs",
    "enqueue",
    "every",
    "job",
    "late_jobs",
    "oldest_age_seconds",
    "on_dead",
    "reschedule",
    "revive",
    "schedule_periodic",
    "work_once",
]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job to enqueue. ``key``: the same key is enqueued once. ``lane``: jobs of one lane run one after the other, by run_at."""

    kind: str
    args: dict[str, Any]
    run_at: datetime
    key: str | None = None
    street_id: int | None = None
    lane: str = ""


def enqueue(*specs: JobSpec) -> None:
    """Store jobs: one INSERT (per 70 jobs), in the caller's transaction. A key that is already there is left as it is."""
    Job.objects.bulk_create([_row(spec) for spec in specs], ignore_conflicts=True)


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
    """Take jobs back by key; returns how many. An outside job that a worker already holds cannot be taken back."""
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
    enqueue(*(JobSpec(name, {}, first, key=f"every:{name}") for name, first in sorted(firsts.items())))
    for name, turn in rounds.items():
        latest = turn.next_after(at, zone)
        Job.objects.filter(key=f"every:{name}", lease_until=None, run_at__gt=latest).update(run_at=latest, due_at=latest)


def dead_jobs(*, street_id: int | None = None) -> QuerySet[Job]:
    """The jobs that were given up, newest first: for the operator's page and ``./run check``."""
    dead = Job.objects.filter(dead_at__isnull=False).order_by("-dead_at", "-id")
    return dead if street_id is None else dead.filter(street_id=street_id)


def revive(job_id: int, *, at: datetime) -> bool:
    """Try a dead job again from the beginning (somebody mended its cause); False if it is not dead."""
    dead = Job.objects.filter(pk=job_id, dead_at__isnull=False)
    return bool(dead.update(dead_at=None, run_at=at, due_at=at, failures=0, claims=F("claims") + 1))


def oldest_age_seconds(at: datetime) -> float:
    """How long the oldest due job has been waiting for its end, retries included; 0 when none is due. For metrics."""
    oldest = Job.objects.filter(dead_at=None, due_at__lte=at).aggregate(oldest=Min("due_at"))["oldest"]
    return (at - oldest).total_seconds() if oldest else 0.0


@dataclass(frozen=True, slots=True)
class LateJobs:
    """Jobs of one kind that are later than its promise. ``is_known``: False if no app registers the kind."""

    kind: str
    count: int
    oldest_seconds: float
    promise_seconds: int
    is_known: bool


def late_jobs(at: datetime) -> list[LateJobs]:
    """Every kind with jobs older than its promise: what the sweep alarms on. One query."""
    due = Job.objects.filter(dead_at=None, due_at__lte=at).order_by()
    late = []
    for name, count, oldest in due.values_list("kind").annotate(n=Count("id"), oldest=Min("due_at")):
        kind = KINDS.get(name)
        age, promise = (at - oldest).total_seconds(), kind.promise_seconds if kind else 300
        if age > promise:
            late.append(LateJobs(name, count, age, promise, kind is not None))
    return sorted(late, key=lambda one: -one.oldest_seconds)
