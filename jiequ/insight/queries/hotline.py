"""The hotline's three rates by its own call-backs: each source by its own formula, whole and by department.

Read from the door's orders (``doors.hotline.queries.rates``) as they stand: a hotline's orders of a period are few, so nothing
is kept. Orders count on the day on which they came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext as _

from jiequ.cases.models import Case
from jiequ.cases.queries.lists import named_whole
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.worktime import ZONE
from jiequ.doors.hotline import rules, words
from jiequ.doors.hotline.models import Source
from jiequ.doors.hotline.queries import rates
from jiequ.people.rules import Actor

from ..files import Cell, Table
from .asking import Asked, whole
from .figures import PAGE
from .names import names_of

Parts = frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One rate: its formula and its two numbers."""

    rate: str
    formula: tuple[str, str]
    share: rules.Share


@dataclass(frozen=True, slots=True)
class Row:
    """One department: how many orders it has, and its three rates; None where they are too few to compare."""

    key: int
    name: str
    orders: int
    lines: tuple[Line | None, ...]


class Rates:
    """One source's orders of a period, read once. Two SELECTs, and four for each thousand of orders."""

    def __init__(self, source: Source, asked: Asked) -> None:
        self.source, self.asked = source, asked
        self.formulas = rules.formulas_of(source.formulas)
        span = (_begin(asked.period.since), _begin(asked.period.until))
        counted = rates.counted(source, asked.street_ids, *span)
        self.orders: list[tuple[int, int, Parts]] = [
            (one.case_id, one.sight.department_id or 0, rules.parts_of(one.sight, satisfied_from=source.satisfied_from))
            for one in counted
        ]

    def lines(self) -> list[Line]:
        """The three rates of all of them."""
        return [self._line(rate, [parts for _case, _department, parts in self.orders]) for rate in rules.RATES]

    def rows(self, least: int) -> list[Row]:
        """The same by department, in the order of their names; a rate only from ``least`` orders below its line on."""
        groups: dict[int, list[Parts]] = defaultdict(list)
        for _case, department_id, parts in self.orders:
            groups[department_id].append(parts)
        names = names_of("department", groups)
        rows = [
            Row(key, names.get(key, ""), len(group), tuple(self._compared(rate, group, least) for rate in rules.RATES))
            for key, group in groups.items()
        ]
        return sorted(rows, key=lambda row: (row.key == 0, row.name))

    def _line(self, rate: str, orders: Sequence[Parts]) -> Line:
        formula = self.formulas[rate]
        return Line(rate, formula, rules.share_of(orders, formula))

    def _compared(self, rate: str, orders: Sequence[Parts], least: int) -> Line | None:
        line = self._line(rate, orders)
        return line if line.share.below >= least else None

    def case_ids(self, rate: str, side: str, department_id: int | None) -> list[int]:
        """The cases behind one number of a rate, newest first."""
        above, below = self.formulas[rate]
        wanted = {above, below} if side == "above" else {below}
        found = {
            case_id for case_id, department, parts in self.orders if wanted <= parts and department_id in (None, department)
        }
        return sorted(found, reverse=True)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def sources_for(asked: Asked) -> list[Source]:
    """The sources whose orders may lie in the streets that are asked for."""
    return rates.sources_of(asked.street_ids)


def chosen(asked: Asked, slug: str) -> Source | None:
    """The source asked for, else the first; None where there is none. NotFound for one that is not of these streets."""
    found = sources_for(asked)
    if not slug:
        return found[0] if found else None
    source = next((one for one in found if one.slug == slug), None)
    if source is None:
        raise NotFound("no_such_source", _("没有这个热线来源。"))
    return source


@dataclass(frozen=True, slots=True)
class Behind:
    """Which number is asked for."""

    rate: str
    side: str
    department_id: int | None


def behind_of(data: Mapping[str, Any]) -> Behind:
    """The number of an address or a form; Refusal for one that does not exist."""
    rate, side = str(data.get("rate", "")), str(data.get("side", ""))
    if rate not in rules.RATES or side not in {"above", "below"}:
        raise Refusal("no_such_figure", _("没有这个数。"), facts={"field": "rate"})
    return Behind(rate, side, whole(data, "of"))


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page of cases, newest first; ``next_before`` is the last one's id."""

    rows: list[Case]
    total: int
    next_before: int | None


def behind_page(actor: Actor, found: Rates, asked: Behind, *, before: int | None = None, size: int = PAGE) -> Page:
    """A page of the cases behind a number, as far as the reader may see them. One SELECT beside those of ``found``."""
    ids = found.case_ids(asked.rate, asked.side, asked.department_id)
    left = [one for one in ids if before is None or one < before]
    cases = {case.pk: case for case in named_whole(Case.objects.visible_to(actor).filter(pk__in=left[:size]))}
    rows = [cases[one] for one in left[:size] if one in cases]
    return Page(rows, len(ids), left[size - 1] if len(left) > size else None)


def tables(found: Rates, least: int) -> list[Table]:
    """By department for a file (the first table, for CSV too), then the three rates with their formulas."""
    headings = [_("部门"), _("工单")]
    for rate in rules.RATES:
        name = str(words.RATES[rate])
        headings += [name, _("%(rate)s：分子") % {"rate": name}, _("%(rate)s：分母") % {"rate": name}]
    rows = list(_cells(found.rows(least)))
    above = [_("不到 %(n)d 件的只写“样本不足”。按名称排列。") % {"n": least}]
    kinds = ["text", "whole", *["share", "whole", "whole"] * len(rules.RATES)]
    lines = [
        [str(words.RATES[line.rate]), line.share.share, line.share.above, line.share.below, words.formula(line.formula)]
        for line in found.lines()
    ]
    return [
        Table(_("部门"), headings, kinds, iter(rows), above, len(rows)),
        Table(
            _("三率"),
            [_("指标"), _("数值"), _("分子"), _("分母"), _("公式")],
            ["text", "share", "whole", "whole", "text"],
            iter(lines),
            total=len(lines),
        ),
    ]


def _cells(rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for row in rows:
        cells: list[Cell] = [row.name, row.orders]
        for line in row.lines:
            cells += [_("样本不足"), None, None] if line is None else [line.share.share, line.share.above, line.share.below]
        yield cells
