"""The stages before detection: what each path needs to know of the whole before it looks at a tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine import field as fields
from jiequ.sense.engine import units
from jiequ.sense.engine.features import Overall, overall
from jiequ.sense.engine.field import Field, Nodes, field, lattice
from jiequ.sense.engine.folder import packed, place_of, unpacked, write_whole
from jiequ.sense.engine.grid import Grid, Window
from jiequ.sense.engine.heights import Lie, lie
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.plan import Side, fingerprint
from jiequ.sense.engine.rasters import Bools, Floats
from jiequ.sense.engine.runner import Crew, Progress, Unit, run
from jiequ.sense.engine.tone import Tone, tone

OVERVIEW_PX = 2048  # along the longer side, at most
STRIP_ROWS = 2048
SHARE_TO_DOUBT = 0.6  # of a cell that differs without a shift that could be measured
LEAST_WHOLE = 0.05  # response of two whole surfaces: strangers reach 0.02, flights of one place 0.6 to 0.8
GROUND_M = 60.0  # no house is wider in both directions; what an opening of this size leaves is ground


@dataclass(frozen=True, slots=True)
class Hands:
    """Who works where, and whom to tell."""

    crew: Crew
    folder: Path
    progress: Progress | None

    def do(self, work: Sequence[Unit]) -> list[tuple[dict[str, NDArray[Any]], Any]]:
        """The results of units, in their order."""
        return [unpacked(place.read_bytes()) for place in run(work, self.folder, self.crew, self.progress)]

    def places(self, work: Sequence[Unit]) -> list[Path]:
        """Where the results of units lie, in their order."""
        return run(work, self.folder, self.crew, self.progress)


@dataclass(frozen=True, slots=True)
class PictureWhole:
    """How two pictures lie and what tone makes them alike."""

    overall: Overall
    tone: Tone


@dataclass(frozen=True, slots=True)
class SurfaceWhole:
    """How two surfaces lie; ``ground``: the earlier ground in metres, ``shrink`` times coarser than the grid."""

    lie: Lie
    ground: Floats
    shrink: int


def quarter(grid: Grid) -> int:
    """How much coarser the overview is: a quarter, less for small pictures, more for those that would not fit."""
    longer = max(grid.width, grid.height)
    return max(-(-longer // OVERVIEW_PX), min(4, longer // 400), 1)


def overviews(side: Side, shrink: int, hands: Hands) -> tuple[Any, Any, Bools, Bools]:
    """(earlier, later, valid earlier, valid later) of the whole, read in strips."""
    rows = max(shrink, STRIP_ROWS - STRIP_ROWS % shrink)
    grid = side.grid
    strips = [Window(row, 0, min(rows, grid.height - row), grid.width) for row in range(0, grid.height, rows)]
    work = [Unit("overview", units.overview, (side, later, strip, shrink)) for later in (False, True) for strip in strips]
    found = [arrays for arrays, _ in hands.do(work)]
    both = [_stacked(found[: len(strips)]), _stacked(found[len(strips) :])]
    return both[0][0], both[1][0], both[0][1], both[1][1]


def _stacked(strips: list[dict[str, NDArray[Any]]]) -> tuple[Any, Any]:
    return np.concatenate([one["pixels"] for one in strips]), np.concatenate([one["valid"] for one in strips])


def picture_whole(side: Side, free: bool, hands: Hands) -> PictureWhole:
    """Register two pictures as a whole; the result lies in the folder like any unit's."""
    place = place_of(hands.folder, "whole", fingerprint("picture", side, free))
    if not place.is_file():
        write_whole(place, _picture_whole(side, free, hands))
    arrays, facts = unpacked(place.read_bytes())
    matrix = tuple(tuple(row) for row in facts["matrix"])
    found = Overall(matrix, facts["agreeing"], facts["of"], facts["found"])
    return PictureWhole(found, Tone(arrays["levels"], arrays["light"], (side.grid.height, side.grid.width)))


def _picture_whole(side: Side, free: bool, hands: Hands) -> bytes:
    shrink = quarter(side.grid)
    earlier, later, valid_earlier, valid_later = overviews(side, shrink, hands)
    found = overall(units.grey(earlier), units.grey(later), valid_earlier, valid_later, shrink, free=free)
    moved, valid = _moved(earlier, valid_earlier, found.array(), shrink, later.shape[:2])
    how = tone(moved, later, valid & valid_later, (side.grid.height, side.grid.width))
    return packed({"levels": how.levels, "light": how.light}, asdict(found))


