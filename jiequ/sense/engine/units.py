"""The units of work. Each takes plain arguments, reads its windows, and answers the bytes of its result."""

from __future__ import annotations

import threading
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine import field as fields
from jiequ.sense.engine import heights, surface
from jiequ.sense.engine.features import Overall
from jiequ.sense.engine.field import Field, Nodes, blind_in, measured, pixels_of, slopes
from jiequ.sense.engine.folder import packed
from jiequ.sense.engine.grid import Window
from jiequ.sense.engine.heights import Lie
from jiequ.sense.engine.memory import keep_freed
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.plan import Input, Side
from jiequ.sense.engine.rasters import Bools, Bytes, Raster
from jiequ.sense.engine.tone import Tone, toned
from jiequ.sense.engine.tracing import traced
from jiequ.sense.engine.warping import grey, warped

NEW, GONE = 1, 2  # of the picture path
HOLE, BLIND = 20, 20  # classes from here on are places that cannot be compared: BLIND + a number of fields.REASONS
OPEN_FILES = 8


@lru_cache(maxsize=OPEN_FILES)
def _opened(path: Path, side: Side, later: bool, _thread: int) -> Raster:
    keep_freed()
    return Raster(path, side.grid, surface=side.surface, stretch=side.stretches[int(later)])


def raster(side: Side, *, later: bool) -> Raster:
    """One date of a side, kept open for the next unit of this thread."""
    return _opened((side.later if later else side.earlier).path, side, later, threading.get_ident())


def forget() -> None:
    """Close what is kept open."""
    _opened.cache_clear()


def overview(side: Side, later: bool, window: Window, shrink: int) -> bytes:
    """A strip of one date, ``shrink`` times coarser."""
    pixels, valid = raster(side, later=later).read(window, shrink=shrink)
    return packed({"pixels": pixels, "valid": valid}, small=False)


def picture_nodes(side: Side, whole: Overall, block: Window) -> bytes:
    """What is left of the shift at each node of a block, between two pictures moved as a whole."""
    window = pixels_of(block, side.grid)
    later, valid_later = raster(side, later=True).read(window, shrink=fields.SHRINK)
    earlier, valid = warped(raster(side, later=False), whole.array(), None, window, fields.SHRINK)
    return _packed_nodes(measured(slopes(grey(earlier)), slopes(grey(later)), valid & valid_later, block, side.grid))


def surface_nodes(side: Side, lie: Lie, block: Window, parameters: Parameters) -> bytes:
    """The same between two surfaces, with the share of each cell that differs (one number a cell)."""
    window, shrink = pixels_of(block, side.grid), fields.SHRINK
    found = difference_at(side, lie, window, shrink)
    first, second = heights.gradients(found.before), heights.gradients(found.after)
    changed = np.abs(found.dz) > surface.threshold_m(lie, parameters)
    nodes = measured(first, second, found.valid, block, side.grid)
    return _packed_nodes(nodes, _shares(changed & found.valid, found.valid, block, window))


def difference_at(side: Side, lie: Lie, window: Window, shrink: int = 1) -> surface.Difference:
    """Both surfaces of a window brought together; whole pixels of the shift are taken by reading elsewhere."""
    right, down = (round(one / shrink) * shrink for one in (lie.dx, lie.dy))
    there = Window(window.row + down, window.column + right, window.height, window.width)
    after, valid_after = raster(side, later=True).read(window, shrink=shrink)
    before, valid_before = raster(side, later=False).read(there, shrink=shrink)
    dx, dy = (lie.dx - right) / shrink, (lie.dy - down) / shrink
    rest = Lie(dx, dy, lie.ax * shrink, lie.ay * shrink, lie.c, lie.mad, lie.response)
    row, column = window.row // shrink, window.column // shrink
    return surface.difference(before, after, valid_before, valid_after, rest, row, column)


def _shares(changed: Bools, valid: Bools, block: Window, window: Window) -> NDArray[np.float32]:
    """Of each cell of 128 pixels, how much of its data differs."""
    found = np.zeros((block.height, block.width), np.float32)
    step, shrink = fields.STEP_PX, fields.SHRINK
    for row, column in np.ndindex(found.shape):
        top = ((block.row + row) * step - window.row) // shrink
        left = ((block.column + column) * step - window.column) // shrink
        cell = slice(top, top + step // shrink), slice(left, left + step // shrink)
        found[row, column] = changed[cell].sum() / max(int(valid[cell].sum()), 1)
    return found


def _packed_nodes(nodes: Nodes, shares: NDArray[np.float32] | None = None) -> bytes:
    arrays = {name: getattr(nodes, name) for name in Nodes.__slots__}
    return packed(arrays if shares is None else {**arrays, "shares": shares})


def surface_tile(side: Side, lie: Lie, part: Field, window: Window, parameters: Parameters) -> bytes:
    """The changes of the surface in one tile: polygons of its pixels by class."""
    wide = window.grown(parameters.halo_px, side.grid)
    inner = window.within(wide)
    found = difference_at(side, lie, wide)
    classes = surface.changes(found, lie, side.grid.resolution, parameters)
    return _packed_tile(classes[inner], found.valid[inner], part, window, {})


def picture_tile(
    side: Side, whole: Overall, part: Field, how: Tone, window: Window, weights: str, model: str, parameters: Parameters
) -> bytes:
    """What the net finds new and gone in one tile, and its odds in 1/255."""
    wide = window.grown(parameters.halo_px, side.grid)
    later, valid_later = raster(side, later=True).read(wide)
    earlier, valid = warped(raster(side, later=False), whole.array(), part, wide)
    valid &= valid_later
    odds = _net(weights, model, threading.get_ident()).odds(toned(earlier, how, wide), later)
    classes = _found(odds, valid, side.grid.resolution, parameters)
    inner = window.within(wide)
    kept = np.stack([cv2.convertScaleAbs(one[inner], alpha=255) for one in odds])  # rounded, 0 … 255
    return _packed_tile(classes[inner], valid[inner], part, window, {"odds": kept})


def _found(odds: NDArray[np.float32], valid: Bools, resolution: float, parameters: Parameters) -> Bytes:
    classes = np.zeros(valid.shape, np.uint8)
    for number, one in ((GONE, odds[1]), (NEW, odds[0])):
        mask = (one >= parameters.net_threshold) & valid
        classes[surface.opened(mask, parameters.opening_m / resolution)] = number
    return classes


def _packed_tile(classes: Bytes, valid: Bools, part: Field, window: Window, more: dict[str, Any]) -> bytes:
    blind, classes = blind_in(part, window), classes.copy()
    np.copyto(classes, np.uint8(HOLE), where=~valid)
    np.copyto(classes, BLIND + blind, where=blind > 0)
    facts = {"seen": int(np.count_nonzero(classes < BLIND))}
    return packed({**more, "outlines": traced(classes, window).packed()}, facts)


@lru_cache(maxsize=2)
def _net(weights: str, model: str, _thread: int) -> Any:
    cv2.setNumThreads(1)
    found = import_module("jiequ.sense.engine.net").open_net(Path(weights) if weights else None, threads=1)
    if found.model_id != model:
        raise RuntimeError(f"this worker has other weights: {found.model_id} rather than {model}")
    return found


__all__ = ["Input", "forget", "overview", "picture_nodes", "picture_tile", "raster", "surface_nodes", "surface_tile"]
