"""Periods: a day, a week, a month, a quarter, or any two dates; and the steps of a trend. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

KINDS = ("day", "week", "month", "quarter", "any")
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of ``since`` to the end of ``last``, both days included."""

    kind: str
    since: date
    last: date

    @property
    def until(self) -> date:
        """The day after."""
        return self.last + timedelta(days=1)

    @property
    def step(self) -> str:
        """How a trend over it is cut: by day up to two months, by week up to a year, else by month."""
        days = (self.until - self.since).days
        return "day" if days <= 62 else "week" if days <= 366 else "month"


def around(kind: str, day: date) -> Period:
    """The day, week (from Monday), month or quarter in which ``day`` lies."""
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(days=6))
    if kind in {"month", "quarter"}:
        months = 1 if kind == "month" else 3
        first = date(day.year, day.month if months == 1 else (day.month - 1) // 3 * 3 + 1, 1)
        return Period(kind, first, _plus(first, months) - timedelta(days=1))
    return Period("day", day, day)


def before(period: Period) -> Period:
    """The period in front of it, as long as itself."""
    if period.kind == "any":
        length = period.until - period.since
        return Period("any", period.since - length, period.since - timedelta(days=1))
    return around(period.kind, period.since - timedelta(days=1))


def begin_of(step: str, day: date) -> date:
    """The first day of the step in which ``day`` lies."""
    return around({"day": "day", "week": "week", "month": "month"}[step], day).since


def steps(period: Period) -> list[date]:
    """The first day of every step of a trend, oldest first."""
    found, at = [], begin_of(period.step, period.since)
    while at <= period.last:
        found.append(at)
        at = {"day": at + timedelta(days=1), "week": at + timedelta(days=7), "month": _plus(at.replace(day=1), 1)}[period.step]
    return found


def _plus(first: date, months: int) -> date:
    month = first.month - 1 + months
    return date(first.year + month // 12, month % 12 + 1, 1)
