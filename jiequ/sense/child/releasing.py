"""A picture that may leave the desk: cut out, made too coarse for faces and plates all over, marked places made unreadable.

No face or plate detector is used: at the scale of a flight there is none whose licence and recall would bear a promise.
Everything is softened instead: nothing finer than COARSEST_M on the ground is left (a face needs some 3 cm, a plate 1 cm), and
a picture whose scale is not known (a fixed camera's) is left with 160 pixels across. Boxes that a person drew become squares.
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
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from jiequ.sense import cog, places
from jiequ.sense.engine.shapes import Unusable

from .pairs import eight_bit

Tell = Callable[[dict[str, Any]], None]
COARSEST_M = 0.2
UNKNOWN_SCALE_PIXELS = 160
SIDE = 800
SQUARES = 6  # across a box
WEB = "EPSG:3857"


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Writes the picture under ``target`` in the store. Raises Unusable where the source shows nothing there."""
    store = places.store_of(request["place"])
    try:
        with cog.environment(store, GDAL_CACHEMAX=96 << 20):
            image, metres = _cut(store.source(request["source"]), request["bounds"])
    except RasterioError:
        if store.has(request["source"]):
            raise
        raise Unusable("file_gone") from None
    soft = softened(image, metres)
    for box in request["boxes"]:
        hide(soft, box)
    work = Path(request["work"])
    work.mkdir(parents=True, exist_ok=True)
    file = work / "release.jpg"
    cv2.imwrite(str(file), soft[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    store.place(file, request["target"])
    return {"width": soft.shape[1], "height": soft.shape[0]}


def softened(image: Any, metres: float | None) -> Any:
    """Made small so that one pixel shows COARSEST_M, then large again: what lay between the pixels is gone, not hidden."""
    height, width = image.shape[:2]
    most = UNKNOWN_SCALE_PIXELS if metres is None else max(16, int(metres / COARSEST_M))
    small = cv2.resize(image, (min(most, width), max(1, min(most, width) * height // width)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (SIDE, max(1, SIDE * height // width)), interpolation=cv2.INTER_CUBIC)


def hide(image: Any, box: list[float]) -> None:
    """A box (left, top, right, bottom as shares) in a few squares of its mean colours."""
    height, width = image.shape[:2]
    left, right = sorted(int(np.clip(value, 0, 1) * width) for value in (box[0], box[2]))
    top, bottom = sorted(int(np.clip(value, 0, 1) * height) for value in (box[1], box[3]))
    part = image[top:bottom, left:right]
    if part.size:
        squares = (min(SQUARES, right - left), min(SQUARES, bottom - top))
        coarse = cv2.resize(part, squares, interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)


def _cut(source: str, bounds: list[float]) -> tuple[Any, float | None]:
    """Red, green, blue of the place, and how many metres it is wide; the whole picture where it has no place."""
    with rasterio.open(source) as raster:
        bands = [1, 2, 3] if raster.count >= 3 else [1, 1, 1]
        if raster.crs is None:
            return _picture(raster.read(bands, out_shape=(3, SIDE * raster.height // raster.width, SIDE))), None
        around = transform_bounds("EPSG:4326", WEB, *bounds)
        across, down = (around[2] - around[0]) / SIDE, (around[3] - around[1]) / SIDE
        grid = {"transform": Affine(across, 0, around[0], 0, -down, around[3]), "width": SIDE, "height": SIDE}
        with WarpedVRT(raster, crs=WEB, resampling=Resampling.bilinear, **grid) as warped:
            image = warped.read(bands)
    if not image.any():
        raise Unusable("no_data")
    latitude = np.radians((bounds[1] + bounds[3]) / 2)
    return _picture(image), float((around[2] - around[0]) * np.cos(latitude))


def _picture(image: Any) -> Any:
    return np.ascontiguousarray(eight_bit(image).transpose(1, 2, 0))
