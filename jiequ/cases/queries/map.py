"""Cases on the map: clusters from the rollup pyramid, points by ranges of ``q18``."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case as When
from django.db.models import F, FloatField, IntegerField, Q, QuerySet, Sum, Value
from django.db.models import When as If
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Round

from jiequ.core.columns import joined
from jiequ.grid.rules import TILES, ZOOM, BBox, q18_ranges
from jiequ.grid.rules import tile as tile_at
from jiequ.people.rules import DESK_ROLES, Actor

from ..clocks import Light
from ..flow import ENDED, State
from ..models import Case, CaseQuerySet, Rollup
from ..pyramid import GROUP_STATES, ZOOMS, StateGroup, class_of, corner
from .listing import case_ids
from .lists import Filters, narrowed
from .types import current_types

MOST_POINTS = 4000
MANY = 50_000
"""More cases than that in a box are read from the newest on, not gathered by place and then sorted."""
RANGES = 24
UNIT = 100_000
"""Points are sent in whole 1e-5 degrees (1 m) from the box's corner."""
_ROWS = 200
GROUPS = tuple(group.value for group in GROUP_STATES)


# ---- clusters


@dataclass(frozen=True, slots=True)
class Clusters:
    """Columns: where the middle of each tile's cases lies, and how many there are by group of states."""

    zoom: int
    lon: list[float]
    lat: list[float]
    counts: dict[str, list[int]]


def rollup_sight(actor: Actor) -> Q | None:
    """The rollup rows an actor may be answered from; None for whoever does not see whole streets, or sees more than those.

    A count says that there is a case, confidential and suspected ones included, so only who sees every case of a street is
    told its counts; with a seat elsewhere the counts would be fewer than the cases, and points are the truth.
    """
    if actor.person_id is None:
        return None
    if any(seat.role in DESK_ROLES and seat.street_id is None for seat in actor.seats):
        return Q()
    streets = actor.streets(*DESK_ROLES)
    if not streets or any(seat.street_id not in streets for seat in actor.seats):
        return None
    return Q(street_id__in=streets)


def rollup_filter(filters: Filters) -> Q | None:
    """The filters on rollup rows; None where the pyramid cannot tell (a light, a department, half a group of states …)."""
    type_ids = frozenset(filters.event_type_ids)
    rest: dict[str, Any] = {"states": (), "street_id": None, "event_type_ids": (), "is_open": None}
    if replace(filters, **rest, numbers=tuple(filters.numbers), terms=tuple(filters.terms)) != Filters():
        return None
    states = set(filters.states)
    groups = [group for group, of in GROUP_STATES.items() if of <= states]
    if states != {state for group in groups for state in GROUP_STATES[group]} or (states and filters.is_open is not None):
        return None
    if filters.is_open is not None:
        groups = [group for group in GROUP_STATES if (group == StateGroup.ENDED) != filters.is_open]
    where = Q(street_id=filters.street_id) if filters.street_id else Q()
    if groups:
        where &= Q(state_group__in=groups)
    if not type_ids:
        return where
    classes = _classes_of(type_ids)
    return None if classes is None else where & Q(type_group__in=classes)


def _classes_of(type_ids: frozenset[int]) -> list[str] | None:
    """The classes that these types make up; None if part of a class is missing."""
    by_class: dict[str, set[int]] = {}
    for major in current_types():
        for kind in major.types:
            by_class.setdefault(class_of(kind.kind, kind.code), set()).add(kind.id)
    classes = [name for name, ids in by_class.items() if ids <= type_ids]
    return classes if set().union(*(by_class[name] for name in classes)) == type_ids else None


