"""The course of a road or a river, as far as a gazetteer needs it: coarse lines, and the point of one nearest to another. Pure.

A line is kept to ``TOLERANCE_M`` and no finer: enough to say whether somebody stands by it, and no large-scale vector map
(DOMAIN §4: continuous ones of more than 25 km² are state secrets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import shapely

from .rules import is_position, metres_per_degree

Point = tuple[float, float]
Line = tuple[Point, ...]
Lines = tuple[Line, ...]
"""Longitude and latitude in degrees, part by part."""

TOLERANCE_M = 25.0
MOST_POINTS, MOST_GIVEN = 500, 20_000
_DIGITS = 5  # about a metre


def coarse(lines: Sequence[Sequence[Point]]) -> Lines:
    """The same lines within ``TOLERANCE_M`` (Douglas and Peucker 1973), in steps of some metre. ValueError for none at all.

    Raises ValueError as well for what has more than ``MOST_POINTS`` left, or is on no earth.
    """
    given = [tuple(line) for line in lines]
    if not given or sum(map(len, given)) > MOST_GIVEN or any(len(line) < 2 for line in given):
        raise ValueError("no line")
    if not all(math.isfinite(x) and math.isfinite(y) and is_position(x, y) for line in given for x, y in line):
        raise ValueError("off earth")
    east, north = metres_per_degree(given[0][0][1])
    kept = tuple(_simplified(line, east, north) for line in given)
    if sum(map(len, kept)) > MOST_POINTS:
        raise ValueError("too long")
    return kept


def _simplified(line: Sequence[Point], east: float, north: float) -> Line:
    """Again until nothing changes, so that what was made coarse once is taken back as it is."""
    flat = shapely.LineString([(x * east, y * north) for x, y in line]).simplify(TOLERANCE_M, preserve_topology=False)
    kept = tuple((round(x / east, _DIGITS), round(y / north, _DIGITS)) for x, y in flat.coords)
    return kept if kept == tuple(line) else _simplified(kept, east, north)


def packed(lines: Sequence[Sequence[Point]]) -> str:
    """As a column holds them: "lon,lat" with a space between, one part a row."""
    return "\n".join(" ".join(f"{x:.{_DIGITS}f},{y:.{_DIGITS}f}" for x, y in line) for line in lines)


def unpacked(text: str) -> Lines:
    """The lines of a column; () of an empty one."""
    return tuple(tuple(map(_pair, row.split(" "))) for row in text.split("\n") if row)


def _pair(text: str) -> Point:
    x, y = text.split(",")
    return float(x), float(y)


def middle(lines: Sequence[Sequence[Point]]) -> Point:
    """Half way along the longest part."""
    east, north = metres_per_degree(lines[0][0][1])
    flat = [shapely.LineString([(x * east, y * north) for x, y in line]) for line in lines]
    spot = max(flat, key=lambda one: one.length).interpolate(0.5, normalized=True)
    return round(spot.x / east, 6), round(spot.y / north, 6)


def nearest(lines: Sequence[Sequence[Point]], lon: float, lat: float) -> Point:
    """The point of the lines nearest to (lon, lat); within a metre of it as far as lines reach in a district."""
    east, north = metres_per_degree(lat)
    here = [[((x - lon) * east, (y - lat) * north) for x, y in line] for line in lines]
    x, y = min((_foot(*pair) for line in here for pair in pairwise(line)), key=lambda spot: math.hypot(*spot))
    return lon + x / east, lat + y / north


def _foot(one: Point, other: Point) -> Point:
    """The point of a segment nearest to the origin."""
    (x, y), (across, up) = one, (other[0] - one[0], other[1] - one[1])
    length = across * across + up * up
    share = 0.0 if not length else min(1.0, max(0.0, -(x * across + y * up) / length))
    return x + share * across, y + share * up
