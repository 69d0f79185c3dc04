"""From pixels to polygons: pieces of tiles, joined over their seams, then drawn as a person would draw them.

Pieces stand on whole pixels of the grid, so the union of the pieces of any tiling is one and the same polygon; whatever
depends on a shape (area, rectangle, smoothing) is done after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine.grid import Grid, Window

RECTANGLE_SHARE = 0.82  # of the rectangle's area that the pixels must fill, and of the pixels that the rectangle must cover
SMOOTH_PX = 0.8
Piece = tuple[int, Polygon]


def pieces(classes: NDArray[np.uint8], window: Window) -> list[Piece]:
    """(class, polygon in the grid's pixels) of each connected part of one tile; class 0 is nothing.

    A row or column like the one before is left out of what is traced and put back into the coordinates: most of a tile is.
    """
    if not classes.any():
        return []
    rows, columns = _unlike(classes), _unlike(classes.T)
    small = np.ascontiguousarray(classes[np.ix_(rows[:-1], columns[:-1])])
    found = shapes(small, mask=small > 0, connectivity=4)
    placed = [(int(value), geometry["coordinates"]) for geometry, value in found]
    corner = np.array([window.column, window.row])
    return [(value, Polygon(*_spread(rings, rows, columns, corner))) for value, rings in placed]


def _unlike(classes: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The rows unlike the one before, and the end."""
    changes = np.flatnonzero((classes[1:] != classes[:-1]).any(axis=1)) + 1
    return np.concatenate([[0], changes, [len(classes)]])


def _spread(rings: Any, rows: Any, columns: Any, corner: Any) -> tuple[Any, list[Any]]:
    whole = [np.asarray(ring, np.intp) for ring in rings]
    outer, *inner = [np.column_stack([columns[ring[:, 0]], rows[ring[:, 1]]]) + corner for ring in whole]
    return outer, inner


def joined(found: Iterable[Piece], cuts: tuple[Collection[int], Collection[int]]) -> list[Piece]:
    """Parts that meet along a seam become one; sorted, so that the order of the tiles leaves no trace.

    ``cuts``: (rows, columns) where tiles begin or end; what reaches none of them is whole.
    """
    by_class: dict[int, tuple[list[Polygon], list[Polygon]]] = defaultdict(lambda: ([], []))
    for value, polygon in found:
        left, top, right, bottom = polygon.bounds
        by_class[value][top in cuts[0] or bottom in cuts[0] or left in cuts[1] or right in cuts[1]].append(polygon)
    return [(value, part) for value in sorted(by_class) for part in _united(*by_class[value])]


def _united(whole: Sequence[Polygon], parts: Sequence[Polygon]) -> list[Polygon]:
    everything = shapely.make_valid(np.array([*whole, shapely.union_all(list(parts))]))
    flat = [
        clean(part) for one in shapely.get_parts(everything) for part in shapely.get_parts(one) if part.geom_type == "Polygon"
    ]
    return sorted(flat, key=lambda polygon: polygon.wkb)


def clean(polygon: Polygon) -> Polygon:
    """Without points on straight lines, beginning at a point that depends on the shape alone."""
    rings = [_corners(ring) for ring in (polygon.exterior, *polygon.interiors)]
    return Polygon(rings[0], rings[1:]).normalize()


def _corners(ring: Any) -> NDArray[np.float64]:
    points = shapely.get_coordinates(ring)[:-1]
    into, out = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    return np.asarray(points[np.abs(turns) > 1e-9])


def drawn(polygon: Polygon) -> Polygon:
    """A shape of pixels as a person would draw it: its rectangle (of the same area) where that fits, else a smoothed line."""
    rectangle = polygon.minimum_rotated_rectangle
    if rectangle.geom_type == "Polygon" and polygon.area > 0:
        fitted = _resized(rectangle, polygon.area)
        shared = fitted.intersection(polygon).area
        if shared >= RECTANGLE_SHARE * max(fitted.area, polygon.area) and not _has_yard(polygon):
            return fitted.normalize()
    return largest(polygon.simplify(SMOOTH_PX)).normalize()


def _has_yard(polygon: Polygon) -> bool:
    return any(Polygon(ring).area > 0.02 * polygon.area for ring in polygon.interiors)


def _resized(rectangle: Polygon, area: float) -> Polygon:
    """The same rectangle about its middle with the area of the pixels that it was drawn around."""
    middle = np.array(shapely.get_coordinates(rectangle.centroid)[0])
    factor = np.sqrt(area / rectangle.area)
    return shapely.transform(rectangle, lambda points: middle + (points - middle) * factor)


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
