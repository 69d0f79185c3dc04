"""今日简报: what a leader should know this morning, as plain sentences, each with the cases it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import get_language

from jiequ.cases.policy import Policy
from jiequ.cases.queries import supervise
from jiequ.channels.queries import OldestLost, oldest_lost
from jiequ.core.models import Street
from jiequ.people.rules import Actor

from ..models import Group
from ..periods import Period, around
from ..rules import local_day
from . import figures
from .board import scope_of
from .names import names_of

DEPARTMENTS = 6
"""How many departments with late cases the brief names; the board has them all."""
DAY_PARTS = ("reported", "closed", "turned_late")


@dataclass(frozen=True, slots=True)
class Late:
    """A department and how many of its open cases are past their limit."""

    key: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Brief:
    """The figures of one morning. ``counts`` are matters as of now; ``days`` are yesterday's and today's parts."""

    counts: dict[str, int]
    since: date
    red: int
    departments: list[Late]
    days: list[tuple[Period, dict[str, int]]]
    lost: OldestLost | None


def brief(streets: tuple[Street, ...], *, at: datetime, actor: Actor) -> Brief:
    """The brief of some streets. About a dozen SELECTs, each over open cases, a narrow index or the days."""
    today = local_day(at)
    since = today - timedelta(days=max((Policy.of(street.settings).reopen_days for street in streets), default=15))
    scope = scope_of(streets, Period("any", since, today), at=at, actor=actor)
    red = supervise.red_by_department(scope)
    names = names_of(Group.DEPARTMENT, [key for key, _n in red])
    periods = [around("day", today - timedelta(days=1)), around("day", today)]
    return Brief(
        counts=supervise.how_many(scope, ("unsolved", "decide", "urgent", "repeated", "undelivered", "light_red")),
        since=since,
        red=sum(n for _key, n in red),
        departments=[Late(key, names.get(key, f"#{key}"), n) for key, n in red[:DEPARTMENTS]],
        days=[(period, figures.sums(scope.street_ids, period, DAY_PARTS)) for period in periods],
        lost=oldest_lost(scope.street_ids, language=get_language() or actor.language),
    )
