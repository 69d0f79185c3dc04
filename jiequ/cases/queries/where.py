"""Where and when, in the words of a report: places of the district's gazetteer and times told, to be confirmed by a person.

A place is offered where the map has no pin, or where every place told lies over 300 m from it: from the nearest point of it,
where the gazetteer knows the course of a road or a river. Nothing is set by this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from jiequ.core.worktime import ZONE
from jiequ.grid.lines import nearest
from jiequ.grid.models import PlaceKind as GridKind
from jiequ.grid.queries import Named, courses, locate, named_places, plate, plate_of
from jiequ.grid.rules import distance_m
from jiequ.triage.engine.places import Entry, Gazetteer, Place, PlaceKind, find_places, places_to_offer
from jiequ.triage.engine.spans import Span
from jiequ.triage.engine.times import find_times

from .types import said

MOST_PLACES, MOST_TIMES, MOST_ROWS = 3, 2, 12
UNIT = re.compile(r"(?<!\d)\d{15}(?!\d)")
AHEAD = timedelta(minutes=5)
_KINDS = {kind.value for kind in PlaceKind}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place told. ``value``: "p12" a stored place, "u440…" a unit grid, "w" + words a name that no list has.

    ``sort``: the value of its kind ("grid" for grids), ``kind`` the word for it.
    """

    value: str
    told: str
    name: str
    kind: str = ""
    community: str = ""
    lon: float | None = None
    lat: float | None = None
    metres: float | None = None
    sort: str = ""

    @property
    def is_known(self) -> bool:
        return self.value[:1] != "w"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time told. ``value``: both ends in ISO 8601 with a slash between; they are equal where it is one moment.

    ``every``: "day", "week", "workday", "weekend" where it comes again and again; the moments are the last such time.
    """

    value: str
    told: str
    begins: datetime
    ends: datetime
    every: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What may be confirmed. ``is_far``: there is a pin, and the words say somewhere else."""

    places: tuple[Spot, ...] = ()
    times: tuple[Moment, ...] = ()
    is_far: bool = False

    def __bool__(self) -> bool:
        return bool(self.places or self.times)


@dataclass(frozen=True, slots=True)
class _Names:
    """The gazetteer made of the district's names; one entry a name, the rows that bear it beside."""

    of: tuple[Named, ...]
    gazetteer: Gazetteer
    rows: dict[str, tuple[Named, ...]]


_made: _Names | None = None


def _names() -> _Names:
    global _made
    named = named_places()
    if _made is None or _made.of is not named:
        rows: dict[str, list[Named]] = {}
        for one in named:
            for name in one.names:
                rows.setdefault(name, []).append(one)
        entries = [Entry(name, name, _kind(found[0].kind)) for name, found in rows.items()]
        _made = _Names(named, Gazetteer(entries), {name: tuple(found) for name, found in rows.items()})
    return _made


def _kind(kind: str) -> PlaceKind:
    return PlaceKind(kind) if kind in _KINDS else PlaceKind.OTHER


def told(
    texts: Sequence[str],
    *,
    pin: tuple[float, float] | None,
    at: datetime,
    street_id: int | None = None,
    community_id: int | None = None,
    has_place: bool = False,
) -> Told:
    """What the texts tell, ``pin`` in CGCS2000. ``street_id``, ``community_id``: where it is known to be: no other place
    is offered. ``has_place``: it is known without a pin (a plate, a choice by hand): no place is asked for."""
    text = "\n".join(one for one in texts if one.strip())
    within = () if has_place and pin is None else places_told(text, pin=pin, street_id=street_id, community_id=community_id)
    return Told(within, times_told(text, at), is_far=bool(within) and pin is not None)


def places_told(
    text: str, *, pin: tuple[float, float] | None, street_id: int | None = None, community_id: int | None = None
) -> tuple[Spot, ...]:
    """At most three, the surest first: a name that only one place has, then those near to it, as they were told."""
    names = _names()
    found = find_places(text, gazetteer=names.gazetteer)
    known: list[tuple[Place, Named]] = []
    for place in found:
        rows = names.rows.get(place.entry.name, ()) if place.entry else ()
        known += [(place, row) for row in _fitting(rows, street_id, community_id)]
    points = _points([row for _place, row in known], pin)
    spots = [*_units(text, street_id), *filter(None, (_spot(place, row, points) for place, row in _in_order(known)))]
    offered = _to_offer(spots, pin)
    if pin is None and not offered:
        offered = [Spot(f"w{one.text}", one.text, one.text) for one in found if one.entry is None]
    return tuple(offered[:MOST_PLACES])


def _fitting(rows: Iterable[Named], street_id: int | None, community_id: int | None) -> list[Named]:
    """Those of the street, and of the community where one of them lies in it."""
    here = [row for row in rows if street_id in (None, row.street_id)]
    return [row for row in here if row.community_id == community_id] or here[:MOST_ROWS]


