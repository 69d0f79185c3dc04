"""Figures out of the days, and the cases behind each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import BigIntegerField, F, Min, Q, QuerySet, Sum, Value

from jiequ.cases.models import Case
from jiequ.cases.queries.lists import named_whole
from jiequ.people.rules import Actor

from ..catalogue import Reading
from ..models import CaseCount, DayFigure, Group, Mark
from ..periods import Period, begin_of, steps
from ..rules import BASIS_OF, BIT, PARTS

PAGE = 50

Sums = Mapping[str, int]
_COLUMN = {Group.DEPARTMENT: "department_id", Group.COMMUNITY: "community_id", Group.TYPE: "event_type_id"}


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure: ``above`` of ``below`` cases. ``share`` is None when there is nothing below the line."""

    above: int
    below: int

    @property
    def share(self) -> float | None:
        return self.above / self.below if self.below else None


def rate_of(sums: Sums, reading: Reading) -> Rate:
    """A reading's figure out of sums of parts."""
    return Rate(sums.get(reading.above, 0), sums.get(reading.below, 0))


def sums(street_ids: Sequence[int], period: Period, parts: Sequence[str] = PARTS) -> dict[str, int]:
    """How many cases count for each part in the period, in these streets together. One SELECT over the days."""
    found = _days(street_ids, period, Group.ALL).aggregate(**{part: Sum(part) for part in parts})
    return {part: n or 0 for part, n in found.items()}


def sums_by(street_ids: Sequence[int], period: Period, group: str, parts: Sequence[str]) -> dict[int, dict[str, int]]:
    """The same for every department, community or type that has any. One SELECT over the days."""
    rows = _days(street_ids, period, group).values_list("key").annotate(**{part: Sum(part) for part in parts}).order_by()
    return {key: dict(zip(parts, counts, strict=True)) for key, *counts in rows}


def trend(street_ids: Sequence[int], period: Period, parts: Sequence[str]) -> list[tuple[date, dict[str, int]]]:
    """The parts step by step over the period, the steps without any too. One SELECT over the days."""
    rows = _days(street_ids, period, Group.ALL).values_list("day").annotate(**{part: Sum(part) for part in parts}).order_by()
    found = {day: dict.fromkeys(parts, 0) for day in steps(period)}
    for day, *counts in rows:
        step = found[begin_of(period.step, day)]
        for part, n in zip(parts, counts, strict=True):
            step[part] += n
    return list(found.items())


def _days(street_ids: Sequence[int], period: Period, group: str) -> QuerySet[DayFigure]:
    return DayFigure.objects.filter(street_id__in=street_ids, group=group, day__gte=period.since, day__lte=period.last)


@dataclass(frozen=True, slots=True)
class Behind:
    """Which cases stand behind a figure: those that count for a part in a period, of one group's key if asked."""

    street_ids: tuple[int, ...]
    period: Period
    part: str
    group: str = Group.ALL
    key: int = 0


@dataclass(frozen=True, slots=True)
class BehindPage:
    """A keyset page, newest day first; ``next_after`` is (day, id) of its last row, None at the end."""

    rows: list[Case]
    next_after: tuple[date, int] | None


def behind(asked: Behind) -> QuerySet[CaseCount]:
    """The counts behind a figure."""
    basis = f"{BASIS_OF[asked.part]}_on"
    span = {f"{basis}__gte": asked.period.since, f"{basis}__lte": asked.period.last}
    rows = CaseCount.objects.filter(street_id__in=asked.street_ids, **span)
    if asked.group != Group.ALL:
        column = _COLUMN[Group(asked.group)]
        rows = rows.filter(**({column: asked.key} if asked.key else {f"{column}__isnull": True}))
    bit = Value(BIT[asked.part], BigIntegerField())  # said to be an integer, 2**31 would travel as a negative one
    has = F("parts").bitand(bit)  # type: ignore[arg-type]
    return rows.annotate(has=has, on=F(basis)).filter(has__gt=0)


def total(asked: Behind) -> int:
    """How many there are, out of the days: the figure that the list stands behind. One SELECT."""
    rows = DayFigure.objects.filter(
        street_id__in=asked.street_ids,
        group=asked.group,
        key=asked.key,
        day__gte=asked.period.since,
        day__lte=asked.period.last,
    )
    return rows.aggregate(n=Sum(asked.part))["n"] or 0


def behind_page(actor: Actor, asked: Behind, *, after: tuple[date, int] | None = None, size: int = PAGE) -> BehindPage:
    """A page of the cases behind a figure, as far as the reader may see them. Two SELECTs.

    The days with anything for the part are known from the day figures, so a rare part does not read a whole year.
    """
    rows: QuerySet[Any] = behind(asked)
    if after is not None:
        rows = rows.filter(Q(on__lt=after[0]) | Q(on=after[0], case_id__lt=after[1]))
    floor = _floor(asked, after, size)
    if floor is not None:
        rows = rows.filter(on__gte=floor)
    found = list(rows.order_by("-on", "-case_id").values_list("on", "case_id")[: size + 1])
    ids = [case_id for _on, case_id in found[:size]]
    cases = {case.pk: case for case in _shown(actor, ids)}
    return BehindPage([cases[i] for i in ids if i in cases], found[size - 1] if len(found) > size else None)


def _shown(actor: Actor, ids: Sequence[int]) -> QuerySet[Case]:
    return named_whole(Case.objects.visible_to(actor).filter(pk__in=ids))


def _floor(asked: Behind, after: tuple[date, int] | None, size: int) -> date | None:
    """The day down to which a page has to read at most; None to read them all. One SELECT over the days."""
    last = after[0] if after else asked.period.last
    rows = DayFigure.objects.filter(
        street_id__in=asked.street_ids, group=asked.group, key=asked.key, day__gte=asked.period.since, day__lte=last
    )
    total, floor = 0, None
    counted = rows.filter(**{f"{asked.part}__gt": 0}).order_by("-day").values_list("day", asked.part)
    skip = after[0] if after else None
    for day, n in counted[:400]:
        if day != skip:
            total += n
        floor = day
        if total > size:
            return floor
    return None


def counted_at() -> datetime | None:
    """Up to when the ledger has been counted; None before the first time. One SELECT."""
    return Mark.objects.filter(pk=1).aggregate(at=Min("counted_at"))["at"]


def last_check() -> dict[str, Any]:
    """What the last full check found."""
    return dict(Mark.objects.filter(pk=1).values("checked_at", "checked_cases", "checked_wrong").first() or {})
