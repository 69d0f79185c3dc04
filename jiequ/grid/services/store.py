"""Writes a sound drawing: what stays is kept, what changed is retired and drawn anew, nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy
import shapely
from django.utils.translation import gettext as _
from shapely.geometry import mapping, shape

from jiequ.core.errors import Stale

from ..drawing import CommunityDrawn, Drawing, FeatureDrawn, PlaceDrawn, PointDrawn, ResponsibilityDrawn
from ..index import Cell, Spot, SpotIndex
from ..lines import packed
from ..models import Community, GridMember, MapFeature, MonitoringPoint, Place, ResponsibilityGrid, UnitGrid
from ..rules import metres_per_degree, q18, to_canonical
from ..topology import MIN_AREA_M2, Drawn

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to the rows of one layer."""

    added: int = 0
    changed: int = 0
    kept: int = 0
    retired: int = 0


def store_drawing(street_id: int, drawing: Drawing, workers: Mapping[str, int], at: datetime) -> dict[str, Counts]:
    """Makes the street's map look like the drawing; layers that are not in it stay. ``workers``: user name -> id.

    Call inside ``writing()`` with a drawing that ``check.problems`` found sound.
    """
    counts: dict[str, Counts] = {}
    if drawing.communities is not None:
        counts["community"] = _store_communities(street_id, drawing.communities, at)
    if drawing.unit_grids is not None:
        counts["unit_grid"] = _store_units(street_id, drawing.unit_grids, at)
        _outline_communities(street_id, at)
    if drawing.responsibility_grids is not None:
        counts["responsibility_grid"] = _store_responsibility(street_id, drawing.responsibility_grids, workers, at)
    if drawing.points is not None:
        counts["monitoring_point"] = _store_points(street_id, drawing.points)
    if drawing.places is not None:
        counts["place"] = _store_places(street_id, drawing.places)
    if drawing.unit_grids is not None or drawing.points is not None:
        _settle_points(street_id)
    if drawing.features:
        _store_features(street_id, drawing.features)
    return counts


def _store_communities(street_id: int, drawn: Sequence[CommunityDrawn], at: datetime) -> Counts:
    held = {row.code12: row for row in Community.objects.filter(street_id=street_id)}
    fresh = [row for row in drawn if row.code not in held]
    changed = []
    for row in drawn:
        old = held.get(row.code)
        if old and (old.name_zh, old.name_en, old.retired_at) != (row.name_zh, row.name_en, None):
            old.name_zh, old.name_en, old.retired_at = row.name_zh, row.name_en, None
            changed.append(old)
    Community.objects.bulk_create(
        Community(street_id=street_id, code12=row.code, name_zh=row.name_zh, name_en=row.name_en) for row in fresh
    )
    Community.objects.bulk_update(changed, ["name_zh", "name_en", "retired_at"])
    gone = Community.objects.filter(street_id=street_id, retired_at=None).exclude(code12__in=[row.code for row in drawn])
    retired = gone.update(retired_at=at)
    return Counts(len(fresh), len(changed), len(drawn) - len(fresh) - len(changed), retired)


def _store_units(street_id: int, drawn: Sequence[Drawn], at: datetime) -> Counts:
    in_force = UnitGrid.objects.filter(street_id=street_id, retired_at=None)
    held = dict(in_force.values_list("code15", "geometry"))
    wanted = {grid.code: grid for grid in drawn}
    redrawn = {code for code, grid in wanted.items() if code in held and held[code] != grid.geometry}
    gone = held.keys() - wanted.keys()
    members = dict(GridMember.objects.filter(unit_grid__in=in_force).values_list("unit_grid__code15", "responsibility_grid_id"))
    _retire_units(street_id, sorted(gone | redrawn), at)
    rows = _unit_rows(street_id, [grid for code, grid in wanted.items() if code not in held or code in redrawn])
    made = UnitGrid.objects.bulk_create(rows)
    GridMember.objects.bulk_create(
        GridMember(responsibility_grid_id=members[row.code15], unit_grid=row) for row in made if row.code15 in members
    )
    return Counts(len(rows) - len(redrawn), len(redrawn), len(wanted) - len(rows), len(gone))


def _retire_units(street_id: int, codes: Sequence[str], at: datetime) -> None:
    """Out of force and out of their responsibility grids; refused if somebody else retired one meanwhile."""
    for chunk in _chunks(codes):
        rows = UnitGrid.objects.filter(street_id=street_id, code15__in=chunk, retired_at=None)
        GridMember.objects.filter(unit_grid__in=rows).delete()
        if rows.update(retired_at=at) != len(chunk):
            raise Stale("map_changed", _("这份网格刚刚被别人改过，请重新导入。"))


