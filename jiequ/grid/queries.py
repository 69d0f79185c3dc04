"""Questions about the map: where a position lies, who works there, which places have a name like this.

``locate`` answers from an index held in this process. It compares the streets' map tokens with the database at most once
in ``RECHECK_SECONDS``, so an answer may be that much older than another process's last change (and is never older than
a change made in this process, which calls ``forget``). A check is one SELECT of one row a street.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from jiequ.people import queries as people_queries
from jiequ.people.rules import Role

from . import naming
from .index import Cell, Spot, SpotIndex
from .lines import Lines, nearest, unpacked
from .models import Community, MapVersion, MonitoringPoint, Place, PlaceKind, ResponsibilityGrid, UnitGrid
from .naming import Named, named_places

__all__ = ["Named", "Spot", "forget", "grids_of", "locate", "named_places", "nearest_workers", "spot_of", "worker_on_shift"]

RECHECK_SECONDS = 1.0


# ---- where: the index of this process


@dataclass(frozen=True, slots=True)
class _Held:
    """The indexes of all streets as of their tokens; replaced as a whole, so readers need no lock."""

    checked: float
    tokens: dict[int, str]
    indexes: dict[int, SpotIndex]


_held: _Held | None = None
_changes = 0
_reloading = Lock()


def locate(lon: float, lat: float) -> Spot | None:
    """Where a CGCS2000 position lies; None outside every unit grid in force. Borders belong to the lowest code."""
    for index in _indexes().values():
        west, south, east, north = index.bounds
        if west <= lon <= east and south <= lat <= north:
            spot = index.locate(lon, lat)
            if spot is not None:
                return spot
    return None


def spot_of(unit_grid_id: int) -> Spot | None:
    """The community, responsibility grid and worker of a unit grid; None when it is not in force."""
    return next(filter(None, (index.spot_of(unit_grid_id) for index in _indexes().values())), None)


def forget() -> None:
    """Look at the database again before the next answer. Services call it after a change."""
    global _held, _changes
    _changes += 1
    _held = None
    naming.forget()


def _indexes() -> dict[int, SpotIndex]:
    held = _held
    if held is not None and time.monotonic() - held.checked < RECHECK_SECONDS:
        return held.indexes
    with _reloading:
        return _reload(_held).indexes


def _reload(old: _Held | None) -> _Held:
    """Compares tokens and reads again only the streets that changed."""
    global _held
    now, changes = time.monotonic(), _changes
    if old is not None and now - old.checked < RECHECK_SECONDS:
        return old  # another thread was faster
    tokens = dict(MapVersion.objects.order_by("street_id").values_list("street_id", "token"))
    kept = {} if old is None else {s: i for s, i in old.indexes.items() if old.tokens.get(s) == tokens.get(s)}
    indexes = {s: kept[s] if s in kept else _index_of(s) for s in tokens}
    held = _Held(now, tokens, indexes)
    if changes == _changes:  # else a change came in while we read: answer this once, then look again
        _held = held
    return held


def _index_of(street_id: int) -> SpotIndex:
    rows = UnitGrid.objects.filter(street_id=street_id, retired_at=None).order_by("code15")
    columns = (
        "community_id", "id", "member__responsibility_grid_id", "member__responsibility_grid__worker_id", "geometry"
    )  # fmt: skip
    return SpotIndex([Cell(Spot(street_id, *row[:4]), row[4]) for row in rows.values_list(*columns)])


# ---- names


def places(
    *, street_id: int | None = None, community_id: int | None = None, beside_id: int | None = None, words: str = ""
) -> QuerySet[Place]:
    """Places of communities in force by parts of their names or aliases, roads and estates before landmarks."""
    found = Place.objects.filter(community__retired_at=None).select_related("community")
    if street_id is not None:
        found = found.filter(street_id=street_id)
    if community_id is not None:
        found = found.filter(community_id=community_id)
    if beside_id is not None:
        found = found.filter(beside_id=beside_id)
    if words.strip():
        found = found.filter(words__contains=words.strip().lower())
    is_landmark = ExpressionWrapper(Q(kind=PlaceKind.LANDMARK), output_field=BooleanField())
    return found.order_by(is_landmark, "name", "id")


def courses(place_ids: Iterable[int]) -> dict[int, Lines]:
    """The lines of the roads and rivers among these places. One SELECT."""
    rows = Place.objects.filter(pk__in=list(place_ids)).exclude(line="").values_list("pk", "line")
    return {pk: unpacked(line) for pk, line in rows}


def point_of(place: Place, pin: tuple[float, float] | None) -> tuple[float, float]:
    """Where a place is meant by whoever stands at ``pin``: of a road or a river the nearest point of it, else its own."""
    return nearest(unpacked(place.line), *pin) if place.line and pin is not None else (place.lon, place.lat)


def communities(street_id: int) -> QuerySet[Community]:
    """The communities in force of a street, by code."""
    return Community.objects.filter(street_id=street_id, retired_at=None)


@dataclass(frozen=True, slots=True)
class Plate:
    """What a plate on the spot says when it is scanned. ``row_id``: the unit grid's, or (``is_point``) the point's."""

    code: str
    name: str
    lon: float
    lat: float
    street_id: int
    unit_grid_id: int | None
    row_id: int
    is_point: bool


def plate(code: str) -> Plate | None:
    """The plate with this code: a unit grid's 15 digits, or a street's number and a monitoring point's code (9-…)."""
    if len(code) == 15 and code.isdigit():
        return next(iter(_unit_plates(UnitGrid.objects.filter(code15=code))), None)
    street, _, point_code = code.partition("-")
    return next(iter(_point_plates(MonitoringPoint.objects.filter(street__code9=street, code=point_code))), None)


