"""Large invented pairs for ``./run bench sense cost`` and ``pair``: two flights over one town, each block a scene of its own.

Unlike the scenes that the net learns from, a sheet has one sun, one camera and one drift for the whole of a date, as a flight
has, and no block comes twice: a repeated block would be matched with its copies. The later date has houses more and fewer;
their outlines are the truth. The files are what the store keeps: COGs with overviews (``jiequ.sense.cog``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.windows import Window
from shapely.ops import unary_union

from jiequ.sense import cog
from jiequ.sense.engine import scene_camera, scenes
from jiequ.sense.engine.areas import DEGREES, moved
from jiequ.sense.engine.scene_parts import Box, Light, Scene, ints, light_of
from jiequ.sense.engine.scene_plan import lay_out
from jiequ.sense.engine.shapes import Finding, Sources
from tests.support.rasters import CORNER, UTM49

BLOCK, MARGIN, GSD = 1024, 8, 0.4
KINDS = ("village", "suburb", "rows", "villas")
NEW, GONE = 0.04, 0.03  # of the buildings
SHIFT = (1.3, 0.8)  # of the earlier date, pixels
TILT_M, BIAS_M, NOISE_M = 0.6, 0.4, 0.08
LEAST_M2 = 40.0  # smaller houses are no part of the truth
DATES = ("before", "after")


@dataclass(frozen=True, slots=True)
class Flown:
    """Both dates, and what was built and torn down between them, in the sheets' projection."""

    before: Sources
    after: Sources
    truth: list[Any]

    def found(self, findings: tuple[Finding, ...]) -> float:
        """The share of what changed that a finding touches."""
        seen = shapely.STRtree([moved(shapely.geometry.shape(one.geometry), DEGREES, UTM49) for one in findings])
        return float(np.mean([bool(len(seen.query(one, "intersects"))) for one in self.truth]))


def fly(folder: Path, side: int, seed: int, *, surfaces: bool) -> Flown:
    """Two dates of ``side`` × ``side`` pixels of 0.4 m; the same seed gives the same bytes."""
    kinds = ("ortho", "dsm") if surfaces else ("ortho",)
    plain = {(kind, date): folder / f"{date}_{kind}_plain.tif" for kind in kinds for date in DATES}
    files = {key: rasterio.open(path, "w", **_told(key[0], side)) for key, path in plain.items()}
    truth: list[Any] = []
    for row in range(0, side, BLOCK):
        for column in range(0, side, BLOCK):
            size = min(BLOCK, side - row), min(BLOCK, side - column)
            changed, drawn = _block(seed, row, column, side)
            truth += _placed(changed, row, column, size)
            for (kind, date), file in files.items():
                part = drawn[kind, date][..., : size[0], : size[1]]
                file.write(part, window=Window(column, row, size[1], size[0]))
    for file in files.values():
        file.close()
    made = {key: _kept(path) for key, path in plain.items()}
    sources = [Sources(made["ortho", date], made.get(("dsm", date))) for date in DATES]
    return Flown(sources[0], sources[1], truth)


def _told(kind: str, side: int) -> dict[str, Any]:
    what: dict[str, Any] = (
        {"count": 3, "dtype": "uint8"} if kind == "ortho" else {"count": 1, "dtype": "float32", "nodata": -9999.0}
    )
    place = Affine(GSD, 0, CORNER[0], 0, -GSD, CORNER[1])
    return {"driver": "GTiff", "width": side, "height": side, "crs": UTM49, "transform": place, "tiled": True,
            "blockxsize": 512, "blockysize": 512, "bigtiff": "if_safer", **what}  # fmt: skip


def _kept(plain: Path) -> Path:
    """As the store keeps it."""
    path = plain.with_name(plain.name.replace("_plain", ""))
    cog.write(plain, path)
    plain.unlink()
    return path


