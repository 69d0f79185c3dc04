"""What insight does by itself: follow the ledger, check the counts at night, tell of the brief, make and remove files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from jiequ.core.jobs import DeadJob, JobSpec, enqueue, every, job, on_dead
from jiequ.core.models import Street

from .services import briefing, counting, exporting

CATCH_UP, CHECK, CHECK_DAYS = "insight.catch_up", "insight.check_more", "insight.check_days"
ANEW = "insight.count_anew"


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


@job(ANEW)
def count_anew(*, case_id: int, at: datetime) -> None:
    """A hotline told what a call-back came to: the case counts for it at once."""
    counting.anew([case_id], at=at)


def called_back(case_id: int, *, at: datetime) -> None:
    """Have a case counted anew, in the transaction that keeps its call-back."""
    enqueue(JobSpec(ANEW, {"case_id": case_id}, run_at=at, key=f"{ANEW}:{case_id}"))


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


@every("insight.plan_briefs", daily_at="00:20")
def plan_briefs(*, at: datetime) -> None:
    """On a work day, the notices of the brief are planned for each street's hour."""
    briefing.plan(at=at)


@job(briefing.TELL, promise_seconds=1800)
def tell_brief(*, street_id: int, day: str, at: datetime) -> None:
    """The street's hour: its leaders are told."""
    briefing.tell(street_id=street_id, day=day, at=at)


@job(exporting.MAKE, outside=True, timeout_seconds=600.0, promise_seconds=1800)
def make_export(*, export_id: int, at: datetime) -> Callable[[], None] | None:
    """A file is made; should the worker die over it, it is made again from the beginning under the same name."""
    return exporting.make(export_id, at=at)


def tell_of_failure(dead: DeadJob, *, at: datetime) -> None:
    """A file that could not be made says so to whoever asked for it."""
    exporting.give_up(int(dead.args["export_id"]))


on_dead(tell_of_failure, kind=exporting.MAKE)


@every("insight.expire_exports", seconds=600)
def expire_exports(*, at: datetime) -> None:
    """Files whose time is over are removed."""
    exporting.expire(at=at)
