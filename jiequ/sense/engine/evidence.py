"""What speaks for and against a candidate: heights, odds, tin and green within its polygon, as units of work like tiles.

A unit is some candidates that lie near each other, so that a block of a file is read once. What of the earlier stages is looked
at (the net's odds, the ground) travels with it: whoever does the work needs the sources and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine import attributes, units
from jiequ.sense.engine.areas import moved
from jiequ.sense.engine.features import Overall
from jiequ.sense.engine.folder import packed
from jiequ.sense.engine.fuse import Candidate
from jiequ.sense.engine.grid import Window
from jiequ.sense.engine.heights import Lie
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.plan import Side
from jiequ.sense.engine.rasters import Bools, Floats
from jiequ.sense.engine.stages import SurfaceWhole
from jiequ.sense.engine.surface import Change, threshold_m
from jiequ.sense.engine.warping import warped

BROAD = (Change.FILLED, Change.DUG)
FILLED_LEAST = 0.5  # of a broad change that must differ one way
ROOF_M = 20.0  # so much around a candidate is looked at for the roof that it stands on
Numbers = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What all candidates of a comparison are looked at with; ``view``: the pictures, also where no net looked."""

    crs: str
    parameters: Parameters
    surface: Side | None
    lie: Lie | None
    shrink: int  # of the ground
    view: Side | None
    overall: Overall | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One candidate: ``points`` (n, 2) in the common projection, ``rings``: how many of them each ring has.

    ``odds``: the net's of its class over the view's window; ``ground``: coarse, its first cell at ``row``, ``column``.
    """

    points: NDArray[np.float64]
    rings: tuple[int, ...]
    change: int
    odds: NDArray[np.uint8] | None
    ground: Floats | None
    row: int
    column: int


def carried(polygon: Any, source: str, target: str) -> Any:
    """A shape in another projection."""
    return polygon if source == target else moved(polygon, CRS.from_wkt(source), CRS.from_wkt(target))


def asked_of(looked: Looked, candidate: Candidate, odds: Any, whole: SurfaceWhole | None) -> Asked:
    """What is to be told of a candidate. ``odds``: answers those of a window, (2, h, w); None where no net looked."""
    points, ring = shapely.get_coordinates(shapely.get_rings(candidate.polygon), return_index=True)
    seen = None
    if looked.view is not None and odds is not None:
        window, shrink = attributes.window_of(carried(candidate.polygon, looked.crs, looked.view.grid.crs), looked.view.grid)
        seen = np.ascontiguousarray(odds(window)[int(candidate.gone), ::shrink, ::shrink])
    ground, row, column = None, 0, 0
    if whole is not None and looked.surface is not None:
        ground, row, column = _ground_near(whole, _with_roof(candidate.polygon, looked)[0])
    return Asked(points, tuple(map(int, np.bincount(ring))), candidate.change, seen, ground, row, column)


def evidence(looked: Looked, asked: Sequence[Asked]) -> bytes:
    """A unit of work: the numbers of each candidate by path."""
    return packed({}, [_told(looked, one) for one in asked])


def speaks_against(change: int, told: Numbers) -> bool:
    """Whether a broad change is none after all: less than half of it differs one way."""
    return change in BROAD and told.get("dsm", {}).get("share", 0.0) < FILLED_LEAST


def _told(looked: Looked, asked: Asked) -> Numbers:
    rings = np.split(asked.points, np.cumsum(asked.rings)[:-1])
    polygon = Polygon(rings[0], rings[1:])
    found: Numbers = {"dsm": _of_surface(looked, asked, polygon)}
    if looked.view is not None and not speaks_against(asked.change, found):
        found |= _of_view(looked, looked.view, asked, polygon)
    return {name: numbers for name, numbers in found.items() if numbers}


def _with_roof(polygon: Any, looked: Looked) -> tuple[Window, int, Any]:
    """(window, how much coarser, the polygon in the surface's projection)."""
    assert looked.surface is not None
    grid = looked.surface.grid
    own = carried(polygon, looked.crs, grid.crs)
    return *attributes.window_of(own, grid, max(2, round(ROOF_M / grid.resolution))), own


def _of_surface(looked: Looked, asked: Asked, polygon: Polygon) -> dict[str, float]:
    side, lie = looked.surface, looked.lie
    if side is None or lie is None or asked.ground is None:
        return {}
    window, shrink, own = _with_roof(polygon, looked)
    seen = units.difference_at(side, lie, window, shrink)
    inside = attributes.covered(own, side.grid, window, shrink)
    above = seen.before - _ground_at(looked, asked, window, shrink, seen.before.shape)
    least = min(threshold_m(lie, looked.parameters), looked.parameters.earthworks_height_m)
    return attributes.of_surface(seen, inside, above, (side.grid.resolution * shrink) ** 2, least)


def _ground_near(whole: SurfaceWhole, window: Window) -> tuple[Floats, int, int]:
    """(the part of the ground under a window with two cells around, its first row, its first column)."""
    ends = [(window.row, window.height, whole.lie.dy), (window.column, window.width, whole.lie.dx)]
    parts = []
    for (start, length, shift), count in zip(ends, whole.ground.shape, strict=True):
        first = min(max(int((start + shift) // whole.shrink) - 2, 0), count - 1)
        parts.append(slice(first, max(int((start + length + shift) // whole.shrink) + 3, first + 1)))
    return np.ascontiguousarray(whole.ground[parts[0], parts[1]]), parts[0].start, parts[1].start


def _ground_at(looked: Looked, asked: Asked, window: Window, shrink: int, shape: tuple[int, ...]) -> Floats:
    """The ground under a window; the earlier date's own shift is less than a cell of the ground."""
    lie = looked.lie
    assert lie is not None
    assert asked.ground is not None
    xs = ((np.arange(shape[1]) + 0.5) * shrink + window.column + lie.dx) / looked.shrink - 0.5 - asked.column
    ys = ((np.arange(shape[0]) + 0.5) * shrink + window.row + lie.dy) / looked.shrink - 0.5 - asked.row
    grid_x, grid_y = np.meshgrid(xs.astype(np.float32), ys.astype(np.float32))
    ground = cv2.remap(asked.ground, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    coarse = Lie(0, 0, lie.ax * shrink, lie.ay * shrink, lie.c, 0, 0)
    return np.asarray(ground - coarse.plane(window.row // shrink, window.column // shrink, shape[0], shape[1]))


def _of_view(looked: Looked, view: Side, asked: Asked, polygon: Polygon) -> Numbers:
    own = carried(polygon, looked.crs, view.grid.crs)
    window, shrink = attributes.window_of(own, view.grid)
    inside = attributes.covered(own, view.grid, window, shrink)
    net = {} if asked.odds is None else {"net": attributes.of_odds(asked.odds, inside)}
    return {**net, **_of_pictures(view, looked.overall, window, shrink, inside)}


def _of_pictures(side: Side, overall: Overall | None, window: Window, shrink: int, inside: Bools) -> Numbers:
    later, valid = units.raster(side, later=True).read(window, shrink=shrink)
    if overall is None:
        return attributes.of_picture(later, None, inside & valid)
    earlier, _ = warped(units.raster(side, later=False), overall.array(), None, window, shrink)
    return attributes.of_picture(later, earlier, inside & valid)
