"""What the map's pages show: rows of lists as plain values. Reads only; each function a fixed number of SELECTs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import get_language

from jiequ.core.models import Street

from .models import Community, FeatureKind, MapFeature, MonitoringPoint, Place, ResponsibilityGrid, UnitGrid

PAGE = 50
PLATES = 120


def local_name(row: Street | Community) -> str:
    """The name in the reader's language, Chinese where there is no other."""
    is_chinese = (get_language() or "zh").startswith("zh")
    return row.name_zh if is_chinese else row.name_en or row.name_zh


@dataclass(frozen=True, slots=True)
class CommunityRow:
    """One community of the overview."""

    id: int
    code12: str
    name: str
    units: int
    hectares: float


def community_rows(street_id: int) -> list[CommunityRow]:
    """The communities in force, by code, with their unit grids counted. One SELECT."""
    in_force = Q(unit_grids__retired_at=None)
    rows = Community.objects.filter(street_id=street_id, retired_at=None).annotate(
        units=Count("unit_grids", filter=in_force), area=Sum("unit_grids__area_m2", filter=in_force)
    )
    return [CommunityRow(r.pk, r.code12, local_name(r), r.units, round((r.area or 0) / 10_000, 1)) for r in rows]


def responsibility_rows(street_id: int) -> QuerySet[ResponsibilityGrid]:
    """The responsibility grids in force, oldest first, with worker and number of unit grids. One SELECT."""
    rows = ResponsibilityGrid.objects.filter(street_id=street_id, retired_at=None)
    return rows.select_related("worker").annotate(units=Count("members")).order_by("id")


def unit_page(
    street_id: int, *, community_id: int | None = None, words: str = "", after: str = ""
) -> tuple[list[UnitGrid], str]:
    """A page of unit grids by code, and the code to go on after ("" at the end). One SELECT."""
    rows = UnitGrid.objects.filter(street_id=street_id, retired_at=None)
    if community_id is not None:
        rows = rows.filter(community_id=community_id)
    if words:
        rows = rows.filter(Q(code15__contains=words) | Q(member__responsibility_grid__name__contains=words))
    if after:
        rows = rows.filter(code15__gt=after)
    rows = rows.select_related("community", "member__responsibility_grid__worker").order_by("code15")
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].code15 if len(found) > PAGE else ""


def point_page(street_id: int, *, kind: str = "", words: str = "", after: str = "") -> tuple[list[MonitoringPoint], str]:
    """A page of monitoring points by code, and the code to go on after. One SELECT."""
    rows = MonitoringPoint.objects.filter(street_id=street_id)
    if kind:
        rows = rows.filter(kind=kind)
    if words:
        rows = rows.filter(Q(code__contains=words) | Q(name__contains=words) | Q(area__contains=words))
    if after:
        rows = rows.filter(code__gt=after)
    found = list(rows.select_related("unit_grid__community").order_by("code")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].code if len(found) > PAGE else ""


def point_kinds(street_id: int) -> dict[str, int]:
    """How many monitoring points of each kind. One SELECT."""
    rows = MonitoringPoint.objects.filter(street_id=street_id).values("kind").annotate(n=Count("id")).order_by("kind")
    return {row["kind"]: row["n"] for row in rows}


