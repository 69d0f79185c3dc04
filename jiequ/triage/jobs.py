"""What triage does by itself: judge, learn anew, close the week, clear away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from jiequ.core.jobs import DeadJob, every, job, on_dead

from .models import Cause
from .services import judging, learning, lessons

LINE = "triage"
"""A fit takes a minute: nothing else waits for it."""


@every("triage.judge", seconds=20, outside=True)
def judge(*, at: datetime) -> Callable[[], None] | None:
    """What had been suggested is set beside what people chose; fifty corrections are enough to learn anew."""
    learning.ask_for_first(at=at)
    learning.ask_if_due(cause=Cause.CORRECTIONS, at=at)
    return judging.judge(at=at)


@every("triage.nightly", daily_at="01:40")
def nightly(*, at: datetime) -> None:
    """Every night in which there is something new to learn."""
    learning.ask_if_due(cause=Cause.NIGHTLY, at=at)
    lessons.sweep(at=at)


@job(lessons.TEACH)
def teach(*, taught_at: str, at: datetime, **args: Any) -> None:
    """One lesson is stored; from now on it is used."""
    lessons.keep(args, taught_at=taught_at)


@job(learning.LEARN, outside=True, timeout_seconds=learning.TRY_SECONDS, promise_seconds=3600, line=LINE)
def learn(*, learning_id: int, at: datetime) -> Callable[[], None] | None:
    """The models are fitted anew in a process of their own; should the worker die over it, from the beginning."""
    return learning.work(learning_id, at=at)


def tell_of_failure(dead: DeadJob, *, at: datetime) -> None:
    """A run that was given up says so; the version in use stays."""
    learning.give_up(int(dead.args["learning_id"]), at=at)


on_dead(tell_of_failure, kind=learning.LEARN)


@job(learning.SWEEP, outside=True, line=LINE)
def sweep_files(*, at: datetime) -> None:
    """Files of versions that are not kept any more."""
    learning.sweep_files()


@every("triage.week", daily_at="06:20", outside=True)
def week(*, at: datetime) -> Callable[[], None] | None:
    """On Monday morning the week before is counted (later where the installation stood still)."""
    return judging.close_week(at=at)
