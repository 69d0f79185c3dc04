"""What the invented district's base map shows: water, hills, roads and a light pattern of buildings. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import numpy
import shapely
from shapely import LineString, Polygon, box

from ..drawing import FeatureDrawn
from . import names
from .sketch import Pair, Sketch, Warp, densified


def land_use(x: float, y: float, villages: Sequence[Pair]) -> str:
    """What stands at a point of the flat sheet: hill, village, ponds, works or homes."""
    if y > 4330 + 190 * math.sin(x / 480):
        return "hill"
    if any(math.dist((x, y), village) < 210 for village in villages):
        return "village"
    if x < -1250 and y < 1250 + 260 * math.sin(x / 300):
        return "ponds"
    if x > 1350 and 900 < y < 3050:
        return "works"
    return "homes"


def scenery(
    sketch: Sketch, warp: Warp, zone: str, villages: Sequence[Pair], named: dict[int, str], rng: Random
) -> Iterator[FeatureDrawn]:
    """The features of one street; ``named``: names by the road's place in ``sketch.roads``."""
    land = sketch.land[zone]
    if zone == "main":
        shore = sketch.sea.intersection(box(-5600, -900, 5600, 900))
        yield FeatureDrawn("water", names.SEA, _area(shore, warp))
        yield FeatureDrawn("river", names.RIVER, _area(sketch.river.intersection(box(-4000, -300, 4000, 5200)), warp))
        for name, creek in zip(names.CREEKS, sketch.creeks, strict=True):
            yield FeatureDrawn("river", name, _area(creek.buffer(5, cap_style="flat"), warp))
    yield from _ground(sketch, warp, zone, villages, rng)
    yield from _roads(sketch, warp, land, named)


def _ground(sketch: Sketch, warp: Warp, zone: str, villages: Sequence[Pair], rng: Random) -> Iterator[FeatureDrawn]:
    """Hills, ponds and buildings, face by face; only the main street has buildings."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for face, face_zone, is_wet in zip(sketch.faces, sketch.zones, sketch.in_river, strict=True):
        if face_zone != zone or is_wet:
            continue
        middle = face.centroid
        use = land_use(middle.x, middle.y, villages)
        if use == "hill" or (use == "homes" and rng.random() < 0.03):
            found["park"].append(face)
        elif use == "ponds" and rng.random() < 0.62 and face.area < 40_000:
            found["water"].append(face.buffer(-9, join_style="mitre").simplify(3))
        elif zone == "main":
            found["building"] += _buildings(face, use, rng)
    found["park"] = [shapely.union_all(found["park"])]
    dry = [creek.buffer(14) for creek in sketch.creeks]
    wet = shapely.union_all([sketch.river.buffer(12), *dry])
    for kind, shapes in found.items():
        array = numpy.array(shapes, dtype=object)
        if kind == "building":
            array = array[~shapely.intersects(array, wet)]
        parts = [part for part in shapely.get_parts(array) if part.geom_type == "Polygon" and not part.is_empty]
        for start in range(0, len(parts), 400):
            yield FeatureDrawn(kind, "", _area(shapely.multipolygons(parts[start : start + 400]), warp))


def _buildings(face: Polygon, use: str, rng: Random) -> list[Polygon]:
    """Rectangles inside a face: many small ones in a village, slabs between lawns, big sheds."""
    share, wide, deep, pitch_x, pitch_y = {
        "village": (0.8, 13.0, 11.0, 21.0, 19.0),
        "works": (0.75, 62.0, 30.0, 78.0, 46.0),
        "homes": (0.62, 40.0, 13.0, 54.0, 33.0),
        "ponds": (0.15, 14.0, 10.0, 40.0, 40.0),
    }[use]
    if rng.random() > share:
        return []
    inner = face.buffer(-8, join_style="mitre")
    if inner.is_empty:
        return []
    west, south, east, north = inner.bounds
    xs = numpy.arange(west + 2, east - wide, pitch_x)
    ys = numpy.arange(south + 2, north - deep, pitch_y)
    if not len(xs) or not len(ys):
        return []
    across, up = (grid.ravel() for grid in numpy.meshgrid(xs, ys))
    size = numpy.array([rng.uniform(0.75, 1.0) for _ in across])
    rectangles = shapely.box(across, up, across + wide * size, up + deep * size)
    shapely.prepare(inner)
    kept = rectangles[shapely.contains(inner, rectangles)]
    return [one for one in kept if rng.random() < 0.82]


def _roads(sketch: Sketch, warp: Warp, land: Polygon, named: dict[int, str]) -> Iterator[FeatureDrawn]:
    lanes: list[LineString] = []
    for at, road in enumerate(sketch.roads):
        for part in shapely.get_parts(road.line.intersection(land)):
            if part.geom_type != "LineString" or part.length < 20:
                continue
            if road.kind == "lane":
                lanes.append(part)
            else:
                yield FeatureDrawn(road.kind, named.get(at, ""), _line(part, warp))
    lines = [_line(lane, warp)["coordinates"] for lane in lanes]
    if lines:
        yield FeatureDrawn("lane", "", {"type": "MultiLineString", "coordinates": lines})


def _line(line: LineString, warp: Warp) -> dict[str, Any]:
    pairs = warp.degrees(shapely.get_coordinates(shapely.segmentize(line, 60)))
    return {"type": "LineString", "coordinates": numpy.round(pairs, 6).tolist()}


def _area(shape: Any, warp: Warp) -> dict[str, Any]:
    polygons = [
        [numpy.round(warp.degrees(ring), 6).tolist() for ring in densified(part)]
        for part in shapely.get_parts(shape)
        if part.geom_type == "Polygon"
    ]
    return {"type": "MultiPolygon", "coordinates": polygons}
