"""The door's work for later: pictures, rounds with other servers, what is past its time. The network is never called inside a
transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from jiequ.core import clock
from jiequ.core.jobs import DeadJob, every, job, on_dead

from .models import Partner, Push, Run, TakenUpdate
from .services import media, pulling, pushing, telling, testing
from .services.partners import PULL, TELL, TEST, ask_pull, ask_tell

UPDATES_KEPT = timedelta(days=366)
RUNS_KEPT = timedelta(days=30)
LINE = "open311"


@job(media.FETCH, outside=True, timeout_seconds=60.0, line=LINE)
def fetch_media(*, media_id: int, at: datetime) -> Callable[[], None] | None:
    """Fetch a picture; once stored it is never fetched again."""
    return media.fetched(media_id, at=at)


@job(pushing.PUSH, outside=True, timeout_seconds=60.0, line=LINE)
def push(*, mirror_id: int, at: datetime) -> Callable[[], None] | None:
    """Hand a case over."""
    return pushing.pushed(mirror_id, at=at)


@job(TEST, outside=True, timeout_seconds=90.0, line=LINE)
def test_partner(*, partner_id: int, at: datetime) -> None:
    """Read a server's services and newest requests."""
    if partner := _living(partner_id):
        testing.examine(partner, at=at, ended_at=clock.now())


@job(PULL, outside=True, timeout_seconds=600.0, promise_seconds=1800, line=LINE)
def pull_partner(*, partner_id: int, at: datetime) -> None:
    """One round with a server."""
    if (partner := _living(partner_id)) and partner.paused_at is None:
        pulling.pull(partner, at=at, ended_at=clock.now())


@job(TELL, outside=True, timeout_seconds=600.0, promise_seconds=1800, line=LINE)
def tell_partner(*, partner_id: int, at: datetime) -> None:
    """Tell a server what happened here."""
    if (partner := _living(partner_id)) and partner.paused_at is None:
        telling.tell(partner, at=at, ended_at=clock.now())


def _living(partner_id: int) -> Partner | None:
    return Partner.objects.select_related("street").filter(pk=partner_id, ended_at=None).first()


@every("open311.rounds", seconds=300)
def rounds(*, at: datetime) -> None:
    """A round with each server that is not paused."""
    for partner in Partner.objects.filter(ended_at=None, paused_at=None):
        ask_pull(partner, at=at)


@every("open311.follow", seconds=60)
def follow(*, at: datetime) -> None:
    """Look at what happened here, for each server that is told of it or has cases handed over by type."""
    for partner in Partner.objects.filter(ended_at=None, paused_at=None):
        if partner.has_updates or partner.push == Push.MAPPED:
            ask_tell(partner, at=at)


def give_up_media(dead: DeadJob, *, at: datetime) -> None:
    """The last try is over: the administrator sees it."""
    media.give_up(dead.args["media_id"], at=at)


def give_up_push(dead: DeadJob, *, at: datetime) -> None:
    """The last try is over: the desk sees it."""
    pushing.give_up(dead.args["mirror_id"])


on_dead(give_up_media, kind=media.FETCH)
on_dead(give_up_push, kind=pushing.PUSH)


@every("open311.retention", daily_at="03:30")
def retention(*, at: datetime) -> None:
    """Fetches and rounds after thirty days; callers' update numbers after a year."""
    media.forget(at=at)
    Run.objects.filter(began_at__lt=at - RUNS_KEPT).delete()
    TakenUpdate.objects.filter(at__lt=at - UPDATES_KEPT).delete()