def _block(seed: int, row: int, column: int, side: int) -> tuple[list[Any], dict[tuple[str, str], Any]]:
    """(outlines of what changed in pixels of the block, the planes of each file)."""
    dice = np.random.default_rng([seed, row, column])
    whole = lay_out(dice, BLOCK + 2 * MARGIN, GSD, str(dice.choice(KINDS)))
    numbers = sorted({box.building for box in whole.boxes if box.is_building})
    lot = dict(zip(numbers, dice.random(len(numbers)), strict=True))
    new, gone = {n for n in numbers if lot[n] < NEW}, {n for n in numbers if lot[n] > 1 - GONE}
    scene = {"before": _without(whole, new, whole.cars[::2]), "after": _without(whole, gone, whole.cars[1::2])}
    grain = int(dice.integers(2**31))
    drawn: dict[tuple[str, str], Any] = {}
    for date in DATES:
        drawn["ortho", date] = _inner(_ortho(scene[date], date, seed, grain), date).transpose(2, 0, 1)
        drawn["dsm", date] = _inner(_surface(scene[date], date, (row, column), side, dice), date)[None]
    return [_outline(whole, n) for n in sorted(new | gone)], drawn


def _without(scene: Scene, numbers: set[int], cars: list[Any]) -> Scene:
    return replace(scene, boxes=[box for box in scene.boxes if box.building not in numbers], cars=cars)


def _sun(seed: int, date: str) -> tuple[Light, int]:
    """One for the whole sheet: light, and the seed of its camera's colours."""
    dice = np.random.default_rng([seed, DATES.index(date), 5])
    return replace(light_of(dice, GSD), lean=(0.0, 0.0), darkness=0.45), int(dice.integers(2**31))


def _ortho(scene: Scene, date: str, seed: int, grain: int) -> Any:
    light, camera = _sun(seed, date)
    image = scenes.draw(scene, light, np.random.default_rng(grain)).image
    toned = scene_camera.develop(image, np.random.default_rng(camera), 0.3)
    dice = np.random.default_rng([grain, DATES.index(date)])
    return np.clip(toned + dice.standard_normal(toned.shape, np.float32) * np.float32(2.5), 1, 255)


def _surface(scene: Scene, date: str, corner: tuple[int, int], side: int, dice: Any) -> Any:
    """Metres: rolling ground, crowns, roofs, what matching errs; the earlier flight lies tilted and too high."""
    ys, xs = (np.arange(BLOCK + 2 * MARGIN, dtype=np.float32) - MARGIN + at for at in corner)
    found = 30 + 4 * np.sin(ys / 310)[:, None] * np.cos(xs / 270) + 0.002 * xs
    found = found.astype(np.float32)
    above = np.zeros_like(found)
    for tree in scene.trees:
        cv2.circle(above, (round(tree.x), round(tree.y)), max(1, round(tree.radius / GSD)), float(tree.radius * 2), -1)
    for box in sorted(scene.boxes, key=lambda one: one.height):
        cv2.fillConvexPoly(above, ints(np.round(box.corners(GSD))), float(box.height))
    lie = TILT_M * xs / side + BIAS_M if date == "before" else np.float32(0)
    return (found + above + lie + dice.standard_normal(found.shape, np.float32) * np.float32(NOISE_M)).astype(np.float32)


def _inner(image: Any, date: str) -> Any:
    """Without the margin; the earlier date lies aside by the drift."""
    dx, dy = SHIFT if date == "before" else (0.0, 0.0)
    turn = np.array([[1, 0, MARGIN - dx], [0, 1, MARGIN - dy]], np.float32)
    moved_image = cv2.warpAffine(image, turn, (BLOCK, BLOCK), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return moved_image.astype(np.uint8) if image.ndim == 3 else moved_image


def _outline(scene: Scene, number: int) -> Any:
    boxes: list[Box] = [box for box in scene.boxes if box.building == number]
    return unary_union([shapely.Polygon(box.corners(GSD) - MARGIN) for box in boxes])


def _placed(changed: list[Any], row: int, column: int, size: tuple[int, int]) -> Iterator[Any]:
    """On the ground, those that are large enough and wholly inside the block."""
    frame = shapely.box(4, 4, size[1] - 4, size[0] - 4)
    corner = np.array([CORNER[0] + column * GSD, CORNER[1] - row * GSD])
    for one in changed:
        if one.area * GSD**2 >= LEAST_M2 and frame.contains(one):
            yield shapely.transform(one, lambda points: corner + points * (GSD, -GSD))
