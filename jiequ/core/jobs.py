"""Work for later: the outbox, timers and chores in one lease table. This is the door; kinds, lease and worker lie behind it.

A job is enqueued in the transaction of its cause, so it exists exactly when its cause does. It is done at least once:

* ``@job("kind")``: the effect is in the database. Removing the row and the effect are one transaction: stored once.
* ``@job("kind", outside=True)``: the effect is elsewhere (a message, a file). The callable runs in no transaction, under the
  lease; only then is the row removed. A worker killed between the two does it again, so the effect carries an idempotency
  key of its own. If it returns a callable, that runs in the transaction that removes the row (mark as sent, say). If it
  returns a ``Call``, its slow part is apart from it, and a line with several ``hands`` has many of them going at once.

Both are called with their ``args`` as keywords and ``at``. A failure is tried again after ``RETRY_AFTER``; then the row stays,
dead and visible, and the ``on_dead`` hooks are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, QuerySet

from .kinds import KINDS, DeadJob, Every, Kind, every, job, on_dead
from .lease import LEASE, RETRY_AFTER, Call, work_once
from .models import Job
from .queue import JobSpec, cancel, enqueue, reschedule, schedule_periodic
from .worker import run_worker

__all__ = [
    "KINDS",
    "LEASE",
    "RETRY_AFTER",
    "Call",
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
    "run_worker",
    "schedule_periodic",
    "work_once",
]


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
