"""Synthetic flights for a demo: two dates of an orthophoto and a surface model over one point, and the truth about them.

Seeded: the same site and seed give the same pictures. Nothing in them shows a real place.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform, transform_geom
from shapely.geometry import Polygon, mapping
from shapely.ops import unary_union

from jiequ.sense.engine import scene_camera, scene_ground, scene_roofs, scenes
from jiequ.sense.engine.scene_parts import Box, Floats, Scene, ints, light_of
from jiequ.sense.engine.scene_plan import lay_out

STORIES = ("new_building", "permitted", "demolition", "roof_shed", "trellis")
ORTHO_M, DSM_M, NODATA = 0.2, 0.4, -9999.0


@dataclass(frozen=True, slots=True)
class FlightSite:
    """A monitoring point: its middle in WGS-84 degrees, and the side of the square that is flown, in metres."""

    code: str
    lon: float
    lat: float
    size_m: float = 160.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that changed. ``seen_by``: "both", or "dsm" where its colour is that of the roof it stands on."""

    kind: str
    geometry: dict[str, Any]  # GeoJSON polygon, WGS-84
    height_m: float
    is_construction: bool
    has_permit: bool
    seen_by: str


@dataclass(frozen=True, slots=True)
class Flown:
    """The files of a site: orthophotos (0.2 m, RGB) and surface models (0.4 m, float32 metres) in UTM, and what is true."""

    before_ortho: Path
    before_dsm: Path
    after_ortho: Path
    after_dsm: Path
    truth: tuple[Truth, ...]


