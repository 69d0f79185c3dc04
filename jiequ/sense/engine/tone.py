"""The earlier picture in the tones of the later one: histograms matched on what did not change, then local light.

All of it is computed once from the overviews, so that a place is toned alike in whatever tile it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.grid import Window
from jiequ.sense.engine.rasters import Bools, Bytes, Floats

ROUNDS = 3
UNCHANGED = 0.7  # the share of pixels that differ least
LIGHT_M_CELLS = 24  # light is fitted on so many cells along the longer side
MOST_LIGHT = 25.0  # levels


@dataclass(frozen=True, slots=True)
class Tone:
    """``levels``: (256, 3) what each level of red, green, blue becomes; ``light``: (r, c, 3) added to a picture of ``size``."""

    levels: Bytes
    light: Floats
    size: tuple[int, int]


def tone(earlier: Bytes, later: Bytes, valid: Bools, size: tuple[int, int]) -> Tone:
    """From two overviews (h, w, 3) that lie on each other; ``size``: rows and columns of the full grid."""
    if int(valid.sum()) < 100:
        return Tone(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1), np.zeros((1, 1, 3), np.float32), size)
    levels, kept = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1), valid
    for _ in range(ROUNDS):
        levels = np.stack([_matching(earlier[kept][:, band], later[kept][:, band]) for band in range(3)], axis=1)
        rest = np.abs(_through(earlier, levels).astype(np.int16) - later).sum(axis=2)
        kept = valid & (rest <= np.quantile(rest[valid], UNCHANGED))
    return Tone(levels, _light(_through(earlier, levels), later, kept), size)


def toned(picture: Bytes, how: Tone, window: Window) -> Bytes:
    """One window (h, w, 3) of the earlier picture in the later one's tones."""
    matched = _through(picture, how.levels)
    if not how.light.any():
        return matched
    return np.clip(matched.astype(np.float32) + _light_at(how, window), 0, 255).astype(np.uint8)


def _light_at(how: Tone, window: Window) -> Floats:
    rows, columns = how.light.shape[:2]
    ys = ((np.arange(window.height, dtype=np.float32) + window.row + 0.5) / how.size[0] * rows - 0.5).astype(np.float32)
    xs = ((np.arange(window.width, dtype=np.float32) + window.column + 0.5) / how.size[1] * columns - 0.5).astype(np.float32)
    grid_x, grid_y = np.meshgrid(xs, ys)
    return np.asarray(cv2.remap(how.light, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _through(picture: Bytes, levels: Bytes) -> Bytes:
    return np.asarray(cv2.LUT(picture, levels[None]))


def _matching(source: NDArray[Any], wanted: NDArray[Any]) -> Bytes:
    """What each level becomes so that the two cumulated histograms agree."""
    grid = np.arange(256)
    have = np.cumsum(np.bincount(source, minlength=256)) / max(source.size, 1)
    want = np.cumsum(np.bincount(wanted, minlength=256)) / max(wanted.size, 1)
    return np.clip(np.rint(np.interp(have, want, grid)), 0, 255).astype(np.uint8)


def _light(matched: Bytes, later: Bytes, kept: Bools) -> Floats:
    """What is left on average in each cell of what did not change, smoothed and bounded."""
    height, width = kept.shape
    longer = max(height, width)
    cells = max(1, height * LIGHT_M_CELLS // longer), max(1, width * LIGHT_M_CELLS // longer)
    rest = np.where(kept[..., None], later.astype(np.float32) - matched, np.float32(0)).astype(np.float32)
    total = cv2.resize(rest, cells[::-1], interpolation=cv2.INTER_AREA).reshape(*cells, 3)
    weight = cv2.resize(kept.astype(np.float32), cells[::-1], interpolation=cv2.INTER_AREA).reshape(*cells)
    smooth = cv2.GaussianBlur(total, (0, 0), 1.0) / (cv2.GaussianBlur(weight, (0, 0), 1.0)[..., None] + np.float32(0.1))
    return np.clip(smooth, -MOST_LIGHT, MOST_LIGHT).astype(np.float32)
