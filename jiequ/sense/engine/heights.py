"""How two surface models lie to each other: the shift, the tilt and the bias between them, once for the whole pair.

Phase correlation of gradients finds the shift to some tenths of a pixel; then the shift and a plane are solved together from
the difference's own slope, before − after ≈ ∂z/∂x·dx + ∂z/∂y·dy + a·x + b·y + c (Nuth and Kääb 2011: by aspect), leaving
out again and again what differs by more than two deviations: that is what was built, torn down or grew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from jiequ.sense.engine.phase import correlated, steepness
from jiequ.sense.engine.rasters import Bools, Floats

ROUNDS, TRIMS, KEPT = 6, 5, 2.0
LEAST_PIXELS, MOST_PIXELS = 500, 25_000  # five unknowns need no more
DIGITS = 4, 4, 9, 9, 5, 5, 4  # of a Lie: a ten-thousandth of a pixel, a hundredth of a millimetre


@dataclass(frozen=True, slots=True)
class Lie:
    """before(x + dx, y + dy) − (ax·x + ay·y + c) is to be compared with after(x, y).

    ``dx``, ``dy``: pixels of the grid; ``ax``, ``ay``: metres a pixel; ``c``, ``mad``: metres; ``response``: peak in [0, 1].
    """

    dx: float
    dy: float
    ax: float
    ay: float
    c: float
    mad: float
    response: float

    def plane(self, row: float, column: float, height: int, width: int) -> Floats:
        """Tilt and bias in metres over a window whose first pixel is (row, column)."""
        xs = np.arange(width, dtype=np.float32) + np.float32(column + 0.5)
        ys = np.arange(height, dtype=np.float32)[:, None] + np.float32(row + 0.5)
        return np.asarray(np.float32(self.ax) * xs + (np.float32(self.ay) * ys + np.float32(self.c)), np.float32)


def gradients(heights: Floats) -> Floats:
    """log(1 + slope): edges of houses count, their height counts little."""
    return np.asarray(np.log(steepness(heights) + np.float32(1)))


def moved_by(image: Any, dx: float, dy: float) -> Any:
    """image(x + dx, y + dy) on the same pixels, cubic."""
    turn = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, turn, image.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def moved_mask(valid: Bools, dx: float, dy: float) -> Bools:
    """Which pixels of ``moved_by`` stand on data alone."""
    if valid.all():
        return _inner(valid.shape, dx, dy)
    turn = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(valid.astype(np.uint8) * 255, turn, valid.shape[1::-1], flags=flags, borderValue=0)
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(moved, kernel, borderType=cv2.BORDER_REPLICATE) > 250)


def _inner(shape: tuple[int, ...], dx: float, dy: float) -> Bools:
    """All but the rim over which an image without holes is moved, and a pixel more."""
    found = np.ones(shape, np.bool_)
    for lines, by in ((found.T, dx), (found, dy)):
        rim = math.ceil(abs(by) - 0.02) + 1 if abs(by) > 0.02 else 0
        lines[len(lines) - rim if by > 0 else 0 : len(lines) if by > 0 else rim] = False
    return found


def lie(before: Floats, after: Floats, valid_before: Bools, valid_after: Bools, shrink: int = 1) -> Lie | None:
    """The lie of two whole models read ``shrink`` times coarser; None where too little of both is data."""
    first, second = _filled(after, valid_after), _filled(before, valid_before)
    if int((valid_before & valid_after).sum()) < LEAST_PIXELS:
        return None
    taper = np.asarray(cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F), np.float32)
    dx, dy, response = correlated(gradients(first), gradients(second), taper)
    if abs(dx) > first.shape[1] / 4 or abs(dy) > first.shape[0] / 4:
        dx, dy = 0.0, 0.0
    solved = np.zeros(3)
    for _ in range(ROUNDS):
        step, solved = _solved(first, moved_by(second, dx, dy), valid_after & moved_mask(valid_before, dx, dy))
        dx, dy = dx + float(step[0]), dy + float(step[1])
        if np.abs(step).max() < 0.003:
            break
    mad = _spread(first, second, valid_after, valid_before, dx, dy, solved)
    ax, ay, c = (float(one) for one in solved)
    told = (dx * shrink, dy * shrink, ax / shrink, ay / shrink, c, mad, response)
    return Lie(*(round(one, digits) + 0.0 for one, digits in zip(told, DIGITS, strict=True)))


def _filled(heights: Floats, valid: Bools) -> Floats:
    """No data as the middle height: a cliff at a hole's rim would be an edge that both dates share or do not."""
    if valid.all():
        return heights
    middle = np.float32(np.median(heights[valid]) if valid.any() else 0)
    return np.where(valid, heights, middle).astype(np.float32)


def _solved(first: Floats, second: Floats, valid: Bools) -> tuple[Any, Any]:
    """(step of the shift, plane) by trimmed least squares on the difference."""
    difference = second - first
    mean = (first + second) * np.float32(0.5)
    across = cv2.Sobel(mean, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(mean, cv2.CV_32F, 0, 1, scale=1 / 8)
    ys, xs = (one[:: max(1, int(valid.sum()) // MOST_PIXELS)] for one in np.nonzero(valid))
    terms = np.stack([across[ys, xs], down[ys, xs], xs + 0.5, ys + 0.5, np.ones(len(xs))]).astype(np.float64)
    wanted = difference[ys, xs].astype(np.float64)
    scale = np.array([1.0, 1.0, first.shape[1], first.shape[0], 1.0])
    terms /= scale[:, None]
    found = np.zeros(5)
    kept = np.ones(len(wanted), np.bool_)
    for _ in range(TRIMS):
        found = _least_squares(terms[:, kept], wanted[kept])
        rest = np.abs(wanted - np.einsum("ij,i->j", terms, found))
        kept = rest < KEPT * 1.4826 * max(float(np.median(rest)), 1e-6)
    found /= scale
    return -found[:2], found[2:]


def _least_squares(terms: Any, wanted: Any) -> Any:
    """By the normal equations of ``terms`` (5, n), summed by numpy itself: a BLAS with other threads adds in another order."""
    square = np.einsum("ij,kj->ik", terms, terms)
    return np.linalg.solve(square + 1e-9 * np.trace(square) * np.eye(len(square)), np.einsum("ij,j->i", terms, wanted))


def _spread(first: Floats, second: Floats, valid_first: Bools, valid_second: Bools, dx: float, dy: float, plane: Any) -> float:
    """The median absolute deviation of what differs, in metres."""
    both = valid_first & moved_mask(valid_second, dx, dy)
    whole = Lie(dx, dy, float(plane[0]), float(plane[1]), float(plane[2]), 0.0, 0.0).plane(0, 0, *first.shape)
    rest = (moved_by(second, dx, dy) - first - whole)[both]
    return float(np.median(np.abs(rest - np.median(rest)))) if rest.size else 0.0
