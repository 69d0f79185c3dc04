"""What insight does by itself: follow the ledger, check the counts at night, tell of the brief, make and remove files."""

from __future__ import annotations

from datetime import date, datetime

from jiequ.core.jobs import JobSpec, enqueue, every, job
from jiequ.core.models import Street

from .services import counting

CATCH_UP, CHECK, CHECK_DAYS = "insight.catch_up", "insight.check_more", "insight.check_days"


@every("insight.follow", seconds=5)
def follow(*, at: datetime) -> None:
    """The cases that changed in the last seconds are counted anew; a backlog is worked off by jobs of its own."""
    if counting.follow(at=at).is_behind:
        enqueue(JobSpec(CATCH_UP, {}, run_at=at, key=CATCH_UP))


@job(CATCH_UP, promise_seconds=3600)
def catch_up(*, at: datetime) -> None:
    """The next lines of a backlog (an import, a first start)."""
    if counting.follow(at=at).is_behind:
        enqueue(JobSpec(CATCH_UP, {}, run_at=at, key=CATCH_UP))


@every("insight.check", daily_at="03:10")
def check(*, at: datetime) -> None:
    """Every night every case is counted again and every day added up again."""
    enqueue(JobSpec(CHECK, {}, run_at=at, key=CHECK))


@job(CHECK, promise_seconds=4 * 3600)
def check_more(*, at: datetime) -> None:
    """The next cases of the night's walk; after the last, the days of every street, some at a time."""
    if not counting.check_cases(at=at):
        enqueue(JobSpec(CHECK, {}, run_at=at, key=CHECK))
        return
    counting.finish_check(at=at)
    for street_id in Street.objects.values_list("pk", flat=True):
        if span := counting.span_of(street_id):
            enqueue(_days(street_id, span[0], span[1], at))


def _days(street_id: int, since: date, last: date, at: datetime) -> JobSpec:
    args = {"street_id": street_id, "since": since.isoformat(), "last": last.isoformat()}
    return JobSpec(CHECK_DAYS, args, run_at=at, key=f"{CHECK_DAYS}:{street_id}", street_id=street_id)


@job(CHECK_DAYS, promise_seconds=4 * 3600)
def check_days(*, street_id: int, since: str, last: str, at: datetime) -> None:
    """The next days of a street, added up again."""
    first, end = date.fromisoformat(since), date.fromisoformat(last)
    counting.check_days(street_id, first, at=at)
    if first + counting.SPAN <= end:
        enqueue(_days(street_id, first + counting.SPAN, end, at))
