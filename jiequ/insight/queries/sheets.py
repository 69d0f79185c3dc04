"""The indicators as they are shown, on a page and in a file alike: rates, comparisons, trends, with the cases behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from jiequ.cases.policy import Policy

from ..catalogue import FAMILIES, INDICATORS, RATED, Indicator, Reading
from ..models import Group
from ..periods import Period
from . import figures
from .figures import Rate
from .names import names_of


@dataclass(frozen=True, slots=True)
class Line:
    """One reading of one indicator with its figure."""

    indicator: Indicator
    reading: Reading
    rate: Rate
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One department, community or type: its figure, and how many of its closed cases were rated.

    ``rate`` is None where there are too few cases to compare.
    """

    key: int
    name: str
    below: int
    rate: Rate | None
    rated: Rate


def chosen(indicator: Indicator, policy: Policy) -> Reading:
    """The reading a street chose, the first one otherwise."""
    return indicator.reading(str(getattr(policy, indicator.setting)) if indicator.setting else "")


def lines(street_ids: Sequence[int], period: Period, policy: Policy) -> dict[str, list[Line]]:
    """Every reading of every indicator, by family. One SELECT over the days."""
    sums = figures.sums(street_ids, period)
    return {
        family.key: [
            Line(one, reading, figures.rate_of(sums, reading), reading == chosen(one, policy))
            for one in family.indicators
            for reading in one.readings
        ]
        for family in FAMILIES
    }


def groups_of(indicator: Indicator) -> tuple[str, ...]:
    """By what an indicator may be compared: those about posts by community only."""
    return (
        (Group.COMMUNITY.value,) if indicator.area_only else (Group.DEPARTMENT.value, Group.COMMUNITY.value, Group.TYPE.value)
    )


def compared(street_ids: Sequence[int], period: Period, reading: Reading, group: str, *, least: int) -> list[Compared]:
    """The reading for each department, community or type, in the order of their names: this is no ranking. Two SELECTs."""
    rated = RATED.readings[0]
    parts = list(dict.fromkeys([reading.above, reading.below, rated.above, rated.below]))
    rows = figures.sums_by(street_ids, period, group, parts)
    rows = {key: sums for key, sums in rows.items() if sums[reading.below]}
    names = names_of(group, rows)
    found = [
        Compared(
            key=key,
            name=names.get(key, f"#{key}"),
            below=sums[reading.below],
            rate=figures.rate_of(sums, reading) if sums[reading.below] >= least else None,
            rated=figures.rate_of(sums, rated),
        )
        for key, sums in rows.items()
    ]
    return sorted(found, key=lambda row: (row.key == 0, row.name))


def trend(street_ids: Sequence[int], period: Period, reading: Reading) -> list[tuple[date, Rate]]:
    """The reading step by step. One SELECT."""
    steps = figures.trend(street_ids, period, [reading.above, reading.below])
    return [(day, figures.rate_of(sums, reading)) for day, sums in steps]


def indicator_of(key: str) -> Indicator | None:
    """The indicator of that key."""
    return INDICATORS.get(key)


def sums_of_lines(rows: Mapping[str, Sequence[Line]]) -> Rate:
    """How many of the closed cases residents reported were rated, out of ``lines``."""
    return next(line.rate for line in rows["verdict"] if line.indicator is RATED)
