"""Windowed reading of one raster on the comparison's grid: never the whole file, each pixel with whether it is data.

A file that lies on the grid exactly is read as it is; any other goes through GDAL's warper, averaged where it is finer.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as FileWindow

from jiequ.sense.engine.grid import Grid, Window

LOWEST_M, HIGHEST_M = -500.0, 9000.0  # the Dead Sea and Everest: outside them a height is no height
FILL = -32768.0
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
FAULTS = (RasterioError, CRSError, CPLE_BaseError)  # what reading and PROJ raise; the last is no RasterioError
CACHE_MB = 72  # two dates of pictures and surfaces of 2,000 pixels, unpacked: no block of them is unpacked twice
WORKER_CACHE_MB = 48  # of each process of a pool: three rows of blocks in a strip of tiles
ENVIRONMENT = {"GDAL_CACHEMAX": CACHE_MB << 20, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}


class Raster:
    """One file of one date on a grid. ``surface``: heights as float32 (h, w); else RGB as uint8 (h, w, 3)."""

    def __init__(self, path: Path, grid: Grid, *, surface: bool, stretch: tuple[float, float] | None = None) -> None:
        self.grid, self.surface, self.stretch = grid, surface, stretch
        self._file = rasterio.open(path)
        self._on_grid = lies_on(self._file, grid)
        self._bands = [1] if surface else _colours(self._file)
        self._nodata = self._file.nodata
        self._source = self._file if self._on_grid else self._warped()
        alphas = [n for n, what in enumerate(self._source.colorinterp, 1) if what == ColorInterp.alpha]
        self._alpha = alphas[0] if alphas else 0

    def _warped(self) -> WarpedVRT:
        grid, file = self.grid, self._file
        finer = file.crs is not None and pixel_metres(file) < grid.resolution * 0.67
        has_alpha = any(what == ColorInterp.alpha for what in file.colorinterp)
        return WarpedVRT(
            file,
            crs=CRS.from_wkt(grid.crs) if grid.crs else file.crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=Resampling.average if finer else Resampling.bilinear,
            src_nodata=self._nodata,
            nodata=FILL if self.surface else self._nodata,
            add_alpha=not self.surface and self._nodata is None and not has_alpha,
            warp_mem_limit=32,
        )

    def read(self, window: Window, *, shrink: int = 1) -> tuple[Any, Bools]:
        """(pixels, which of them are data) of a window; ``shrink``: as averages of so many by so many pixels."""
        height, width = -(-window.height // shrink), -(-window.width // shrink)
        part, place = _inside(self.grid, window, shrink)
        if part is not None and (place[0].stop - place[0].start, place[1].stop - place[1].start) == (height, width):
            return self._read_inside(part, place)
        shape = (height, width) if self.surface else (height, width, 3)
        pixels = np.zeros(shape, np.float32 if self.surface else np.uint8)
        valid = np.zeros((height, width), np.bool_)
        if part is not None:
            pixels[place], valid[place] = self._read_inside(part, place)
        return pixels, valid

    def _read_inside(self, part: FileWindow, place: tuple[slice, slice]) -> tuple[Any, Bools]:
        size = (place[0].stop - place[0].start, place[1].stop - place[1].start)
        bands = [*self._bands, self._alpha] if self._alpha and not self.surface else self._bands
        how = Resampling.average if size != (part.height, part.width) else Resampling.nearest
        found = self._source.read(bands, window=part, out_shape=(len(bands), *size), resampling=how)
        return self._heights(found[0]) if self.surface else self._colours(found)

    def _heights(self, found: NDArray[Any]) -> tuple[Floats, Bools]:
        heights = found.astype(np.float32, copy=False)
        none = math.nan if self._nodata is None else float(np.float32(self._nodata))
        lowest, highest = float(heights.min()), float(heights.max())
        if lowest > LOWEST_M and highest < HIGHEST_M and not lowest <= none <= highest:  # not so where one is no number
            return heights, np.ones(heights.shape, np.bool_)
        with np.errstate(invalid="ignore"):
            valid = (heights > LOWEST_M) & (heights < HIGHEST_M) & (heights != np.float32(none))
        return np.where(valid, heights, np.float32(0)), valid

    def _colours(self, found: NDArray[Any]) -> tuple[Bytes, Bools]:
        colours = found[:3] if len(self._bands) == 3 else np.repeat(found[:1], 3, axis=0)
        valid = np.ones(colours.shape[1:], np.bool_)
        if self._alpha:
            valid = found[-1] > 0
        elif self._nodata is not None:
            valid = (colours != self._nodata).any(axis=0)
        if self.stretch is not None:
            colours = stretched(colours, self.stretch)
        return np.asarray(cv2.merge(list(colours))), valid

    def close(self) -> None:
        """Let go of the file."""
        with suppress(Exception):
            if self._source is not self._file:
                self._source.close()
            self._file.close()

    def __enter__(self) -> Raster:
        return self

    def __exit__(self, *_given: object) -> None:
        self.close()


def _inside(grid: Grid, window: Window, shrink: int) -> tuple[FileWindow | None, tuple[slice, slice]]:
    """The part of a window inside the grid, and where it goes in the (shrunk) array."""
    row, column = max(window.row, 0), max(window.column, 0)
    row += -(row - window.row) % shrink
    column += -(column - window.column) % shrink
    last_row, last_column = min(window.row + window.height, grid.height), min(window.column + window.width, grid.width)
    height, width = last_row - row, last_column - column
    if height <= 0 or width <= 0:
        return None, (slice(0, 0), slice(0, 0))
    top, left = (row - window.row) // shrink, (column - window.column) // shrink
    place = slice(top, top + -(-height // shrink)), slice(left, left + -(-width // shrink))
    return FileWindow(column, row, width, height), place


def stretched(colours: NDArray[Any], stretch: tuple[float, float]) -> Bytes:
    """Numbers of any kind as bytes: ``stretch`` (low, high) becomes (0, 255)."""
    low, high = stretch
    scaled = (colours.astype(np.float32) - low) * np.float32(255.0 / max(high - low, 1e-6))
    return np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)


def lies_on(file: Any, grid: Grid) -> bool:
    """Whether the file's pixels are the grid's: same system, same corner, same size, to a hundredth of a pixel."""
    if not grid.crs:
        return (file.width, file.height) == (grid.width, grid.height)
    there, here = file.transform, grid.transform
    close = all(abs(a - b) < 0.01 * grid.resolution for a, b in zip((there.c, there.f), (here.c, here.f), strict=True))
    drift = max(abs(there.a - here.a) * grid.width, abs(there.e - here.e) * grid.height, abs(there.b), abs(there.d))
    same = (file.width, file.height) == (grid.width, grid.height)
    return bool(same and close and drift < 0.01 * grid.resolution and file.crs == CRS.from_wkt(grid.crs))


def pixel_metres(file: Any) -> float:
    """The size of a pixel in the middle of the file, in metres, whatever its system."""
    from jiequ.sense.engine.areas import area_m2

    turn, column, row = file.transform, file.width / 2, file.height / 2
    corners = [turn @ (column + dx, row + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    ring = [*corners, corners[0]]
    return math.sqrt(area_m2({"type": "Polygon", "coordinates": [ring]}, file.crs))


def _colours(file: Any) -> list[int]:
    """The bands to read as red, green, blue: named so, else the first three, else the first alone."""
    named = {what: number for number, what in reversed(list(enumerate(file.colorinterp, 1)))}
    wanted = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
    if all(what in named for what in wanted):
        return [named[what] for what in wanted]
    plain = [number for number, what in enumerate(file.colorinterp, 1) if what != ColorInterp.alpha]
    return plain[:3] if len(plain) >= 3 else plain[:1]
