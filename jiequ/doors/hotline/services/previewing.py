"""A sample order read by a map that is not saved yet: what its case would be, with nothing stored."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from jiequ.cases.import_map import BadRow, MapFault
from jiequ.cases.models import FilingCondition, IssueKind
from jiequ.cases.queries.types import said
from jiequ.cases.services.import_meaning import Meaning
from jiequ.cases.words import masked
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.grid.models import Community, UnitGrid
from jiequ.people.models import Department

from ..models import Source
from .receiving import Reader, Told, flattened
from .sources import map_faults

LONGEST_SAMPLE = 20_000


@dataclass(slots=True)
class Preview:
    """What the case would be: (what, value, is it sure) lines; or ``faults``, why there would be none."""

    lines: list[tuple[str, str, bool]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def cells_of(sample: str) -> dict[str, str]:
    """A JSON object, or two lines of CSV (headings, one row), commas or tabs, as it is pasted. Refusal for anything else."""
    text = sample.strip().lstrip("\ufeff")
    if not text or len(text) > LONGEST_SAMPLE:
        raise Refusal("no_sample", _("请粘贴一张工单：一个 JSON 对象，或两行 CSV（列名和一行）。"), facts={"field": "sample"})
    if text[:1] in "{[":
        return flattened(_object(text))
    delimiter = "\t" if "\t" in text.splitlines()[0] else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if len(rows) < 2 or len(rows[0]) != len(rows[1]):
        raise Refusal("no_sample", _("CSV 要两行：列名和一行，格数相同。"), facts={"field": "sample"})
    return {heading.strip(): cell.strip() for heading, cell in zip(rows[0], rows[1], strict=True)}


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, list) and given:
        given = given[0]
    if not isinstance(given, dict):
        raise Refusal("no_sample", _("不是有效的 JSON 对象。"), facts={"field": "sample"})
    return given


def preview(source: Source, map_text: str, sample: str, *, at: datetime) -> Preview:
    """Read ``sample`` by ``map_text``. Refusal for a sample that is none."""
    cells = cells_of(sample)
    if faults := map_faults(source, map_text, at=at):
        return Preview(faults=faults)
    source.map_text = map_text
    try:
        told, meaning, waits = Reader(source, at=at).read(cells, at=at)
    except (BadRow, MapFault) as fault:
        return Preview(faults=[str(fault)])
    found = Preview(lines=_lines(source, told, meaning))
    if told.due_at is not None and told.due_at <= at:
        found.faults.append(_("工单上的时限已经过去，这张工单会被拒收。"))
    for kind, words in waits:
        line = _("%(kind)s“%(words)s”没有对应，会进导入核对") % {"kind": IssueKind(kind).label, "words": words}
        found.lines.append((_("待核对"), line, False))
    return found


def _lines(source: Source, told: Told, meaning: Meaning) -> list[tuple[str, str, bool]]:
    place, nothing = meaning.place, _("没有")
    grid = UnitGrid.objects.filter(pk=place.unit_grid_id or 0).values_list("code15", flat=True).first()
    trusted = source.system.is_trusted and meaning.condition and grid
    lines = [
        (_("单号"), told.number, True),
        (_("来电时间"), _moment(told.created_at), True),
        (_("工单时限"), _moment(told.due_at) if told.due_at else _("没有，只走本街道的时限"), told.due_at is not None),
        (_("诉求"), masked(told.words)[:200] or nothing, bool(told.words)),
        (_("类型"), _type(meaning) or nothing, meaning.condition is not None),
        (_("街道"), _named(Street, place.street_id), True),
        (_("社区"), _named(Community, place.community_id) or nothing, place.community_id is not None),
        (_("网格"), grid or nothing, bool(grid)),
        (_("地点"), masked(told.place) or nothing, bool(told.place)),
        (_("承办单位"), _named(Department, meaning.department_id) or nothing, meaning.department_id is not None),
        (_("来电人"), _("有，密封保存") if told.name or told.phone else nothing, bool(told.name or told.phone)),
        (_("进来以后"), _("自动立案") if trusted else _("等受理员受理"), True),
    ]
    return lines


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "Y-m-d H:i")


def _type(meaning: Meaning) -> str:
    if meaning.condition is None:
        return ""
    condition = FilingCondition.objects.select_related("edition").get(pk=meaning.condition.id)
    edition = condition.edition
    return f"{said(edition.name_zh, edition.name_en)} · {said(condition.name_zh, condition.name_en)}"


def _named(model: Any, pk: int | None) -> str:
    row = model._default_manager.filter(pk=pk).values_list("name_zh", "name_en").first()
    return said(*row) if row else ""
