"""Suspects as a comparison leaves them, without one having run: assets that are ready, findings, permits beside them."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from jiequ.sense.ground import area_m2
from jiequ.sense.models import Asset, Comparison, Finding, Permit, Suspect
from jiequ.sense.services import queueing
from tests.actors import LAT, LON, NOW, World

METRE = 1 / 102_000  # of longitude, about
_count = itertools.count(1)


def square(east: float = 0.0, north: float = 0.0, side: float = 10.0) -> dict[str, Any]:
    """A square of so many metres, its south-west corner so many metres from the street's place."""
    west, south = LON + east * METRE, LAT + north / 110_700
    right, up = west + side * METRE, south + side / 110_700
    return {"type": "Polygon", "coordinates": [[[west, south], [right, south], [right, up], [west, up], [west, south]]]}


def asset(street_id: int, kind: str, day: date) -> Asset:
    """A picture that is ready, two hundred metres about the street's place."""
    number = next(_count)
    return Asset.objects.create(
        street_id=street_id, kind=kind, name=f"{kind}-{number}.tif", source="folder", sha256=f"{number:064x}", state="ready",
        gsd_m=0.2, width=1000, height=1000, bands=3, epsg=32649, west=LON - 0.002, south=LAT - 0.002, east=LON + 0.002,
        north=LAT + 0.002, made_at=NOW, ready_at=NOW, taken_at=NOW, item={"type": "Feature"},
    )  # fmt: skip


def comparison(street_id: int) -> Comparison:
    """Two dates, picture and heights, compared."""
    days = date(2026, 9, 1), date(2026, 11, 1)
    before, after = (asset(street_id, "ortho", day) for day in days)
    low, high = (asset(street_id, "dsm", day) for day in days)
    return Comparison.objects.create(
        street_id=street_id, key=f"{next(_count):064x}", before=before, after=after, before_dsm=low, after_dsm=high,
        before_on=days[0], after_on=days[1], state="done", asked_at=NOW,
    )  # fmt: skip


def suspect(seen: Comparison, east: float = 0.0, *, confidence: float = 0.8, second: bool = False, **more: Any) -> Suspect:
    """A suspect with its finding, a square of ten metres."""
    number, shape = next(_count), more.pop("geometry", None) or square(east)
    lon, lat = shape["coordinates"][0][0]
    made = Suspect.objects.create(
        street_id=seen.street_id, number=f"TB-2026-{number:06d}", geometry=shape, lon=lon, lat=lat, area_m2=area_m2(shape),
        height_m=3.0, hint=more.pop("hint", "roof_shed"), confidence=confidence, first_on=seen.after_on, last_on=seen.after_on,
        wants_second=second, made_at=NOW, **more,
    )  # fmt: skip
    found = Finding.objects.create(
        comparison=seen, key=f"{number:064x}", suspect=made, geometry=shape, lon=lon, lat=lat, area_m2=made.area_m2,
        height_m=3.0, hint=made.hint, confidence=confidence,
    )  # fmt: skip
    Suspect.objects.filter(pk=made.pk).update(latest=found)
    made.latest = found
    return made


def queue_of(world: World, count: int, *, second: bool = False) -> list[Suspect]:
    """So many suspects of one comparison in their turn, twenty metres apart."""
    seen = comparison(world.street.pk)
    for number in range(count):
        suspect(seen, 20.0 * number, confidence=0.9 - 0.01 * number, second=second)
    queueing.reorder(world.street.pk)
    return list(Suspect.objects.filter(street=world.street).order_by("turn"))


def permit(street_id: int, shape: dict[str, Any], **more: Any) -> Permit:
    """A planning permit in force there."""
    xs, ys = zip(*shape["coordinates"][0], strict=True)
    return Permit.objects.create(
        street_id=street_id, kind="planning", number=f"P{next(_count)}", geometry=shape, west=min(xs), south=min(ys),
        east=max(xs), north=max(ys), area_m2=100.0, made_at=NOW, **more,
    )  # fmt: skip
