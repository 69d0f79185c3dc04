"""The demonstration learns from its own texts: when its year is written, one visible run, then its past weeks are counted.

Before that somebody confirms a place topic.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from jiequ.cases import services as cases
from jiequ.cases.models import Topic
from jiequ.cases.queries import topics
from jiequ.core.errors import Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.jobs import job as kind
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.triage import services as triage

from .progress import progress

LEARN = "demo.learn"
AGAIN = timedelta(seconds=20)
MOST_ROUNDS = 500
WEEKS = 6


def first(at: datetime) -> JobSpec:
    """To be enqueued with the year's jobs."""
    return _round(0, at)


def _round(number: int, at: datetime, *, is_asked: bool = False) -> JobSpec:
    args = {"number": number, "is_asked": is_asked}
    return JobSpec(LEARN, args, run_at=at + AGAIN, key=f"{LEARN}:{number}")


@kind(LEARN, promise_seconds=2 * 3600, outside=True)
def learn_when_written(*, number: int, is_asked: bool, at: datetime) -> Callable[[], None] | None:
    """Looks every twenty seconds how far the year is; a run that another worker began is waited for."""
    if not settings.DEMO or number >= MOST_ROUNDS:
        return None
    if not is_asked:
        is_done = progress()["is_done"]
        if is_done:
            confirm_topic(at)
        is_asked = is_done and _asked(at)
    elif triage.is_caught_up():
        triage.count_past_weeks(WEEKS, at=at)
        return None
    return partial(enqueue, _round(number + 1, at, is_asked=is_asked))


def confirm_topic(at: datetime) -> bool:
    """The duty leader confirms the hottest place topic, once, so that one is seen beside those that may be; was one found."""
    if Topic.objects.exists():
        return False
    liang = Person.objects.filter(username="liang").first()
    if liang is None or liang.street_id is None:
        return False
    by, street_id = actor_for(liang, at=at), liang.street_id
    reports = topics.told(by, street_id, base_m=cases.near_m(street_id), at=at)
    found = topics.possible(reports, topics.in_force(street_id), at=at)
    if found:
        cases.confirm_topic(street_id=street_id, anchor_id=found[0].anchor_id, by=by, at=at)
    return bool(found)


def _asked(at: datetime) -> bool:
    try:
        triage.learn_anew(cause=triage.Cause.NIGHTLY, at=at)
    except Refusal:
        return False
    return True
