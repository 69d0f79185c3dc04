"""Claiming jobs and doing them. A lease is one UPDATE; an inside job is one transaction."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from .db import writing
from .errors import plain
from .kinds import DEAD_HOOKS, KINDS, DeadJob, Kind, round_key
from .models import Job

log = logging.getLogger("jiequ.jobs")

RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
LEASE = timedelta(seconds=60)
MOST_LOST_WORKERS = 5

Run = Callable[[Kind, Callable[[], Any]], Any]


class LeaseLost(Exception):
    """Somebody else took the job over, or it was cancelled or moved: drop what was done so far."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an outside handler may return instead of a follow-up: its slow part, so that a line with several hands has many of
    them going at once. ``act`` uses no transaction and ends in time by itself; ``then`` is given what it returned and returns
    the follow-up."""

    act: Callable[[], Any]
    then: Callable[[Any], Callable[[], Any] | None]


class WorkersKilled(Exception):
    """A job whose worker was killed too often."""


def call_at_once(kind: Kind, call: Callable[[], Any]) -> Any:
    """Call an outside handler here and now; the worker passes one that has a time limit instead."""
    return call()


def work_once(
    *,
    at: datetime,
    limit: int = 20,
    outside: bool | None = None,
    line: str | None = None,
    run: Run = call_at_once,
    seconds: float = inf,
) -> int:
    """Do up to ``limit`` due jobs inside and ``limit`` outside the database, periodic rounds first; returns how many.

    ``outside`` narrows to one of the two, ``line`` to the jobs of one line; after so many ``seconds`` no inside job is
    begun but an abandoned one. A failing job never stops the others; one that a killed worker left behind is done last and
    alone, so that, should it be what kills workers, the others are done and only it is counted.
    """
    done = 0
    if outside is not True:
        inside_kinds = names(outside=False, line=line)
        if is_due(inside_kinds, at=at):
            done += _do_all(claim(inside_kinds, at=at, limit=limit), at=at, run=run, seconds=seconds)
            for job in claim(inside_kinds, at=at, limit=1, abandoned=True):
                done += _do(job, at=at, run=run)
    if outside is not False:
        outside_kinds = names(outside=True, line=line)
        for turn in range(limit):
            if not is_due(outside_kinds, at=at):
                break
            # One at a time: the lease has to cover only this one. Now and then an abandoned one goes first.
            one = claim(outside_kinds, at=at, limit=1, abandoned=turn % 4 == 3)
            for job in one or claim(outside_kinds, at=at, limit=1, abandoned=turn % 4 != 3):
                done += _do(job, at=at, run=run)
    return done


def names(*, outside: bool, line: str | None = None) -> list[str]:
    """The kinds of jobs inside or outside the database, of one line only if it is given."""
    return sorted(kind.name for kind in KINDS.values() if kind.outside is outside and line in (None, kind.line))


def is_due(kinds: list[str], *, at: datetime) -> bool:
    """A plain read, so that an idle worker never queues with the writers."""
    free = Q(lease_until=None) | Q(lease_until__lte=at)
    return Job.objects.filter(free, kind__in=kinds, dead_at=None, run_at__lte=at).exists()


_CLAIM = """
WITH rounds AS MATERIALIZED (
    SELECT job.id FROM core_job job
    WHERE job.key IN ({rounds}) AND job.dead_at IS NULL AND job.run_at <= %(at)s AND {lease}
    ORDER BY job.run_at, job.id LIMIT %(most_rounds)s {skip_locked}
), picked AS MATERIALIZED (
    SELECT job.id FROM core_job job
    WHERE job.dead_at IS NULL AND job.run_at <= %(at)s AND job.kind IN ({kinds}) AND {lease}
      AND job.id NOT IN (SELECT id FROM rounds)
      AND (job.lane = '' OR NOT EXISTS (
          SELECT 1 FROM core_job earlier
          WHERE earlier.lane = job.lane AND earlier.lane <> '' AND earlier.dead_at IS NULL AND earlier.kind IN ({known})
            AND ((earlier.run_at, earlier.id) < (job.run_at, job.id)
                 OR (earlier.lease_until > %(at)s AND earlier.id <> job.id))))
    ORDER BY job.run_at, job.id LIMIT %(limit)s - (SELECT COUNT(*) FROM rounds) {skip_locked}
)
UPDATE core_job SET lease_until = %(until)s, claims = claims + 1, lost_workers = lost_workers + %(lost)s
WHERE id IN (SELECT id FROM rounds UNION ALL SELECT id FROM picked)
RETURNING *
"""


def claim(kinds: list[str], *, at: datetime, limit: int, abandoned: bool = False) -> list[Job]:
    """Lease due jobs until ``at`` + LEASE: fresh ones, or those whose lease ran out. One UPDATE; no two workers get the same.

    Rounds of periodic kinds come first and take at most half of the claim (a claim of one takes the round): a backlog,
    however old its jobs are dated, never holds up the clock, nor the clock a backlog. Then by run_at. A job waits while an
    earlier one of its lane lives or a later one is in hand, unless that one is of a kind this installation does not know.
    """
    names = {
        "kinds": kinds,
        "known": list(KINDS),
        "rounds": [round_key(name) for name in kinds if _is_periodic(name)] or [""],  # no job has that key
    }
    sql = _CLAIM.format(
        **{group: ", ".join(f"%({group}_{n})s" for n in range(len(values))) for group, values in names.items()},
        lease="job.lease_until <= %(at)s" if abandoned else "job.lease_until IS NULL",
        skip_locked="FOR UPDATE OF job SKIP LOCKED" if connection.vendor == "postgresql" else "",
    )
    named = {f"{group}_{n}": value for group, values in names.items() for n, value in enumerate(values)}
    moment = connection.ops.adapt_datetimefield_value
    counts = {"limit": limit, "most_rounds": (limit + 1) // 2, "lost": int(abandoned)}
    with writing():
        jobs = list(Job.objects.raw(sql, {"at": moment(at), "until": moment(at + LEASE), **counts, **named}))
    return sorted(jobs, key=lambda job: (not _is_periodic(job.kind), job.run_at, job.pk))


def _is_periodic(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].every is not None


def _do_all(jobs: list[Job], *, at: datetime, run: Run, seconds: float = inf) -> int:
    """Do claimed jobs one by one; after so many ``seconds`` the rest is given back, so that rounds that are due come first."""
    began, done = time.perf_counter(), 0
    for place, job in enumerate(jobs):
        if place and time.perf_counter() - began > seconds:
            rest = [one.pk for one in jobs[place:]]
            Job.objects.filter(pk__in=rest, lease_until=at + LEASE, dead_at=None).update(lease_until=None)
            break
        done += _do(job, at=at, run=run)
    return done


def _do(job: Job, *, at: datetime, run: Run) -> int:
    """Try one claimed job; every failure ends in its row. Returns 0 if the job was no longer ours, else 1."""
    kind = KINDS[job.kind]
    began = time.perf_counter()
    try:
        check_lost_workers(job)
        inside = partial(kind.handler, **job.args, at=at)
        follow_up = _do_outside(job, kind, at=at, run=run) if kind.outside else inside
    except LeaseLost:
        return 0
    except Exception as error:  # whatever a handler raises is this job's own failure
        return end(job, kind, None, error, at=at, began=began)
    return end(job, kind, follow_up, None, at=at, began=began)


def check_lost_workers(job: Job) -> None:
    """Raises WorkersKilled for a job that has cost too many workers."""
    if job.lost_workers > MOST_LOST_WORKERS:
        raise WorkersKilled(f"its worker was killed {job.lost_workers} times")


def end(
    job: Job, kind: Kind, follow_up: Callable[[], Any] | None, error: Exception | None, *, at: datetime, began: float
) -> int:
    """Remove a job with its follow-up, or set its next try if it or that failed; 0 if the job was no longer ours, else 1."""
    try:
        if error is not None:
            raise error
        with writing():
            finish(job, kind, follow_up, at=at)
    except LeaseLost:
        return 0
    except WorkersKilled as killed:
        _fail(job, kind, at=at, error=str(killed), is_last=True)
    except Exception as fault:
        where = "".join(traceback.format_tb(fault.__traceback__))
        log.warning("job %s %s failed: %s\n%s", job.kind, job.pk, plain(fault), where)
        _fail(job, kind, at=at, error=plain(fault))
    else:
        tell_log(job, kind, at=at, seconds=time.perf_counter() - began)
    return 1


def remove(jobs: list[Job]) -> None:
    """Inside a transaction: remove jobs that are not periodic, by one DELETE. Raises LeaseLost if one is no longer ours."""
    ours = " OR ".join(["(id = %s AND claims = %s)"] * len(jobs))
    values = [value for job in jobs for value in (job.pk, job.claims)]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Job._meta.db_table} WHERE dead_at IS NULL AND ({ours})", values)  # no input in the text
        if cursor.rowcount != len(jobs):
            raise LeaseLost


def finish(job: Job, kind: Kind, follow_up: Callable[[], Any] | None, *, at: datetime) -> None:
    """Inside a transaction: remove the job (a periodic one: set its next round), then what follows. Raises LeaseLost."""
    _finish(job, kind, at=at)
    if follow_up is not None:
        follow_up()


def tell_log(job: Job, kind: Kind, *, at: datetime, seconds: float) -> None:
    """One line a job; a periodic one only for whoever asks for details."""
    level = logging.DEBUG if kind.every else logging.INFO
    late = round((at - job.due_at).total_seconds(), 1)
    facts = {"kind": job.kind, "job": job.pk, "ms": round(seconds * 1000, 1), "late_s": late, "tries": job.failures + 1}
    log.log(level, "job", extra=facts)


def _do_outside(job: Job, kind: Kind, *, at: datetime, run: Run) -> Callable[[], Any] | None:
    """The first of two phases: act, under the lease and in no transaction. Returns the follow-up, if there is one."""
    room = timedelta(seconds=kind.timeout_seconds) + LEASE / 2
    if room > LEASE and not _held(job).update(lease_until=at + room):
        raise LeaseLost
    follow_up = run(kind, lambda: _acted(kind.handler(**job.args, at=at)))
    return follow_up if callable(follow_up) else None


def _acted(found: Any) -> Any:
    """A handler's answer; a Call is made here and now."""
    return found.then(found.act()) if isinstance(found, Call) else found


