"""Where the surface rose, fell or was moved: the workhorse for added floors, roof sheds and yards.

A pixel is changed where the height differs by more than max(1.2 m, 4 deviations) after a 3 × 3 median, and where the higher
surface stands above everything that stood within one pixel before (so that a wall seen half a pixel aside is no change). From
such seeds a change grows to where it still has 0.42 of its own height: half of a pixel on the edge of a house is roof.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.heights import Lie, moved_by, moved_mask
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.rasters import Bools, Bytes, Floats

EDGE_SHARE = 0.42  # of a structure's height on its rim; tuned on seeds 100–102 of bench/sense_dsm.py
SEED_SHARE = 0.8
NEIGHBOURS = np.ones((3, 3), np.uint8)
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
RIM_PX = 3
EARTHWORKS_MEAN_M = 20.0


class Change(IntEnum):
    """What a pixel of the result is."""

    NONE = 0
    RAISED = 1
    LOWERED = 2
    FILLED = 3
    DUG = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """``dz``: after − before in metres, (h, w), zero where not ``valid``; ``before`` and ``after``: both on after's pixels."""

    dz: Floats
    before: Floats
    after: Floats
    valid: Bools


def threshold_m(lie: Lie, parameters: Parameters) -> float:
    """What height is a change, for the whole pair."""
    return max(parameters.least_height_m, parameters.deviations * lie.mad)


def difference(
    before: Floats, after: Floats, valid_before: Bools, valid_after: Bools, lie: Lie, row: int, column: int
) -> Difference:
    """Both dates of one window brought together; (row, column): the window's first pixel on the grid."""
    moved = moved_by(before, lie.dx, lie.dy)
    moved -= lie.plane(row, column, *after.shape)
    valid = valid_after & moved_mask(valid_before, lie.dx, lie.dy)
    if valid.all():
        return Difference(after - moved, moved, after, valid)
    dz = np.where(valid, after - moved, np.float32(0))
    return Difference(dz, np.where(valid, moved, after), after, valid)


def changes(found: Difference, lie: Lie, resolution: float, parameters: Parameters) -> Bytes:
    """A ``Change`` for each pixel of a window, (h, w) uint8."""
    result = np.zeros(found.dz.shape, np.uint8)
    least = threshold_m(lie, parameters)
    middle = np.asarray(cv2.medianBlur(found.dz, 3), np.float32)
    pixels = parameters.opening_m / resolution
    raised = _structures(found.dz, middle, found.after, found.before, least, pixels)
    lowered = _structures(-found.dz, -middle, found.before, found.after, least, pixels)
    filled, dug = _earthworks(found, ~(raised | lowered), lie, resolution, parameters)
    np.copyto(result, np.uint8(Change.FILLED), where=filled)
    np.copyto(result, np.uint8(Change.DUG), where=dug)
    np.copyto(result, np.uint8(Change.LOWERED), where=lowered)
    np.copyto(result, np.uint8(Change.RAISED), where=raised)
    np.copyto(result, np.uint8(Change.NONE), where=~found.valid)
    return result


def _structures(dz: Floats, middle: Floats, higher: Floats, lower: Floats, least: float, pixels: float) -> Bools:
    """``middle``: the 3 × 3 median of ``dz``. Looked at is only where it differs at all, with what the steps below reach."""
    found = np.zeros(dz.shape, np.bool_)
    left, top, width, height = cv2.boundingRect((middle > least).view(np.uint8))
    if width:
        reach = RIM_PX + 2
        part = slice(max(top - reach, 0), top + height + reach), slice(max(left - reach, 0), left + width + reach)
        found[part] = _looked_at(dz[part], middle[part], higher[part], lower[part], least, pixels)
    return found


def _looked_at(dz: Floats, middle: Floats, higher: Floats, lower: Floats, least: float, pixels: float) -> Bools:
    above = cv2.medianBlur(higher - cv2.dilate(lower, NEIGHBOURS), 3)
    seeds = (middle > least) & (above > least * SEED_SHARE)
    if not seeds.any():
        return seeds
    strongest = np.maximum(dz, middle)
    on_rim = np.asarray(cv2.erode(strongest, NEIGHBOURS)) <= least
    mostly_ground = on_rim & (strongest <= EDGE_SHARE * np.asarray(cv2.dilate(middle, NEIGHBOURS)))
    grown = (strongest > least) & ~mostly_ground
    return opened(grown_from(seeds, grown), pixels)


def opened(mask: Bools, pixels: float) -> Bools:
    """Without what is narrower than so many pixels."""
    size = round(pixels)
    if size < 2 or not mask.any():
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0)


def grown_from(seeds: Bools, mask: Bools) -> Bools:
    """Seeds and what of the mask is reached from them in three steps: a rim, whatever the tile that it is looked at in."""
    inside = (mask | seeds).astype(np.uint8)
    found = seeds.astype(np.uint8)
    for _ in range(RIM_PX):
        found = np.asarray(cv2.dilate(found, CROSS), np.uint8) & inside
    return np.asarray(found > 0) & mask


def _earthworks(found: Difference, ground: Bools, lie: Lie, resolution: float, parameters: Parameters) -> tuple[Bools, Bools]:
    """(filled, dug): low and broad, by the mean over 20 m (fewer where the halo is narrower) of what is no structure."""
    size = min(max(3, round(EARTHWORKS_MEAN_M / resolution) | 1), 2 * parameters.halo_px // 3 | 1)
    counted = (found.valid & ground).astype(np.float32)
    clipped = np.clip(found.dz, -4, 4) * counted
    kernel = (size, size)
    weight = cv2.boxFilter(counted, -1, kernel)
    mean = cv2.boxFilter(clipped, -1, kernel) / np.maximum(weight, np.float32(0.25))
    least = max(parameters.earthworks_height_m, 3 * lie.mad)
    broad = round(size * 0.6)
    return opened(mean > least, broad), opened(mean < -least, broad)


def heights_counted(dz: Floats) -> NDArray[np.int64]:
    """How many of some differences are how many tenths of a metre, −50 … 50 m: adds up over tiles without rounding."""
    tenths = np.clip(np.rint(dz * 10), -500, 500).astype(np.int64) + 500
    return np.bincount(tenths, minlength=1001)
