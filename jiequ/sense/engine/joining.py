"""The last stage: pieces of tiles become findings with their evidence, and the places that cannot be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine import attributes, fuse, units
from jiequ.sense.engine.areas import all_areas_m2, all_to_degrees, area_m2, moved, to_degrees
from jiequ.sense.engine.field import REASONS
from jiequ.sense.engine.folder import unpacked
from jiequ.sense.engine.fuse import Candidate
from jiequ.sense.engine.grid import Grid, Window
from jiequ.sense.engine.plan import Plan, Side, fingerprint
from jiequ.sense.engine.rasters import Bools
from jiequ.sense.engine.shapes import Blind, Finding, Hint
from jiequ.sense.engine.stages import PictureWhole, SurfaceWhole
from jiequ.sense.engine.surface import Change, threshold_m
from jiequ.sense.engine.tracing import Outlines, together
from jiequ.sense.engine.vector import Piece, drawn, joined, on_ground
from jiequ.sense.engine.warping import warped

TIN_LEAST = 0.5
FILLED_LEAST = 0.5  # of a broad change that must differ one way
KEPT_TILES = 16
NEAR_M = 200.0  # candidates are looked at square by square, so that a block of a file is read once
BROAD = (Change.FILLED, Change.DUG)


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
    for value, polygon in joint.shapes[path]:
        if value < units.BLIND:
            yield value, _carried(on_ground(drawn(polygon), grid), grid.crs, crs)


def _carried(polygon: Any, source: str, target: str) -> Polygon:
    return polygon if source == target else moved(polygon, CRS.from_wkt(source), CRS.from_wkt(target))


def findings(joint: Joint, found: Sequence[Candidate]) -> Iterator[Finding | None]:
    """A finding of each candidate; None where its evidence speaks against it."""
    crs, plan = crs_of(joint), fingerprint(joint.plan)
    polygons = [candidate.polygon for candidate in found]
    for candidate, area, geometry in zip(found, all_areas_m2(polygons, crs), all_to_degrees(polygons, crs), strict=True):
        told = _finding(joint, candidate, round(area, 2))
        yield Finding(fingerprint(plan, geometry)[:24], geometry, *told) if told else None


def _finding(joint: Joint, candidate: Candidate, area: float) -> tuple[Any, ...] | None:
    """All of a finding after its geometry."""
    crs = crs_of(joint)
    surface = _of_surface(joint, *joint.surface, candidate.polygon, crs) if joint.surface else {}
    if candidate.change in BROAD and surface.get("share", 0.0) < FILLED_LEAST:
        return None
    evidence = _evidence(joint, candidate, crs, surface)
    numbers = fuse.features(area, evidence, has_net=joint.picture is not None)
    what = fuse.hint(candidate, evidence)
    tin = what != Hint.DEMOLITION and evidence.get("tin", {}).get("share", 0.0) >= TIN_LEAST
    sure = round(fuse.confidence(numbers), 4)
    height, volume = surface.get("median_m"), surface.get("volume_m3")
    return area, height, volume, what, tin, sure, evidence


def _evidence(joint: Joint, candidate: Candidate, crs: str, surface: dict[str, float]) -> dict[str, dict[str, float]]:
    found = {"dsm": surface}
    if joint.view is not None:
        own = _carried(candidate.polygon, crs, joint.view.grid.crs)
        window, shrink = attributes.window_of(own, joint.view.grid)
        inside = attributes.covered(own, joint.view.grid, window, shrink)
        if joint.picture:
            odds = joint.picture[0].odds(window)[:, ::shrink, ::shrink]
            found["net"] = attributes.of_odds(odds, inside, gone=candidate.gone)
        found.update(_of_view(joint.view, joint.view_whole, window, shrink, inside))
    return {name: numbers for name, numbers in found.items() if numbers}


def _of_surface(joint: Joint, tiles: Tiles, whole: SurfaceWhole, polygon: Polygon, crs: str) -> dict[str, float]:
    side = tiles.side
    own = _carried(polygon, crs, side.grid.crs)
    margin = max(2, round(20 / side.grid.resolution))  # so much of its roof is looked at
    window, shrink = attributes.window_of(own, side.grid, margin)
    seen = units.difference_at(side, whole.lie, window, shrink)
    inside = attributes.covered(own, side.grid, window, shrink)
    above = seen.before - _ground_at(whole, window, shrink, seen.before.shape)
    least = min(threshold_m(whole.lie, joint.plan.parameters), joint.plan.parameters.earthworks_height_m)
    return attributes.of_surface(seen, inside, above, (side.grid.resolution * shrink) ** 2, least)


def _ground_at(whole: SurfaceWhole, window: Window, shrink: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The ground under a window; the earlier date's own shift is less than a cell of the ground."""
    right, down = whole.lie.dx, whole.lie.dy
    xs = ((np.arange(shape[1], dtype=np.float32) + 0.5) * shrink + window.column + right) / whole.shrink - 0.5
    ys = ((np.arange(shape[0], dtype=np.float32) + 0.5) * shrink + window.row + down) / whole.shrink - 0.5
    grid_x, grid_y = np.meshgrid(xs.astype(np.float32), ys.astype(np.float32))
    ground = cv2.remap(whole.ground, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = shape
    coarse = units.Lie(0, 0, whole.lie.ax * shrink, whole.lie.ay * shrink, whole.lie.c, 0, 0)
    return np.asarray(ground - coarse.plane(window.row // shrink, window.column // shrink, height, width))


def _of_view(side: Side, whole: PictureWhole | None, window: Window, shrink: int, inside: Bools) -> dict[str, dict[str, float]]:
    later, valid = units.raster(side, later=True).read(window, shrink=shrink)
    if whole is None:
        return attributes.of_picture(later, None, inside & valid)
    earlier, _ = warped(units.raster(side, later=False), whole.overall.array(), None, window, shrink)
    return attributes.of_picture(later, earlier, inside & valid)


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