def clusters(actor: Actor, filters: Filters, bbox: BBox, *, zoom: float) -> Clusters | None:
    """The clusters of a box at a map's zoom (tiles of 512 pixels); None where only points can tell. One SELECT."""
    sight, where = rollup_sight(actor), rollup_filter(filters)
    if sight is None or where is None:
        return None
    level = next((one for one in ZOOMS if one >= zoom + 1), ZOOMS[-1])
    rows = Rollup.objects.filter(sight, where, _in_tiles(bbox, level), zoom=level).values_list("tile", "state_group")
    sums = rows.annotate(n=Sum("count"), e=Sum("east"), s=Sum("south")).order_by("tile")
    tiles: dict[int, _Tile] = {}
    for tile, group, n, east, south in sums:
        one = tiles.setdefault(tile, _Tile(dict.fromkeys(GROUPS, 0)))
        one.counts[group] += n
        one.east += east
        one.south += south
    shown = [(tile, one) for tile, one in tiles.items() if sum(one.counts.values()) > 0]
    places = [_middle(tile, one, level) for tile, one in shown]
    counts = {group: [one.counts[group] for _tile, one in shown] for group in GROUPS}
    return Clusters(level, [lon for lon, _lat in places], [lat for _lon, lat in places], counts)


@dataclass(slots=True)
class _Tile:
    counts: dict[str, int]
    east: int = 0
    south: int = 0


def _in_tiles(bbox: BBox, level: int) -> Q:
    bits = 2 * (ZOOM - level)
    where = Q(pk__in=())
    for low, high in q18_ranges(bbox, RANGES):
        where |= Q(tile__gte=low >> bits, tile__lte=high >> bits)
    return where


def _middle(tile: int, one: _Tile, level: int) -> tuple[float, float]:
    """(longitude, latitude) of the mean place of a tile's cases."""
    side = 1 << (ZOOM - level)
    left, top = corner(tile)
    count = sum(one.counts.values())
    x = (left * side + one.east / count + 0.5) / TILES
    y = (top * side + one.south / count + 0.5) / TILES
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))
    return round(x * 360 - 180, 5), round(lat, 5)


# ---- points

LIGHTS = (Light.NONE, Light.GREEN, Light.YELLOW, Light.RED, Light.PAUSED, "done")
"""A point's light is sent as its place in this row."""


COLUMNS = ("id", "number", "east", "south", "light", "type", "state")


@dataclass(frozen=True, slots=True)
class Points:
    """Columns by the names of COLUMNS, each a text with commas between its values, as the page gets them.

    ``east`` and ``south`` are 1e-5 degrees from the box's corner, ``light`` a place in LIGHTS, ``type`` 0 where there is none.
    """

    columns: dict[str, str]
    is_more: bool


def points(actor: Actor, filters: Filters, bbox: BBox, *, at: datetime, most: int = MOST_POINTS) -> Points:
    """The newest cases in a box that the reader may see, at most ``most``, and whether there are more.

    One SELECT; two with a search in the words, one more where ``_counts`` are a minute old.
    """
    cases, known = _found(actor, filters, at), _Known()
    inside: QuerySet[Any, Any] = cases.filter(lon__gte=bbox.west, lon__lte=bbox.east, lat__gte=bbox.south, lat__lte=bbox.north)
    if not _is_crowded(bbox):
        inside, known = _near(inside, bbox)
    rows = inside.annotate(
        east=_steps("lon", bbox.west, 1),
        south=_steps("lat", bbox.north, -1),
        light=_light(at),
        type=Coalesce("event_type", 0),
    )
    newest = rows.order_by("-pk").values_list(*COLUMNS)[: most + 1]
    count, columns = joined(newest, COLUMNS, known=known.sql, params=known.params)
    if count > most:
        columns = {name: text.rpartition(",")[0] for name, text in columns.items()}
    return Points(columns, count > most)


def _steps(column: str, origin: float, sign: int) -> Cast:
    """Whole steps from the box's corner, worked out by the database: two floats a point cost the reader more."""
    steps = (F(column) - Value(origin)) * Value(float(sign * UNIT))
    return Cast(Round(steps, output_field=FloatField()), IntegerField())


def _light(at: datetime) -> When:
    """The place in LIGHTS, by the rules of ``lists.light_of``, without a date read a row; what has ended is done."""
    return When(
        If(state__in=sorted(ENDED), then=Value(LIGHTS.index("done"))),
        If(state=State.SUSPENDED, then=Value(LIGHTS.index(Light.PAUSED))),
        If(due_at=None, then=Value(LIGHTS.index(Light.NONE))),
        If(due_at__lt=at, then=Value(LIGHTS.index(Light.RED))),
        If(yellow_at__lt=at, then=Value(LIGHTS.index(Light.YELLOW))),
        default=Value(LIGHTS.index(Light.GREEN)),
    )


