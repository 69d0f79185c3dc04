"""A time that was told, in whichever language, and the last time that what comes again and again began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """A time told: code points ``[start, end)``; ``begins`` ≤ ``ends`` (equal: a moment).

    ``every``: "day", "week", "workday" or "weekend" where it comes again and again; the moments are then those of the last
    time that it began. Holidays are not known here.
    """

    text: str
    start: int
    end: int
    begins: datetime
    ends: datetime
    every: str = ""


def midnight(moment: datetime) -> datetime:
    """When the day of this moment began."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def last_day(every: str, today: datetime, weekday: int = 0) -> datetime:
    """The last such day up to ``today`` (a midnight): of "week" its ``weekday`` (Monday is 0), of "weekend" the Saturday."""
    if every == "workday":
        return today - timedelta(days=max(0, today.weekday() - 4))
    if every == "day":
        return today
    return today - timedelta(days=(today.weekday() - (5 if every == "weekend" else weekday)) % 7)


def last_begun(begins: datetime, ends: datetime, every: str, told_at: datetime) -> tuple[datetime, datetime]:
    """The same span, so many times earlier that it has begun by ``told_at``; it keeps its length."""
    lasts = ends - begins
    while begins > told_at:
        monday = every == "workday" and begins.weekday() == 0
        begins -= timedelta(days=3 if monday else 1 if every in ("day", "workday") else 7)
    return begins, begins + lasts
