"""What one sees of a suspect: windows of three widths, shapes as SVG in metres from its middle, the line of its heights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, shape
from shapely.geometry.base import BaseGeometry

from . import ground

Bounds = tuple[float, float, float, float]
WINDOWS = (("near", 1.6, 24.0), ("around", 3.5, 60.0), ("wide", 9.0, 160.0))
"""Name, times as wide as the suspect, and at least so many metres."""
BESIDE_M = 8.0  # of the ground on either side that the heights show too
PIXELS = 896


@dataclass(frozen=True, slots=True)
class Window:
    """A square part of the ground, north up: its bounds in degrees and half its side in metres."""

    name: str
    bounds: Bounds
    half_m: float

    @property
    def where(self) -> str:
        """As the tile process takes it."""
        return ",".join(f"{value:.7f}" for value in self.bounds)

    @property
    def view_box(self) -> str:
        """For an SVG in metres east and south of the middle."""
        return f"{-self.half_m:.2f} {-self.half_m:.2f} {2 * self.half_m:.2f} {2 * self.half_m:.2f}"


@dataclass(frozen=True, slots=True)
class Sight:
    """A place to look at: its middle (lon, lat) and its three windows, narrow to wide."""

    middle: tuple[float, float]
    windows: tuple[Window, ...]

    def window(self, name: str) -> Window:
        """The one of that name, or the middle one."""
        return next((one for one in self.windows if one.name == name), self.windows[1])

    def path(self, geometry: Mapping[str, Any] | BaseGeometry) -> str:
        """A polygon or line as the ``d`` of an SVG path."""
        found = geometry if isinstance(geometry, BaseGeometry) else shape(geometry)
        return " ".join(_ring(part) for part in _parts(ground.metres(found, self.middle)))


def sight_of(geometry: Mapping[str, Any]) -> Sight:
    """Where to look for a polygon in degrees."""
    west, south, east, north = (float(value) for value in shape(geometry).bounds)
    middle = ((west + east) / 2, (south + north) / 2)
    per_lon, _per_lat = ground.metres_per_degree(middle[1])
    windows = []
    for name, times, least in WINDOWS:
        bounds = ground.box_around((west, south, east, north), by=times, least_m=least)
        windows.append(Window(name, bounds, (bounds[2] - bounds[0]) * per_lon / 2))
    return Sight(middle, tuple(windows))


def path_in_pixels(geometry: Mapping[str, Any]) -> str:
    """A polygon of a picture's own pixels, rows running down, as the ``d`` of an SVG path over that picture."""
    upright = shapely.transform(shape(geometry), lambda points: points * (1, -1))
    return " ".join(_ring(part) for part in _parts(upright))


def _parts(found: BaseGeometry) -> list[tuple[Any, bool]]:
    if found.geom_type in ("MultiPolygon", "GeometryCollection", "MultiLineString"):
        return [part for one in found.geoms for part in _parts(one)]
    if found.geom_type == "Polygon":
        return [(found.exterior.coords, True), *((hole.coords, True) for hole in found.interiors)]
    return [(found.coords, False)] if found.geom_type == "LineString" else []


def _ring(part: tuple[Any, bool]) -> str:
    coordinates, is_closed = part
    points = [f"{x:.2f} {-y:.2f}" for x, y in coordinates]
    return "M" + " L".join(points[:-1] if is_closed else points) + ("Z" if is_closed else "")


def long_axis(geometry: Mapping[str, Any]) -> list[list[float]]:
    """[[lon, lat], [lon, lat]] through the middle along the longer side, some ground on either side with it."""
    found = shape(geometry)
    middle = (found.centroid.x, found.centroid.y)
    box = shapely.oriented_envelope(ground.metres(found, middle))
    corners = shapely.get_coordinates(box)[:4]
    if len(corners) < 4:
        corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    sides = corners[1] - corners[0], corners[2] - corners[1]
    long = max(sides, key=lambda side: float(np.hypot(*side)))
    length = float(np.hypot(*long)) or 1.0
    reach = long / length * (length / 2 + BESIDE_M)
    centre = corners.mean(axis=0)
    per_lon, per_lat = ground.metres_per_degree(middle[1])
    ends = (centre - reach, centre + reach)
    return [[round(middle[0] + x / per_lon, 7), round(middle[1] + y / per_lat, 7)] for x, y in ends]


def corners_of(geometry: Mapping[str, Any]) -> str:
    """The outer ring as places, one a line: what the form shows and takes."""
    found = shape(geometry)
    outer = max(found.geoms, key=lambda one: one.area) if found.geom_type == "MultiPolygon" else found
    return "\n".join(f"{lon:.7f}, {lat:.7f}" for lon, lat in list(outer.exterior.coords)[:-1])


def line_of(points: list[list[float]]) -> LineString:
    """A line in degrees."""
    return LineString(points)
