"""The last stage: pieces of tiles become findings with their evidence, and the places that cannot be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine import fuse, units
from jiequ.sense.engine.areas import all_areas_m2, all_to_degrees, area_m2, to_degrees
from jiequ.sense.engine.evidence import BROAD, Looked, Numbers, asked_of, carried, evidence, speaks_against
from jiequ.sense.engine.field import REASONS
from jiequ.sense.engine.folder import unpacked
from jiequ.sense.engine.fuse import Candidate
from jiequ.sense.engine.grid import Grid, Window
from jiequ.sense.engine.plan import Plan, Side, fingerprint
from jiequ.sense.engine.runner import Unit
from jiequ.sense.engine.shapes import Blind, Finding, Hint
from jiequ.sense.engine.stages import Hands, PictureWhole, SurfaceWhole
from jiequ.sense.engine.tracing import Outlines, together
from jiequ.sense.engine.vector import Piece, drawn, joined, on_ground

TIN_LEAST = 0.5
TOGETHER = 24  # candidates a unit
KEPT_TILES = 16
NEAR_M = 200.0  # candidates are looked at square by square, so that a block of a file is read once


@dataclass(frozen=True)
class Tiles:
    """The tiles of one path: where the results lie and which window each is."""

    side: Side
    places: Sequence[Path]
    windows: Sequence[Window]

    @cached_property
    def told(self) -> list[tuple[NDArray[np.int32], int]]:
        """(packed outlines, how many pixels were compared) of each tile."""
        found = [unpacked(place.read_bytes(), ("outlines",)) for place in self.places]
        return [(arrays["outlines"], int(facts["seen"])) for arrays, facts in found]

    def outlines(self) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        """(classes, polygons) of all tiles."""
        return together([Outlines.unpacked(row) for row, _seen in self.told])

    def seen_px(self) -> int:
        """How many pixels were compared."""
        return sum(seen for _row, seen in self.told)

    def cuts(self) -> tuple[set[int], set[int]]:
        """(rows, columns) where tiles begin or end."""
        rows = {edge for one in self.windows for edge in (one.row, one.row + one.height)}
        return rows, {edge for one in self.windows for edge in (one.column, one.column + one.width)}

    def odds(self, window: Window) -> NDArray[np.uint8]:
        """The net's odds over a window, (2, h, w), from the tiles that it touches."""
        found = np.zeros((2, window.height, window.width), np.uint8)
        for number in self.near.query(_box(window)):
            tile = self.windows[int(number)]
            rows, columns = (
                _shared(tile.row, tile.height, window.row, window.height),
                _shared(tile.column, tile.width, window.column, window.width),
            )
            if rows and columns:
                odds = _odds(self.places[int(number)])
                found[:, rows[1], columns[1]] = odds[:, rows[0], columns[0]]
        return found

    @cached_property
    def near(self) -> shapely.STRtree:
        """The tiles by where they are."""
        return shapely.STRtree([_box(one) for one in self.windows])


def _box(window: Window) -> Polygon:
    return shapely.box(window.column, window.row, window.column + window.width, window.row + window.height)


@lru_cache(maxsize=KEPT_TILES)
def _odds(place: Path) -> NDArray[np.uint8]:
    return unpacked(place.read_bytes(), ("odds",))[0]["odds"]


def _shared(one: int, length: int, other: int, other_length: int) -> tuple[slice, slice] | None:
    start, end = max(one, other), min(one + length, other + other_length)
    return (slice(start - one, end - one), slice(start - other, end - other)) if start < end else None


@dataclass(frozen=True, slots=True)
class Joint:
    """Everything that the last stage looks at."""

    plan: Plan
    surface: tuple[Tiles, SurfaceWhole] | None = None
    picture: tuple[Tiles, PictureWhole] | None = None
    view: Side | None = None  # the pictures, for tin and green, also where no net looked
    view_whole: PictureWhole | None = None
    shapes: dict[str, list[Piece]] = field(default_factory=dict)

    def joined(self) -> Joint:
        """With the pieces of each path joined over the seams."""
        for name, part in (("dsm", self.surface), ("net", self.picture)):
            tiles = part[0] if part else None
            self.shapes[name] = joined(tiles.outlines(), tiles.cuts(), self.least_px(tiles.side.grid)) if tiles else []
        return self

    def least_px(self, grid: Grid) -> float:
        """What is smaller is neither a finding nor a blind place: a fifth below the least area, as lengths may be untrue."""
        return 0.8 * self.plan.parameters.least_area_m2 / grid.resolution**2


def crs_of(joint: Joint) -> str:
    """The projection in which polygons of both paths are brought together."""
    side = joint.plan.surface or joint.plan.picture
    return side.grid.crs if side else ""


