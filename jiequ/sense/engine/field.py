"""What is left of a shift from place to place: a lattice of phase correlations, fixed to the grid and not to its tiles.

Each node looks at a window of 256 pixels at half scale. It has *measured* where the correlation has a clear peak. The field is
the median of what a node and its neighbours measured; a node whose own measure lies more than 1.5 px from the field, or that
measured nothing, is blind: what lies there "cannot be compared". A blind node is taken as seen only where at least seven of its
eight neighbours see and agree (a new house of some tens of metres decorrelates its own place, not all around it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.grid import Grid, Window, between
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.phase import all_correlated, steepness
from jiequ.sense.engine.rasters import Bools, Bytes, Floats

STEP_PX = 128  # between nodes
SPAN_PX = 256  # of a node's window
BLOCK_NODES = 8  # nodes along the side of one unit of work
SHRINK = 2
LEAST_DATA = 0.6
LEAST_CONTRAST = 0.3  # standard deviation of √slope: below it there is nothing to hold on to
NEIGHBOURS_TO_TRUST = 7
UNMEASURED = 255


@dataclass(frozen=True, slots=True)
class Nodes:
    """Of each node, (rows, columns): ``dx``, ``dy`` in pixels of the grid, ``response`` in [0, 1], ``data`` share in [0, 1]."""

    dx: Floats
    dy: Floats
    response: Floats
    contrast: Floats
    data: Floats


def lattice(grid: Grid) -> tuple[int, int]:
    """(rows, columns) of nodes; node (r, c) looks at the cell of 128 pixels that begins at (128·r, 128·c)."""
    return -(-grid.height // STEP_PX), -(-grid.width // STEP_PX)


def blocks(grid: Grid) -> list[Window]:
    """The units of work, in nodes."""
    rows, columns = lattice(grid)
    size = BLOCK_NODES
    return [
        Window(row, column, min(size, rows - row), min(size, columns - column))
        for row in range(0, rows, size)
        for column in range(0, columns, size)
    ]


def pixels_of(block: Window, grid: Grid) -> Window:
    """What a block of nodes looks at."""
    rows, columns = looked_at(block, grid)
    height, width = int(rows[-1] - rows[0]) + SPAN_PX, int(columns[-1] - columns[0]) + SPAN_PX
    return Window(int(rows[0]), int(columns[0]), height, width)


def looked_at(block: Window, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row and column of each node's window: about its cell, and inside the grid wherever that has room for it."""
    return _begun(block.row, block.height, grid.height), _begun(block.column, block.width, grid.width)


