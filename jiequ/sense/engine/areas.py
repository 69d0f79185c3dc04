"""Metres, degrees and square metres: which projection to work in, and true areas whatever it is.

An area is taken in a Lambert azimuthal equal-area projection about the place itself (EPSG guidance note 7-2 §3.3), so it
neither shrinks by UTM's 0.08 % in the middle of a zone nor grows by 0.2 % at its rim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

DEGREES = CRS.from_epsg(4326)
MOST_DISTORTION = 0.01  # of lengths, for a file's own projection to be worked in


def utm(lon: float, lat: float) -> CRS:
    """The UTM zone of a place, on WGS-84."""
    zone = min(60, int((lon + 180) // 6) + 1)
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


@lru_cache(maxsize=64)
def _equal_area(lon: float, lat: float) -> CRS:
    return CRS.from_proj4(f"+proj=laea +lat_0={lat:.4f} +lon_0={lon:.4f} +datum=WGS84 +units=m +no_defs")


def moved(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """A geometry in another system, vertex by vertex (longitude before latitude)."""

    def turn(points: Any) -> Any:
        xs, ys = transform_coordinates(source, target, points[:, 0].tolist(), points[:, 1].tolist())
        return np.column_stack([xs, ys])

    return shapely.transform(geometry, turn)


def to_degrees(geometry: BaseGeometry, crs: str) -> dict[str, Any]:
    """GeoJSON in WGS-84 with nine decimals (0.1 mm); of a grid without a system (``""``) the pixels as they are."""
    turned = moved(geometry, CRS.from_wkt(crs), DEGREES) if crs else geometry
    digits = 9 if crs else 3
    return dict(mapping(shapely.transform(turned, lambda points: np.round(points, digits))))


def area_m2(geometry: BaseGeometry | Mapping[str, Any], crs: str | CRS = DEGREES) -> float:
    """True area on the ground in m²; pixels² where there is no system."""
    found = geometry if isinstance(geometry, BaseGeometry) else shape(geometry)
    if found.is_empty:
        return 0.0
    if crs == "":
        return float(found.area)
    source = CRS.from_wkt(crs) if isinstance(crs, str) else crs
    middle = shapely.Point(shapely.get_coordinates(found)[0])
    lon, lat = _rounded(moved(middle, source, DEGREES))
    return float(moved(found, source, _equal_area(lon, lat)).area)


def _rounded(point: BaseGeometry) -> tuple[float, float]:
    lon, lat = shapely.get_coordinates(point)[0]
    return round(float(lon), 1), round(float(lat), 1)


def is_metric(crs: CRS, x: float, y: float) -> bool:
    """Whether lengths at (x, y) are true to a hundredth: Web Mercator outside the tropics is not, UTM and 3° zones are."""
    if not crs.is_projected or not math.isclose(crs.linear_units_factor[1], 1.0):
        return False
    square = shapely.box(x - 50, y - 50, x + 50, y + 50)
    return math.isclose(area_m2(square, crs), square.area, rel_tol=2 * MOST_DISTORTION)
