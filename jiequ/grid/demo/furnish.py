"""Names and places of the invented district: roads, estates, villages, landmarks, bridges, monitoring points. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import shapely

from ..drawing import PlaceDrawn, PointDrawn
from ..lines import Lines, coarse
from ..lines import middle as middle_of
from . import names
from .scenery import land_use
from .sketch import Pair, Sketch, Warp

DRONE, CAMERA, FOOT = "drone", "camera", "foot"
POINTS = 81
BANK_M = 40
"""A river's middle may lie between two communities: so near to its ground it is its river too."""


def road_names(sketch: Sketch) -> dict[int, str]:
    """Names of the main street's larger roads, by their place in ``sketch.roads``; the first is the expressway."""
    land = sketch.land["main"]
    inside = [(road.line.intersection(land).length, at) for at, road in enumerate(sketch.roads)]
    long_first = [at for length, at in sorted(inside, reverse=True) if length > 350]
    found = {0: names.EXPRESSWAY}
    trunks = iter(names.TRUNKS)
    roads = iter(f"{word}{'路' if number % 3 else '街'}" for number, word in enumerate(names.ROAD_WORDS))
    for at in long_first:
        supply = {"trunk": trunks, "road": roads}.get(sketch.roads[at].kind)
        name = next(supply, None) if supply is not None and at else None
        if name:
            found[at] = name
    return found


class Furnisher:
    """Fills one street's communities with places."""

    def __init__(self, sketch: Sketch, warp: Warp, rng: Random, roads: dict[int, str], villages: Sequence[Pair]) -> None:
        self._sketch, self._warp, self._rng = sketch, warp, rng
        self._roads, self._villages = roads, villages
        self._estates = [word + ending for ending in names.ESTATE_ENDINGS for word in names.ESTATE_WORDS]
        self._works = list(names.WORKS) * 3

    def degrees(self, spot: Pair) -> Pair:
        lon, lat = self._warp.degrees([spot])[0].tolist()
        return lon, lat

    def places(self, code12: str, name: str, members: Sequence[int], is_detailed: bool) -> Iterator[PlaceDrawn]:
        """The places of one community, which is named ``name`` and holds the faces ``members``."""
        stem = name.removesuffix("社区").removesuffix("村")
        faces = [self._sketch.faces[at] for at in members if not self._sketch.in_river[at]]
        ground = shapely.union_all(faces)
        anchors: list[tuple[Pair, str]] = []
        for place, spot in [*self._road_places(code12, ground), *self._homes(code12, stem, faces, is_detailed)]:
            anchors.append((spot, place.name))
            yield place
        endings = names.LANDMARKS if is_detailed else names.LANDMARKS[:3]
        for ending, face in zip(endings, self._rng.sample(faces, min(len(faces), len(endings))), strict=False):
            spot = face.centroid.x, face.centroid.y
            beside = min(anchors, key=lambda anchor: math.dist(anchor[0], spot))[1] if anchors else ""
            lon, lat = self.degrees(spot)
            yield PlaceDrawn(code12, "landmark", stem + ending, lon, lat, (f"{name}{ending}",), beside)
        yield from self._waters(code12, ground)
        yield from self._bridges(code12, ground, {name for _, name in anchors})

    def _road_places(self, code12: str, ground: Any) -> Iterator[tuple[PlaceDrawn, Pair]]:
        for at, name in self._roads.items():
            inside = self._sketch.roads[at].line.intersection(ground)
            if inside.length > 120:
                longest = max(shapely.get_parts(inside), key=lambda part: part.length)
                middle = longest.interpolate(0.5, normalized=True)
                lon, lat = self.degrees((middle.x, middle.y))
                yield PlaceDrawn(code12, "road", name, lon, lat, line=self._course(inside)), (middle.x, middle.y)

    def _waters(self, code12: str, ground: Any) -> Iterator[PlaceDrawn]:
        """The river and the creeks where they pass, by the part that lies here; in talk a creek is 河涌, the river 大河."""
        for name, line in [(names.RIVER, self._sketch.river_line), *zip(names.CREEKS, self._sketch.creeks, strict=True)]:
            inside = line.intersection(ground.buffer(BANK_M))
            if inside.length > 120:
                course = self._course(inside)
                lon, lat = middle_of(course)
                yield PlaceDrawn(code12, "river", name, lon, lat, (names.WATERS_TOO[name],), line=course)

    def _course(self, line: Any) -> Lines:
        """The longer parts of a line on the sheet, as the gazetteer keeps them."""
        parts = [part for part in shapely.get_parts(line) if part.geom_type == "LineString" and part.length > 30]
        longest = parts or [max(shapely.get_parts(line), key=lambda part: part.length)]
        return coarse([self._warp.degrees(shapely.get_coordinates(shapely.segmentize(part, 60))).tolist() for part in longest])

    def _homes(self, code12: str, stem: str, faces: Sequence[Any], is_detailed: bool) -> Iterator[tuple[PlaceDrawn, Pair]]:
        """Villages where the sheet has them, then estates and works on faces drawn by lot."""
        for village in self._villages:
            if any(face.contains(shapely.Point(village)) for face in faces):
                lon, lat = self.degrees(village)
                yield PlaceDrawn(code12, "village", f"{stem}旧村", lon, lat, (f"{stem}老村", f"{stem}围")), village
        wanted = 5 if is_detailed else 2
        for face in self._rng.sample(faces, len(faces)):
            middle = face.centroid
            use = land_use(middle.x, middle.y, self._villages)
            if use not in ("homes", "works") or wanted == 0:
                continue
            wanted -= 1
            name = self._estates.pop(0) if use == "homes" or not self._works else stem + self._works.pop(0)
            lon, lat = self.degrees((middle.x, middle.y))
            yield PlaceDrawn(code12, "estate", name, lon, lat), (middle.x, middle.y)

    def _bridges(self, code12: str, ground: Any, roads: set[str]) -> Iterator[PlaceDrawn]:
        """A landmark wherever a named road of the community crosses a river or creek."""
        waters = [(names.RIVER, self._sketch.river_line), *zip(names.CREEKS, self._sketch.creeks, strict=True)]
        seen = set()
        for at, road in self._roads.items():
            for water, line in waters:
                crossing = self._sketch.roads[at].line.intersection(line)
                name = f"{road}{water}桥"
                if crossing.is_empty or road not in roads or name in seen:
                    continue
                spot = shapely.get_parts(crossing)[0].representative_point()
                if ground.distance(spot) < 60:
                    seen.add(name)
                    lon, lat = self.degrees((spot.x, spot.y))
                    yield PlaceDrawn(code12, "landmark", name, lon, lat, (f"{water}桥",), road)


