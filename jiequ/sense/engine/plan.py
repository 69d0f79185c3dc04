"""What is to be compared with what, on which grid: told once, small enough to travel with every unit of work."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from shapely.geometry import shape

from jiequ.sense.engine.areas import DEGREES, is_metric, moved, utm
from jiequ.sense.engine.grid import Grid
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.rasters import pixel_metres
from jiequ.sense.engine.shapes import Geometry, Unusable

ENGINE = "6"  # raised when the same inputs would give other polygons
LEAST_SIDE_PX = 16
MOST_SIDE_PX = 200_000
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Input:
    """One file and the hash of its bytes; the hash alone says what it is."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Side:
    """Both dates of one path (pictures or surfaces) on their grid; ``stretches``: for pictures that are not of bytes."""

    earlier: Input
    later: Input
    grid: Grid
    surface: bool
    stretches: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole comparison. ``free``: two pictures from one stand rather than maps. ``model``: the net's id, "" without one."""

    picture: Side | None
    surface: Side | None
    free: bool
    model: str
    weights: str | None
    parameters: Parameters


def fingerprint(*things: Any) -> str:
    """The hash of what a result depends on; where a file lies is no part of it."""
    return hashlib.sha256(json.dumps([ENGINE, *map(_plain, things)], sort_keys=True).encode()).hexdigest()


def _plain(thing: Any) -> Any:
    if isinstance(thing, Input):
        return thing.sha256
    if isinstance(thing, Plan):  # where the weights lie is no part of it either
        return [_plain(getattr(thing, name)) for name in ("picture", "surface", "free", "model", "parameters")]
    if is_dataclass(thing) and not isinstance(thing, type):
        return {one.name: _plain(getattr(thing, one.name)) for one in fields(thing)}
    if isinstance(thing, np.ndarray):
        return [str(thing.dtype), list(thing.shape), hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()]
    if isinstance(thing, list | tuple):
        return [_plain(one) for one in thing]
    return thing


def common_grid(earlier: Path, later: Path, resolution: float | None, least: float, area: Geometry | None) -> Grid:
    """The grid of what both files (and ``area``) cover. Unusable: no_crs, no_overlap, too_wide."""
    with rasterio.open(earlier) as first, rasterio.open(later) as second:
        if first.crs is None or second.crs is None:
            raise Unusable("no_crs")
        crs = _working_crs(second)
        size = resolution or max(pixel_metres(first), pixel_metres(second), least)
        if not resolution and _same_pixels(first, second, crs, size) and area is None:
            return Grid(crs.to_wkt(), second.transform.c, second.transform.f, second.transform.a, second.width, second.height)
        box = _shared(_bounds(first, crs), _bounds(second, crs))
        if area is not None:
            box = _shared(box, moved(shape(area), DEGREES, crs).bounds)
        origin = _origin(second, crs, size)
    return _snapped(crs, box, size, origin)


def _working_crs(file: Any) -> CRS:
    middle = file.transform @ (file.width / 2, file.height / 2)
    if is_metric(file.crs, *middle):
        return file.crs
    west, south, east, north = transform_bounds(file.crs, DEGREES, *file.bounds)
    return utm((west + east) / 2, (south + north) / 2)


def _same_pixels(first: Any, second: Any, crs: CRS, size: float) -> bool:
    turn = second.transform
    straight = turn.b == turn.d == 0 and abs(turn.a + turn.e) < 1e-9 and abs(turn.a - size) < 1e-3 * size
    alike = (first.width, first.height) == (second.width, second.height) and first.transform.almost_equals(turn)
    return bool(straight and alike and first.crs == second.crs == crs)


def _bounds(file: Any, crs: CRS) -> Box:
    corners = [file.transform @ (x, y) for x in (0, file.width) for y in (0, file.height)]
    xs, ys = zip(*corners, strict=True)
    found = transform_bounds(file.crs, crs, min(xs), min(ys), max(xs), max(ys))
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


def _shared(one: Any, other: Any) -> Box:
    box = max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
    if not (box[0] < box[2] and box[1] < box[3]):
        raise Unusable("no_overlap")
    return box


def _origin(file: Any, crs: CRS, size: float) -> tuple[float, float]:
    """The later file's own corner where the grid can share its pixels, so that they are read as they are."""
    turn = file.transform
    own = file.crs == crs and turn.b == turn.d == 0 and abs(turn.a - size) < 1e-6 * size
    return (turn.c, turn.f) if own else (0.0, 0.0)


def _snapped(crs: CRS, box: Box, size: float, origin: tuple[float, float]) -> Grid:
    left, top = _up((box[0] - origin[0]) / size), _up((origin[1] - box[3]) / size)
    right, bottom = _down((box[2] - origin[0]) / size), _down((origin[1] - box[1]) / size)
    width, height = right - left, bottom - top
    if min(width, height) < LEAST_SIDE_PX:
        raise Unusable("no_overlap", width=max(width, 0), height=max(height, 0))
    if max(width, height) > MOST_SIDE_PX:
        raise Unusable("too_wide", width=width, height=height, most=MOST_SIDE_PX)
    return Grid(crs.to_wkt(), origin[0] + left * size, origin[1] - top * size, size, width, height)


def _up(number: float) -> int:
    return int(np.ceil(number - 1e-3))


def _down(number: float) -> int:
    return int(np.floor(number + 1e-3))


def snapshot_grid(earlier: Path, later: Path) -> Grid:
    """The later snapshot's own pixels; both must be of one size."""
    with rasterio.open(earlier) as first, rasterio.open(later) as second:
        if (first.width, first.height) != (second.width, second.height):
            raise Unusable("other_size", before=[first.width, first.height], after=[second.width, second.height])
        return Grid("", 0.0, 0.0, 1.0, second.width, second.height)


def stretch_of(path: Path) -> tuple[float, float] | None:
    """What becomes black and white of a picture that is not of bytes: its 1st and 99th percentile; None for bytes."""
    with rasterio.open(path) as file:
        if file.dtypes[0] == "uint8":
            return None
        factor = max(1, max(file.width, file.height) // 512)
        bands = list(range(1, min(file.count, 3) + 1))
        found = file.read(bands, out_shape=(len(bands), -(-file.height // factor), -(-file.width // factor)))
        numbers = _data(found, file.nodata)
    if not numbers.size:
        raise Unusable("no_data")
    low, high = np.percentile(numbers, (1, 99))
    return float(low), float(high)


def _data(found: NDArray[Any], nodata: float | None) -> NDArray[Any]:
    numbers = found[np.isfinite(found)] if found.dtype.kind == "f" else found.ravel()
    return numbers if nodata is None else numbers[numbers != nodata]


def outline(grid: Grid) -> shapely.Polygon:
    """The grid's rectangle in its own pixels."""
    return shapely.box(0, 0, grid.width, grid.height)
