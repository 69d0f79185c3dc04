"""An area of two days is shown by several pictures: which pairs are compared, each with its own part of the area."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import shapely
from django.utils.translation import gettext as _
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from jiequ.core.errors import Refusal

from .. import ground
from ..models import Asset, AssetKind
from . import pairs

MOST_PICTURES = 60  # of one day
LEAST_M2 = 25.0  # a smaller piece is left to the rest: nothing could be registered on it
KINDS = ((AssetKind.ORTHO,), pairs.MAPPED, (AssetKind.DSM,))


@dataclass(frozen=True, slots=True)
class Part:
    """Pictures of both days and the part of the area that is compared by them."""

    pair: pairs.Pair
    area: BaseGeometry


def parts(street_id: int, area: Polygon | MultiPolygon, before_on: date, after_on: date) -> list[Part]:
    """Pairs of pictures that together show as much of the area as both days do, the largest share first (greedy).

    The parts do not overlap, and together they are all of the area: what no pair shows goes with the first, whose comparison
    says that it cannot speak of it. Refusal where no pair shows anything. Two SELECTs.
    """
    place = pairs.Place(street_id, bounds=area.bounds)
    days = pairs.on_days(place, before_on, after_on)
    if max(map(len, days)) > 3 * MOST_PICTURES:
        raise Refusal("area_pictures", _("这个范围里的影像太多，请画小一些。"), facts={"field": "outline"})
    shown = _footprints([*days[0], *days[1]])
    found: list[Part] = []
    rest: BaseGeometry = area
    for kinds in KINDS:
        for earlier, later, piece in _chosen(rest, days, kinds, shown):
            rest = rest.difference(piece)
            found.append(Part(_pair(earlier, later, piece, days, shown, before_on, after_on), piece))
    if not found:
        raise pairs.no_pair()
    return [replace(found[0], area=polygons(found[0].area.union(rest))), *found[1:]]


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Only what has an area."""
    return unary_union([one for one in shapely.get_parts(geometry) if isinstance(one, Polygon)])


def _chosen(
    rest: BaseGeometry, days: Sequence[Sequence[Asset]], kinds: Sequence[str], shown: dict[int, BaseGeometry]
) -> Iterator[tuple[Asset, Asset, BaseGeometry]]:
    """Again and again the pair that shows most of what is left."""
    one_day, other_day = ([one for one in day if one.kind in kinds][:MOST_PICTURES] for day in days)
    both = [(one, other) for one in one_day for other in other_day if shown[one.pk].intersects(shown[other.pk])]
    seen = np.array([shown[one.pk].intersection(shown[other.pk]) for one, other in both], dtype=object)
    while both:
        best = int(np.argmax(shapely.area(shapely.intersection(seen, rest))))
        piece = polygons(seen[best].intersection(rest))
        if ground.area_m2(piece) < LEAST_M2:
            return
        rest = rest.difference(piece)
        yield *both[best], piece


def _pair(
    earlier: Asset, later: Asset, piece: BaseGeometry, days: Sequence[Sequence[Asset]], shown: dict[int, BaseGeometry],
    before_on: date, after_on: date,
) -> pairs.Pair:  # fmt: skip
    """Both pictures with the heights of their days, where both days have heights there."""
    if earlier.kind == AssetKind.DSM:
        return pairs.Pair(None, None, earlier, later, before_on, after_on)
    place = pairs.Place(earlier.street_id, bounds=piece.bounds)
    near = [[one for one in day if shown[one.pk].intersection(piece).area > 0] for day in days]
    heights = pairs.both(*(pairs.best(day, place, AssetKind.DSM) for day in near))
    return pairs.Pair(earlier, later, *heights, before_on, after_on)


def _footprints(assets: Sequence[Asset]) -> dict[int, BaseGeometry]:
    """What each picture shows, by its id: its outline, else its bounds. One SELECT."""
    told: dict[int, Any] = dict(Asset.objects.filter(pk__in=[one.pk for one in assets]).values_list("pk", "footprint"))
    return {one.pk: _outline(told.get(one.pk)) or box(one.west or 0, one.south or 0, one.east or 0, one.north or 0)
            for one in assets}  # fmt: skip


def _outline(told: Any) -> BaseGeometry | None:
    try:
        return ground.polygon_of(told) if told else None
    except ground.BadShape:
        return None
