"""The first tile of a large COG on the map, by the code of the tile process: ``./run bench sense cog --gb 1``.

Noise over gentle ground does not pack, so the file is as large as asked. Each tile is asked of a reader opened anew with GDAL's
cache emptied; ``--cold`` also asks the kernel to forget the file. Before a time counts, the tile must be a whole picture.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from rasterio.windows import Window

from bench.triage import at_most, row
from tests.support.rasters import CORNER, UTM49

GSD = 0.1


def source(path: Path, side: int, dice: Any) -> None:
    told: Any = {"driver": "GTiff", "count": 3, "dtype": "uint8", "width": side, "height": side, "crs": UTM49, "tiled": True,
                 "blockxsize": 512, "blockysize": 512, "bigtiff": "if_safer",
                 "transform": Affine(GSD, 0, CORNER[0], 0, -GSD, CORNER[1])}  # fmt: skip
    with rasterio.open(path, "w", **told) as file:
        for row_ in range(0, side, 512):
            for column in range(0, side, 512):
                height, width = min(512, side - row_), min(512, side - column)
                file.write(dice.integers(1, 255, (3, height, width), np.uint8), window=Window(column, row_, width, height))


def tiles(path: Path, dice: Any, count: int) -> list[tuple[int, int, int]]:
    """Addresses somewhere on the picture, from all of it in one tile to its own resolution."""
    from rio_tiler.io import Reader

    with Reader(str(path)) as reader:
        west, south, east, north = reader.get_geographic_bounds(reader.tms.rasterio_geographic_crs)
        zooms = range(reader.minzoom, reader.maxzoom + 1)
        return [
            (z, tile.x, tile.y)
            for z in dice.choice(list(zooms), count).tolist()
            for tile in [reader.tms.tile(dice.uniform(west, east), dice.uniform(south, north), z)]
        ]


def first_tile(path: Path, address: tuple[int, int, int], cold: bool) -> tuple[float, bytes]:
    """(seconds, picture) by the tile process's own steps."""
    from rio_tiler.io import Reader

    from jiequ.web.tiles import imagery

    if cold:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    known = imagery.Known(1, "ortho", True, None, None, "")
    z, x, y = address
    began = time.perf_counter()
    with rasterio.Env(**imagery.GDAL), Reader(str(path)) as reader:
        tile = imagery._picture(reader.tile(x, y, z, tilesize=256, indexes=imagery._bands(reader)), known)
    return time.perf_counter() - began, tile.data


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
    django.setup()
    from jiequ.sense import cog

    options = argparse.ArgumentParser(prog="sense cog")
    options.add_argument("--gb", type=float, default=0.1)
    options.add_argument("--tiles", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--cold", action="store_true", help="the kernel forgets the file before each tile")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    dice = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as name:
        plain, path = Path(name) / "plain.tif", Path(name) / "image.tif"
        source(plain, round((given.gb * 1e9 / 4) ** 0.5), dice)  # three bands and a third more of overviews
        cog.write(plain, path)
        plain.unlink()
        size = path.stat().st_size / 1e9
        told = [first_tile(path, address, given.cold) for address in tiles(path, dice, given.tiles)]
    if any(Image.open(io.BytesIO(data)).size != (256, 256) for _, data in told):
        sys.exit("wrong answer: no picture")
    times = sorted(1000 * seconds for seconds, _ in told)
    row(f"COG of {size:.2f} GB, first tile, median", f"{statistics.median(times):.0f} ms")
    at_most("p95", times[int(0.95 * len(times))], 150, 0, " ms")


if __name__ == "__main__":
    main()
