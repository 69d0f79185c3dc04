"""Draws the invented district as lines and cuts them into faces that share their borders exactly. Pure.

Everything is drawn on a flat sheet in metres (x east, y north, the middle of the main street at x = 0) where lines are
straight; ``Warp`` bends the sheet, so that streets curve, without moving one face off its neighbour.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import numpy
import shapely
from shapely import LineString, Polygon
from shapely.ops import substring

Pair = tuple[float, float]
Curve = Callable[[float], float]

ORIGIN = (113.50, 23.18)
TARGET_M2 = {"main": 15_600.0, "west": 72_000.0, "east": 72_000.0}
SMALLEST_M2 = {"main": 3_600.0, "west": 16_000.0, "east": 16_000.0}
STEP_M = 45.0


@dataclass(frozen=True, slots=True)
class Road:
    """A line of the road network on the flat sheet; kind is trunk, road or lane."""

    kind: str
    line: LineString


@dataclass(slots=True)
class Sketch:
    """The flat drawing: faces with their zone, and what lies on and between them."""

    faces: list[Polygon] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    in_river: list[bool] = field(default_factory=list)
    beside: list[dict[int, float]] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)
    river: Polygon = field(default_factory=Polygon)
    river_line: LineString = field(default_factory=LineString)
    creeks: list[LineString] = field(default_factory=list)
    land: dict[str, Polygon] = field(default_factory=dict)
    sea: Polygon = field(default_factory=Polygon)


class Warp:
    """Bends the flat sheet gently and turns it into degrees; the same point always lands on the same spot."""

    def __init__(self, rng: Random) -> None:
        self._waves = [
            (amplitude, 2 * math.pi / length, rng.uniform(0, math.tau), rng.uniform(0, math.pi))
            for amplitude, length in ((150, 5200), (70, 2600), (26, 1100))
            for _ in range(2)
        ]
        self._turn = math.radians(rng.uniform(-9, -5))

    def metres(self, pairs: Any) -> Any:
        """Bent positions in metres."""
        x, y = pairs[:, 0], pairs[:, 1] - 2500
        bent_x, bent_y = x.copy(), y.copy()
        for amplitude, k, phase, angle in self._waves:
            along = (x * math.cos(angle) + y * math.sin(angle)) * k + phase
            bent_x += amplitude * math.sin(angle + 0.7) * numpy.sin(along)
            bent_y += amplitude * math.cos(angle + 0.7) * numpy.sin(along)
        cos, sin = math.cos(self._turn), math.sin(self._turn)
        return numpy.column_stack([bent_x * cos - bent_y * sin, bent_x * sin + bent_y * cos])

    def degrees(self, pairs: Any) -> Any:
        """Bent positions in degrees, to 1 cm."""
        scale = numpy.array([111_320 * math.cos(math.radians(ORIGIN[1])), 110_768.0])
        return numpy.round(self.metres(numpy.asarray(pairs, dtype=float)) / scale + numpy.array(ORIGIN), 7)


def draw(rng: Random) -> Sketch:
    """The flat drawing of the whole district: three streets on the north bank of a wide river."""
    wave = _waves(rng)
    bank, ridge = wave(0, 130, 1500), wave(5060, 190, 1300)
    edges = [wave(-4350, 140, 1500), wave(-2530, 170, 1500), wave(2560, 150, 1700), wave(4300, 130, 1400)]
    sketch = Sketch()
    for name, west, east in zip(("west", "main", "east"), edges, edges[1:], strict=False):
        sketch.land[name] = _between(west, east, bank, ridge)
    sketch.sea = Polygon([*((x, bank(x)) for x in range(-6000, 6001, 60)), (6000, -900), (-6000, -900)])
    _draw_water(sketch, rng, bank, ridge)
    expressway = LineString([(x, 3350 + 620 * math.sin((x + 900) / 2700)) for x in range(-4700, 4701, 90)])
    cuts = [Road("trunk", expressway), *_cuts(rng, sketch)]
    sketch.roads = [road for road in cuts if road.kind != "plot"]
    lines = [road.line for road in cuts] + sketch.creeks
    dry = shapely.difference(numpy.array(lines, dtype=object), sketch.river)
    borders = [land.exterior for land in sketch.land.values()]
    _cut_faces(sketch, [*dry, *borders, sketch.river.exterior, *_river_cuts(sketch)])
    return sketch


def _waves(rng: Random) -> Callable[[float, float, float], Curve]:
    def make(level: float, height: float, length: float) -> Curve:
        one, two = rng.uniform(0, math.tau), rng.uniform(0, math.tau)
        return lambda t: (
            level
            + height * math.sin(t * math.tau / length / 2 + one)
            + height / 3 * math.sin(t * math.tau / length * 1.3 + two)
        )

    return make


def _between(west: Curve, east: Curve, south: Curve, north: Curve) -> Polygon:
    """The ground between two curves x(y) and two curves y(x)."""
    ys = [y * 60.0 for y in range(-10, 96)]
    strip = Polygon([*((west(y), y) for y in ys), *((east(y), y) for y in reversed(ys))])
    xs = [x * 60.0 for x in range(-100, 101)]
    return strip.intersection(Polygon([*((x, south(x)) for x in xs), *((x, north(x)) for x in reversed(xs))]))


def _draw_water(sketch: Sketch, rng: Random, bank: Curve, ridge: Curve) -> None:
    """A river that winds down through the main street, and creeks that join it."""
    phase, line = rng.uniform(0, math.tau), []
    for step in range(121):
        t = step / 120
        x = -650 + 1500 * t + 420 * math.sin(t * 10.5 + phase) * (0.55 + 0.45 * t) + 90 * math.sin(t * 27)
        line.append((x, ridge(x) + 260 - (ridge(x) - bank(x) + 520) * t))
    sketch.river_line = LineString(line)
    sketch.river = shapely.union_all(
        [substring(sketch.river_line, a / 24, (a + 1) / 24, normalized=True).buffer(22 + 16 * a / 24) for a in range(24)]
    ).simplify(2.0)
    for at, reach, lean in ((0.22, -1700, 900), (0.40, 1750, 700), (0.66, -1650, 420), (0.80, 1500, 380)):
        mouth = sketch.river_line.interpolate(at, normalized=True)
        turn = rng.uniform(0, math.tau)
        sketch.creeks.append(
            LineString(
                [
                    (
                        mouth.x + reach * t,
                        mouth.y + lean * t + 95 * math.sin(t * 7 + turn) * min(1.0, 3 * t),
                    )
                    for t in (step / 40 for step in range(41))
                ]
            )
        )


def _river_cuts(sketch: Sketch) -> Iterator[LineString]:
    """Lines straight across the river, about every 200 m."""
    line, length = sketch.river_line, sketch.river_line.length
    for step in range(1, int(length / 200)):
        here, ahead = line.interpolate(step * 200), line.interpolate(step * 200 + 5)
        across = (ahead.y - here.y) / 5, (here.x - ahead.x) / 5
        yield LineString([(here.x + side * 70 * across[0], here.y + side * 70 * across[1]) for side in (-1, 1)])


def _cuts(rng: Random, sketch: Sketch) -> Iterator[Road]:
    """Cuts a sheet in two again and again until the pieces have the size of a unit grid; early cuts are main roads."""
    shapely.prepare(list(sketch.land.values()))
    pieces: list[list[Pair]] = [[(-4700.0, -500.0), (4700.0, -500.0), (4700.0, 5600.0), (-4700.0, 5600.0)]]
    while pieces:
        piece = pieces.pop()
        area, x, y = _measure(piece)
        zone = next((name for name, land in sketch.land.items() if shapely.contains_xy(land, x, y)), "main")
        if area < TARGET_M2[zone] * rng.uniform(0.92, 1.08):
            continue
        one, two, cut = _halved(piece, rng, 0.06 if area > 150_000 else 0.1)
        kind = "trunk" if area > 2_600_000 else "road" if area > 340_000 else "lane" if area > 52_000 else "plot"
        if kind == "lane" and (y > 4300 or rng.random() < 0.25):
            kind = "plot"
        yield Road(kind, cut)
        pieces += [one, two]


def _measure(piece: Sequence[Pair]) -> tuple[float, float, float]:
    """Area and middle of a convex piece."""
    area = cx = cy = 0.0
    for (x1, y1), (x2, y2) in zip(piece, [*piece[1:], piece[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        area, cx, cy = area + cross / 2, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    return area, cx / (6 * area), cy / (6 * area)


def _halved(piece: list[Pair], rng: Random, spread: float) -> tuple[list[Pair], list[Pair], LineString]:
    """Two convex pieces on the two sides of a cut across the longer way, a little off the middle and a little askew."""
    xs, ys = [x for x, _ in piece], [y for _, y in piece]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    angle = (0.0 if wide > high else math.pi / 2) + rng.gauss(0, 0.07)
    normal = math.cos(angle), math.sin(angle)
    offset = rng.uniform(-spread, spread) * max(wide, high)
    _, mx, my = _measure(piece)
    level = mx * normal[0] + my * normal[1] + offset
    sides = [x * normal[0] + y * normal[1] - level for x, y in piece]
    one: list[Pair] = []
    two: list[Pair] = []
    ends: list[Pair] = []
    for at, point in enumerate(piece):
        after = (at + 1) % len(piece)
        (one if sides[at] <= 0 else two).append(point)
        if (sides[at] <= 0) != (sides[after] <= 0):
            t = sides[at] / (sides[at] - sides[after])
            cross = point[0] + (piece[after][0] - point[0]) * t, point[1] + (piece[after][1] - point[1]) * t
            one.append(cross)
            two.append(cross)
            ends.append(cross)
    return one, two, LineString(ends)


def _cut_faces(sketch: Sketch, lines: Sequence[Any]) -> None:
    """Faces between the lines, slivers joined to a neighbour of their zone, with the lengths of shared borders."""
    noded = shapely.union_all(shapely.get_parts(shapely.union_all(lines, grid_size=0.05)), grid_size=0.05)
    raw = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inner = shapely.point_on_surface(raw)
    zones = numpy.full(len(raw), "", dtype=object)
    for name, land in sketch.land.items():
        zones[shapely.contains(land, inner)] = name
    wet = shapely.contains(sketch.river, inner)
    kept = numpy.flatnonzero(zones != "")
    faces = [raw[i] for i in kept]
    kinds = [(str(zones[i]), bool(wet[i])) for i in kept]
    groups = _joined(faces, kinds)
    for members in groups:
        sketch.faces.append(shapely.union_all([faces[i] for i in members]))
        sketch.zones.append(kinds[members[0]][0])
        sketch.in_river.append(kinds[members[0]][1])
    sketch.beside = shared_borders(sketch.faces)


def shared_borders(faces: Sequence[Polygon]) -> list[dict[int, float]]:
    """For each face its neighbours and the metres of border shared; every segment belongs to one or two faces."""
    owner: dict[tuple[Pair, Pair], int] = {}
    beside: list[dict[int, float]] = [defaultdict(float) for _ in faces]
    for at, face in enumerate(faces):
        for ring in (face.exterior, *face.interiors):
            pairs = [tuple(pair) for pair in shapely.get_coordinates(ring).tolist()]
            for a, b in pairwise(pairs):
                key = (a, b) if a < b else (b, a)
                other = owner.setdefault(key, at)
                if other != at:
                    length = math.dist(a, b)
                    beside[at][other] += length
                    beside[other][at] += length
    return [dict(found) for found in beside]


def _joined(faces: Sequence[Polygon], kinds: Sequence[tuple[str, bool]]) -> list[list[int]]:
    """Groups of faces: each too small or too thin face goes to the neighbour it shares most border with."""
    beside = shared_borders(faces)
    area = [face.area for face in faces]
    length = [face.length for face in faces]
    group = {at: [at] for at in range(len(faces))}

    def is_poor(at: int) -> bool:
        smallest = SMALLEST_M2[kinds[at][0]]
        return area[at] < smallest or (area[at] < 2 * smallest and 12.6 * area[at] / length[at] ** 2 < 0.3)

    waiting = sorted((at for at in group if is_poor(at)), key=lambda at: area[at])
    for at in waiting:
        if at not in group or not is_poor(at):
            continue
        able = [(border, other) for other, border in beside[at].items() if kinds[other] == kinds[at]]
        if not able:
            able = [(border, other) for other, border in beside[at].items() if kinds[other][0] == kinds[at][0]]
        if not able:
            continue
        border, other = max(able)
        group[other] += group.pop(at)
        area[other] += area[at]
        length[other] += length[at] - 2 * border
        for third, shared in beside[at].items():
            del beside[third][at]
            if third != other:
                beside[other][third] = beside[third][other] = beside[other].get(third, 0.0) + shared
    return list(group.values())


def densified(face: Polygon) -> list[list[Pair]]:
    """The rings of a face with points at most STEP_M apart, the same points for both owners of a border."""
    rings = []
    for ring in (face.exterior, *face.interiors):
        pairs = [tuple(pair) for pair in shapely.get_coordinates(ring).tolist()]
        dense: list[Pair] = []
        for a, b in pairwise(pairs):
            low, high = (a, b) if a < b else (b, a)
            steps = max(1, math.ceil(math.dist(a, b) / STEP_M))
            between = [
                (low[0] + (high[0] - low[0]) * k / steps, low[1] + (high[1] - low[1]) * k / steps) for k in range(1, steps)
            ]
            dense += [a, *(between if a == low else reversed(between))]
        rings.append([*dense, dense[0]])
    return rings