def _moved(picture: Any, valid: Bools, matrix: NDArray[np.float64], shrink: int, shape: tuple[int, ...]) -> tuple[Any, Bools]:
    half = (shrink - 1) / 2
    up = np.array([[shrink, 0, half], [0, shrink, half], [0, 0, 1.0]])
    coarse = np.linalg.inv(up) @ matrix @ up
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    moved = cv2.warpPerspective(picture, coarse, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(valid.astype(np.uint8) * 255, coarse, size, flags=flags, borderValue=0)
    return moved, np.asarray(mask > 250)


def surface_whole(side: Side, hands: Hands) -> SurfaceWhole | None:
    """Register two surfaces as a whole; None where they have too little in common to say."""
    place = place_of(hands.folder, "whole", fingerprint("surface", side))
    if not place.is_file():
        write_whole(place, _surface_whole(side, hands))
    arrays, facts = unpacked(place.read_bytes())
    return SurfaceWhole(Lie(**facts["lie"]), arrays["ground"], facts["shrink"]) if facts["lie"] else None


def _surface_whole(side: Side, hands: Hands) -> bytes:
    shrink = quarter(side.grid)
    before, after, valid_before, valid_after = overviews(side, shrink, hands)
    found = lie(before, after, valid_before, valid_after, shrink)
    ground = ground_of(before, valid_before, side.grid.resolution * shrink)
    is_one_place = found is not None and found.response >= LEAST_WHOLE
    return packed({"ground": ground}, {"lie": asdict(found) if found and is_one_place else None, "shrink": shrink}, small=False)


def ground_of(heights: Floats, valid: Bools, resolution: float) -> Floats:
    """The ground under houses and trees: a low percentile opened by 60 m and smoothed, in metres."""
    factor = max(1, round(4.0 / resolution))
    filled = np.where(valid, heights, np.float32(np.median(heights[valid]) if valid.any() else 0)).astype(np.float32)
    small = (max(1, heights.shape[1] // factor), max(1, heights.shape[0] // factor))
    lowest = cv2.resize(cv2.erode(filled, np.ones((factor, factor), np.uint8)), small, interpolation=cv2.INTER_AREA)
    size = max(3, round(GROUND_M / (resolution * factor)) | 1)
    opened = cv2.morphologyEx(lowest, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    smooth = cv2.GaussianBlur(opened, (0, 0), size / 6)
    return np.asarray(cv2.resize(smooth, heights.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def picture_field(side: Side, whole: PictureWhole, parameters: Parameters, hands: Hands) -> Field:
    """What is left of the shift, and what is blind, over the whole picture."""
    work = [Unit("register", units.picture_nodes, (side, whole.overall, block)) for block in fields.blocks(side.grid)]
    nodes, _ = _assembled(side.grid, hands.do(work))
    return field(nodes, parameters)


def surface_field(side: Side, whole: SurfaceWhole, parameters: Parameters, hands: Hands) -> Field:
    """Which places of the surfaces cannot be compared. A surface is moved as a whole; the field's own shifts are not used."""
    given = [(side, whole.lie, block, parameters) for block in fields.blocks(side.grid)]
    nodes, shares = _assembled(side.grid, hands.do([Unit("relief", units.surface_nodes, one) for one in given]))
    return judged(nodes, shares, parameters)


def judged(nodes: Nodes, shares: Floats, parameters: Parameters) -> Field:
    """Blind where there is something to hold on to and it does not fit, or where nearly all differs.

    A place without anything to hold on to is seen: the whole's shift is known, and heights need no texture. One that
    should fit and does not is seen only where at least seven of its eight neighbours fit (a new house by itself).
    """
    textured = nodes.contrast >= fields.LEAST_CONTRAST
    has = (nodes.response >= parameters.least_response) & textured
    fits = has & (np.hypot(nodes.dx, nodes.dy) <= parameters.most_residual_px)
    aside = has & ~fits
    lost = textured & ~has & (fields.neighbours(fits | ~textured) < fields.NEIGHBOURS_TO_TRUST)
    doubtful = ~has & (shares > SHARE_TO_DOUBT)
    blind = np.where(aside | lost | doubtful, 1, 0).astype(np.uint8)
    blind[nodes.data == 0] = 3
    return Field(np.zeros_like(nodes.dx), np.zeros_like(nodes.dy), blind)


def _assembled(grid: Grid, found: Sequence[tuple[dict[str, NDArray[Any]], Any]]) -> tuple[Nodes, Floats]:
    rows, columns = lattice(grid)
    names = (*Nodes.__slots__, "shares")
    whole = {name: np.zeros((rows, columns), np.float32) for name in names}
    for block, (arrays, _) in zip(fields.blocks(grid), found, strict=True):
        place = slice(block.row, block.row + block.height), slice(block.column, block.column + block.width)
        for name in arrays:
            whole[name][place] = arrays[name]
    return Nodes(*(whole[name] for name in Nodes.__slots__)), whole["shares"]
