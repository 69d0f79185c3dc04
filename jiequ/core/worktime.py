"""Counting time the way a street does: urgent hours, work hours, work days, natural days. Pure; nothing of Django.

Everything is integer arithmetic on two axes. The *running* axis never stops (urgent hours, natural days); the *work*
axis moves only inside working hours on workdays (work minutes, hours and days). A moment has one position on each
axis, so counting is a subtraction: additive over splits, never backwards, and a few microseconds over any span.

Definitions (strength of source as in DOMAIN: C seen in a real system, P our own proposal):

- urgent hour 紧急工作时 (C): 60 minutes that run through nights and holidays.
- work hour 工作时 (C): 60 minutes of working time.
- work day 工作日 (C): the working seconds of one day, 8 hours by default, wherever they fall: one work day from Monday
  15:00 is due on Tuesday at 15:00, not at the end of Tuesday.
- natural day 自然日 (P): exactly 24 hours, from the second the clock starts. Reading it as "until midnight of the n-th
  day" is also common; ours is never later than that one, pauses stay exact, and a promise kept by ours is kept by both.
- work minute, urgent minute (P): for the limits inside the centre (accept, dispatch, acknowledge, check).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from itertools import accumulate, compress, pairwise
from zoneinfo import ZoneInfo

from .holidays import DayKind, rule_kind

ZONE = ZoneInfo("Asia/Shanghai")
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
DEFAULT_HOURS = ((time(8), time(12)), (time(14), time(18)))

_OFFSET = 8 * 3600  # Asia/Shanghai has had no summer time since 1991
_DAY = 86_400
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE = date(1970, 1, 1)
_BASE = (FIRST_DAY - _EPOCH_DATE).days

Span = tuple[datetime, datetime | None]


class Unit(StrEnum):
    """What a limit is counted in. The first four are the field's; minutes are for limits inside the centre."""

    URGENT_HOUR = "urgent_hour"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"
    WORK_MINUTE = "work_minute"
    URGENT_MINUTE = "urgent_minute"

    @property
    def runs_always(self) -> bool:
        """True if nights, weekends and holidays count."""
        return self in _RUNNING


