"""How one picture lies on another as a whole: features matched at quarter scale, MAGSAC for what they agree on.

ORB first (fast, enough between two flights), SIFT where ORB finds too little. An orthophoto may be moved, turned and scaled a
little, but mostly is only moved: where four in five of the places that agree with a turn agree with a mere move as well, it was
a move (a homography through sixteen of eighty strangers turns and stretches a picture). Two pictures from one stand (snapshots)
differ by a homography.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.rasters import Bools, Bytes

FEATURES, LEVELS = 3000, 8
MAP_FEATURES, MAP_LEVELS = 2000, 4  # two maps already lie nearly on each other, and at nearly one scale
LEAST_AGREEING = 15
LEAST_SHARE = 0.08
LEAST_SHIFTED, PLAIN_SHARE, MOST_ASKED = 8, 0.8, 400
REACH_PX = 2.0  # at the scale of the overview
RATIO = 0.8
MOST_TURN, MOST_SCALE = math.radians(20), 1.25
CELLS, REACH = 8, 0.25
SEED = 7


@dataclass(frozen=True, slots=True)
class Overall:
    """``matrix``: 3 × 3, a pixel of the later picture → the same place in the earlier one, on the full grid."""

    matrix: tuple[tuple[float, float, float], ...]
    agreeing: int
    of: int
    found: bool

    def array(self) -> NDArray[np.float64]:
        """As numbers to compute with."""
        return np.array(self.matrix, np.float64)


def overall(earlier: Bytes, later: Bytes, valid_earlier: Bools, valid_later: Bools, shrink: int, *, free: bool) -> Overall:
    """From two grey overviews (h, w); ``free``: any homography, else a similarity near to none. Not found: as the files say."""
    count, levels, cells = (FEATURES, LEVELS, 1) if free else (MAP_FEATURES, MAP_LEVELS, CELLS)
    for finder, norm, parts in ((_orb(count, levels), cv2.NORM_HAMMING, cells), (_sift(), cv2.NORM_L2, 1)):
        first, second = _matched(_found(finder, later, valid_later), _found(finder, earlier, valid_earlier), norm, parts)
        matrix, agreeing = _agreed(first, second, free)
        if matrix is not None:
            return Overall(_rows(_scaled(matrix, shrink)), agreeing, len(first), True)
    return Overall(_rows(np.eye(3)), 0, 0, False)


def _orb(count: int, levels: int) -> Any:
    return cv2.ORB.create(nfeatures=count, nlevels=levels, fastThreshold=10)


def _sift() -> Any:
    return cv2.SIFT.create(nfeatures=FEATURES)


def _found(finder: Any, picture: Bytes, valid: Bools) -> tuple[Any, Any, Any]:
    """(places x, y in shares of the longer side, the same in pixels, descriptors)."""
    keys, words = finder.detectAndCompute(picture, _inside(valid))
    points = np.array([key.pt for key in keys], np.float32).reshape(-1, 2)
    return points / max(picture.shape), points, words


def _matched(one: Any, other: Any, norm: int, cells: int) -> tuple[Any, Any]:
    """The places in both of what is alike in words and nothing else nearly so.

    Two maps lie where their files say to a quarter of their size, so each of ``cells`` × ``cells`` parts of the one is
    compared with so much of the other: a third of the pairs, and fewer strangers that look alike.
    """
    first, second = [np.zeros((0, 2), np.float32)], [np.zeros((0, 2), np.float32)]
    for row, column in np.ndindex(cells, cells):
        corner = np.array([column, row]) / cells
        own = np.flatnonzero(((one[0] >= corner) & (one[0] < corner + 1 / cells)).all(1))
        near = np.flatnonzero(((other[0] >= corner - REACH) & (other[0] < corner + 1 / cells + REACH)).all(1))
        if len(own) and len(near) > 1:
            apart, place = cv2.batchDistance(one[2][own], other[2][near], -1, normType=norm, K=2)
            good = apart[:, 0] < RATIO * apart[:, 1]
            first.append(one[1][own[good]])
            second.append(other[1][near[place[good, 0]]])
    return np.concatenate(first), np.concatenate(second)


def _inside(valid: Bools) -> Bytes:
    """No feature on the rim of the data, which both dates may share."""
    return np.asarray(cv2.erode(valid.astype(np.uint8) * 255, np.ones((9, 9), np.uint8)))


def _agreed(first: Any, second: Any, free: bool) -> tuple[NDArray[np.float64] | None, int]:
    """(the matrix, how many places agree with it). Two maps are asked for the plainest that most of them agree with."""
    shift, shifted = (None, 0) if free or len(first) < LEAST_SHIFTED else _shift(first, second)
    matrix, agreeing = _turned(first, second, free)
    if shift is not None and shifted >= max(LEAST_SHIFTED, LEAST_SHARE * len(first), PLAIN_SHARE * agreeing):
        return shift, shifted
    return matrix, agreeing


def _turned(first: Any, second: Any, free: bool) -> tuple[NDArray[np.float64] | None, int]:
    """By MAGSAC: a homography, or the similarity through what it kept."""
    if len(first) < LEAST_AGREEING:
        return None, 0
    cv2.setRNGSeed(SEED)
    matrix, mask = cv2.findHomography(first, second, cv2.USAC_MAGSAC, REACH_PX, maxIters=5000, confidence=0.999)
    if matrix is None:
        return None, 0
    kept = mask.ravel() > 0
    found, agreeing = (matrix, int(kept.sum())) if free else _similarity(first[kept], second[kept])
    return (found, agreeing) if agreeing >= max(LEAST_AGREEING, LEAST_SHARE * len(first)) else (None, 0)


def _shift(first: Any, second: Any) -> tuple[NDArray[np.float64], int]:
    """The move that most places made, and how many. Strangers move anywhere within a quarter of the picture: eight of them do
    not meet within two pixels."""
    moves = second - first
    asked = moves[:: -(-len(moves) // MOST_ASKED)]
    best = asked[np.argmax(_agree(moves - asked[:, None]).sum(1))]
    for _ in range(2):
        best = moves[_agree(moves - best)].mean(0)
    matrix = np.eye(3)
    matrix[:2, 2] = best
    return matrix, int(_agree(moves - best).sum())


def _agree(apart: Any) -> Bools:
    return np.asarray((np.abs(apart) <= REACH_PX).all(-1))


def _similarity(first: Any, second: Any) -> tuple[NDArray[np.float64] | None, int]:
    """The similarity through what MAGSAC kept, by least squares (Umeyama 1991), and with how much of that it agrees; None
    where it turns or scales too far."""
    if len(first) < LEAST_AGREEING:
        return None, 0
    a, b = first - first.mean(0), second - second.mean(0)
    cosine, sine = float((a * b).sum()), float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    scale, turn = math.hypot(cosine, sine) / max(float((a * a).sum()), 1e-9), math.atan2(sine, cosine)
    if abs(turn) > MOST_TURN or not 1 / MOST_SCALE < scale < MOST_SCALE:
        return None, 0
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, second.mean(0) - linear @ first.mean(0)
    return matrix, int(_agree(second - first @ linear.T - matrix[:2, 2]).sum())


def _scaled(matrix: NDArray[np.float64], shrink: int) -> NDArray[np.float64]:
    """From pixels of the overview (centres at whole numbers) to pixels of the grid."""
    up = np.array([[shrink, 0, (shrink - 1) / 2], [0, shrink, (shrink - 1) / 2], [0, 0, 1.0]])
    found = up @ matrix @ np.linalg.inv(up)
    return np.asarray(found / found[2, 2])


def _rows(matrix: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(row[0]), float(row[1]), float(row[2])) for row in matrix)