def render(site: FlightSite, folder: Path, *, seed: int, stories: Collection[str] = STORIES) -> Flown:
    """Fly ``site`` twice into ``folder``; a truth.json says the same as the answer."""
    rng = np.random.default_rng([seed, *site.code.encode()])
    size = round(site.size_m / DSM_M) * 2
    before, after, told = _two_dates(size, rng, stories)
    crs, left, top = _corner(site, size * ORTHO_M)
    relief = scene_ground.noise(rng, size // 2, size / 2, 2) * 0.5 + np.float32(rng.uniform(3, 60))
    folder.mkdir(parents=True, exist_ok=True)
    for date, scene in (("before", before), ("after", after)):
        _write(folder / f"{date}_ortho.tif", _ortho(scene, rng), crs, from_origin(left, top, ORTHO_M, ORTHO_M))
        _write(folder / f"{date}_dsm.tif", _surface(scene, relief, rng), crs, from_origin(left, top, DSM_M, DSM_M))
    truth = tuple(_truth(kind, boxes, height, crs, left, top) for kind, boxes, height in told)
    (folder / "truth.json").write_text(json.dumps([asdict(one) for one in truth], indent=1) + "\n", "utf-8")
    files = {f"{date}_{what}": folder / f"{date}_{what}.tif" for date in ("before", "after") for what in ("ortho", "dsm")}
    return Flown(**files, truth=truth)


def _two_dates(
    size: int, rng: np.random.Generator, stories: Collection[str]
) -> tuple[Scene, Scene, list[tuple[str, list[Box], float]]]:
    """The place before and after, and (story, its boxes, how much higher the surface is) of each thing that changed."""
    scene = lay_out(rng, size, ORTHO_M, str(rng.choice(["village", "suburb", "rows", "villas"])))
    whole = [boxes for boxes in _buildings(scene) if all(_is_inside(box, size) for box in boxes)]
    picks = iter([whole[k] for k in rng.permutation(len(whole))])
    before, after = list(scene.boxes), list(scene.boxes)
    told: list[tuple[str, list[Box], float]] = []
    for story in stories:
        chosen = next(picks, None)
        if chosen is None:
            break
        height = max(box.height for box in chosen)
        if story in ("new_building", "permitted"):
            before = [box for box in before if box not in chosen]
        elif story == "demolition":
            after, height = [box for box in after if box not in chosen], -height
        else:
            before = [box for box in before if box not in chosen]
            after = [box for box in after if box not in chosen]
            chosen, height = _instead(story, chosen, before, after, rng)
        told.append((story, chosen, height))
    return replace(scene, boxes=before), replace(scene, boxes=after, cars=scene.cars[::2]), told


def _instead(
    story: str, chosen: list[Box], before: list[Box], after: list[Box], rng: np.random.Generator
) -> tuple[list[Box], float]:
    """A flat roof that gets a shed of its own colour, or a yard that gets a trellis for loofahs, where a house was drawn."""
    seat = max(chosen, key=lambda box: box.length * box.width)
    if story == "trellis":
        frame = replace(seat, roof="trellis", height=2.6, is_building=False, colour=scene_roofs.colour_for(rng, "trellis"))
        after.append(frame)
        return [frame], 2.6
    roof = replace(seat, roof="flat", colour=scene_roofs.colour_for(rng, "flat"))
    shed = replace(roof, roof="tin", length=roof.length * 0.7, width=roof.width * 0.7, base=roof.height, seed=roof.seed + 1)
    shed = replace(shed, height=roof.height + 2.8, building=roof.building + 100_000)
    before.append(roof)
    after.extend([roof, shed])
    return [shed], 2.8


def _buildings(scene: Scene) -> list[list[Box]]:
    numbers = sorted({box.building for box in scene.boxes if box.is_building})
    return [[box for box in scene.boxes if box.building == number] for number in numbers]


def _is_inside(box: Box, size: int) -> bool:
    corners = box.corners(ORTHO_M)
    return bool((corners > 20).all() and (corners < size - 20).all() and box.length * box.width > 25)


def _ortho(scene: Scene, rng: np.random.Generator) -> Floats:
    light = replace(light_of(rng, scene.gsd), lean=(0.0, 0.0), darkness=0.45)
    return np.asarray(scene_camera.develop(scenes.draw(scene, light, rng).image, rng, 0.3), np.float32)


def _surface(scene: Scene, relief: Floats, rng: np.random.Generator) -> Floats:
    """Metres above the sea, (size / 2, size / 2): ground, crowns, roofs, and what a camera's matching errs."""
    above = np.zeros_like(relief)
    for tree in scene.trees:
        middle = (round(tree.x / 2), round(tree.y / 2))
        cv2.circle(above, middle, max(1, round(tree.radius / DSM_M)), float(tree.radius * 2), -1)
    for box in sorted(scene.boxes, key=lambda one: one.height):
        cv2.fillConvexPoly(above, ints(np.round(box.corners(scene.gsd) / 2)), float(box.height))
    err = rng.standard_normal(above.shape, dtype=np.float32) * np.float32(0.05)
    return np.asarray(relief + above + err + np.float32(rng.normal(0, 0.1)), np.float32)


def _corner(site: FlightSite, side: float) -> tuple[str, float, float]:
    """The UTM zone and the upper left corner, on whole pixels of both rasters."""
    crs = f"EPSG:{(32600 if site.lat >= 0 else 32700) + int((site.lon + 180) // 6) + 1}"
    (east,), (north,) = transform("EPSG:4326", crs, [site.lon], [site.lat])[:2]
    return crs, round((east - side / 2) / DSM_M) * DSM_M, round((north + side / 2) / DSM_M) * DSM_M


def _write(path: Path, image: Floats, crs: str, place: Any) -> None:
    planes = np.clip(image, 0, 255).astype(np.uint8).transpose(2, 0, 1) if image.ndim == 3 else image[None]
    kind: dict[str, Any] = {} if image.ndim == 3 else {"nodata": NODATA}
    with rasterio.open(
        path, "w", driver="GTiff", width=planes.shape[2], height=planes.shape[1], count=len(planes), dtype=planes.dtype,
        crs=crs, transform=place, compress="deflate", tiled=True, blockxsize=256, blockysize=256, **kind,
    ) as raster:  # fmt: skip
        raster.write(planes)


def _truth(kind: str, boxes: Sequence[Box], height: float, crs: str, left: float, top: float) -> Truth:
    shape = unary_union([Polygon(box.corners(ORTHO_M) * (ORTHO_M, -ORTHO_M) + (left, top)) for box in boxes])
    whole = shape if shape.geom_type == "Polygon" else shape.convex_hull
    geometry = transform_geom(crs, "EPSG:4326", mapping(whole), precision=8)
    seen_by = "dsm" if kind == "roof_shed" else "both"
    return Truth(kind, geometry, round(float(height), 2), kind != "trellis", kind == "permitted", seen_by)
