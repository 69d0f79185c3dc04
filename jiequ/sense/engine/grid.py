"""The grid that both dates are read on, and the tiles it is cut into. Columns run right, rows run down, in whole pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """``crs``: WKT of a metric projection, "" for a camera's own pixels; ``x``, ``y``: upper left corner; metres a pixel."""

    crs: str
    x: float
    y: float
    resolution: float
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """Pixel to metres."""
        return Affine(self.resolution, 0.0, self.x, 0.0, -self.resolution, self.y)

    def metres(self, column: float, row: float) -> tuple[float, float]:
        """Where a pixel corner stands."""
        return self.x + column * self.resolution, self.y - row * self.resolution

    def coarser(self, factor: int) -> Grid:
        """The same ground with pixels ``factor`` times as wide; the last column and row may reach beyond."""
        width, height = -(-self.width // factor), -(-self.height // factor)
        return Grid(self.crs, self.x, self.y, self.resolution * factor, width, height)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A rectangle of a grid's pixels; it may reach beyond the grid (what lies there is no data)."""

    row: int
    column: int
    height: int
    width: int

    def grown(self, pixels: int, grid: Grid) -> Window:
        """With a border of so many pixels where the grid goes on: what looks at it stops at the grid's rim in whatever tile."""
        top, left = max(self.row - pixels, 0), max(self.column - pixels, 0)
        bottom, right = min(self.row + self.height + pixels, grid.height), min(self.column + self.width + pixels, grid.width)
        return Window(top, left, bottom - top, right - left)

    def within(self, wide: Window) -> tuple[slice, slice]:
        """Where this window lies in an array of a wider one."""
        top, left = self.row - wide.row, self.column - wide.column
        return slice(top, top + self.height), slice(left, left + self.width)


def tiles(grid: Grid, size: int, offset: int = 0) -> Iterator[Window]:
    """All of the grid in squares of ``size``, row by row; ``offset`` moves the cuts, the first and last may be narrower."""
    for row, height in _cuts(grid.height, size, offset):
        for column, width in _cuts(grid.width, size, offset):
            yield Window(row, column, height, width)


def _cuts(length: int, size: int, offset: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < length:
        end = min(length, start + size if start or not offset % size else offset % size)
        yield start, end - start
        start = end


def to_data(grid: Grid) -> dict[str, Any]:
    """As plain JSON."""
    return {name: getattr(grid, name) for name in Grid.__slots__}


def between(values: NDArray[np.float32], window: Window, step: tuple[float, float], first: tuple[int, int] = (0, 0)) -> Any:
    """A lattice's values (r, c) or (r, c, k) for each pixel of a window: bilinear, beyond the rim as on it.

    Value (k, l) stands in the middle of a cell of ``step`` = (rows, columns) pixels, the first in cell ``first`` of the grid.
    Along the few rows of the lattice first, then down, row by row of the lattice in place: two looks at the memory in all.
    """
    low, share = _steps(window.column, window.width, step[1], first[1], values.shape[1])
    padded = np.concatenate([values, values[:, -1:]], axis=1)
    left, share = padded[:, low], share.reshape(-1, *[1] * (values.ndim - 2))
    lines = np.ascontiguousarray((left + (padded[:, low + 1] - left) * share).reshape(len(padded), -1))  # picked: down columns
    steps = np.diff(lines, axis=0, append=lines[-1:])
    low, share = _steps(window.row, window.height, step[0], first[0], values.shape[0])
    found = np.empty((window.height, lines.shape[1]), np.float32)
    for row, begun, ended in _runs(low):
        part = found[begun:ended]
        np.multiply(share[begun:ended, None], steps[row], part)
        part += lines[row]
    return found.reshape(window.height, window.width, *values.shape[2:])


def _runs(low: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """(number, first, end) of each stretch of one number."""
    ends = [*(np.flatnonzero(low[1:] != low[:-1]) + 1).tolist(), len(low)]
    return [(int(low[begun]), begun, ended) for begun, ended in zip([0, *ends[:-1]], ends, strict=True)]


def _steps(start: int, length: int, step: float, first: int, count: int) -> tuple[Any, Any]:
    at = np.clip((np.arange(length) + (start + 0.5)) / step - 0.5 - first, 0, count - 1)
    low = at.astype(np.intp)
    return low, (at - low).astype(np.float32)
