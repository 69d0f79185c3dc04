"""The part of a street that somebody chose: drawn or pasted, unit grids, a community or a responsibility grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.ops import unary_union

from jiequ.core.errors import Refusal
from jiequ.core.numbers import whole
from jiequ.grid.models import Community, ResponsibilityGrid, UnitGrid
from jiequ.grid.pages import local_name

from .. import corners, ground
from .covering import polygons

LEAST_M2, MOST_M2 = 100.0, 25_000_000.0  # our own proposal: a yard, a whole street
MOST_UNITS = 400
_BETWEEN = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon, how it was chosen, in words, and its size."""

    geometry: Polygon | MultiPolygon
    label: str
    m2: float


def choices(street_id: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Communities and responsibility grids as groups of a list. Two SELECTs."""
    towns = Community.objects.filter(street_id=street_id, retired_at=None)
    grids = ResponsibilityGrid.objects.filter(street_id=street_id, retired_at=None)
    return [
        (_("社区、村"), [(f"c{one.pk}", local_name(one)) for one in towns]),
        (_("责任网格"), [(f"g{one.pk}", one.name) for one in grids.only("name")]),
    ]


def chosen(street_id: int, *, outline: str, codes: str, grid: str) -> Area | None:
    """What was drawn, else the unit grids named, else the grid of the list; None where nothing was chosen yet."""
    if outline.strip():
        return _sized(_drawn(outline), _("手画的范围"), "outline")
    if names := [one for one in _BETWEEN.split(codes) if one]:
        return _sized(_units(street_id, names), _("%(n)d 个单元网格") % {"n": len(set(names))}, "codes")
    return _of_list(street_id, grid) if grid else None


def _drawn(text: str) -> Any:
    try:
        return ground.polygon_of(corners.polygon_in(text))
    except ground.BadShape as bad:
        words = {
            "shape_crosses_itself": _("画的线自己交叉了，请重画。"),
            "shape_not_degrees": _("坐标不是经纬度。"),
        }
        said = words.get(bad.code, _("读不出范围。请贴 GeoJSON 的面，或每行写一个角的经度、纬度，至少三个角。"))
        raise Refusal(bad.code, said, facts={"field": "outline"}) from None


def _units(street_id: int, names: list[str]) -> Any:
    if len(names) > MOST_UNITS:
        raise Refusal("area_units", _("最多 %(n)d 个单元网格。") % {"n": MOST_UNITS}, facts={"field": "codes"})
    found = dict(
        UnitGrid.objects.filter(street_id=street_id, code15__in=names, retired_at=None).values_list("code15", "geometry")
    )
    if missing := sorted(set(names) - set(found)):
        text = _("没有编码为 %(code)s 的单元网格。") % {"code": missing[0][:20]}
        raise Refusal("area_unit_unknown", text, facts={"field": "codes"})
    return _together(list(found.values()))


def _of_list(street_id: int, grid: str) -> Area:
    kind, number = grid[:1], whole(grid[1:]) or 0
    units = UnitGrid.objects.filter(street_id=street_id, retired_at=None)
    if kind == "c":
        one = Community.objects.filter(pk=number, street_id=street_id).first()
        units, label = units.filter(community_id=number), local_name(one) if one else ""
    else:
        other = ResponsibilityGrid.objects.filter(pk=number, street_id=street_id).first()
        units, label = units.filter(member__responsibility_grid_id=number), other.name if other else ""
    shapes = list(units.values_list("geometry", flat=True))
    if not label or not shapes:
        raise Refusal("area_grid", _("没有找到这个网格，请重新选。"), facts={"field": "grid"})
    return _sized(_together(shapes), label, "grid")


def _together(geometries: list[Any]) -> Any:
    return polygons(unary_union([shape(one) for one in geometries]))


def _sized(geometry: Any, label: str, field: str) -> Area:
    m2 = ground.area_m2(geometry)
    if m2 < LEAST_M2:
        raise Refusal("area_small", _("范围太小，至少 100 平方米。"), facts={"field": field})
    if m2 > MOST_M2:
        raise Refusal("area_wide", _("范围太大，最多 25 平方公里。"), facts={"field": field})
    return Area(geometry, label, m2)
