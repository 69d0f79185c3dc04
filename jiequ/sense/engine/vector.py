"""From pixels to polygons: pieces of tiles, joined over their seams, then drawn as a person would draw them.

Pieces stand on whole pixels of the grid, so the union of the pieces of any tiling is one and the same polygon; whatever
depends on a shape (area, rectangle, smoothing) is done after that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine.grid import Grid

RECTANGLE_SHARE = 0.82  # of the rectangle's area that the pixels must fill, and of the pixels that the rectangle must cover
SMOOTH_PX = 0.8
Piece = tuple[int, Polygon]


def joined(
    found: tuple[NDArray[np.uint8], NDArray[Any]], cuts: tuple[Collection[int], Collection[int]], least: float
) -> list[Piece]:
    """Parts that meet along a seam become one; sorted, so that the order of the tiles leaves no trace.

    ``found``: (classes, polygons) of all tiles; ``cuts``: (rows, columns) where tiles begin or end; what reaches none of them
    is whole. What is smaller than ``least`` pixels is left out.
    """
    values, polygons = found
    edges = shapely.bounds(polygons).reshape(-1, 4)
    at_seam = np.isin(edges[:, [1, 3]], list(cuts[0])).any(1) | np.isin(edges[:, [0, 2]], list(cuts[1])).any(1)
    kept = at_seam | (shapely.area(polygons) >= least)
    told: list[Piece] = []
    for value in np.unique(values[kept]):
        own = kept & (values == value)
        told += [(int(value), part) for part in _united(polygons[own & ~at_seam], polygons[own & at_seam], least)]
    return told


def _united(whole: NDArray[Any], parts: NDArray[Any], least: float) -> list[Polygon]:
    everything = shapely.make_valid(np.array([*whole, shapely.union_all(parts)]))
    flat = shapely.get_parts(shapely.get_parts(everything))
    large = flat[(shapely.get_type_id(flat) == shapely.GeometryType.POLYGON) & (shapely.area(flat) >= least)]
    return sorted(map(clean, large), key=lambda polygon: polygon.wkb)


def clean(polygon: Polygon) -> Polygon:
    """Without points on straight lines, beginning at a point that depends on the shape alone."""
    rings = [_corners(ring) for ring in (polygon.exterior, *polygon.interiors)]
    return Polygon(rings[0], rings[1:]).normalize()


def _corners(ring: Any) -> NDArray[np.float64]:
    points = shapely.get_coordinates(ring)[:-1]
    into, out = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    return np.asarray(points[np.abs(turns) > 1e-9])


def drawn(polygons: Sequence[Polygon]) -> list[Polygon]:
    """Shapes of pixels as a person would draw them: the rectangle (of the same area) where that fits, else a smoothed line."""
    given = np.array(polygons, object)
    areas, rectangles = shapely.area(given), shapely.oriented_envelope(given)
    flat = (shapely.get_type_id(rectangles) != shapely.GeometryType.POLYGON) | (areas <= 0)
    fitted = _resized(rectangles, np.where(flat, 0, areas))
    shared = shapely.area(shapely.intersection(fitted, given))
    fits = ~flat & (shared >= RECTANGLE_SHARE * np.maximum(shapely.area(fitted), areas))
    return [
        (one if does and not _has_yard(polygon) else largest(polygon.simplify(SMOOTH_PX))).normalize()
        for one, does, polygon in zip(fitted, fits, polygons, strict=True)
    ]


def _has_yard(polygon: Polygon) -> bool:
    return any(Polygon(ring).area > 0.02 * polygon.area for ring in polygon.interiors)


def _resized(rectangles: NDArray[Any], areas: NDArray[np.float64]) -> NDArray[Any]:
    """The same rectangles about their middles with the areas of the pixels that they were drawn around."""
    points, number = shapely.get_coordinates(rectangles, return_index=True)
    middles = shapely.get_coordinates(shapely.centroid(rectangles))[number]
    factors = np.sqrt(areas / np.maximum(shapely.area(rectangles), 1e-9))[number]
    return np.asarray(shapely.set_coordinates(rectangles.copy(), middles + (points - middles) * factors[:, None]))


def largest(geometry: BaseGeometry) -> Polygon:
    """The largest polygon in whatever a repair made of one; an empty one where there is none."""
    valid = geometry if geometry.is_valid else shapely.make_valid(geometry)
    flat = [part for one in shapely.get_parts(valid) for part in shapely.get_parts(one) if part.geom_type == "Polygon"]
    return max(flat, key=lambda polygon: polygon.area, default=Polygon())


def on_ground(polygon: BaseGeometry, grid: Grid) -> BaseGeometry:
    """From the grid's pixels to its projection; of a grid without one, as it is."""
    if not grid.crs:
        return polygon
    scale = np.array([grid.resolution, -grid.resolution])
    corner = np.array([grid.x, grid.y])
    return shapely.transform(polygon, lambda points: corner + points * scale)


def in_pixels(polygon: BaseGeometry, grid: Grid) -> BaseGeometry:
    """From a projection to the grid's pixels."""
    if not grid.crs:
        return polygon
    scale = np.array([1 / grid.resolution, -1 / grid.resolution])
    corner = np.array([grid.x, grid.y])
    return shapely.transform(polygon, lambda points: (points - corner) * scale)