def in_box(actor: Actor, filters: Filters, bbox: BBox, *, at: datetime) -> CaseQuerySet:
    """The cases of a list that lie in a box. Asks nothing itself (one SELECT with a search in the words)."""
    cases = _found(actor, filters, at)
    inside = cases.filter(lon__gte=bbox.west, lon__lte=bbox.east, lat__gte=bbox.south, lat__lte=bbox.north)
    if _is_crowded(bbox):
        return inside
    there, known = _near(Case.objects.order_by().values("pk"), bbox)
    sql, params = there.query.sql_with_params()
    return inside.filter(pk__in=RawSQL(f"{known.sql} {sql}", (*known.params, *params)))


def _found(actor: Actor, filters: Filters, at: datetime) -> CaseQuerySet:
    cases = Case.objects.visible_to(actor)
    if filters.terms or filters.numbers or filters.finds_nothing:
        return cases.filter(pk__in=case_ids(actor, filters, at=at, most=_ROWS))
    return narrowed(cases, filters, at=at, actor=actor)


# ---- how to read a box: the same answer by another way


@dataclass(frozen=True, slots=True)
class _Known:
    """What stands before a SELECT."""

    sql: str = ""
    params: tuple[int, ...] = ()


def _near(cases: QuerySet[Any, Any], bbox: BBox) -> tuple[QuerySet[Any, Any], _Known]:
    """Cases in the ranges of a box's keys, in the form from which the database reads its index range by range.

    PostgreSQL estimates conditions with OR well and a joined table of ranges badly. SQLite takes the table; from the
    conditions it rather reads all cases of the street (measured at a million: 220 ms for 300 points, so 3).
    """
    ranges = q18_ranges(bbox, RANGES)
    if connection.vendor == "postgresql":
        where = Q(pk__in=())
        for pair in ranges:
            where |= Q(q18__range=pair)
        return cases.filter(where), _Known()
    rows = ", ".join(["(%s, %s)"] * len(ranges))
    near = cases.extra(tables=["near"], where=[f'"{Case._meta.db_table}"."q18" BETWEEN near.low AND near.high'])
    return near, _Known(f"WITH near(low, high) AS (VALUES {rows})", tuple(key for pair in ranges for key in pair))


def _is_crowded(bbox: BBox) -> bool:
    """True if a box holds so many cases that reading them all by place is slower than reading from the newest on."""
    level = 16 if bbox.east - bbox.west < 0.2 else 12
    (left, top), (right, bottom) = tile_at(bbox.west, bbox.north), tile_at(bbox.east, bbox.south)
    shift, there = ZOOM - level, 0
    for x, y, n in _counts()[level]:
        if left >> shift <= x <= right >> shift and top >> shift <= y <= bottom >> shift:
            there += n
    return there > MANY


_held: tuple[float, dict[int, list[tuple[int, int, int]]]] | None = None


def _counts() -> dict[int, list[tuple[int, int, int]]]:
    """(column, row, cases) of the tiles of two zooms, kept for a minute: they choose the way, never the answer."""
    global _held
    now = time.monotonic()
    if _held is None or now - _held[0] > 60:
        found: dict[int, list[tuple[int, int, int]]] = {12: [], 16: []}
        rows = Rollup.objects.filter(zoom__in=found).values_list("zoom", "tile").annotate(n=Sum("count")).order_by()
        for zoom, key, n in rows:
            found[zoom].append((*corner(key), n))
        _held = now, found
    return _held[1]


def forget() -> None:
    """Count again at the next question: for tests."""
    global _held
    _held = None


# ---- without a map


def by_community(actor: Actor) -> QuerySet[Any]:
    """How many open cases lie in each community, the fullest first: (street id, community id, how many). One SELECT."""
    open_now = Case.objects.visible_to(actor).filter(ended_at=None)  # by the index of the open ones
    rows = open_now.order_by().values_list("street_id", "community_id")
    return rows.annotate(n=Sum(Value(1))).order_by("-n", "community_id")


def type_names() -> Mapping[int, str]:
    """The names of the types in force, by id, in the reader's language; kept per process."""
    return {kind.id: kind.name for major in current_types() for kind in major.types}
