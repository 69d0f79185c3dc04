"""Which pictures of two dates are compared with each other: of a place, the best of each date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.grid.models import MonitoringPoint

from ..models import Asset, AssetKind, AssetState

Bounds = tuple[float, float, float, float]
MAPPED = (AssetKind.ORTHO, AssetKind.PHOTO)
MOST_DATES = 60
MOST_PICTURES = 3000


@dataclass(frozen=True, slots=True)
class Pair:
    """The pictures and the heights of two dates; either may be missing, never both."""

    before: Asset | None
    after: Asset | None
    before_dsm: Asset | None
    after_dsm: Asset | None
    before_on: date
    after_on: date

    @property
    def is_snapshot(self) -> bool:
        """True for two snapshots of one view: they are compared in pixels."""
        return self.before is not None and self.before.kind == AssetKind.SNAPSHOT


@dataclass(frozen=True, slots=True)
class Place:
    """Where to compare: a monitoring point, or a part of the street (west, south, east, north)."""

    street_id: int
    point: MonitoringPoint | None = None
    bounds: Bounds | None = None


def dates_of(place: Place) -> list[date]:
    """The days of which there are pictures of a place, newest first. One SELECT."""
    return sorted({day_of(asset) for asset in _pictures(place)}, reverse=True)[:MOST_DATES]


def pair_at(place: Place, before_on: date, after_on: date) -> Pair:
    """The best pictures of both days. Refusal where a day has none, or the two have nothing of one kind. One SELECT."""
    earlier, later = on_days(place, before_on, after_on)
    before, after = _of_one_kind(earlier, later, place)
    surfaces = both(best(earlier, place, AssetKind.DSM), best(later, place, AssetKind.DSM))
    pair = Pair(before, after, *surfaces, before_on, after_on)
    if pair.before is None and pair.before_dsm is None:
        raise no_pair()
    return pair


def on_days(place: Place, before_on: date, after_on: date) -> tuple[list[Asset], list[Asset]]:
    """The pictures of a place of either day. Refusal where the days stand the wrong way round. One SELECT."""
    if before_on >= after_on:
        raise Refusal("pair_order", _("前一期要早于后一期。"), facts={"field": "after_on"})
    found = _pictures(place, before_on, after_on)
    return ([asset for asset in found if day_of(asset) == before_on], [asset for asset in found if day_of(asset) == after_on])


def newest_pairs(street_id: int) -> list[tuple[MonitoringPoint, Pair]]:
    """For each monitoring point its two newest days that can be compared. Two SELECTs."""
    points = {point.pk: point for point in MonitoringPoint.objects.filter(street_id=street_id)}
    kept: dict[int, list[Asset]] = {}
    for asset in _ready(street_id).filter(point__isnull=False)[:MOST_PICTURES]:
        kept.setdefault(asset.point_id or 0, []).append(asset)
    found = []
    for point_id, assets in sorted(kept.items(), key=lambda item: points[item[0]].code):
        if pair := _newest(Place(street_id, points[point_id]), assets):
            found.append((points[point_id], pair))
    return found


def newest(street_id: int) -> list[Asset]:
    """The newest usable pictures of a street that are no heights: what two of may be compared. One SELECT."""
    return list(_ready(street_id).exclude(kind=AssetKind.DSM).select_related("point")[:MOST_PICTURES])


def pair_of(street_id: int, one_id: int | None, other_id: int | None) -> Pair:
    """Two pictures that somebody chose, the earlier one first. Refusal: not there, twice the same, two kinds."""
    chosen = {asset.pk: asset for asset in _ready(street_id).filter(pk__in=[one_id or 0, other_id or 0])}
    if len(chosen) != 2:
        raise Refusal("pair_two", _("请选择两份不同的影像。"), facts={"field": "other"})
    before, after = sorted(chosen.values(), key=lambda asset: (asset.taken_at, asset.pk))
    kinds = {"dsm" if asset.kind == AssetKind.DSM else asset.kind if asset.kind == AssetKind.SNAPSHOT else "map"
             for asset in (before, after)}  # fmt: skip
    if len(kinds) != 1:
        raise Refusal("pair_kinds", _("两份影像不是一类，不能比对。"), facts={"field": "other"})
    if kinds == {"dsm"}:
        return Pair(None, None, before, after, day_of(before), day_of(after))
    return Pair(before, after, None, None, day_of(before), day_of(after))


def no_pair() -> Refusal:
    """Nothing of one kind shows the place on both days."""
    return Refusal("no_pair", _("这两天没有同一处的同类影像，不能比对。"), facts={"field": "after_on"})


def day_of(asset: Asset) -> date:
    """The day on which a picture was taken, here."""
    assert asset.taken_at is not None
    return timezone.localtime(asset.taken_at).date()


def _newest(place: Place, assets: Sequence[Asset]) -> Pair | None:
    days = sorted({day_of(asset) for asset in assets}, reverse=True)
    for later, earlier in pairwise(days):
        before, after = _of_one_kind(
            [one for one in assets if day_of(one) == earlier], [one for one in assets if day_of(one) == later], place
        )
        low = [best([one for one in assets if day_of(one) == day], place, AssetKind.DSM) for day in (earlier, later)]
        surfaces = both(*low)
        if before or surfaces[0]:
            return Pair(before, after, *surfaces, earlier, later)
    return None


def _ready(street_id: int) -> QuerySet[Asset]:
    found = Asset.objects.filter(street_id=street_id, state=AssetState.READY, taken_at__isnull=False)
    return found.defer("item", "footprint", "reason_facts").order_by("-taken_at", "-id")


def _pictures(place: Place, *days: date) -> list[Asset]:
    found = _ready(place.street_id).filter(_shows(place))
    if days:
        zone = timezone.get_default_timezone()
        first, last = (datetime.combine(day, time(), zone) for day in (min(days), max(days) + timedelta(days=1)))
        found = found.filter(taken_at__gte=first, taken_at__lt=last)
    return list(found[:MOST_PICTURES])


def _shows(place: Place) -> Q:
    """Pictures of the point, and those without one in which it lies; or those that meet the bounds."""
    if place.point is not None:
        lon, lat = place.point.lon, place.point.lat
        around = Q(point=None, west__lte=lon, east__gte=lon, south__lte=lat, north__gte=lat)
        return Q(point=place.point) | around
    if place.bounds is None:
        return Q()
    west, south, east, north = place.bounds
    return Q(west__lt=east, east__gt=west, south__lt=north, north__gt=south)


def _shared(asset: Asset, bounds: Bounds) -> float:
    """How much of the bounds a picture's own bounds cover, in [0, 1]."""
    if asset.west is None or asset.south is None or asset.east is None or asset.north is None:
        return 0.0
    wide = min(asset.east, bounds[2]) - max(asset.west, bounds[0])
    high = min(asset.north, bounds[3]) - max(asset.south, bounds[1])
    whole = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
    return max(0.0, wide) * max(0.0, high) / whole if whole > 0 else 0.0


