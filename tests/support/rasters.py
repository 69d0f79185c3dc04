"""Small rasters for the eye: a street drawn by numbers, twice, and files that mean harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

UTM49 = "EPSG:32649"
CORNER = (700_000.0, 2_560_000.0)  # a street in Guangdong
HOUSE = (60, 40, 24, 16, 6.0)  # row, column, height, width in pixels, metres


def write(path: Path, bands: NDArray[Any], *, resolution: float = 0.5, nodata: float | None = None, **more: Any) -> Path:
    """A GeoTIFF of (h, w) or (n, h, w)."""
    stack = bands if bands.ndim == 3 else bands[None]
    told = {"crs": UTM49, "transform": Affine(resolution, 0, CORNER[0], 0, -resolution, CORNER[1]), "tiled": True, **more}
    told = {"blockxsize": 128, "blockysize": 128, "compress": "deflate", **told}
    count, height, width = stack.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=stack.dtype, nodata=nodata, **told
    ) as file:
        file.write(stack)
    return path


def terrain(size: int, seed: int = 1) -> NDArray[np.float32]:
    """Gentle ground with houses all over it, so that there is something to hold on to."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.normal(20, 1.5, (5, 5)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(size * size // 2500):
        row, column = rng.integers(0, size - 20, 2)
        height, width = rng.integers(8, 20, 2)
        ground[row : row + height, column : column + width] += rng.uniform(3, 9)
    return np.asarray(ground + rng.normal(0, 0.05, ground.shape), np.float32)


def with_house(heights: NDArray[np.float32], *houses: tuple[int, int, int, int, float]) -> NDArray[np.float32]:
    """The same with flat roofs over what stood there: (row, column, height, width, metres)."""
    found = heights.copy()
    for row, column, height, width, metres in houses:
        part = found[row : row + height, column : column + width]
        part[:] = part.max() + metres
    return found


def picture(size: int, seed: int = 1) -> NDArray[np.uint8]:
    """(3, size, size): ground, roofs and texture."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.uniform(60, 140, (size // 8, size // 8, 3)).astype(np.float32), (size, size))
    for _ in range(size * size // 1500):
        row, column = (int(one) for one in rng.integers(0, size - 20, 2))
        height, width = (int(one) for one in rng.integers(6, 24, 2))
        cv2.rectangle(image, (column, row), (column + width, row + height), rng.uniform(30, 230, 3).tolist(), -1)
    return np.moveaxis(np.clip(image + rng.normal(0, 4, image.shape), 1, 255), 2, 0).astype(np.uint8)
