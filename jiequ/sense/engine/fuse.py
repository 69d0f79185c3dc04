"""What each path found, brought together: one candidate for one thing, with the evidence of each path beside it.

The confidence is a logistic sum over the evidence (stacking). Its weights are our own proposal, set by hand on no verdict; what
such a confidence is worth in a district, its verdicts say (``isotonic``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import shapely
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine.shapes import Hint
from jiequ.sense.engine.surface import Change

SAME_SHARE = 0.3  # of the smaller polygon that two paths must share to mean one thing
ON_ROOF_M = 2.3  # above ground, before: there stood a house
STOREY_SHARE = 0.6  # of the roof that an added floor covers; less is a shed on it
SHED_M = 3.8
LOW_M = 1.2  # less is no structure to the surface path
MOSTLY = 0.5  # of earthworks, which are lower than that, differs so much at least
NAMES = ("bias", "height", "flat", "rough", "green", "net", "net_missing", "net_silent", "small", "tin")
WEIGHTS = {
    "bias": -1.0, "height": 1.0, "flat": -3.0, "rough": -1.6, "green": -1.8, "net": 3.0, "net_missing": 0.6, "net_silent": -0.4,
    "small": -0.6, "tin": 0.5,
}  # fmt: skip
Evidence = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing: its polygon in a common projection, what the surface says it is (0: nothing), whether the net saw it go."""

    polygon: Polygon
    change: int
    gone: bool
    paths: tuple[str, ...] = field(default=())


def brought_together(surfaces: Sequence[tuple[int, Polygon]], pictures: Sequence[tuple[bool, Polygon]]) -> list[Candidate]:
    """``surfaces``: (Change, polygon); ``pictures``: (gone, polygon). The surface's outline stands where both saw a thing."""
    tree = shapely.STRtree([polygon for _, polygon in surfaces])
    seen: set[int] = set()
    alone: list[Candidate] = []
    for gone, polygon in pictures:
        same = [int(n) for n in tree.query(polygon, "intersects") if _is_one(polygon, surfaces[int(n)][1])]
        seen.update(same)
        if not same:
            alone.append(Candidate(polygon, 0, gone, ("net",)))
    found = [_from_surface(n, change, polygon, n in seen) for n, (change, polygon) in enumerate(surfaces)]
    return [*found, *alone]


def _from_surface(_number: int, change: int, polygon: Polygon, seen: bool) -> Candidate:
    return Candidate(polygon, change, change in (Change.LOWERED, Change.DUG), ("dsm", "net") if seen else ("dsm",))


def _is_one(one: Polygon, other: Polygon) -> bool:
    shared = one.intersection(other).area
    return bool(shared >= SAME_SHARE * min(one.area, other.area))


def hint(candidate: Candidate, evidence: Evidence) -> Hint:
    """What it may be. ``evidence["dsm"]``: "base_m" above ground before, "median_m", "roof_share" of the roof it stands on.

    What the net alone saw is named only where no surface was measured; where one was and did not rise or fall, it is "other".
    """
    surface = evidence.get("dsm", {})
    if candidate.change == 0 and surface and abs(surface["median_m"]) < LOW_M:
        return Hint.OTHER
    if candidate.change in (Change.FILLED, Change.DUG):
        return Hint.EARTHWORKS
    if candidate.change == Change.LOWERED or (candidate.change == 0 and candidate.gone):
        on_house = surface.get("base_m", ON_ROOF_M) >= ON_ROOF_M * 0.8
        return Hint.DEMOLITION if on_house else Hint.EARTHWORKS
    if surface.get("base_m", 0.0) < ON_ROOF_M:
        return Hint.NEW_BUILDING
    if surface.get("roof_share", 1.0) < STOREY_SHARE and surface.get("median_m", 0.0) < SHED_M:
        return Hint.ROOF_SHED
    return Hint.ADDED_FLOOR


def features(area_m2: float, evidence: Evidence, *, has_net: bool) -> tuple[float, ...]:
    """The numbers that are weighed, in the order of ``NAMES``."""
    surface, net = evidence.get("dsm", {}), evidence.get("net", {})
    height = min(abs(surface.get("median_m", 0.0)) / 3.0, 1.5) if surface else 0.0
    green = max(evidence.get("green", {}).get("after", 0.0), evidence.get("green", {}).get("before", 0.0))
    odds = net.get("mean", 0.0)
    is_flat = surface and abs(surface["median_m"]) < LOW_M and surface.get("share", 0.0) < MOSTLY
    return (
        1.0,
        height,
        1.0 if is_flat else 0.0,
        min(surface.get("rough_m", 0.0), 1.5),
        green,
        odds,
        0.0 if has_net else 1.0,
        1.0 if has_net and odds < 0.1 else 0.0,
        max(0.0, 1.0 - area_m2 / 40.0),
        evidence.get("tin", {}).get("share", 0.0),
    )


def confidence(numbers: Sequence[float]) -> float:
    """In (0, 1); uncalibrated until a district's verdicts say what it is worth."""
    total = sum(WEIGHTS[name] * number for name, number in zip(NAMES, numbers, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
