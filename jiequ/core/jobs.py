"""Work for later: the outbox, timers and chores in one lease table (see jiequ/core/README.md).

A job is enqueued in the transaction of its cause, so it exists exactly when its cause does. It is done at least once:

* ``@job("kind")``: the effect is in the database. Removing the row and the effect are one transaction: done once.
* ``@job("kind", outside=True)``: the effect is elsewhere (a message, a file). The callable runs outside any transaction, under
  the lease; only then is the row removed. A worker killed between the two does it again, so the effect carries an
  idempotency key of its own. It may return a callable, which then runs in the transaction that removes the row.

Both get their ``args`` as keywords and ``at``. A failure is tried again after ``RETRY_AFTER``; then the row stays, visible as dead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from .models import Job

RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
LEASE = timedelta(seconds=60)

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job to enqueue. ``key``: the same key is enqueued once. ``lane``: jobs of one lane run one after the other, by run_at."""

    kind: str
    args: dict[str, Any]
    run_at: datetime
    key: str | None = None
    street_id: int | None = None
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Every:
    """When a periodic job comes round: each ``seconds``, or daily at HH:MM in the installation's time zone."""

    seconds: int | None = None
    daily_at: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What the registry knows of a kind of job."""

    name: str
    handler: Handler
    outside: bool = False
    promise_seconds: int = 300
    timeout_seconds: float = 10.0
    every: Every | None = None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that was given up, as told to the ``on_dead`` hooks."""

    kind: str
    key: str | None
    street_id: int | None
    args: dict[str, Any] = field(default_factory=dict)
    last_error: str = ""


KINDS: dict[str, Kind] = {}


def job(
    kind: str, *, outside: bool = False, promise_seconds: int = 300, timeout_seconds: float = 10.0
) -> Callable[[Handler], Handler]:
    """Register the callable of a kind. ``promise_seconds``: later than this after its due moment, the sweep alarms.

    ``timeout_seconds`` bounds an outside job in the worker: past it the try counts as failed (a network client has its own,
    shorter ones).
    """

    def register(handler: Handler) -> Handler:
        _register(Kind(kind, handler, outside, promise_seconds, timeout_seconds))
        return handler

    return register


def every(
    kind: str, *, seconds: int | None = None, daily_at: str | None = None, outside: bool = False
) -> Callable[[Handler], Handler]:
    """Register a periodic job: ``seconds=2`` or ``daily_at="02:30"``. It has no args, never dies, and missed rounds collapse to one."""
    if (seconds is None) == (daily_at is None):
        raise ValueError("give either seconds or daily_at")

    def register(handler: Handler) -> Handler:
        promise = max(300, 3 * (seconds or 0))
        _register(Kind(kind, handler, outside, promise, 600.0, Every(seconds, daily_at)))
        return handler

    return register


def _register(kind: Kind) -> None:
    known = KINDS.get(kind.name)
    if known and known.handler.__qualname__ != kind.handler.__qualname__:
        raise ValueError(f"two handlers for jobs of kind {kind.name!r}")
    KINDS[kind.name] = kind


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
    """Remove jobs by key; returns how many were taken back. An outside job that a worker already holds cannot be."""
    return _in_hand(keys).delete()[0]


def reschedule(key: str, run_at: datetime) -> bool:
    """Move a job; False if there is none to move (done, dead, never enqueued, or already going out)."""
    moved = _in_hand([key]).update(run_at=run_at, due_at=run_at, lease_until=None, claims=F("claims") + 1)
    return bool(moved)


def _in_hand(keys: Sequence[str]) -> QuerySet[Job]:
    """The jobs that can still be changed. An inside job can until its effect commits: the fenced DELETE decides."""
    outside = [kind.name for kind in KINDS.values() if kind.outside]
    return Job.objects.filter(~Q(kind__in=outside) | Q(lease_until=None), key__in=keys, dead_at=None)