def _of_one_kind(earlier: Sequence[Asset], later: Sequence[Asset], place: Place) -> tuple[Asset | None, Asset | None]:
    """Two pictures in map geometry, else two snapshots of one camera, else none."""
    two = both(best(earlier, place, *MAPPED), best(later, place, *MAPPED))
    return two if two[0] is not None else _of_one_view(earlier, later)


def _of_one_view(earlier: Sequence[Asset], later: Sequence[Asset]) -> tuple[Asset | None, Asset | None]:
    """Of the cameras that saw both days the first, of each day its picture nearest to noon: light from one side, more or less.
    Snapshots that somebody brought by hand count as one camera's."""
    seen = [[one for one in day if one.kind == AssetKind.SNAPSHOT] for day in (earlier, later)]
    cameras = {one.camera_id for one in seen[0]} & {one.camera_id for one in seen[1]}
    if not cameras:
        return None, None
    chosen = min(cameras, key=lambda camera: camera or 0)
    before, after = (min((one for one in day if one.camera_id == chosen), key=_from_noon) for day in seen)
    return before, after


def _from_noon(asset: Asset) -> tuple[float, int]:
    """Hours between noon and the moment, here."""
    assert asset.taken_at is not None
    local = timezone.localtime(asset.taken_at)
    return abs(local.hour + local.minute / 60 - 12), -asset.pk


def both(one: Asset | None, other: Asset | None) -> tuple[Asset | None, Asset | None]:
    """The two, or none of them where one is missing."""
    return (one, other) if one is not None and other is not None else (None, None)


def best(assets: Sequence[Asset], place: Place, *kinds: str) -> Asset | None:
    """Orthophotos before photos, then the one that shows most of the place, the finest, the newest."""
    fitting = [asset for asset in assets if asset.kind in kinds]
    return min(fitting, key=lambda one: order(one, place), default=None)


def order(asset: Asset, place: Place) -> tuple[bool, float, float, int]:
    """Sorts the pictures of a place, the one to take first."""
    share = _shared(asset, place.bounds) if place.bounds else _whole(asset)
    return asset.kind == AssetKind.PHOTO, -round(share, 6 if place.bounds else 12), asset.gsd_m or 9.0, -asset.pk


def _whole(asset: Asset) -> float:
    if asset.west is None or asset.south is None or asset.east is None or asset.north is None:
        return 0.0
    return (asset.east - asset.west) * (asset.north - asset.south)
