"""One photo laid on the ground: a GeoTIFF in UTM, over a plane or over a terrain model (tier B of SENSE §2)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as FileWindow

from jiequ.sense.engine import camera
from jiequ.sense.engine.photos import read_photo
from jiequ.sense.engine.rasters import ENVIRONMENT, FILL, HIGHEST_M, LOWEST_M
from jiequ.sense.engine.shapes import Asset, Pose, Unusable

BLOCK = 512
MOST_SIDE = 30_000
PROFILE = {"driver": "GTiff", "count": 4, "dtype": "uint8", "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}


def rectify(path: Path, target: Path, asset: Asset, *, ground: Path | None = None, resolution_m: float | None = None) -> None:
    """Write ``target`` (RGB + alpha, deflate) from a photo that ``inspect`` took.

    ``ground``: a terrain model in any projection; heights are taken relative to the ground below the camera (which
    RelativeAltitude is not always: it counts from the take-off). ``resolution_m``: default the photo's own. Raises Unusable.
    """
    if asset.pose is None:
        raise Unusable("no_position")
    size = resolution_m or asset.gsd_m or 0.05
    crs, box = _extent(asset.pose, asset.width, asset.height)
    width, height = (math.ceil((box[n + 2] - box[n]) / size) for n in (0, 1))
    if max(width, height) > MOST_SIDE:
        raise Unusable("too_wide", width=width, height=height, most=MOST_SIDE)
    place = Affine(size, 0, box[0], 0, -size, box[3])
    picture = read_photo(path)
    half = target.with_name(f".{target.name}.part")
    try:
        with rasterio.Env(**ENVIRONMENT), _Ground(ground, crs, place, width, height, asset.pose) as terrain:
            told = {**PROFILE, "crs": crs, "transform": place, "width": width, "height": height, "compress": "deflate"}
            with rasterio.open(half, "w", **told) as file:
                file.colorinterp = [rasterio.enums.ColorInterp[name] for name in ("red", "green", "blue", "alpha")]
                _fill(file, picture, asset.pose, terrain)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _extent(pose: Pose, width: int, height: int) -> tuple[CRS, tuple[float, float, float, float]]:
    crs, _, _ = camera.foot(pose)
    there = camera.to_utm(pose, camera.corners_m(pose, width, height))
    west, south = there.min(axis=0)
    east, north = there.max(axis=0)
    return crs, (float(west), float(south), float(east), float(north))


def _fill(file: Any, picture: NDArray[np.uint8], pose: Pose, terrain: _Ground) -> None:
    for row in range(0, file.height, BLOCK):
        for column in range(0, file.width, BLOCK):
            part = FileWindow(column, row, min(BLOCK, file.width - column), min(BLOCK, file.height - row))
            xs, ys = _sought(pose, file.transform, part, terrain.rise(part), picture.shape)
            pixels = cv2.remap(picture, xs, ys, cv2.INTER_LINEAR, borderValue=0)
            inside = (xs >= 0) & (ys >= 0) & (xs <= picture.shape[1] - 1) & (ys <= picture.shape[0] - 1)
            alpha = (inside * 255).astype(np.uint8)
            bands = [*np.moveaxis(np.asarray(pixels) * inside[..., None], 2, 0), alpha]
            file.write(np.stack(bands).astype(np.uint8), window=part)


def _sought(
    pose: Pose, place: Affine, part: FileWindow, rise: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the photo each pixel of a block is (centres at whole numbers), on ground that rises ``rise`` metres."""
    _, x, y = camera.foot(pose)
    east = place.c + (np.arange(part.width) + part.col_off + 0.5) * place.a - x
    north = (place.f + (np.arange(part.height) + part.row_off + 0.5) * place.e - y)[:, None]
    angle = -camera.convergence(pose)
    true_east = east * math.cos(angle) - north * math.sin(angle)
    true_north = east * math.sin(angle) + north * math.cos(angle)
    right, down, forward = camera.rays(pose).T
    up = rise - pose.above_ground_m
    depth = true_east * forward[0] + true_north * forward[1] + up * forward[2]
    depth = np.where(depth > 0.1, depth, np.nan)
    xs = (true_east * right[0] + true_north * right[1] + up * right[2]) / depth * pose.focal_px + shape[1] / 2 - 0.5
    ys = (true_east * down[0] + true_north * down[1] + up * down[2]) / depth * pose.focal_px + shape[0] / 2 - 0.5
    return np.nan_to_num(xs, nan=-1e6).astype(np.float32), np.nan_to_num(ys, nan=-1e6).astype(np.float32)


class _Ground:
    """How much higher than below the camera the ground is, block by block; a plane without a model."""

    def __init__(self, path: Path | None, crs: CRS, place: Affine, width: int, height: int, pose: Pose) -> None:
        self._file = rasterio.open(path) if path else None
        self._vrt = None
        self._zero = 0.0
        if self._file is not None:
            told = {"crs": crs, "transform": place, "width": width, "height": height, "nodata": FILL}
            self._vrt = WarpedVRT(self._file, resampling=rasterio.enums.Resampling.bilinear, **told)
            _, x, y = camera.foot(pose)
            column, row = (int(one) for one in ~place @ (x, y))
            below = self._read(FileWindow(min(max(column, 0), width - 1), min(max(row, 0), height - 1), 1, 1))
            self._zero = float(below[0, 0])
            if math.isnan(self._zero):
                raise Unusable("no_data", what="no ground below the camera")

    def _read(self, part: FileWindow) -> NDArray[np.float32]:
        assert self._vrt is not None
        found = self._vrt.read(1, window=part).astype(np.float32)
        return np.where((found > LOWEST_M) & (found < HIGHEST_M), found, np.float32(np.nan))

    def rise(self, part: FileWindow) -> NDArray[np.float32]:
        """Metres over the ground below the camera; where the model has a hole, none."""
        if self._vrt is None:
            return np.zeros((part.height, part.width), np.float32)
        return np.nan_to_num(self._read(part) - np.float32(self._zero))

    def __enter__(self) -> _Ground:
        return self

    def __exit__(self, *_given: object) -> None:
        for one in (self._vrt, self._file):
            if one is not None:
                one.close()
