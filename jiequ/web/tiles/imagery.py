"""Imagery: tiles and cut-outs of COGs, read by rio-tiler in this process only. Without the extra ``imagery`` there are none.

What is asked for is checked against the asset's row (kept some seconds): its street must be one that the token opens, and it
must be ready. Files are opened anew for each tile; GDAL keeps their blocks.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from jiequ.sense import files
from jiequ.sense.models import Asset, AssetState

from .mbtiles import Tile

TILE = re.compile(r"/tiles/sense/(\d{1,18})/(\d{1,2})/(\d{1,8})/(\d{1,8})", re.ASCII)
NUMBER = r"-?\d{1,7}(?:\.\d{1,20})?"
CROP = re.compile(rf"/tiles/sense/(\d{{1,18}})/crop/(all|{NUMBER}(?:,{NUMBER}){{3}})/(\d{{2,4}})\.jpg", re.ASCII)
DEEPEST = 24
LARGEST_SIDE = 2048
MERCATOR = 85.05  # degrees: no map of ours goes nearer to a pole
KEPT_SECONDS = 5.0
GDAL = {
    "GDAL_CACHEMAX": 96 << 20,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": 5_000_000,
    "GDAL_INGESTED_BYTES_AT_OPEN": 32768,
}
Streets = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Known:
    """What of an asset's row a tile needs."""

    street_id: int
    kind: str
    has_place: bool
    low: float | None
    high: float | None
    tag: str


class Imagery:
    """Reads tiles; keeps what it knows of assets for some seconds."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, Known | None]] = {}
        self._lock = threading.Lock()

    def known(self, asset_id: int, streets: Streets) -> Known | None:
        """The asset, if it is ready and of a street that is open to the reader."""
        now = time.monotonic()
        with self._lock:
            kept = self._known.get(asset_id)
        if kept is None or now - kept[0] > KEPT_SECONDS:
            kept = now, _look_up(asset_id)
            with self._lock:
                if len(self._known) > 2000:
                    self._known.clear()
                self._known[asset_id] = kept
        found = kept[1]
        return found if found and (streets is None or found.street_id in streets) else None

    def tile(self, asset_id: int, known: Known, z: int, x: int, y: int) -> Tile | None:
        """One map tile of 256 pixels; None where the picture has none, or its file is gone."""
        load()
        from rasterio.errors import RasterioError
        from rio_tiler.errors import RioTilerError

        if not known.has_place:
            return None
        try:
            with environment(), _reader(known.street_id, asset_id) as reader:
                image = reader.tile(x, y, z, tilesize=256, indexes=_bands(reader))
        except (RioTilerError, RasterioError):
            return None
        return _picture(image, known)

    def crop(self, asset_id: int, known: Known, where: str, width: int) -> Tile | None:
        """A part of a picture, ``where`` as west, south, east, north in degrees (pixels for a picture without a place)."""
        load()
        from rasterio.errors import RasterioError
        from rio_tiler.errors import RioTilerError

        try:
            with environment(), _reader(known.street_id, asset_id) as reader:
                image = _part(reader, known, where, min(width, LARGEST_SIDE))
        except (RioTilerError, RasterioError):
            return None
        return _picture(image, known, always_jpeg=True) if image is not None else None


def warm() -> None:
    """Load the libraries before the first tile is asked for: they take seconds."""
    if files.can_read():
        load()


def load() -> None:
    """The libraries, by one thread at a time: rio-tiler's modules import each other, and two threads would meet halfway."""
    with _loading:
        import rio_tiler.io  # noqa: F401


_loading = threading.Lock()


def _look_up(asset_id: int) -> Known | None:
    names = ("street_id", "kind", "west", "low", "high", "sha256")
    row = Asset.objects.filter(pk=asset_id, state=AssetState.READY).values_list(*names).first()
    if row is None:
        return None
    street_id, kind, west, low, high, sha256 = row
    return Known(street_id, kind, west is not None, low, high, sha256[:16])


def environment() -> Any:
    """GDAL as tiles want it, with the login of the store."""
    from jiequ.sense import cog

    return cog.environment(files.store(), **GDAL)


def _reader(street_id: int, asset_id: int) -> Any:
    from rio_tiler.io import Reader

    return Reader(files.store().source(files.image_key(street_id, asset_id)))


def _bands(reader: Any) -> tuple[int, ...]:
    return (1, 2, 3) if reader.dataset.count >= 3 else (1,)


def _part(reader: Any, known: Known, where: str, width: int) -> Any:
    bands = _bands(reader)
    if where == "all" or not known.has_place:
        return reader.preview(max_size=width, indexes=bands)
    west, south, east, north = (float(part) for part in where.split(","))
    if not (-180 <= west < east <= 180 and -MERCATOR <= south < north <= MERCATOR):
        return None
    box = (west, south, east, north)
    return reader.part(box, dst_crs="EPSG:3857", bounds_crs="EPSG:4326", max_size=width, indexes=bands)


def _picture(image: Any, known: Known, *, always_jpeg: bool = False) -> Tile:
    """JPEG where every pixel is there, else PNG with holes; heights in grey, low to high."""
    import numpy as np

    if known.low is not None and known.high is not None:
        image.rescale(in_range=((known.low, known.high),))
    elif image.array.dtype != np.uint8:
        image.rescale(in_range=((float(image.array.min()), float(image.array.max()) or 1.0),))
    if always_jpeg or bool((image.mask == 255).all()):
        return Tile(image.render(img_format="JPEG", add_mask=False, quality=88), "image/jpeg")
    return Tile(image.render(img_format="PNG", zlevel=1), "image/png")
