"""A raster looked at before anything is read of it: headers and one coarse look, never more than some megabytes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import transform as transform_coordinates

from jiequ.sense.engine.areas import DEGREES
from jiequ.sense.engine.rasters import ENVIRONMENT, FAULTS, HIGHEST_M, LOWEST_M, pixel_metres
from jiequ.sense.engine.shapes import Asset, Geometry, Kind, Unusable

DRIVER = "GTiff"  # COG is one; every other reader of GDAL is another door to a stranger's file
MOST_SIDE = 200_000
MOST_PIXELS = 6_000_000_000
MOST_BLOCK_BYTES = 64 * 1024 * 1024  # what one block is when unpacked
MOST_BLOCKS = 1_000_000  # 6 gigapixels in the customary tiles of 128 are 370,000
MOST_RATIO = 5000  # a file with LEAST_DATA of data packs no tighter; a bomb of one value does
MOST_BANDS = 8
MOST_METRES = 60_000  # along a side: a flight shows no more
MOST_STRETCH = 1.03  # of a zone's lengths: 1,500 km beside its meridian, where nobody flies by that zone
COARSE_PX = 512
LEAST_DATA = 0.02


def inspect_raster(path: Path, *, kind: Kind | None = None) -> Asset:
    """What is known of a GeoTIFF. ``kind``: None is told by content (one band of heights is a surface). Raises Unusable."""
    try:
        with _quiet(), rasterio.Env(**ENVIRONMENT), rasterio.open(path, driver=DRIVER) as file:
            _refuse_large(file)
            _refuse_bomb(file, path)
            _refuse_ending_early(file, path)
            found = kind or _kind(file)
            return _told(file, found)
    except FAULTS as broken:
        raise Unusable(_code(path), what=type(broken).__name__) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """A file without a place is refused with a code; a warning says no more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _code(path: Path) -> str:
    with path.open("rb") as file:
        return "truncated" if file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") else "unknown_format"


def _refuse_large(file: Any) -> None:
    if max(file.width, file.height) > MOST_SIDE:
        raise Unusable("too_wide", width=file.width, height=file.height, most=MOST_SIDE)
    if file.width * file.height > MOST_PIXELS:
        raise Unusable("too_many_pixels", pixels=file.width * file.height, most=MOST_PIXELS)
    if file.count > MOST_BANDS:
        raise Unusable("too_many_bands", bands=file.count, most=MOST_BANDS)