def place_page(street_id: int, *, kind: str = "", words: str = "", after: int = 0) -> tuple[list[Place], int]:
    """A page of the gazetteer as it was written down, and the id to go on after. One SELECT."""
    rows = Place.objects.filter(street_id=street_id, community__retired_at=None, pk__gt=after)
    if kind:
        rows = rows.filter(kind=kind)
    if words:
        rows = rows.filter(words__contains=words.lower())
    found = list(rows.select_related("community").defer("community__outline").order_by("pk")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else 0


def place_kinds(street_id: int) -> dict[str, int]:
    """How many places of each kind. One SELECT."""
    rows = Place.objects.filter(street_id=street_id, community__retired_at=None).values("kind").annotate(n=Count("id"))
    return {row["kind"]: row["n"] for row in rows.order_by("kind")}


@dataclass(frozen=True, slots=True)
class PlateRow:
    """One plate to print."""

    code: str
    title: str
    place: str


def plate_rows(street: Street, *, community_id: int | None = None, after: str = "") -> tuple[list[PlateRow], str]:
    """Plates of a community's unit grids, or of the street's monitoring points; at most PLATES. One SELECT."""
    if community_id is not None:
        units = UnitGrid.objects.filter(street=street, community_id=community_id, retired_at=None, code15__gt=after)
        found = list(units.select_related("community").order_by("code15")[: PLATES + 1])
        rows = [PlateRow(row.code15, local_name(row.community), row.code15) for row in found]
    else:
        points = MonitoringPoint.objects.filter(street=street, code__gt=after).order_by("code")[: PLATES + 1]
        rows = [PlateRow(f"{street.code9}-{row.code}", row.name, row.code) for row in points]
    return rows[:PLATES], rows[PLATES - 1].place if len(rows) > PLATES else ""


# ---- layers of the map


def base_layer(street_id: int) -> dict[str, Any]:
    """The base map as GeoJSON from the bottom up, to 1 m, then the outlines of the street's communities. Two SELECTs.

    Features of the streets around are in it, so that a map has no edge. Names are those on the ground: Chinese.
    """
    order = {kind.value: place for place, kind in enumerate(FeatureKind)}
    rows = sorted(MapFeature.objects.order_by("id"), key=lambda row: (order.get(row.kind, 99), row.street_id != street_id))
    features = [
        {
            "type": "Feature",
            "properties": {"kind": row.kind, "name": row.name} if row.name else {"kind": row.kind},
            "geometry": {**row.geometry, "coordinates": _rounded(row.geometry["coordinates"])},
        }
        for row in rows
    ]
    features += [
        {
            "type": "Feature",
            "properties": {"kind": "other", "name": row.name_zh},
            "geometry": {**row.outline, "coordinates": _rounded(row.outline["coordinates"])},
        }
        for row in Community.objects.filter(street_id=street_id, retired_at=None)
        if row.outline
    ]
    return {"type": "FeatureCollection", "features": features}


def _rounded(node: Any) -> Any:
    if node and isinstance(node[0], int | float):
        return [round(node[0], 5), round(node[1], 5)]
    return [_rounded(inner) for inner in node]


SCALE = 1_000_000


def unit_layer(street_id: int) -> dict[str, Any]:
    """Unit grids as columns; rings as steps of 1e-6 degrees, the first from ``origin``. Three SELECTs."""
    units = UnitGrid.objects.filter(street_id=street_id, retired_at=None).order_by("code15")
    rows = list(units.values_list("code15", "community_id", "member__responsibility_grid_id", "geometry"))
    origin = rows[0][3]["coordinates"][0][0][:2] if rows else [0.0, 0.0]
    communities = {row.pk: local_name(row) for row in Community.objects.filter(street_id=street_id, retired_at=None)}
    grids = ResponsibilityGrid.objects.filter(street_id=street_id, retired_at=None).order_by("name")
    return {
        "scale": SCALE,
        "origin": origin,
        "communities": communities,
        "grids": dict(grids.values_list("pk", "name")),
        "code": [row[0] for row in rows],
        "community": [row[1] for row in rows],
        "grid": [row[2] for row in rows],
        "rings": [[_steps(ring, origin) for ring in row[3]["coordinates"]] for row in rows],
    }


def _steps(ring: list[list[float]], origin: list[float]) -> list[int]:
    """A ring as whole steps from point to point; the closing point is left out."""
    steps: list[int] = []
    x0, y0 = round(origin[0] * SCALE), round(origin[1] * SCALE)
    for pair in ring[:-1]:
        x, y = round(pair[0] * SCALE), round(pair[1] * SCALE)
        steps += [x - x0, y - y0]
        x0, y0 = x, y
    return steps


def point_layer(street_id: int) -> dict[str, Any]:
    """Monitoring points as columns. One SELECT."""
    names = ("id", "code", "name", "kind", "lon", "lat")
    rows = list(MonitoringPoint.objects.filter(street_id=street_id).order_by("code").values_list(*names))
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}
