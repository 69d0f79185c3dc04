"""The demonstration's year as jobs: photos, the early months in bulk, the last weeks walked; a page shows how far they are.

Every job takes the next stretch of the calendar, so that ids and numbers follow it. What a job writes and its removal are one
transaction: a worker that is killed in the middle leaves nothing by half, and the job is done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from jiequ.cases.models import Case
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.jobs import job as kind
from jiequ.core.models import Job, Street

from . import flights, history, hotline, learning, photos, year
from .base import seed_base
from .past import Past
from .progress import BATCH, CASES, PAST, PAST_JOBS, PICTURE, STRETCH_DAYS, WALK, WALK_JOBS, WALKED_DAYS
from .watch import stand_watch

LINE = "demo"
"""The year is written beside what is told: a newcomer's notices do not wait for it."""


def seed_street(at: datetime) -> Street:
    """The base without a history, and a duty rota that reaches some weeks from now."""
    street = seed_base(at)
    stand_watch(street, at)
    hotline.open_line(street, at)
    return street


def seed(at: datetime) -> int:
    """The base, at once, and the history's jobs, unless they were enqueued before. Returns how many jobs wait."""
    street = seed_street(at)
    waiting = Job.objects.filter(kind__in=[PICTURE, WALK, PAST]).count()
    if waiting or Case.objects.exists():
        return waiting
    specs = list(_jobs(street, at))
    with writing():
        enqueue(*specs, learning.first(at))
    flights.ask(street, at)
    return len(specs)


def _jobs(street: Street, at: datetime) -> Iterator[JobSpec]:
    """The photos; the stretches of the year in order; beside the walked cases of the last weeks go those that are over."""
    for scene in photos.SCENES:
        yield JobSpec(PICTURE, {"street_id": street.pk, "scene": scene}, run_at=at, key=f"{PICTURE}:{photos.name_of(scene)}")
    begin = at - timedelta(days=WALKED_DAYS + PAST_JOBS * STRETCH_DAYS)
    for n in range(PAST_JOBS):
        args = _stretch(street, begin + timedelta(days=n * STRETCH_DAYS), begin + timedelta(days=(n + 1) * STRETCH_DAYS), at)
        yield JobSpec(PAST, args, run_at=at, key=f"{PAST}:{n}")
    recent, part = at - timedelta(days=WALKED_DAYS), timedelta(days=WALKED_DAYS) / WALK_JOBS
    for n in range(WALK_JOBS):
        args = _stretch(street, recent + n * part, recent + (n + 1) * part, at)
        yield JobSpec(WALK, args | {"first": n * BATCH}, run_at=at, key=f"{WALK}:{n}")


def _stretch(street: Street, since: datetime, until: datetime, now: datetime) -> dict[str, str | int]:
    return {"street_id": street.pk, "since": since.isoformat(), "until": until.isoformat(), "now": now.isoformat()}


@kind(PICTURE, promise_seconds=3600, line=LINE)
def keep_one(*, street_id: int, scene: list[Any], at: datetime) -> None:
    """One photo, before any case: jobs of cases find it kept and hold the writer for their own work only."""
    if settings.DEMO:
        photos.keep(Street.objects.get(pk=street_id), (scene[0], scene[1], scene[2]), at=at)


@kind(PAST, promise_seconds=3600, line=LINE)
def write_some(*, street_id: int, since: str, until: str, now: str, at: datetime) -> None:
    """A stretch of the year, as far as its matters were over when the demonstration began."""
    if not settings.DEMO:
        return
    street, begun = Street.objects.get(pk=street_id), datetime.fromisoformat(now)
    first, last = datetime.fromisoformat(since), datetime.fromisoformat(until)
    Past(street, begun).write(year.between(first, last))
    hotline.take_up(street, begun, since=first, until=last)


@kind(WALK, promise_seconds=3600, line=LINE)
def walk_some(*, first: int, street_id: int, since: str, until: str, now: str, at: datetime) -> None:
    """A stretch of the last weeks and a batch of walked cases; the same numbers give the same cases."""
    if not settings.DEMO:
        return
    write_some(street_id=street_id, since=since, until=until, now=now, at=at)
    street = Street.objects.get(pk=street_id)
    for number in history.in_order(CASES, at)[first : first + BATCH]:
        history.walk(street, number, at)
    if first + BATCH >= CASES:
        hotline.call_today(street, at)
