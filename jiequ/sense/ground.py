"""Areas, lengths and checks of polygons in degrees, by numpy and shapely alone: pages use it, so no imagery library here.

Areas are taken in the cylindrical equal-area projection of the WGS-84 ellipsoid (J. P. Snyder, Map Projections: A Working
Manual, USGS 1987, eq. 3-12 and 10-13 to 10-15): exact but for the bend of an edge, which for a street is under a millionth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box, mapping, shape
from shapely.geometry.base import BaseGeometry

A = 6_378_137.0
E2 = 0.006_694_379_990_14
E = math.sqrt(E2)
DIGITS = 8  # of a degree: a millimetre
MOST_VERTICES = 20_000


class BadShape(ValueError):
    """No polygon on the ground; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def polygon_of(told: Any) -> Polygon | MultiPolygon:
    """The polygon that a GeoJSON geometry tells, longitude first. BadShape: unreadable, empty, crosses itself, not on earth."""
    try:
        found = shapely.force_2d(shape(told))
    except Exception as error:  # shapely raises many kinds for what is no geometry
        raise BadShape("shape_unreadable") from error
    if not isinstance(found, Polygon | MultiPolygon) or found.is_empty:
        raise BadShape("shape_no_polygon")
    points = shapely.get_coordinates(found)
    if len(points) > MOST_VERTICES or not np.isfinite(points).all():
        raise BadShape("shape_unreadable")
    if not ((np.abs(points[:, 0]) <= 180).all() and (np.abs(points[:, 1]) <= 85).all()):
        raise BadShape("shape_not_degrees")
    if not found.is_valid:
        raise BadShape("shape_crosses_itself")
    return found


def to_json(geometry: BaseGeometry) -> dict[str, Any]:
    """GeoJSON with eight decimals."""
    return dict(mapping(shapely.transform(geometry, lambda points: np.round(points, DIGITS))))


def area_m2(geometry: BaseGeometry | Mapping[str, Any]) -> float:
    """True area on the ground in m²."""
    found = geometry if isinstance(geometry, BaseGeometry) else shape(geometry)
    return float(shapely.transform(found, _equal_area).area)


def metres(geometry: BaseGeometry, about: tuple[float, float]) -> BaseGeometry:
    """The geometry in metres east and north of a point (lon, lat), true to a thousandth within some kilometres."""
    per_lon, per_lat = metres_per_degree(about[1])
    origin, scale = np.array(about), np.array([per_lon, per_lat])
    moved: BaseGeometry = shapely.transform(geometry, lambda points: (points - origin) * scale)
    return moved


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres that a degree of longitude and of latitude have there."""
    sine = math.sin(math.radians(lat))
    w = 1 - E2 * sine * sine
    east = A / math.sqrt(w) * math.cos(math.radians(lat))
    north = A * (1 - E2) / w**1.5
    return math.radians(1) * east, math.radians(1) * north


def box_around(
    bounds: tuple[float, float, float, float], *, by: float, least_m: float = 30.0
) -> tuple[float, float, float, float]:
    """A square window (in metres) about bounds, ``by`` times as wide: west, south, east, north."""
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    per_lon, per_lat = metres_per_degree(lat)
    half = max(least_m, by * max((bounds[2] - bounds[0]) * per_lon, (bounds[3] - bounds[1]) * per_lat)) / 2
    return lon - half / per_lon, lat - half / per_lat, lon + half / per_lon, lat + half / per_lat


def widened(geometry: Mapping[str, Any], by_m: float) -> dict[str, Any]:
    """The rectangle about a GeoJSON geometry, wider by some metres on all sides."""
    west, south, east, north = bounds_of(geometry)
    per_lon, per_lat = metres_per_degree((south + north) / 2)
    return to_json(box(west - by_m / per_lon, south - by_m / per_lat, east + by_m / per_lon, north + by_m / per_lat))


def bounds_of(geometry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """West, south, east, north of a GeoJSON geometry."""
    west, south, east, north = shape(geometry).bounds
    return west, south, east, north


def _equal_area(points: Any) -> Any:
    """Longitude and latitude in degrees to metres of the equal-area cylinder."""
    sine = np.sin(np.radians(points[:, 1]))
    q = (1 - E2) * (sine / (1 - E2 * sine**2) - np.log((1 - E * sine) / (1 + E * sine)) / (2 * E))
    return np.column_stack([A * np.radians(points[:, 0]), A * q / 2])