def _refuse_bomb(file: Any, path: Path) -> None:
    """One block that fills the memory, more blocks than can be looked over, or far more pixels than such a file can hold."""
    height, width = file.block_shapes[0]
    bands = file.count if file.interleaving and file.interleaving.name == "pixel" else 1
    block = height * width * bands * np.dtype(file.dtypes[0]).itemsize
    if block > MOST_BLOCK_BYTES:
        raise Unusable("bomb", block_bytes=block, most=MOST_BLOCK_BYTES)
    blocks = -(-file.height // height) * -(-file.width // width)
    if blocks > MOST_BLOCKS:
        raise Unusable("bomb", blocks=blocks, most=MOST_BLOCKS)
    unpacked = file.width * file.height * file.count * np.dtype(file.dtypes[0]).itemsize
    if unpacked > MOST_RATIO * max(path.stat().st_size, 1):
        raise Unusable("bomb", unpacked_bytes=unpacked, most_times=MOST_RATIO)


def _refuse_ending_early(file: Any, path: Path) -> None:
    """Every block must lie inside the file: its place stands in the header, so nothing need be unpacked."""
    size = path.stat().st_size
    height, width = file.block_shapes[0]
    for row in range(-(-file.height // height)):
        for column in range(-(-file.width // width)):
            start = file.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=1)
            length = file.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1)
            if start and length and int(start) + int(length) > size:
                raise Unusable("truncated", bytes=size, needed=int(start) + int(length))


def _kind(file: Any) -> Kind:
    floats = file.dtypes[0] in ("float32", "float64", "int16")
    return Kind.DSM if file.count == 1 and floats else Kind.ORTHO


def _told(file: Any, kind: Kind) -> Asset:
    outline, bounds, size = _placed(file)
    coarse = _coarse(file)
    _refuse_empty(coarse, file, kind)
    epsg = file.crs.to_epsg()
    notes = _notes(file, kind, coarse)
    return Asset(kind, file.width, file.height, file.count, file.dtypes[0], epsg, round(size, 4), bounds, outline, notes=notes)


def _placed(file: Any) -> tuple[Geometry, tuple[float, float, float, float], float]:
    """(outline, bounds, metres a pixel). Unusable: no_crs, wrong_crs where the place cannot be what the system says."""
    if file.crs is None:
        raise Unusable("no_crs")
    if file.transform.is_identity or file.transform.determinant == 0:
        raise Unusable("wrong_crs", what="no place")
    corners = [file.transform @ at for at in ((0, 0), (file.width, 0), (file.width, file.height), (0, file.height))]
    xs, ys = ([point[n] for point in corners] for n in (0, 1))
    try:
        lons, lats = transform_coordinates(file.crs, DEGREES, xs, ys)
        size = pixel_metres(file)
    except (*FAULTS, ValueError) as wrong:
        raise Unusable("wrong_crs", what=type(wrong).__name__) from None
    _refuse_elsewhere(file, xs, ys, lons, lats, size)
    ring = [[round(lon, 9), round(lat, 9)] for lon, lat in zip(lons, lats, strict=True)]
    outline = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return outline, (min(lons), min(lats), max(lons), max(lats)), size


def _refuse_elsewhere(file: Any, xs: list[float], ys: list[float], lons: Any, lats: Any, size: float) -> None:
    """On Earth, of a flight's size, and the way back leads to where it came from (metres called degrees do not come back)."""
    numbers = [*lons, *lats, size]
    if not all(math.isfinite(one) for one in numbers) or max(map(abs, lats)) > 89 or max(map(abs, lons)) > 180:
        raise Unusable("wrong_crs", what="not on Earth")
    if file.crs.is_geographic and (max(map(abs, ys)) > 90 or max(map(abs, xs)) > 180):
        raise Unusable("wrong_crs", what="not on Earth")
    if not 0.001 < size < 100 or size * max(file.width, file.height) > MOST_METRES:
        raise Unusable("wrong_crs", gsd_m=size)
    back_x, back_y = transform_coordinates(DEGREES, file.crs, list(lons), list(lats))
    off = max(abs(a - b) for a, b in zip([*back_x, *back_y], [*xs, *ys], strict=True))
    if off > 1e-6 * max(1.0, *(abs(one) for one in [*xs, *ys])):
        raise Unusable("wrong_crs", what="outside its zone")
    if "Transverse_Mercator" in file.crs.to_wkt(version="WKT1_GDAL") and file.crs.linear_units_factor[1] == 1.0:
        told = math.sqrt(abs(file.transform.determinant))
        if not 1 / MOST_STRETCH < size / told < MOST_STRETCH:
            raise Unusable("wrong_crs", what="outside its zone", gsd_m=size)


def _coarse(file: Any) -> NDArray[Any]:
    factor = max(1, -(-max(file.width, file.height) // COARSE_PX))
    count = min(file.count, 4)
    shape = (count, max(1, file.height // factor), max(1, file.width // factor))
    return np.asarray(file.read(list(range(1, count + 1)), out_shape=shape))


def _refuse_empty(coarse: NDArray[Any], file: Any, kind: Kind) -> None:
    numbers = coarse.astype(np.float64)
    valid = np.isfinite(numbers).all(axis=0)
    if file.nodata is not None and not math.isnan(file.nodata):
        valid &= (numbers[: 1 if kind == Kind.DSM else 3] != file.nodata).any(axis=0)
    alphas = [n for n, what in enumerate(file.colorinterp[: len(numbers)]) if what == ColorInterp.alpha]
    if alphas:
        valid &= numbers[alphas[0]] > 0
    if kind == Kind.DSM:
        valid &= (numbers[0] > LOWEST_M) & (numbers[0] < HIGHEST_M)
    if valid.mean() < LEAST_DATA:
        raise Unusable("no_data", share=round(float(valid.mean()), 4))
    if np.ptp(numbers[0][valid]) == 0:
        raise Unusable("no_data", what="one value")


def _notes(file: Any, kind: Kind, coarse: NDArray[Any]) -> tuple[str, ...]:
    turn = file.transform
    alpha = ColorInterp.alpha in file.colorinterp
    said = {
        "rotated": abs(turn.b) > 1e-12 or abs(turn.d) > 1e-12 or turn.e > 0,
        "no_nodata": file.nodata is None and not alpha,
        "sixteen_bit": kind == Kind.ORTHO and file.dtypes[0] != "uint8",
        "extra_bands": file.count - int(alpha) > (1 if kind == Kind.DSM else 3),
        "grey": kind == Kind.ORTHO and file.count - int(alpha) < 3,
        "not_a_number": bool(coarse.dtype.kind == "f" and np.isnan(coarse).any()),
    }
    return tuple(name for name, is_so in said.items() if is_so)
