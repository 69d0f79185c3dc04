"""A fixed camera's picture is looked at before it is kept: is it a picture, does it show anything, is it a new one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from jiequ.sense import cog, places
from jiequ.sense.engine import ingest, photos
from jiequ.sense.engine.shapes import Kind, Unusable

Tell = Callable[[dict[str, Any]], None]
BLACK = 26  # of 255: nine hundred and ninety of a thousand pixels darker than this (P)
FLAT = 2.0  # standard deviation: one colour all over (P)
BLOCK = 16
TEXTURED = 2.0  # a block with less says nothing of whether it is new
ALIKE = 2  # of 255
FROZEN = 0.98  # share of textured blocks that are the same; a written clock may change the rest (P)
LEAST_BLOCKS = 20


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Its size, where it may be kept. Raises Unusable: camera_black, camera_flat, camera_frozen, what ``ingest`` finds.

    ``before``: the key of the camera's latest picture in the store, or "".
    """
    file = Path(request["file"])
    grey = _grey(photos.read_photo(file))
    if float(np.percentile(grey, 99)) < BLACK:
        raise Unusable("camera_black")
    if float(grey.std()) < FLAT:
        raise Unusable("camera_flat")
    before = _before(request)
    if before is not None and is_frozen(before, _pixels(str(file))):
        raise Unusable("camera_frozen")
    asset = ingest.inspect(file, kind=Kind.SNAPSHOT)
    return {"width": asset.width, "height": asset.height}


def is_frozen(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """True if nearly every block that shows something is the very same: a sensor's noise makes each new picture differ."""
    if before.shape != now.shape:
        return False
    rows, columns = now.shape[0] // BLOCK, now.shape[1] // BLOCK
    blocks, changed = (_blocks(one, rows, columns) for one in (now, np.abs(now - before)))
    textured = blocks.std(axis=(1, 3)) > TEXTURED
    if int(textured.sum()) < LEAST_BLOCKS:
        return bool(changed.max() <= ALIKE)
    same = changed.max(axis=(1, 3)) <= ALIKE
    return bool(same[textured].mean() >= FROZEN)


def _blocks(image: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    return image[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)


def _grey(image: NDArray[Any]) -> NDArray[np.float32]:
    return image.astype(np.float32).mean(axis=2)


def _pixels(source: str) -> NDArray[np.float32]:
    """By GDAL, which wrote the picture before: another decoder makes other colours of the same bytes (62 of 255 were seen)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a picture without a place is meant
        with rasterio.open(source) as raster:
            return _grey(np.moveaxis(raster.read([1, 2, 3] if raster.count >= 3 else [1, 1, 1]), 0, 2))


def _before(request: dict[str, Any]) -> NDArray[np.float32] | None:
    """The latest picture; None where there is none any more."""
    if not request["before"]:
        return None
    store = places.store_of(request["place"])
    try:
        with cog.environment(store, **cog.OPTIONS):
            return _pixels(store.source(request["before"]))
    except RasterioError:
        return None