def _in_order(known: list[tuple[Place, Named]]) -> list[tuple[Place, Named]]:
    """Names with one bearer first, others by how far they are from the first of those, each else as it was told."""
    bearers: dict[str, int] = {}
    for place, _row in known:
        bearers[place.text] = bearers.get(place.text, 0) + 1
    sole = next((row for place, row in known if bearers[place.text] == 1), None)
    if sole is None:
        return known
    return sorted(known, key=lambda one: (bearers[one[0].text] > 1, _off(one[1], sole) if bearers[one[0].text] > 1 else 0.0))


def _off(one: Named, other: Named) -> float:
    return distance_m(one.lon, one.lat, other.lon, other.lat)


Points = dict[int, tuple[float, float]]
"""By place: the point of a road or a river that is nearest to the pin."""


def _points(rows: Iterable[Named], pin: tuple[float, float] | None) -> Points:
    """One SELECT where there are a pin and a place that has a course, else none."""
    ids = {row.place_id for row in rows if row.has_line and row.place_id is not None}
    return {pk: nearest(lines, *pin) for pk, lines in courses(ids).items()} if pin is not None and ids else {}


def _spot(place: Place, row: Named, points: Points) -> Spot | None:
    """A stored place; of a responsibility grid the unit grid in its middle, None where its middle is in none."""
    if row.place_id is not None:
        kind, community = str(GridKind(row.kind).label), said(row.community_zh, row.community_en)
        lon, lat = points.get(row.place_id, (row.lon, row.lat))
        return Spot(f"p{row.place_id}", place.text, row.names[0], kind, community, lon, lat, sort=row.kind)
    middle = locate(row.lon, row.lat)
    unit = plate_of(middle.unit_grid_id, is_point=False) if middle else None
    if unit is None:
        return None
    return Spot(f"u{unit.code}", place.text, row.names[0], str(_("责任网格")), unit.name, row.lon, row.lat, sort="grid")


def _units(text: str, street_id: int | None) -> list[Spot]:
    """Unit grids told by their 15 digits."""
    found = []
    for code in dict.fromkeys(UNIT.findall(text[:5000])):
        unit = plate(code)
        if unit is not None and street_id in (None, unit.street_id):
            found.append(Spot(f"u{code}", code, unit.name, lon=unit.lon, lat=unit.lat, sort="grid"))
    return found


def _to_offer(spots: Sequence[Spot], pin: tuple[float, float] | None) -> list[Spot]:
    """By the engine's rule: all without a pin; with one, none where one of them agrees."""
    if pin is None:
        return list(spots)
    asked = {_on_map(one): one for one in spots}
    kept = [asked[place] for place in places_to_offer(list(asked), pin=pin)]
    return [replace(one, metres=distance_m(one.lon or 0.0, one.lat or 0.0, *pin)) for one in kept]  # a kept one has its point


def _on_map(spot: Spot) -> Place:
    return Place(spot.told, 0, 0, PlaceKind.OTHER, Entry(spot.value, spot.name, lon=spot.lon, lat=spot.lat))


def times_told(text: str, at: datetime) -> tuple[Moment, ...]:
    """At most two that have begun by ``at``, what comes again by its last time; not a mere "today"."""
    now = at.astimezone(ZONE)
    spans = [one for one in find_times(text, told_at=now) if one.begins <= now + AHEAD]
    return tuple(_moment(one) for one in spans if not _is_today(one, now))[:MOST_TIMES]


def _is_today(span: Span, now: datetime) -> bool:
    return not span.every and span.begins.date() == now.date() and span.ends - span.begins == timedelta(days=1)


def _moment(span: Span) -> Moment:
    return Moment(value_of(span.begins, span.ends), span.text, span.begins, span.ends, span.every)


def words_of(moment: Moment) -> str:
    """A time told for a reader: 11-26 20:00 – 22:00; the day alone where it is whole days; how often it comes before it."""
    when = span_words(moment.begins, moment.ends)
    often = {"day": _("每天"), "week": _("每周"), "workday": _("每个工作日"), "weekend": _("每个周末")}.get(moment.every)
    return _("%(often)s，最近一次 %(when)s") % {"often": often, "when": when} if often else when


def span_words(begins: datetime, ends: datetime) -> str:
    """The same of two moments."""
    first, last = begins.astimezone(ZONE), ends.astimezone(ZONE)
    days = "" if first == last or first.time() != last.time() or first.hour or first.minute else "days"
    if days:
        last -= timedelta(days=1)
        return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} – {last:%Y-%m-%d}"
    if first == last:
        return f"{first:%Y-%m-%d %H:%M}"
    same = first.date() == last.date()
    return f"{first:%Y-%m-%d %H:%M} – {last:%H:%M}" if same else f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"


def value_of(begins: datetime, ends: datetime) -> str:
    """Two aware moments as one field holds them."""
    return "/".join(one.astimezone(ZONE).isoformat(timespec="minutes") for one in (begins, ends))


def away_words(metres: float | None) -> str:
    """How far a place told lies from the pin; empty without one."""
    if metres is None:
        return ""
    if metres < 1000:
        return _("相距 %(n)s 米") % {"n": int(round(metres, -1))}
    return _("相距 %(n)s 公里") % {"n": f"{metres / 1000:.1f}"}
