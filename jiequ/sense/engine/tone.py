"""The earlier picture in the tones of the later one: histograms matched on what did not change, then local light.

All of it is computed once from the overviews, so that a place is toned alike in whatever tile it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.grid import Window, between
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
        counts = [[_counted(date, band, kept) for band in range(3)] for date in (earlier, later)]
        levels = np.stack([_matching(counts[0][band], counts[1][band]) for band in range(3)], axis=1)
        rest = _apart(_through(earlier, levels), later)
        kept = valid & (rest <= _quantile(rest, valid))
    return Tone(levels, _light(_through(earlier, levels), later, kept), size)


def toned(picture: Bytes, how: Tone, window: Window) -> Bytes:
    """One window (h, w, 3) of the earlier picture in the later one's tones."""
    matched = _through(picture, how.levels)
    if not how.light.any():
        return matched
    light = _light_at(how, window)
    return np.asarray(cv2.add(matched, light, dtype=cv2.CV_8U))


def _light_at(how: Tone, window: Window) -> Floats:
    rows, columns = how.light.shape[:2]
    step = how.size[0] / rows, how.size[1] / columns
    return np.asarray(between(how.light, window, step))


def _through(picture: Bytes, levels: Bytes) -> Bytes:
    return np.asarray(cv2.LUT(picture, levels[None]))


def _counted(picture: Bytes, band: int, kept: Bools) -> NDArray[np.float64]:
    return cv2.calcHist([picture], [band], kept.astype(np.uint8), [256], [0, 256]).ravel().astype(np.float64)


def _apart(one: Bytes, other: Bytes) -> NDArray[np.uint16]:
    """How far each pixel's three bands differ in all, 0 … 765."""
    apart = cv2.absdiff(one, other)
    return np.asarray(cv2.transform(apart.astype(np.uint16), np.ones((1, 3), np.float32)), np.uint16).reshape(apart.shape[:2])


def _quantile(rest: NDArray[np.uint16], valid: Bools) -> int:
    """The least difference that ``UNCHANGED`` of what is valid does not exceed."""
    counts = np.bincount(rest[valid], minlength=766)
    return int(np.searchsorted(np.cumsum(counts), UNCHANGED * counts.sum()))


def _matching(source: NDArray[np.float64], wanted: NDArray[np.float64]) -> Bytes:
    """What each level becomes so that the two cumulated histograms agree."""
    have, want = (np.cumsum(one) / max(one.sum(), 1) for one in (source, wanted))
    return np.clip(np.rint(np.interp(have, want, np.arange(256))), 0, 255).astype(np.uint8)


def _light(matched: Bytes, later: Bytes, kept: Bools) -> Floats:
    """What is left on average in each cell of what did not change, smoothed and bounded."""
    height, width = kept.shape
    longer = max(height, width)
    cells = max(1, height * LIGHT_M_CELLS // longer), max(1, width * LIGHT_M_CELLS // longer)
    total = np.stack([_summed(later[..., band], matched[..., band], kept, cells) for band in range(3)], axis=-1)
    weight = cv2.resize(kept.astype(np.float32), cells[::-1], interpolation=cv2.INTER_AREA).reshape(*cells)
    smooth = cv2.GaussianBlur(total, (0, 0), 1.0) / (cv2.GaussianBlur(weight, (0, 0), 1.0)[..., None] + np.float32(0.1))
    return np.clip(smooth, -MOST_LIGHT, MOST_LIGHT).astype(np.float32)


def _summed(later: Bytes, matched: Bytes, kept: Bools, cells: tuple[int, int]) -> Floats:
    """What one band differs by on average in each cell; what is not kept counts as no difference. A band at a time: memory."""
    rest = np.asarray(cv2.subtract(later, matched, dtype=cv2.CV_32F), np.float32)
    rest[~kept] = 0
    return np.asarray(cv2.resize(rest, cells[::-1], interpolation=cv2.INTER_AREA), np.float32).reshape(cells)
