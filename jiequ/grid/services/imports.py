"""A street's map as a GeoJSON file: taken in as a whole or not at all, and given out again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.translation import ngettext
from shapely.geometry import shape

from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.people import queries as people_queries
from jiequ.people.rules import Actor, Role

from .. import access, geojson, texts
from ..check import Known, problems
from ..drawing import CommunityDrawn, Drawing, PlaceDrawn, PointDrawn, ResponsibilityDrawn
from ..lines import unpacked
from ..models import Community, GridMember, MonitoringPoint, Place, PlaceKind, ResponsibilityGrid, UnitGrid
from ..topology import Drawn
from .common import changed, record
from .store import Counts, store_drawing


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do, to each layer."""

    counts: dict[str, Counts] = field(default_factory=dict)
    is_stored: bool = False


class _Rehearsed(Exception):
    """Ends a rehearsal, so that nothing of it is stored."""


def import_grids(*, street_id: int, data: bytes, by: Actor, at: datetime, rehearse: bool = False) -> ImportReport:
    """Takes in a GeoJSON file: all of it or nothing. ``rehearse`` says what would happen and stores nothing.

    Unit grids and communities become exactly what the file says; those redrawn or missing are retired. Responsibility
    grids likewise. Points and places are added or changed, never removed. Refusal "map_unsound" carries every fault
    as a sentence in ``facts["problems"]`` and their number in ``facts["count"]``.
    """
    access.require_edit(by, street_id)
    street = Street.objects.get(pk=street_id)
    try:
        drawing = geojson.read(data)
    except geojson.Unreadable as fault:
        raise Refusal("map_unreadable", texts.unreadable(fault)) from None
    workers = {p.username: p.pk for p in people_queries.holders(Role.GRID_WORKER, street_id, at)}
    _refuse_faults(drawing, _known(street, drawing, workers))
    try:
        with writing():
            counts = store_drawing(street_id, drawing, workers, at)
            if rehearse:
                raise _Rehearsed
            changed(street_id, at)
            facts = {layer: asdict(done) for layer, done in counts.items()} | {"file": sha256(data).hexdigest()}
            record(by, street_id, at, "import", "street", street_id, facts)
    except _Rehearsed:
        return ImportReport(counts)
    return ImportReport(counts, is_stored=True)


def _refuse_faults(drawing: Drawing, known: Known) -> None:
    found = problems(drawing, known)
    if not found:
        return
    sentences = [texts.problem(problem) for problem in found[: texts.SHOWN]]
    more = ngettext("文件里有 %(count)d 处问题，什么都没有导入。", "文件里有 %(count)d 处问题，什么都没有导入。", len(found))
    message = more % {"count": len(found)} + sentences[0]
    raise Refusal("map_unsound", message, facts={"problems": sentences, "count": len(found)})


def _known(street: Street, drawing: Drawing, workers: dict[str, int]) -> Known:
    """What is in force in the street, and the other streets' grids around the drawing."""
    units = UnitGrid.objects.filter(street=street, retired_at=None).values_list("code15", flat=True)
    communities = Community.objects.filter(street=street, retired_at=None).values_list("code12", flat=True)
    places = Place.objects.filter(street=street).exclude(kind=PlaceKind.LANDMARK).values_list("community__code12", "name")
    return Known(
        street.code9,
        frozenset(communities),
        frozenset(units),
        frozenset(workers),
        frozenset(places),
        _elsewhere(street, drawing),
    )


def _elsewhere(street: Street, drawing: Drawing) -> list[Drawn]:
    """Other streets' unit grids whose middle lies near the drawing (a grid is far smaller than the margin)."""
    boxes = []
    for grid in drawing.unit_grids or []:
        try:
            boxes.append(shape(grid.geometry).bounds)
        except Exception:  # a shape that is none is named by the check
            continue
    boxes = [box for box in boxes if len(box) == 4]
    if not boxes:
        return []
    margin = 0.02
    west, south = min(box[0] for box in boxes) - margin, min(box[1] for box in boxes) - margin
    east, north = max(box[2] for box in boxes) + margin, max(box[3] for box in boxes) + margin
    rows = UnitGrid.objects.filter(retired_at=None, lon__range=(west, east), lat__range=(south, north))
    return [Drawn(*row) for row in rows.exclude(street=street).values_list("code15", "geometry")]


# ---- out


def export_grids(*, street_id: int, by: Actor, at: datetime) -> dict[str, Any]:
    """The street's whole map as a GeoJSON FeatureCollection, which ``import_grids`` takes back unchanged; audited."""
    access.require_edit(by, street_id)
    drawing = drawing_of(street_id)
    record(by, street_id, at, "export", "street", street_id, {"unit_grids": len(drawing.unit_grids or [])})
    return geojson.write(drawing)


def drawing_of(street_id: int) -> Drawing:
    """Everything in force in a street, as plain values."""
    units = UnitGrid.objects.filter(street_id=street_id, retired_at=None)
    places = Place.objects.filter(street_id=street_id, community__retired_at=None)
    return Drawing(
        communities=[
            CommunityDrawn(row.code12, row.name_zh, row.name_en, row.outline or None)
            for row in Community.objects.filter(street_id=street_id, retired_at=None)
        ],
        unit_grids=[Drawn(*row) for row in units.values_list("code15", "geometry")],
        responsibility_grids=_responsibility_drawn(street_id),
        points=[
            PointDrawn(row.code, row.name, row.kind, row.raw_x, row.raw_y, row.area, row.risk_class, row.raw_system)
            for row in MonitoringPoint.objects.filter(street_id=street_id)
        ],
        places=[
            PlaceDrawn(
                row.community.code12,
                row.kind,
                row.name,
                row.raw_x,
                row.raw_y,
                tuple(row.aliases),
                row.beside.name if row.beside else "",
                row.raw_system,
                unpacked(row.line),
            )
            for row in places.select_related("community", "beside")
        ],
    )


def _responsibility_drawn(street_id: int) -> list[ResponsibilityDrawn]:
    rows = ResponsibilityGrid.objects.filter(street_id=street_id, retired_at=None).select_related("worker")
    codes: dict[int, list[str]] = {row.pk: [] for row in rows}
    members = GridMember.objects.filter(responsibility_grid__in=codes).order_by("unit_grid__code15")
    for grid_id, code in members.values_list("responsibility_grid_id", "unit_grid__code15"):
        codes[grid_id].append(code)
    return [ResponsibilityDrawn(row.name, tuple(codes[row.pk]), row.worker.username if row.worker else "") for row in rows]
