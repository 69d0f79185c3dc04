"""The board, the indicators and lists of cases as tables for a file: only what their reader may see, never a reporter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.cases.models import Case
from jiequ.cases.policy import Policy
from jiequ.cases.queries import supervise
from jiequ.cases.queries.lists import light_of
from jiequ.cases.queries.rows import named, place_words, source_words, type_name
from jiequ.cases.queries.supervise import Scope
from jiequ.cases.words import STATES
from jiequ.people.rules import Actor

from ..catalogue import BASES, FAMILIES, STRENGTHS
from ..files import Cell, Table
from ..periods import Period
from ..words import light_words, matter_word
from . import board as boards
from . import figures, sheets
from .figures import Behind
from .names import group_words

BATCH = 200


def indicator_tables(street_ids: Sequence[int], period: Period, policy: Policy) -> list[Table]:
    """Every reading with its figure, its n and its formula; then the main rates by department, community and type."""
    lines = sheets.lines(street_ids, period, policy)
    rated = sheets.sums_of_lines(lines)
    headings = [_("类别"), _("指标"), _("数值"), _("分子"), _("分母"), _("评价率"), _("公式"), _("按哪天算"), _("公式来源")]
    kinds = ["text", "text", "share", "whole", "whole", "share", "text", "text", "text"]
    rows: list[list[Cell]] = [
        [
            *(str(family.name), str(line.indicator.name), line.rate.share, line.rate.above, line.rate.below, rated.share),
            *(str(line.reading.formula), str(BASES[line.reading.basis])),
            str(STRENGTHS[line.reading.strength or line.indicator.strength]),
        ]
        for family in FAMILIES
        for line in lines[family.key]
    ]
    tables = [Table(_("指标"), headings, kinds, iter(rows), total=len(rows))]
    for group, word in group_words().items():
        tables.append(_compared(street_ids, period, policy, group, word))
    return tables


def _compared(street_ids: Sequence[int], period: Period, policy: Policy, group: str, word: str) -> Table:
    """One row a department (community, type), one column an indicator; a figure only from the least number on."""
    shown = [one for family in FAMILIES for one in family.indicators if group in sheets.groups_of(one)]
    readings = [sheets.chosen(one, policy) for one in shown]
    least = policy.compare_min_n
    found: dict[int, list[Cell]] = {}
    names: dict[int, str] = {}
    for number, reading in enumerate(readings):
        for row in sheets.compared(street_ids, period, reading, group, least=least):
            names[row.key] = row.name
            cells = found.setdefault(row.key, [None] * len(readings))
            cells[number] = row.rate.share if row.rate else _("样本不足")
    ordered = sorted(found, key=lambda key: (key == 0, names[key]))
    rows: list[list[Cell]] = [[names[key], *found[key]] for key in ordered]
    headings = [word, *(str(one.name) for one in shown)]
    above = [_("不到 %(n)d 件的只写“样本不足”。按名称排列。") % {"n": least}]
    return Table(word, headings, ["text", *["share"] * len(shown)], iter(rows), above, len(rows))


def board_tables(scope: Scope) -> list[Table]:
    """The board's figures, and the lights by department, community and type."""
    found = boards.board(scope)
    figures_of = [
        *((light_words()[light], n) for light, n in found.all.items()),
        *((matter_word(name), n) for name, n in found.counts.items()),
        *((matter_word(f"return_{code}"), n) for code, n in sorted(found.reasons.items())),
    ]
    tables = [
        Table(
            _("督办台"),
            [_("项目"), _("件数")],
            ["text", "whole"],
            iter([list(row) for row in figures_of]),
            total=len(figures_of),
        )
    ]
    for group, word in group_words().items():
        rows: list[list[Cell]] = [
            [row.name, *(row.lights[light] for light in supervise.LIGHT_KEYS), row.total] for row in found.groups[group]
        ]
        headings = [word, *(light_words()[light] for light in supervise.LIGHT_KEYS), _("合计")]
        tables.append(Table(word, headings, ["text", *["whole"] * (len(headings) - 1)], iter(rows), total=len(rows)))
    return tables


def case_table(name: str, cases: Iterator[Case], total: int, *, at: datetime, above: Sequence[str] = ()) -> Table:
    """Cases, one a row. Words of reporters and whoever they are stay where they are."""
    headings, kinds = [heading for heading, _kind, _field in _columns()], [kind for _heading, kind, _field in _columns()]
    return Table(name, headings, kinds, _rows(cases, at), above, total)


def _rows(cases: Iterator[Case], at: datetime) -> Iterator[list[Cell]]:
    fields = [field for _heading, _kind, field in _columns()]
    for case in cases:
        yield [field(case, at) for field in fields]


def behind_cases(actor: Actor, asked: Behind) -> Iterator[Case]:
    """Every case behind a figure, read page by page."""
    after: tuple[date, int] | None = None
    while True:
        page = figures.behind_page(actor, asked, after=after, size=BATCH)
        yield from page.rows
        after = page.next_after
        if after is None:
            return


def matter_cases(rows: Any) -> Iterator[Case]:
    """Every case of a matter, read page by page."""
    before: int | None = None
    while True:
        page = supervise.matter_page(rows, before=before, size=BATCH)
        yield from page.rows
        before = page.next_before
        if before is None:
            return


Field = Callable[[Case, datetime], Cell]


def _columns() -> list[tuple[str, str, Field]]:
    """Heading, kind and how to read it. A type's name, never the reporter's words; no place for a report of wrongdoing."""
    return [
        (_("编号"), "text", lambda case, at: case.number),
        (_("类型"), "text", lambda case, at: type_name(case) if case.condition_id else _("还没有定类型")),
        (_("状态"), "text", lambda case, at: str(STATES[case.state])),
        (_("灯"), "text", lambda case, at: light_words().get(light_of(case, at).value, "") if case.ended_at is None else ""),
        (_("来源"), "text", lambda case, at: source_words(case.source)),
        (_("街道"), "text", lambda case, at: named(case.street)),
        (_("社区"), "text", lambda case, at: named(case.community)),
        (_("网格"), "text", lambda case, at: case.unit_grid.code15 if case.unit_grid else ""),
        (_("地点"), "text", lambda case, at: "" if case.is_confidential else place_words(case)),
        (_("主办"), "text", lambda case, at: named(case.lead)),
        (_("上报"), "moment", lambda case, at: _moment(case.reported_at)),
        (_("立案"), "moment", lambda case, at: _moment(case.accepted_at)),
        (_("派遣"), "moment", lambda case, at: _moment(case.dispatched_at)),
        (_("时限"), "moment", lambda case, at: _moment(case.due_at)),
        (_("办结"), "moment", lambda case, at: _moment(case.ended_at)),
        (_("退单次数"), "whole", lambda case, at: case.returns),
        (_("返工次数"), "whole", lambda case, at: case.reworks),
        (_("督办次数"), "whole", lambda case, at: case.urges),
        (_("反映人数"), "whole", lambda case, at: case.voices),
    ]


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M") if at else ""