def _begun(first: int, count: int, length: int) -> NDArray[np.int64]:
    about = np.arange(first, first + count) * STEP_PX - (SPAN_PX - STEP_PX) // 2
    return np.clip(about, 0, max(length - SPAN_PX, 0) // SHRINK * SHRINK)


def measured(earlier: Floats, later: Floats, valid: Bools, block: Window, grid: Grid) -> Nodes:
    """All nodes of a block from slopes at half scale over ``pixels_of(block)``, both dates already moved as a whole."""
    span = SPAN_PX // SHRINK
    hann = np.asarray(cv2.createHanningWindow((span, span), cv2.CV_32F), np.float32)
    found = np.zeros((5, block.height, block.width), np.float32)
    rows, columns = ((begun - begun[0]) // SHRINK for begun in looked_at(block, grid))
    for row, top in enumerate(rows):
        parts = [(slice(top, top + span), slice(left, left + span)) for left in columns]
        both = np.stack([later[part] for part in parts]), np.stack([earlier[part] for part in parts])
        found[:, row] = _row(*both, np.stack([valid[part] for part in parts]), hann)
    return Nodes(*found)


def _row(first: Floats, second: Floats, valid: Bools, hann: Floats) -> Floats:
    """Some nodes at once, (n, span, span) each: (dx, dy, response, contrast, data) of each, (5, n)."""
    data = np.array([np.count_nonzero(one) for one in valid], np.float32) / np.float32(valid[0].size)
    (first, contrast), (second, other) = (_centred(one, valid, data) for one in (first, second))
    shifts = all_correlated(first, second, hann) * [[SHRINK], [SHRINK], [1]]
    found = np.concatenate([shifts, [np.minimum(contrast, other), data]])
    found[:4, data < LEAST_DATA] = 0
    return found.astype(np.float32)


def _centred(given: Floats, valid: Bools, data: Floats) -> tuple[Floats, Floats]:
    """(without their means, standard deviations): else a window's own shape, alike in both, would correlate at no shift."""
    found = given - given.mean((1, 2), keepdims=True)
    contrast = np.sqrt(np.einsum("nij,nij->n", found, found) / np.float32(given[0].size))
    for number in np.flatnonzero(data < 1):
        mean = np.float32(given[number][valid[number]].mean() if data[number] else 0)
        found[number] = np.where(valid[number], given[number] - mean, np.float32(0))
    return found, contrast


def slopes(grey: Bytes) -> Floats:
    """Slopes rather than tones: the light of another day changes tones."""
    return np.sqrt(steepness(cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)))


@dataclass(frozen=True, slots=True)
class Field:
    """The shift at each node in pixels; ``blind``: 0 seen, else of ``REASONS``; ``row``, ``column``: of the first node."""

    dx: Floats
    dy: Floats
    blind: NDArray[np.uint8]
    row: int = 0
    column: int = 0

    def around(self, window: Window) -> Field:
        """The part that says all about a window of pixels: small enough to travel with a unit of work."""
        rows = _reach(window.row, window.height, self.row, self.dx.shape[0])
        columns = _reach(window.column, window.width, self.column, self.dx.shape[1])
        return Field(
            self.dx[rows, columns],
            self.dy[rows, columns],
            self.blind[rows, columns],
            self.row + rows.start,
            self.column + columns.start,
        )


def _reach(start: int, length: int, first: int, count: int) -> slice:
    low = min(max(start // STEP_PX - 1 - first, 0), count - 1)
    high = max(min((start + length) // STEP_PX + 2 - first, count), low + 1)
    return slice(low, high)


REASONS = {1: "not_registered", 2: "no_texture", 3: "no_data"}


def field(nodes: Nodes, parameters: Parameters) -> Field:
    """The smooth field and the blind places of a whole lattice."""
    has = _has(nodes, parameters)
    dx, dy = _smoothed(nodes.dx, has), _smoothed(nodes.dy, has)
    far = np.hypot(nodes.dx - dx, nodes.dy - dy) > parameters.most_residual_px
    sees = has & ~far
    dx, dy = _smoothed(nodes.dx, sees), _smoothed(nodes.dy, sees)
    sees &= np.hypot(nodes.dx - dx, nodes.dy - dy) <= parameters.most_residual_px
    around = neighbours(sees)
    trusted = sees | ((around >= NEIGHBOURS_TO_TRUST) & (nodes.data >= LEAST_DATA))
    lonely = sees & (around < 1) & (np.array(sees.shape).min() > 1)
    blind = np.where(nodes.contrast < LEAST_CONTRAST, 2, 1).astype(np.uint8)
    blind[nodes.data < LEAST_DATA] = 3
    blind[trusted & ~lonely] = 0
    return Field(dx, dy, blind)


def _has(nodes: Nodes, parameters: Parameters) -> Bools:
    near = np.maximum(np.abs(nodes.dx), np.abs(nodes.dy)) < SPAN_PX / 4
    texture = nodes.contrast >= LEAST_CONTRAST
    return np.asarray((nodes.response >= parameters.least_response) & near & texture & (nodes.data >= LEAST_DATA))


def neighbours(mask: Bools) -> NDArray[np.int64]:
    """How many of the eight around are set; beyond the rim counts as set where the node itself is inside the picture."""
    padded = np.pad(mask.astype(np.int64), 1, mode="reflect" if min(mask.shape) > 1 else "edge")
    total = np.sum([np.roll(padded, (r, c), (0, 1)) for r in (-1, 0, 1) for c in (-1, 0, 1)], axis=0)
    return np.asarray(total[1:-1, 1:-1] - mask)


def _smoothed(values: Floats, has: Bools) -> Floats:
    """The median over 3 × 3 of what was measured; where nothing was, the median of all (zero without any)."""
    rows, columns = values.shape
    holed = np.pad(np.where(has, values, np.nan).astype(np.float32), 1, constant_values=np.nan)
    stacked = np.stack([holed[r : r + rows, c : c + columns] for r in range(3) for c in range(3)])
    empty = np.isnan(stacked).all(axis=0)
    stacked[:, empty] = np.float32(np.median(values[has])) if has.any() else np.float32(0)
    return np.asarray(np.nanmedian(stacked, axis=0), np.float32)


def shift_at(found: Field, window: Window) -> tuple[Floats, Floats]:
    """(dx, dy) for each pixel of a window, bilinear between nodes (a node stands in the middle of its cell)."""
    step, first = (STEP_PX, STEP_PX), (found.row, found.column)
    return between(found.dx, window, step, first), between(found.dy, window, step, first)


def blind_in(found: Field, window: Window) -> NDArray[Any]:
    """The reason number for each pixel of a window; beyond the lattice: no data."""
    rows = (np.arange(window.height) + window.row) // STEP_PX - found.row
    columns = (np.arange(window.width) + window.column) // STEP_PX - found.column
    padded = np.pad(found.blind, 1, constant_values=3)
    top, left = padded.shape[0] - 1, padded.shape[1] - 1
    return padded[np.clip(rows + 1, 0, top)][:, np.clip(columns + 1, 0, left)]
