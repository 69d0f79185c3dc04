"""Cloud Optimized GeoTIFF: written by GDAL in tiles with overviews, so that any window at any scale is a few reads.

Lossless (DEFLATE): comparisons measure in these pixels. Needs the extra ``imagery``; never imported by a web worker.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.session import Session
from rasterio.warp import transform_bounds

from .places import Store

BLOCK = 512
LOOKED_AT = 512  # pixels a side in which the stretch is measured
OPTIONS = {"GDAL_CACHEMAX": 128 << 20, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_NUM_THREADS": "2"}


class _Login(Session):
    """A store's login for GDAL: rasterio takes it only from a session."""

    def __init__(self, options: dict[str, str]) -> None:
        self.credentials = options

    def get_credential_options(self) -> dict[str, str]:
        return self.credentials


def environment(store: Store, **options: Any) -> Any:
    """GDAL with these options and what it needs to open the store's files."""
    login = store.gdal_environment()
    return rasterio.Env(session=_Login(login), **options) if login else rasterio.Env(**options)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a map needs of a file: pixels, EPSG code, west south east north in WGS-84, metres a pixel, stretch of values."""

    width: int
    height: int
    bands: int
    epsg: int | None
    bounds: tuple[float, float, float, float] | None
    transform: tuple[float, ...]
    gsd_m: float | None
    low: float | None
    high: float | None


def is_cog(file: Path) -> bool:
    """True if the file is tiled and has overviews (or is small): it is used as it is."""
    with rasterio.Env(**OPTIONS), rasterio.open(file) as raster:
        if raster.driver != "GTiff" or not raster.profile.get("tiled"):
            return False
        is_small = max(raster.width, raster.height) <= 2 * BLOCK
        return max(raster.block_shapes[0]) <= 2 * BLOCK and (is_small or bool(raster.overviews(1)))


def write(source: Path, target: Path, tell: Callable[[float], None] = lambda share: None) -> None:
    """The same pixels as a COG. ``tell`` is given the share that is done, judged by the bytes written."""
    options = {"COMPRESS": "DEFLATE", "PREDICTOR": "YES", "LEVEL": "6", "BLOCKSIZE": str(BLOCK), "BIGTIFF": "IF_SAFER",
               "OVERVIEWS": "AUTO", "RESAMPLING": "AVERAGE", "OVERVIEW_RESAMPLING": "AVERAGE"}  # fmt: skip
    with rasterio.Env(**OPTIONS), _watched(source, target, tell):
        rasterio.shutil.copy(str(source), str(target), driver="COG", **options)


@contextmanager
def _watched(source: Path, target: Path, tell: Callable[[float], None]) -> Iterator[None]:
    """Tells once a second how much lies on the disk, against what there was to read."""
    done, expected = threading.Event(), max(1, source.stat().st_size) * 1.4

    def watch() -> None:
        while not done.wait(1.0):
            written = sum(part.stat().st_size for part in target.parent.glob(f"{target.name}*") if part.is_file())
            tell(min(0.99, written / expected))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def facts_of(file: Path) -> Facts:
    """What the file says of itself."""
    with rasterio.Env(**OPTIONS), rasterio.open(file) as raster:
        bounds = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds) if raster.crs else None
        low, high = _stretch(raster)
        return Facts(
            raster.width, raster.height, raster.count, raster.crs.to_epsg() if raster.crs else None, bounds,
            tuple(raster.transform)[:6], _gsd(raster, bounds), low, high,
        )  # fmt: skip


def _gsd(raster: Any, bounds: tuple[float, float, float, float] | None) -> float | None:
    """Metres that a pixel shows, in the middle of the picture."""
    if bounds is None:
        return None
    side = abs(raster.transform.determinant) ** 0.5
    if raster.crs.is_projected:
        return float(side * (raster.crs.linear_units_factor[1] or 1.0))
    middle = math.radians((bounds[1] + bounds[3]) / 2)
    return float(side * 111_320 * math.cos(middle) ** 0.5)


def _stretch(raster: Any) -> tuple[float | None, float | None]:
    """Second and 98th percentile of the first band where it is not 8-bit; nothing for 8-bit pictures."""
    if raster.dtypes[0] == "uint8":
        return None, None
    scale = max(1, max(raster.width, raster.height) // LOOKED_AT)
    shape = (max(1, raster.height // scale), max(1, raster.width // scale))
    seen = raster.read(1, out_shape=shape, masked=True, resampling=Resampling.nearest).astype("float64")
    values = seen.compressed()
    values = values[np.isfinite(values)]
    if not values.size:
        return None, None
    low, high = np.percentile(values, (2, 98))
    return float(low), float(high if high > low else low + 1)