def _unit_rows(street_id: int, drawn: Sequence[Drawn]) -> list[UnitGrid]:
    """New rows with their middle (inside the polygon) and area in square metres."""
    if not drawn:
        return []
    communities = dict(Community.objects.filter(street_id=street_id).values_list("code12", "id"))
    shapes = numpy.array([shape(grid.geometry) for grid in drawn], dtype=object)
    centres = shapely.centroid(shapes)
    inside = numpy.where(shapely.contains(shapes, centres), centres, shapely.point_on_surface(shapes))
    middles = shapely.get_coordinates(inside)
    areas = shapely.area(shapes) * [across * up for across, up in map(metres_per_degree, middles[:, 1].tolist())]
    return [
        UnitGrid(
            street_id=street_id,
            community_id=communities[grid.code12],
            code15=grid.code,
            geometry=grid.geometry,
            lon=round(lon, 7),
            lat=round(lat, 7),
            area_m2=round(float(area), 1),
        )
        for grid, (lon, lat), area in zip(drawn, middles.tolist(), areas, strict=True)
    ]


def _outline_communities(street_id: int, at: datetime) -> None:
    """Draws each community's outline around its unit grids; holes no larger than drawing noise are left out."""
    shapes: dict[int, list[Any]] = {}
    for community_id, geometry in UnitGrid.objects.filter(street_id=street_id, retired_at=None).values_list(
        "community_id", "geometry"
    ):
        shapes.setdefault(community_id, []).append(shape(geometry))
    rows = list(Community.objects.filter(street_id=street_id, retired_at=None))
    for row in rows:
        parts = shapely.get_parts(shapely.union_all(shapes.get(row.pk, [])))
        across, up = metres_per_degree(parts[0].centroid.y) if len(parts) else (1.0, 1.0)
        solid = [
            shapely.Polygon(part.exterior, [r for r in part.interiors if shapely.Polygon(r).area * across * up > MIN_AREA_M2])
            for part in parts
        ]
        row.outline = mapping(shapely.multipolygons(solid)) if solid else {}
    Community.objects.bulk_update(rows, ["outline"])


def _store_responsibility(
    street_id: int, drawn: Sequence[ResponsibilityDrawn], workers: Mapping[str, int], at: datetime
) -> Counts:
    in_force = ResponsibilityGrid.objects.filter(street_id=street_id, retired_at=None)
    held = {row.name: row for row in in_force.select_related("worker")}
    before: dict[int, set[str]] = {row.pk: set() for row in held.values()}
    members = GridMember.objects.filter(responsibility_grid__in=in_force)
    for grid_id, code in members.values_list("responsibility_grid_id", "unit_grid__code15"):
        before[grid_id].add(code)
    fresh = [ResponsibilityGrid(street_id=street_id, name=grid.name) for grid in drawn if grid.name not in held]
    gone = [row.pk for name, row in held.items() if name not in {grid.name for grid in drawn}]
    in_force.filter(pk__in=gone).update(retired_at=at)
    held |= {row.name: row for row in ResponsibilityGrid.objects.bulk_create(fresh)}
    changed = []
    for grid in drawn:
        row = held[grid.name]
        worker_id = workers.get(grid.worker)
        is_fresh = row.pk not in before
        if not is_fresh and (before[row.pk] != set(grid.codes) or row.worker_id != worker_id):
            row.version += 1
            changed.append(row)
        row.worker_id = worker_id
    ResponsibilityGrid.objects.bulk_update([held[grid.name] for grid in drawn], ["worker", "version"])
    GridMember.objects.filter(responsibility_grid__street_id=street_id).delete()
    units = dict(UnitGrid.objects.filter(street_id=street_id, retired_at=None).values_list("code15", "id"))
    GridMember.objects.bulk_create(
        GridMember(responsibility_grid=held[grid.name], unit_grid_id=units[code]) for grid in drawn for code in grid.codes
    )
    return Counts(len(fresh), len(changed), len(drawn) - len(fresh) - len(changed), len(gone))


def located(x: float, y: float, system: str) -> dict[str, Any]:
    """The columns of ``Located`` for a pair as it was given."""
    lon, lat = to_canonical(x, y, system)
    return {"lon": lon, "lat": lat, "q18": q18(lon, lat), "raw_x": x, "raw_y": y, "raw_system": system}


