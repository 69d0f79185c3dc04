"""Metres, degrees and square metres: which projection to work in, and true areas whatever it is.

An area is taken in a Lambert azimuthal equal-area projection about the place itself (EPSG guidance note 7-2 §3.3), so it
neither shrinks by UTM's 0.08 % in the middle of a zone nor grows by 0.2 % at its rim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
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


def moved(geometry: Any, source: CRS, target: CRS) -> Any:
    """A geometry (or an array of them, at once) in another system, vertex by vertex (longitude before latitude)."""

    def turn(points: Any) -> Any:
        xs, ys = transform_coordinates(source, target, points[:, 0].tolist(), points[:, 1].tolist())
        return np.column_stack([xs, ys])

    return shapely.transform(geometry, turn)


def to_degrees(geometry: BaseGeometry, crs: str) -> dict[str, Any]:
    """GeoJSON in WGS-84 with nine decimals (0.1 mm); of a grid without a system (``""``) the pixels as they are."""
    return all_to_degrees([geometry], crs)[0]


def all_to_degrees(geometries: Sequence[BaseGeometry], crs: str) -> list[dict[str, Any]]:
    """The same of many: PROJ is asked once."""
    if not geometries:
        return []
    given = np.array(geometries, object)
    turned = moved(given, CRS.from_wkt(crs), DEGREES) if crs else given
    digits = 9 if crs else 3
    return [dict(mapping(one)) for one in shapely.transform(turned, lambda points: np.round(points, digits))]


def area_m2(geometry: BaseGeometry | Mapping[str, Any], crs: str | CRS = DEGREES) -> float:
    """True area on the ground in m²; pixels² where there is no system."""
    return all_areas_m2([geometry if isinstance(geometry, BaseGeometry) else shape(geometry)], crs)[0]


def all_areas_m2(geometries: Sequence[BaseGeometry], crs: str | CRS = DEGREES) -> list[float]:
    """The same of many: PROJ is asked once for all that lie in one tenth of a degree."""
    given, areas = np.array(geometries, object), np.zeros(len(geometries))
    if crs == "":
        return [float(one) for one in shapely.area(given)]
    source = CRS.from_wkt(crs) if isinstance(crs, str) else crs
    there = np.flatnonzero(~shapely.is_empty(given))
    for where, some in _by_place(given, there, source).items():
        areas[some] = shapely.area(moved(given[some], source, _equal_area(*where)))
    return [float(one) for one in areas]


def _by_place(given: NDArray[Any], there: NDArray[np.intp], source: CRS) -> dict[tuple[float, float], list[int]]:
    """The numbers of the geometries by where their first point lies, to a tenth of a degree."""
    found: dict[tuple[float, float], list[int]] = {}
    if len(there):
        _points, first = np.unique(shapely.get_coordinates(given[there], return_index=True)[1], return_index=True)
        points = shapely.points(shapely.get_coordinates(given[there])[first])
        for number, (lon, lat) in zip(there, shapely.get_coordinates(moved(points, source, DEGREES)), strict=True):
            found.setdefault((round(float(lon), 1), round(float(lat), 1)), []).append(int(number))
    return found


def is_metric(crs: CRS, x: float, y: float) -> bool:
    """Whether lengths at (x, y) are true to a hundredth: Web Mercator outside the tropics is not, UTM and 3° zones are."""
    if not crs.is_projected or not math.isclose(crs.linear_units_factor[1], 1.0):
        return False
    square = shapely.box(x - 50, y - 50, x + 50, y + 50)
    return math.isclose(area_m2(square, crs), square.area, rel_tol=2 * MOST_DISTORTION)
