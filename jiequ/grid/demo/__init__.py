"""The demonstration's geography: an invented district of three streets near 113.50 °E 23.18 °N. Same seed, same map.

``build`` is pure and takes about a second and a half; ``grid.demo.store.store`` writes it. No road, estate or person of the
real world is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ..drawing import CommunityDrawn, Drawing, PlaceDrawn, ResponsibilityDrawn
from ..rules import serials
from ..topology import Drawn
from . import names
from .divide import divided
from .furnish import Furnisher, monitoring_points, road_names
from .scenery import scenery
from .sketch import Pair, Sketch, Warp, densified, draw

RESPONSIBILITY_SIZE = 41


@dataclass(frozen=True, slots=True)
class DemoStreet:
    """One street and its whole map."""

    code9: str
    prefix: str
    name_zh: str
    name_en: str
    drawing: Drawing


@dataclass(slots=True)
class DemoGeography:
    """The district, its streets (the main one first), and where the guided story happens (degrees)."""

    district: tuple[str, str, str] = names.DISTRICT
    streets: list[DemoStreet] = field(default_factory=list)
    story_spot: Pair = (0.0, 0.0)


def build(seed: int = 20260723) -> DemoGeography:
    """The invented district drawn from a seed."""
    rng = Random(seed)
    warp = Warp(rng)
    sketch = draw(rng)
    centres = [(face.centroid.x, face.centroid.y) for face in sketch.faces]
    roads = road_names(sketch)
    geography = DemoGeography()
    for zone, code9, prefix, name_zh, name_en in names.STREETS:
        drawing = _street(sketch, warp, rng, centres, roads, zone, code9)
        geography.streets.append(DemoStreet(code9, prefix, name_zh, name_en, drawing))
    spot = sketch.creeks[2].interpolate(0.35, normalized=True)
    lon, lat = warp.degrees([(spot.x, spot.y)])[0].tolist()
    geography.story_spot = (lon, lat)
    return geography


def _street(
    sketch: Sketch, warp: Warp, rng: Random, centres: Sequence[Pair], roads: dict[int, str], zone: str, code9: str
) -> Drawing:
    is_main = zone == "main"
    members = [at for at, found in enumerate(sketch.zones) if found == zone]
    known = names.COMMUNITIES[zone]
    groups = divided(members, centres, sketch.beside, sketch.in_river, parts=len(known), rng=rng)
    villages = [_middle(group, centres) for group in groups][::2] if is_main else []
    furnisher = Furnisher(sketch, warp, rng, roads if is_main else {}, villages)
    communities: list[CommunityDrawn] = []
    units: list[Drawn] = []
    grids: list[ResponsibilityDrawn] = []
    places: list[PlaceDrawn] = []
    for number, (group, (name_zh, name_en)) in enumerate(zip(groups, known, strict=True), start=1):
        code12 = f"{code9}{number:03d}"
        communities.append(CommunityDrawn(code12, name_zh, name_en))
        codes = _codes(code12, group, centres, row_m=105 if is_main else 220)
        units += [Drawn(codes[at], _geometry(sketch, warp, at)) for at in sorted(group, key=codes.__getitem__)]
        parts = max(1, round(len(group) / RESPONSIBILITY_SIZE))
        teams = divided(group, centres, sketch.beside, sketch.in_river, parts=parts, rng=rng, rounds=3)
        stem = name_zh.removesuffix("社区").removesuffix("村")
        for team, members in enumerate(teams, start=1):
            name = f"{stem}第{'一二三四五六七八九十'[team - 1]}网格"
            grids.append(ResponsibilityDrawn(name, tuple(sorted(codes[at] for at in members))))
        places += furnisher.places(code12, name_zh, group, is_main)
    points = monitoring_points(sketch, warp, rng, villages) if is_main else []
    features = list(scenery(sketch, warp, zone, villages, roads if is_main else {}, rng))
    return Drawing(communities, units, grids, points, places, features)


def _codes(code12: str, group: Sequence[int], centres: Sequence[Pair], row_m: float) -> dict[int, str]:
    """Numbers from west to east and north to south. The flat sheet stands in for degrees: only the order counts."""
    flat = [(centres[at][0] / 111_195, centres[at][1] / 111_195) for at in group]
    return {at: f"{code12}{serial:03d}" for at, serial in zip(group, serials(flat, row_m), strict=True)}


def _geometry(sketch: Sketch, warp: Warp, at: int) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [warp.degrees(ring).tolist() for ring in densified(sketch.faces[at])]}


def _middle(group: Sequence[int], centres: Sequence[Pair]) -> Pair:
    return sum(centres[at][0] for at in group) / len(group), sum(centres[at][1] for at in group) / len(group)