def _store_points(street_id: int, drawn: Sequence[PointDrawn]) -> Counts:
    held = {row.code: row for row in MonitoringPoint.objects.filter(street_id=street_id)}
    wanted = {
        point.code: {"name": point.name, "kind": point.kind, "area": point.area, "risk_class": point.risk_class}
        | located(point.x, point.y, point.system)
        for point in drawn
    }
    fresh = [MonitoringPoint(street_id=street_id, code=code, **wanted[code]) for code in wanted if code not in held]
    changed = _updated(held, wanted)
    for row in changed:
        row.version += 1
    MonitoringPoint.objects.bulk_create(fresh)
    fields = ["name", "kind", "area", "risk_class", "lon", "lat", "q18", "raw_x", "raw_y", "raw_system", "version"]
    MonitoringPoint.objects.bulk_update(changed, fields)
    return Counts(len(fresh), len(changed), len(drawn) - len(fresh) - len(changed))


def _updated(held: Mapping[Any, Any], wanted: Mapping[Any, Mapping[str, Any]]) -> list[Any]:
    """The held rows that differ from what is wanted, with the wanted values set."""
    changed = []
    for key, columns in wanted.items():
        row = held.get(key)
        if row is not None and any(getattr(row, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(row, name, value)
            changed.append(row)
    return changed


def _settle_points(street_id: int) -> None:
    """Writes into which unit grid each monitoring point falls."""
    units = UnitGrid.objects.filter(street_id=street_id, retired_at=None).order_by("code15")
    cells = [Cell(Spot(street_id, 0, pk, None, None), geometry) for pk, geometry in units.values_list("id", "geometry")]
    index = SpotIndex(cells)
    moved = []
    for point in MonitoringPoint.objects.filter(street_id=street_id):
        spot = index.locate(point.lon, point.lat)
        unit_id = spot.unit_grid_id if spot else None
        if point.unit_grid_id != unit_id:
            point.unit_grid_id = unit_id
            moved.append(point)
    MonitoringPoint.objects.bulk_update(moved, ["unit_grid"])


def _store_places(street_id: int, drawn: Sequence[PlaceDrawn]) -> Counts:
    communities = dict(Community.objects.filter(street_id=street_id, retired_at=None).values_list("code12", "id"))
    held = {(row.community_id, row.kind, row.name): row for row in Place.objects.filter(street_id=street_id)}
    wanted = {
        (communities[place.community], place.kind, place.name): {"aliases": list(place.aliases), "words": words_of(place)}
        | located(place.x, place.y, place.system)
        | {"line": packed(place.line)}
        for place in drawn
    }
    fresh = [
        Place(street_id=street_id, community_id=community_id, kind=kind, name=name, **columns)
        for (community_id, kind, name), columns in wanted.items()
        if (community_id, kind, name) not in held
    ]
    changed = _updated(held, wanted)
    for row in changed:
        row.version += 1
    Place.objects.bulk_create(fresh)
    columns = ["aliases", "words", "line", "lon", "lat", "q18", "raw_x", "raw_y", "raw_system", "version"]
    Place.objects.bulk_update(changed, columns)
    _set_beside(street_id, drawn, communities)
    return Counts(len(fresh), len(changed), len(drawn) - len(fresh) - len(changed))


def words_of(place: PlaceDrawn) -> str:
    """What a search looks through: the name and aliases in small letters, one a line."""
    return "\n".join([place.name, *place.aliases]).lower()


def _set_beside(street_id: int, drawn: Sequence[PlaceDrawn], communities: Mapping[str, int]) -> None:
    rows = list(Place.objects.filter(street_id=street_id))
    anchors = {(row.community_id, row.name): row for row in rows if row.kind != "landmark"}
    beside = {(communities[place.community], place.kind, place.name): place.beside for place in drawn if place.beside}
    changed = []
    for row in rows:
        anchor = anchors.get((row.community_id, beside.get((row.community_id, row.kind, row.name), "")))
        if anchor is not None and row.beside_id != anchor.pk:
            row.beside = anchor
            changed.append(row)
    Place.objects.bulk_update(changed, ["beside"])


def _store_features(street_id: int, drawn: Iterable[FeatureDrawn]) -> None:
    MapFeature.objects.filter(street_id=street_id).delete()
    MapFeature.objects.bulk_create(
        MapFeature(street_id=street_id, kind=row.kind, name=row.name, geometry=row.geometry) for row in drawn
    )


def _chunks(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(codes), CHUNK):
        yield codes[start : start + CHUNK]