def _held(job: Job) -> QuerySet[Job]:
    """The row, as long as the claim is ours."""
    return Job.objects.filter(pk=job.pk, claims=job.claims, dead_at=None)


def _finish(job: Job, kind: Kind, *, at: datetime) -> None:
    """Remove the row (a periodic one: set its next round). First in the transaction, so the row's lock keeps others out."""
    if kind.every is None:
        finished = _held(job).delete()[0]
    else:
        following = _next_round(kind, at)
        finished = _held(job).update(
            run_at=following, due_at=following, lease_until=None, failures=0, lost_workers=0, last_error=""
        )
    if not finished:
        raise LeaseLost


def _fail(job: Job, kind: Kind, *, at: datetime, error: str, is_last: bool = False) -> None:
    """Set the next try, or give the job up and tell the hooks. A periodic job is never given up, only told of."""
    failures = job.failures + 1
    is_last = is_last or failures == len(RETRY_AFTER) + 1
    next_try = at + RETRY_AFTER[min(failures, len(RETRY_AFTER)) - 1]
    change: dict[str, Any] = {"lease_until": None, "failures": failures, "lost_workers": 0, "last_error": error[:300]}
    if kind.every is not None:
        change["run_at"] = min(next_try, _next_round(kind, at))
    elif is_last:
        change["dead_at"] = at
    else:
        change["run_at"] = next_try
    try:
        with writing():
            if _held(job).update(**change) and is_last:
                _tell(DeadJob(job.kind, job.key, job.street_id, job.args, error[:300]), at=at)
    except Exception as hook_error:
        log.error("an on_dead hook failed for job %s %s: %s", job.kind, job.pk, plain(hook_error))
        _held(job).update(**change)


def _tell(dead: DeadJob, *, at: datetime) -> None:
    for kind, hook in DEAD_HOOKS:
        if kind in (None, dead.kind):
            hook(dead, at=at)


def _next_round(kind: Kind, at: datetime) -> datetime:
    assert kind.every is not None
    return kind.every.next_after(at, timezone.get_default_timezone())