def plate_of(row_id: int, *, is_point: bool) -> Plate | None:
    """The plate of a unit grid or of a monitoring point; None once it is out of force or removed."""
    if is_point:
        return next(iter(_point_plates(MonitoringPoint.objects.filter(pk=row_id))), None)
    return next(iter(_unit_plates(UnitGrid.objects.filter(pk=row_id))), None)


def plates_of(street_id: int, *, community_id: int | None = None) -> list[Plate]:
    """Every plate of a community's unit grids, or of the street's monitoring points, by code. One SELECT."""
    if community_id is None:
        return _point_plates(MonitoringPoint.objects.filter(street_id=street_id).order_by("code"))
    return _unit_plates(UnitGrid.objects.filter(street_id=street_id, community_id=community_id).order_by("code15"))


def _unit_plates(rows: QuerySet[UnitGrid]) -> list[Plate]:
    found = rows.filter(retired_at=None).select_related("community").defer("geometry", "community__outline")
    return [
        Plate(r.code15, f"{r.community.name_zh} {r.code15[-3:]}", r.lon, r.lat, r.street_id, r.pk, r.pk, is_point=False)
        for r in found
    ]


def _point_plates(rows: QuerySet[MonitoringPoint]) -> list[Plate]:
    return [
        Plate(f"{r.street.code9}-{r.code}", r.name, r.lon, r.lat, r.street_id, r.unit_grid_id, r.pk, is_point=True)
        for r in rows.select_related("street")
    ]


# ---- who


def worker_on_shift(responsibility_grid_id: int, at: datetime) -> int | None:
    """The worker of a responsibility grid if on shift at that moment (their deputy while on leave), else None."""
    row = ResponsibilityGrid.objects.filter(id=responsibility_grid_id).values_list("street_id", "worker_id").first()
    if row is None or row[1] is None:
        return None
    return next(iter(_on_shift(row[0], [row[1]], at)), None)


def nearest_workers(unit_grid_id: int, at: datetime) -> list[int]:
    """Who can be at a unit grid soonest: the worker on shift for it, then those of the neighbouring grids, nearest first.

    Read from grids and rota alone: no live position exists (DOMAIN §2).
    """
    own = spot_of(unit_grid_id)
    if own is None:
        return []
    spots = [own, *_indexes()[own.street_id].neighbours(unit_grid_id)]
    return _on_shift(own.street_id, [s.worker_id for s in spots if s.worker_id is not None], at)


def _on_shift(street_id: int, workers: Iterable[int], at: datetime) -> list[int]:
    """These workers in order, without those off shift; a worker on leave is replaced by the deputy; nobody twice.

    Where the rota names no grid worker of the street for the moment, each worker of a grid counts as there.
    """
    soon = at + timedelta(seconds=1)
    rota = people_queries.roster(street_id, at, soon)
    present = {shift.person_id for shift in rota if shift.role == Role.GRID_WORKER and shift.person.is_active}
    if not present:
        present = {person.pk for person in people_queries.holders(Role.GRID_WORKER, street_id, at)}
    absent = people_queries.deputies(at)
    found: dict[int, None] = {}
    for worker in workers:
        deputy = people_queries.stand_in(worker, absent)
        if deputy != worker or worker in present:
            found[deputy] = None
    return list(found)


def grids_of(person_id: int) -> list[int]:
    """The ids of the unit grids this person is the worker of."""
    rows = UnitGrid.objects.filter(retired_at=None, member__responsibility_grid__worker_id=person_id)
    return list(rows.order_by("code15").values_list("id", flat=True))


def units_in_force(street_id: int) -> QuerySet[UnitGrid]:
    """The unit grids of a street with their communities, by code. One SELECT."""
    return UnitGrid.objects.filter(street_id=street_id, retired_at=None).select_related("community").order_by("code15")