def candidates(joint: Joint) -> list[Candidate]:
    """Things large enough, drawn as a person would, each path's polygons in one projection."""
    crs = crs_of(joint)
    surfaces = _large(list(_drawn(joint, "dsm", crs)), joint, crs)
    pictures = [(value == units.GONE, shape) for value, shape in _large(list(_drawn(joint, "net", crs)), joint, crs)]
    return sorted(fuse.brought_together(surfaces, pictures), key=_square)


def _large(given: list[Piece], joint: Joint, crs: str) -> list[Piece]:
    """Those that are large enough for what they are."""
    parameters, factor = joint.plan.parameters, 1 if crs else 4
    broad = dict.fromkeys(map(int, BROAD), parameters.earthworks_area_m2)
    areas = all_areas_m2([polygon for _, polygon in given], crs)
    return [
        one
        for one, area in zip(given, areas, strict=True)
        if not one[1].is_empty and area >= factor * broad.get(one[0], parameters.least_area_m2)
    ]


def _square(candidate: Candidate) -> tuple[float, float]:
    left, top, _, _ = candidate.polygon.bounds
    return top // NEAR_M, left // NEAR_M


def _drawn(joint: Joint, path: str, crs: str) -> Iterator[tuple[int, Polygon]]:
    part = joint.surface if path == "dsm" else joint.picture
    if part is None:
        return
    grid = part[0].side.grid
    found = [(value, polygon) for value, polygon in joint.shapes[path] if value < units.BLIND]
    for (value, _), polygon in zip(found, drawn([polygon for _, polygon in found]), strict=True):
        yield value, carried(on_ground(polygon, grid), grid.crs, crs)


def findings(joint: Joint, found: Sequence[Candidate], hands: Hands) -> list[Finding]:
    """A finding of each candidate but those that their evidence speaks against."""
    crs, plan = crs_of(joint), fingerprint(joint.plan)
    polygons = [candidate.polygon for candidate in found]
    places = zip(found, _evidence(joint, found, hands), all_areas_m2(polygons, crs), all_to_degrees(polygons, crs), strict=True)
    return [
        Finding(fingerprint(plan, geometry)[:24], geometry, evidence=told, **_weighed(joint, candidate, told, round(area, 2)))
        for candidate, told, area, geometry in places
        if not speaks_against(candidate.change, told)
    ]


def _evidence(joint: Joint, found: Sequence[Candidate], hands: Hands) -> list[Numbers]:
    """Looked up by whoever works for this comparison, some candidates that lie near each other at a time."""
    whole = joint.surface[1] if joint.surface else None
    looked = Looked(
        crs_of(joint),
        joint.plan.parameters,
        joint.surface[0].side if joint.surface else None,
        whole.lie if whole else None,
        whole.shrink if whole else 1,
        joint.view,
        joint.view_whole.overall if joint.view_whole else None,
    )
    odds = joint.picture[0].odds if joint.picture else None
    asked = [asked_of(looked, one, odds, whole) for one in found]
    some = [tuple(asked[first : first + TOGETHER]) for first in range(0, len(asked), TOGETHER)]
    return [told for _arrays, facts in hands.do([Unit("join", evidence, (looked, one)) for one in some]) for told in facts]


def _weighed(joint: Joint, candidate: Candidate, told: Numbers, area: float) -> dict[str, Any]:
    """What a finding says by its evidence."""
    what = fuse.hint(candidate, told)
    tin = what != Hint.DEMOLITION and told.get("tin", {}).get("share", 0.0) >= TIN_LEAST
    sure = round(fuse.confidence(fuse.features(area, told, has_net=joint.picture is not None)), 4)
    surface = told.get("dsm", {})
    heights = {"height_m": surface.get("median_m"), "volume_m3": surface.get("volume_m3")}
    return {"area_m2": area, **heights, "hint": what, "tin_roof": tin, "confidence": sure}


def blind_places(joint: Joint) -> list[Blind]:
    """What could not be compared, by path and reason; specks below the least area are left out."""
    found = []
    for path, part in (("dsm", joint.surface), ("net", joint.picture)):
        if part is not None:
            grid = part[0].side.grid
            some = [(value, on_ground(polygon, grid)) for value, polygon in joint.shapes[path] if value >= units.BLIND]
            found += _blind(some, path, grid)
    least = joint.plan.parameters.least_area_m2
    return [one for one in found if one.area_m2 >= least]


def _blind(places: Sequence[tuple[int, Any]], path: str, grid: Grid) -> list[Blind]:
    polygons = [polygon for _, polygon in places]
    told = zip(places, all_areas_m2(polygons, grid.crs), all_to_degrees(polygons, grid.crs), strict=True)
    return [
        Blind(geometry, REASONS.get(value - units.BLIND, "no_data"), path, round(area, 2))
        for (value, _polygon), area, geometry in told
    ]


def all_blind(grid: Grid, reason: str, path: str) -> Blind:
    """The whole of a grid as one place that cannot be compared."""
    place = on_ground(shapely.box(0, 0, grid.width, grid.height), grid)
    return Blind(to_degrees(place, grid.crs), reason, path, round(area_m2(place, grid.crs), 2))
