"""Which finding is which suspect: the thing on the ground persists over flights, its polygon does not.

Each finding is at most one suspect and each suspect at most one finding: the best pairs by overlap and distance over all
(an assignment, not the first that fits), so that one thing is never two suspects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from jiequ.sense.engine.areas import DEGREES, moved
from jiequ.sense.engine.shapes import Finding, Known, Match

LEAST_IOU = 0.3
MOST_METRES = 5.0
GROWN = 1.10
STOREY_M = 2.2  # our own proposal: what is lower than a storey is a parapet or noise
NEVER = 1e6


def match(findings: Sequence[Finding], known: Sequence[Known]) -> list[Match]:
    """A ``Match`` for each finding, in its order."""
    if not findings or not known:
        return [Match(one.key, None, "new") for one in findings]
    here, there = _local([one.geometry for one in findings], [one.geometry for one in known])
    iou, metres = _likeness(here, there)
    partners = _assigned(np.where((iou >= LEAST_IOU) | (metres < MOST_METRES), 1.0 - iou + metres / 1000.0, NEVER))
    found = []
    for number, finding in enumerate(findings):
        other = partners.get(number)
        if other is None:
            found.append(Match(finding.key, None, "new"))
            continue
        near, far = round(float(iou[number, other]), 3), round(float(metres[number, other]), 2)
        found.append(Match(finding.key, known[other].id, change(finding, known[other]), near, far))
    return found


def change(finding: Finding, suspect: Known) -> str:
    """More than 2.2 m higher is "storey", more than a tenth larger "grown", else "same". Both reopen what is closed."""
    if finding.height_m is not None and suspect.height_m is not None and finding.height_m - suspect.height_m > STOREY_M:
        return "storey"
    return "grown" if finding.area_m2 > suspect.area_m2 * GROWN else "same"


def reopens(found: Match, suspect: Known) -> bool:
    """Whether a closed suspect is open again by this match."""
    return suspect.closed and found.change in ("grown", "storey")


def repeated(confidence: float, patrols: int) -> float:
    """More confidence for what was seen in several patrols: each further one closes a third of the gap to certainty."""
    return 1.0 - (1.0 - confidence) * (2.0 / 3.0) ** max(0, patrols - 1)


def _local(here: Sequence[Any], there: Sequence[Any]) -> tuple[list[BaseGeometry], list[BaseGeometry]]:
    """In metres about the first place: equal areas, true distances for the few kilometres of a street."""
    shapes = [_valid(shape(one)) for one in (*here, *there)]
    lon, lat = shapely.get_coordinates(shapes[0].centroid)[0]
    target = CRS.from_proj4(f"+proj=laea +lat_0={lat:.3f} +lon_0={lon:.3f} +datum=WGS84 +units=m +no_defs")
    local = [moved(one, DEGREES, target) for one in shapes]
    return local[: len(here)], local[len(here) :]


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    return geometry if geometry.is_valid else shapely.make_valid(geometry)


def _likeness(here: Sequence[BaseGeometry], there: Sequence[BaseGeometry]) -> tuple[NDArray[Any], NDArray[Any]]:
    iou = np.zeros((len(here), len(there)))
    metres = np.full(iou.shape, np.inf)
    tree = shapely.STRtree(list(there))
    for number, one in enumerate(here):
        for other in (int(n) for n in tree.query(one.buffer(MOST_METRES))):
            shared = one.intersection(there[other]).area
            union = one.area + there[other].area - shared
            iou[number, other] = shared / union if union else 0.0
            metres[number, other] = one.centroid.distance(there[other].centroid)
    return iou, metres


def _assigned(cost: NDArray[Any]) -> dict[int, int]:
    """The cheapest pairing of rows with columns among the possible ones."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.where(np.isfinite(cost), cost, NEVER))
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if cost[row, column] < NEVER / 2}


def overlap(one: Finding, other: Finding) -> float:
    """Intersection over union of two findings, in [0, 1]."""
    (first,), (second,) = _local([one.geometry], [other.geometry])
    shared = first.intersection(second).area
    union = first.area + second.area - shared
    return 0.0 if math.isclose(union, 0.0) else shared / union
