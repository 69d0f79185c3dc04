"""The outlines of a tile's classes on the edges of its pixels: rings walked with the region on the right hand.

A row or column like the one before is left out of what is traced and put back into the coordinates: most of a tile is. GDAL's
polygoniser gives the same polygons (tests/unit/sense/test_tracing.py) and takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from jiequ.sense.engine.grid import Window

Ints = NDArray[np.int32]
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # (x, y) from a pixel's own corner: where its top, right, bottom, left side begins


@dataclass(frozen=True, slots=True)
class Outlines:
    """Polygons as plain numbers. ``points``: (n, 2) x, y in the grid's pixels, no point twice in a ring; ``rings``: how many
    points each ring has; ``parts``: how many rings each polygon has, its outer one first; ``values``: its class."""

    points: Ints
    rings: Ints
    parts: Ints
    values: NDArray[np.uint8]

    def packed(self) -> Ints:
        """As one row of numbers."""
        counts = np.array([len(self.values), len(self.rings)], np.int32)
        return np.concatenate([counts, self.values.astype(np.int32), self.parts, self.rings, self.points.ravel()])

    @classmethod
    def unpacked(cls, row: Ints) -> Outlines:
        """What ``packed`` packed."""
        parts, rings = int(row[0]), int(row[1])
        values, owned, counts, points = np.split(row[2:], np.cumsum([parts, parts, rings]))
        return cls(points.reshape(-1, 2), counts, owned, values.astype(np.uint8))

    def polygons(self) -> NDArray[np.object_]:
        """The same as shapes."""
        if not len(self.values):
            return np.empty(0, object)
        rings = shapely.linearrings(self.points, indices=np.repeat(np.arange(len(self.rings)), self.rings))
        return np.asarray(shapely.polygons(rings, indices=np.repeat(np.arange(len(self.parts)), self.parts)))


NOTHING = Outlines(np.empty((0, 2), np.int32), np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8))


def traced(classes: NDArray[np.uint8], window: Window) -> Outlines:
    """Each connected part (by sides, not corners) of one class of a tile; class 0 is nothing."""
    if not classes.any():
        return NOTHING
    rows, columns = _unlike(classes[1:] != classes[:-1], 1), _unlike(classes[:, 1:] != classes[:, :-1], 0)
    framed = np.pad(classes[rows[:-1]][:, columns[:-1]], 1)
    pixels, ways, follows = _sides(framed)
    walked = list(_walked(follows, int(np.count_nonzero(ways == 0))))
    order, parts = _owned(framed, np.array([pixels[ring[0]] for ring in walked]), [_is_outer(ways[ring]) for ring in walked])
    before = np.empty_like(ways)
    before[follows] = ways
    rings = [ring[before[ring] != ways[ring]] for ring in (walked[number] for number in order)]
    points = _points(np.concatenate(rings), pixels, ways, framed.shape[1])
    placed = np.column_stack([columns[points[:, 0]] + window.column, rows[points[:, 1]] + window.row])
    counts = np.array([len(ring) for ring in rings], np.int32)
    outer = np.cumsum(parts) - parts
    values = framed.ravel()[[pixels[walked[number][0]] for number in order[outer]]]
    return Outlines(placed.astype(np.int32), counts, parts.astype(np.int32), values)


def _is_outer(ways: NDArray[np.intp]) -> bool:
    """Whether a ring turns right more often than left."""
    turns = (np.roll(ways, -1) - ways + 1) % 4 - 1
    return bool(turns.sum() > 0)


def _owned(framed: NDArray[np.uint8], starts: NDArray[np.intp], outer: list[bool]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(the order that puts a part's rings together, its outer one first; how many rings each part has)."""
    if all(outer):
        return np.arange(len(starts)), np.ones(len(starts), np.intp)
    owners = _labelled(framed).ravel()[starts]
    order = np.argsort(owners, kind="stable")  # a part's outer ring was met first
    return order, np.bincount(owners)[1:]


def _unlike(changes: NDArray[np.bool_], axis: int) -> NDArray[np.intp]:
    """The lines unlike the one before, and the end."""
    found = np.flatnonzero(changes.any(axis=axis)) + 1
    return np.concatenate([[0], found, [changes.shape[1 - axis] + 1]])


def _labelled(classes: NDArray[np.uint8]) -> Ints:
    """The numbers of the connected parts, from 1 on."""
    found, known = np.zeros(classes.shape, np.int32), 0
    for value in np.flatnonzero(cv2.calcHist([classes], [0], None, [256], [0, 256]).ravel()[1:]) + 1:
        mask = classes == value
        count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
        np.add(labels, np.int32(known), out=found, where=mask)
        known += count - 1
    return found


def _sides(framed: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(pixel, which side, the side that follows it) of each side between a class and something else, tops first.

    At its end the outline turns right along its own pixel; where that goes on in the neighbour straight ahead; else left.
    """
    flat, width = framed.ravel(), framed.shape[1]
    outside, filled = (-width, 1, width, -1), flat > 0
    across, down = flat[1:] != flat[:-1], flat[width:] != flat[:-width]
    pixels = [
        np.flatnonzero(down & filled[width:]) + width,
        np.flatnonzero(across & filled[:-1]),
        np.flatnonzero(down & filled[:-width]),
        np.flatnonzero(across & filled[1:]) + 1,
    ]
    keys, following = [], []
    for way, of in enumerate(pixels):
        own, ahead = flat[of], of + outside[(way + 1) % 4]
        beyond = ahead + outside[way]
        right, straight = flat[ahead] != own, flat[beyond] != own
        pixel = np.where(right, of, np.where(straight, ahead, beyond))
        turn = np.where(right, way + 1, np.where(straight, way, way - 1)) % 4
        keys.append(way * flat.size + of)
        following.append(turn * flat.size + pixel)
    sides = np.concatenate(keys)
    return np.concatenate(pixels), sides // flat.size, np.searchsorted(sides, np.concatenate(following))


def _walked(follows: NDArray[np.intp], tops: int) -> Iterator[NDArray[np.intp]]:
    """Each ring as the numbers of its sides; every ring has a top."""
    after, seen = follows.tolist(), bytearray(len(follows))
    for first in range(tops):
        ring, side = [], first
        while not seen[side]:
            seen[side] = 1
            ring.append(side)
            side = after[side]
        if ring:
            yield np.array(ring, np.intp)


def _points(sides: NDArray[np.intp], pixels: NDArray[np.intp], ways: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """Where sides begin, (n, 2) x and y without the frame."""
    rows, columns = np.divmod(pixels[sides], width)
    return np.column_stack([columns, rows]) - 1 + np.array(CORNERS)[ways[sides]]


def together(found: Sequence[Outlines]) -> tuple[NDArray[np.uint8], NDArray[np.object_]]:
    """(class, polygon) of all outlines of several tiles."""
    polygons = [one.polygons() for one in found]
    return np.concatenate([NOTHING.values, *(one.values for one in found)]), np.concatenate([NOTHING.polygons(), *polygons])