def monitoring_points(sketch: Sketch, warp: Warp, rng: Random, villages: Sequence[Pair]) -> list[PointDrawn]:
    """81 points: along the water on foot and by camera, over hills, ponds, works and villages by drone."""
    spots: list[tuple[Pair, str, str, str]] = []
    waters = [(names.RIVER, sketch.river_line), *zip(names.CREEKS, sketch.creeks, strict=True)]
    for water, line in waters:
        length = line.length
        for step in range(1, int(length / 430) + 1):
            spot = line.interpolate(step * 430 - 150)
            if sketch.land["main"].contains(spot):
                kind = (CAMERA, FOOT, DRONE)[step % 3]
                spots.append(((spot.x, spot.y), water, kind, "high" if water != names.RIVER else "medium"))
    risk = {"village": "high", "works": "high", "ponds": "medium", "hill": "low", "homes": "low"}
    label = {"village": "旧村片", "works": "厂区片", "ponds": "鱼塘片", "hill": "山林片", "homes": "居住片"}
    main = [face for face, zone in zip(sketch.faces, sketch.zones, strict=True) if zone == "main"]
    chosen: list[Pair] = []
    while len(spots) < POINTS:
        drawn = [(face.centroid.x, face.centroid.y) for face in rng.sample(main, 24)]
        spot = max(drawn, key=lambda pair: min((math.dist(pair, other) for other in chosen), default=0.0))
        chosen.append(spot)
        use = land_use(*spot, villages)
        spots.append((spot, label[use], CAMERA if use == "homes" and len(spots) % 3 == 0 else DRONE, risk[use]))
    found = []
    for number, (spot, area, kind, risk_class) in enumerate(spots[:POINTS], start=1):
        lon, lat = warp.degrees([spot])[0].tolist()
        found.append(PointDrawn(f"JK{number:03d}", f"{area} {number} 号点", kind, lon, lat, area, risk_class))
    return found