FIELD_UNITS = (Unit.URGENT_HOUR, Unit.WORK_HOUR, Unit.WORK_DAY, Unit.NATURAL_DAY)
_RUNNING = frozenset({Unit.URGENT_HOUR, Unit.NATURAL_DAY, Unit.URGENT_MINUTE})
_SECONDS = {
    Unit.URGENT_HOUR: 3600,
    Unit.WORK_HOUR: 3600,
    Unit.NATURAL_DAY: _DAY,
    Unit.WORK_MINUTE: 60,
    Unit.URGENT_MINUTE: 60,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of a unit; fractions are allowed (half a work hour)."""

    value: Decimal | int
    unit: Unit

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("a limit cannot be negative")


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit runs out. ``is_provisional``: a day on the way is not yet settled by a published notice."""

    at: datetime
    is_provisional: bool = False


class WorkCalendar:
    """Which seconds are working time, from 2000 to 2100. Immutable; build a new one when the table changes.

    ``days`` are the known dates; every other date follows ``rule_kind`` (weekends and the fixed statutory dates) and is
    provisional, as are the known dates in ``provisional``. ``hours`` are one day's working spans, in local time.
    """

    def __init__(
        self,
        days: Mapping[date, DayKind | bool] | None = None,
        provisional: AbstractSet[date] = frozenset(),
        *,
        hours: Sequence[tuple[time, time]] = DEFAULT_HOURS,
        edition: int = 0,
    ) -> None:
        known = {day: _kind(value) for day, value in (days or {}).items() if FIRST_DAY <= day <= LAST_DAY}
        self.edition = edition
        self.hours = tuple(hours)
        self._spans = _spans(hours)
        self.day_seconds = sum(end - start for start, end in self._spans)
        self._codes, works, unsettled = _tables(known, provisional)
        self._workdays = array("i", compress(range(len(works)), works))
        self._workdays_before = array("i", accumulate(works, initial=0))
        self._unsettled_before = array("i", accumulate(unsettled, initial=0))

    # --- days -------------------------------------------------------------------------------------------------
    def kind_of(self, day: date) -> DayKind:
        """Workday, rest or statutory holiday. ValueError outside 2000–2100."""
        return _KINDS[self._codes[_checked(_index(day))]]

    def is_workday(self, day: date) -> bool:
        """True on a day people work, make-up workdays included."""
        return self.kind_of(day) is DayKind.WORKDAY

    def is_statutory_holiday(self, day: date) -> bool:
        """True on one of the decree's own days only: a Saturday or an exchanged day off is not one."""
        return self.kind_of(day) is DayKind.HOLIDAY

    def is_provisional(self, first: date, last: date | None = None) -> bool:
        """True if any day from ``first`` to ``last`` (both included) is not settled by a published notice."""
        a, b = _checked(_index(first)), _checked(_index(last or first))
        return self._unsettled_before[b + 1] > self._unsettled_before[a]

    # --- limits -----------------------------------------------------------------------------------------------
    def seconds_of(self, limit: Limit) -> int:
        """The limit in seconds of its own axis (half a second rounds up)."""
        one = self.day_seconds if limit.unit is Unit.WORK_DAY else _SECONDS[limit.unit]
        return int((Decimal(limit.value) * one).to_integral_value(ROUND_HALF_UP))

    def add(self, start: datetime, limit: Limit) -> Due:
        """When ``limit`` runs out if its clock starts at ``start`` and is never paused."""
        return self.due(limit.unit, self.seconds_of(limit), start)

    def due(self, unit: Unit, seconds: int, start: datetime) -> Due:
        """The first moment at which ``seconds`` of ``unit``'s axis have been counted since ``start``.

        ``seconds`` of zero or less (nothing is left, or less than nothing) is due at ``start`` itself.
        """
        begun = _local(start)
        if seconds <= 0:
            return Due(_moment(begun))
        if unit.runs_always:
            return Due(_moment(begun + seconds))
        ended = self._at_work_position(self._work_position(begun) + seconds)
        first, last = begun // _DAY - _BASE, ended // _DAY - _BASE
        unsettled = self._unsettled_before[last + 1] > self._unsettled_before[first]
        return Due(_moment(ended), unsettled)

    # --- counting ---------------------------------------------------------------------------------------------
    def counted_seconds(self, unit: Unit, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> int:
        """Seconds of ``unit``'s axis from ``start`` to ``end``, without the pauses (an open pause ends with None).

        Zero when ``end`` is not after ``start``. Overlapping pauses count once.
        """
        begun, ended = _local(start), _local(end)
        if ended <= begun:
            return 0
        position = (lambda moment: moment) if unit.runs_always else self._work_position
        paused = sum(position(b) - position(a) for a, b in _merged(pauses, begun, ended))
        return position(ended) - position(begun) - paused

    def remaining_seconds(self, unit: Unit, at: datetime, due: datetime) -> int:
        """Seconds of ``unit``'s axis still to go until ``due``; negative by as much as it is late."""
        if at <= due:
            return self.counted_seconds(unit, at, due)
        return -self.counted_seconds(unit, due, at)

    # --- working time -----------------------------------------------------------------------------------------
    def is_working_time(self, at: datetime) -> bool:
        """True inside a working span (its first second included, its last moment not)."""
        day, second = divmod(_local(at), _DAY)
        return self._works(day) and any(start <= second < end for start, end in self._spans)

    def next_working_moment(self, at: datetime) -> datetime:
        """``at`` itself inside working time, else the start of the next working span (for quiet hours)."""
        if self.is_working_time(at):
            return at
        local = _local(at)
        first_second = self._at_work_position(self._work_position(local) + 1) - 1
        return _moment(first_second)

    def next_workday(self, day: date) -> date:
        """The first workday after ``day``."""
        after = self._workdays_before[_checked(_index(day)) + 1]
        return FIRST_DAY + timedelta(days=self._workdays[after])

    # --- the work axis ----------------------------------------------------------------------------------------
    def _works(self, day: int) -> bool:
        return self._codes[_checked(day - _BASE)] == _WORKDAY

    def _work_position(self, local: int) -> int:
        """Working seconds from 2000-01-01 to the local second."""
        day, second = divmod(local, _DAY)
        index = _checked(day - _BASE)
        whole = self._workdays_before[index] * self.day_seconds
        if self._codes[index] != _WORKDAY:
            return whole
        return whole + sum(min(second, end) - start for start, end in self._spans if second > start)

    def _at_work_position(self, position: int) -> int:
        """The first local second whose work position is ``position`` (which is above zero)."""
        days, rest = divmod(position - 1, self.day_seconds)
        if days >= len(self._workdays):
            raise ValueError(f"the work calendar ends on {LAST_DAY}")
        rest += 1
        for start, end in self._spans:
            if rest <= end - start:
                return (self._workdays[days] + _BASE) * _DAY + start + rest
            rest -= end - start
        raise AssertionError("a day holds fewer working seconds than its spans")


# --- small parts -----------------------------------------------------------------------------------------------------
_KINDS = (DayKind.WORKDAY, DayKind.REST, DayKind.HOLIDAY)
_CODES = {kind: code for code, kind in enumerate(_KINDS)}
_WORKDAY = _CODES[DayKind.WORKDAY]
_IS_WORKDAY = bytes(code == _WORKDAY for code in range(256))


def _kind(value: DayKind | bool) -> DayKind:
    if isinstance(value, bool):
        return DayKind.WORKDAY if value else DayKind.REST
    return DayKind(value)


def _tables(known: Mapping[date, DayKind], provisional: AbstractSet[date]) -> tuple[bytes, bytes, bytes]:
    """For each date of the horizon: the code of its kind, 1 if it is a workday, 1 if no notice has settled it."""
    codes = bytearray(_codes_by_rule())
    unsettled = bytearray(b"\1") * len(codes)
    for day, kind in known.items():
        index = _index(day)
        codes[index] = _CODES[kind]
        unsettled[index] = day in provisional
    return bytes(codes), bytes(codes).translate(_IS_WORKDAY), bytes(unsettled)


@cache
def _codes_by_rule() -> bytes:
    """``rule_kind`` of every date of the horizon, as codes; made once a process."""
    return bytes(_CODES[rule_kind(FIRST_DAY + timedelta(days=n))] for n in range(_LAST_INDEX + 1))


def _index(day: date) -> int:
    return (day - FIRST_DAY).days


def _checked(index: int) -> int:
    if not 0 <= index <= _LAST_INDEX:
        raise ValueError(f"the work calendar covers {FIRST_DAY} to {LAST_DAY} only")
    return index


_LAST_INDEX = _index(LAST_DAY)


def _spans(hours: Sequence[tuple[time, time]]) -> tuple[tuple[int, int], ...]:
    """One day's spans in seconds from midnight; ValueError unless they are in order and do not touch each other."""
    spans = tuple((_second(start), _second(end)) for start, end in hours)
    if not spans or any(start >= end for start, end in spans) or any(a[1] >= b[0] for a, b in pairwise(spans)):
        raise ValueError("working hours must be spans of one day, in order, apart from each other")
    return spans


def _second(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _local(at: datetime) -> int:
    """Whole local seconds since 1970-01-01 00:00 local (a started second has not been counted yet)."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return (at - _EPOCH) // _SECOND + _OFFSET


def _moment(local: int) -> datetime:
    return (_EPOCH + timedelta(seconds=local - _OFFSET)).astimezone(ZONE)


def _merged(pauses: Iterable[Span], start: int, end: int) -> list[tuple[int, int]]:
    """The pauses cut to [start, end], overlaps joined, in order."""
    cut = sorted((max(start, _local(began)), min(end, _local(ended) if ended is not None else end)) for began, ended in pauses)
    merged: list[tuple[int, int]] = []
    for a, b in cut:
        if b <= a:
            continue
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], b))
        else:
            merged.append((a, b))
    return merged
