"""Open cases near a point: read from the index of the map alone (``case_on_map``), compiled once, measured here.

A row of a case is long; four hundred points beside one another are read in a millisecond from the index, their rows are not.
What may be shown of them is for whoever reads the rows of the few that are chosen.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from django.db.models import Q

from jiequ.core.prepared import Bind, Prepared
from jiequ.grid.rules import BBox, bbox_around, metres_per_degree, q18_ranges

from ..flow import ENDED
from ..models import Case

RANGES = 16
_NEVER = (-2, -1)


class OpenCase(NamedTuple):
    """An open case on the map, and how far it is in metres."""

    pk: int
    lon: float
    lat: float
    event_type_id: int | None
    metres: float


def in_ranges(column: str) -> Q:
    """The rows whose q18 lies in one of ``RANGES`` ranges, of which the idle ones match nothing; the values are ``bounds``."""
    found = Q(pk__in=())
    for n in range(RANGES):
        found |= Q(**{f"{column}__gte": Bind(f"low{n}"), f"{column}__lte": Bind(f"high{n}")})
    return found


def bounds(box: BBox) -> dict[str, int]:
    """The ranges that cover a box, by the names that ``in_ranges`` binds. They may cover more: measure as well."""
    ranges = q18_ranges(box, RANGES)
    ranges += [_NEVER] * (RANGES - len(ranges))
    lows = {f"low{n}": low for n, (low, _high) in enumerate(ranges)}
    return lows | {f"high{n}": high for n, (_low, high) in enumerate(ranges)}


_POINT = ("pk", "lon", "lat", "event_type_id")
_OPEN = Prepared(lambda: Case.objects.filter(in_ranges("q18")).exclude(state__in=list(ENDED)).values_list(*_POINT))


def open_near(lon: float, lat: float, radius_m: float) -> list[OpenCase]:
    """Those within the radius, the nearest first; hidden ones too, so nothing of this is shown as it is. One SELECT."""
    east, north = metres_per_degree(lat)
    rows = _OPEN(**bounds(bbox_around(lon, lat, radius_m)))
    found = [
        OpenCase(pk, x, y, kind, metres)
        for pk, x, y, kind in rows
        if (metres := math.hypot((x - lon) * east, (y - lat) * north)) <= radius_m
    ]
    return sorted(found, key=lambda one: (one.metres, one.pk))
