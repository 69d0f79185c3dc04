"""Judged places as pairs to learn from: before, after and label, 256 pixels of 0.4 m, as training.finetune reads them.

Label: 255 where something stands that did not, 100 where something is gone, 0 where nothing changed. The pictures are laid on
one grid by their own geometry and not registered to each other beyond that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT
from shapely.geometry import shape

from jiequ.sense import cog, places
from jiequ.sense.engine.areas import DEGREES, moved, utm

Tell = Callable[[dict[str, Any]], None]
SIDE, GSD_M = 256, 0.4
LEAST_SEEN = 0.6  # share of a tile that both dates must show
OPTIONS = {"GDAL_CACHEMAX": 96 << 20, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """``tiles``: ``name``, ``before``, ``after`` (keys), ``middle``, ``shapes`` ([geometry, value]). What became of each."""
    store, work = places.store_of(request["place"]), Path(request["work"])
    work.mkdir(parents=True, exist_ok=True)
    done: dict[str, str] = {}
    for number, tile in enumerate(request["tiles"]):
        done[tile["name"]] = _one(store, work, request["prefix"], tile)
        tell({"done": number + 1, "of": len(request["tiles"])})
    return {"tiles": done}


def _one(store: Any, work: Path, prefix: str, tile: dict[str, Any]) -> str:
    """ "" when it lies in the store, else why not."""
    crs = utm(*tile["middle"])
    middle = moved(shape({"type": "Point", "coordinates": tile["middle"]}), DEGREES, crs)
    half = SIDE * GSD_M / 2
    grid = Affine(GSD_M, 0, middle.x - half, 0, -GSD_M, middle.y + half)
    try:
        with cog.environment(store, **OPTIONS):
            pictures = [_picture(store.source(tile[which]), crs, grid) for which in ("before", "after")]
    except RasterioError:
        return "unreadable"
    if min(seen for _image, seen in pictures) < LEAST_SEEN:
        return "no_data"
    shapes = [(moved(shape(geometry), DEGREES, crs), value) for geometry, value in tile["shapes"]]
    label = np.zeros((SIDE, SIDE), "uint8")
    if shapes:
        rasterize(shapes, out=label, transform=grid)
    for part, image in (("before", pictures[0][0]), ("after", pictures[1][0]), ("label", label[None])):
        target = work / f"{tile['name']}-{part}.png"
        _write(target, image)
        store.place(target, f"{prefix}/{part}/{tile['name']}.png")
    return ""


def _picture(source: str, crs: Any, grid: Any) -> tuple[Any, float]:
    """Red, green, blue on the tile's grid, and the share of it that is there."""
    with rasterio.open(source) as raster:
        warp = {"crs": crs, "transform": grid, "width": SIDE, "height": SIDE, "resampling": Resampling.bilinear,
                "add_alpha": raster.nodata is None}  # fmt: skip
        with WarpedVRT(raster, **warp) as warped:
            bands = [1, 2, 3] if raster.count >= 3 else [1, 1, 1]
            image = warped.read(bands)
            seen = float((warped.dataset_mask() > 0).mean())
    return eight_bit(image), seen


def eight_bit(image: Any) -> Any:
    """The bands as bytes: other kinds between their 2nd and 98th percentile."""
    if image.dtype == np.uint8:
        return image
    low, high = np.percentile(image, (2, 98))
    return np.clip((image - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)


def _write(target: Path, image: Any) -> None:
    bands = image[::-1].transpose(1, 2, 0) if len(image) == 3 else image[0]  # OpenCV: blue first
    cv2.imwrite(str(target), np.ascontiguousarray(bands))
