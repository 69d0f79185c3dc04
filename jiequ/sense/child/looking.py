"""What a GeoTIFF is, by its header and a coarse look: used where the engine brings no ``ingest``. Photos need that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from jiequ.sense import cog
from jiequ.sense.engine.shapes import Asset, Kind, Unusable

WIDEST = 200_000
MOST_PIXELS = 4_000_000_000
LARGEST_BLOCK = 512 << 20
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def inspect(file: Path, *, kind: Kind | None = None) -> Asset:
    """The facts of a GeoTIFF; Unusable with the reason. Reads at most some hundred kilobytes of pixels."""
    with open(file, "rb") as stream:
        if stream.read(4) not in _TIFF:
            raise Unusable("unknown_format")
    try:
        with rasterio.Env(**cog.OPTIONS), rasterio.open(file, driver="GTiff") as raster:
            _check_size(raster)
            found = kind or (Kind.DSM if raster.count == 1 and raster.dtypes[0].startswith("float") else Kind.ORTHO)
            if found is not Kind.SNAPSHOT:
                _check_place(raster)
            _check_data(raster)
            told = cog.facts_of(file)
            return Asset(found, raster.width, raster.height, raster.count, raster.dtypes[0], told.epsg, told.gsd_m, told.bounds)
    except RasterioError as fault:
        raise Unusable("truncated") from fault


def rectify(file: Path, target: Path, asset: Asset) -> None:
    """Photos are laid on the ground by the engine only."""
    raise Unusable("unknown_format")


def _check_size(raster: rasterio.DatasetReader) -> None:
    if max(raster.width, raster.height) > WIDEST:
        raise Unusable("too_wide", width=raster.width, height=raster.height)
    if raster.width * raster.height > MOST_PIXELS:
        raise Unusable("too_many_pixels")
    rows, columns = raster.block_shapes[0]
    if rows * columns * np.dtype(raster.dtypes[0]).itemsize * raster.count > LARGEST_BLOCK:
        raise Unusable("bomb")


def _check_place(raster: rasterio.DatasetReader) -> None:
    if raster.crs is None or raster.transform.is_identity:
        raise Unusable("no_crs")
    try:
        west, south, east, north = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
    except Exception as fault:  # PROJ says in many ways that a place is nowhere
        raise Unusable("wrong_crs") from fault
    on_earth = -180 <= west < east <= 180 and -85 <= south < north <= 85
    if not on_earth or east - west > 5 or north - south > 5:
        raise Unusable("wrong_crs")


def _check_data(raster: rasterio.DatasetReader) -> None:
    """The last row is there, and a coarse look finds a pixel that is one."""
    raster.read(1, window=((raster.height - 1, raster.height), (0, raster.width)))
    scale = max(1, max(raster.width, raster.height) // 256)
    shape = (max(1, raster.height // scale), max(1, raster.width // scale))
    seen = raster.read(1, out_shape=shape, masked=True, resampling=Resampling.nearest)
    values = seen.compressed().astype("float64")
    if not values.size or not np.isfinite(values).any():
        raise Unusable("no_data")
