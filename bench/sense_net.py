"""The change net: labelled pairs, unchanged real frames with buildings put into them, and its cost beside a deflate read.

The figures are the answers here; before a cost counts, the net must be quiet on a tile beside itself.
Run: ``./run bench sense_net [--data FOLDER] [--seed N]``. Nothing is learnt from what is measured on.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from rasterio.windows import Window

from jiequ.sense.engine import promotion, scenes
from jiequ.sense.engine.net import ChangeNet, open_net
from jiequ.sense.engine.scene_parts import Scene, light_of
from jiequ.sense.engine.scene_plan import lay_out

FOLDERS = {"drone_site": 900, "drone_dji": 900, "drone_village": 1200}  # and the width each frame is made to


def rgb(path: Path) -> Any:
    image = cv2.imread(str(path))
    if image is None:
        sys.exit(f"{path} cannot be read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def labelled(net: ChangeNet, folder: Path) -> promotion.Figures:
    names = sorted(file.name for file in (folder / "label").iterdir())
    odds = [net.odds(rgb(folder / "A" / name), rgb(folder / "B" / name))[0] for name in names]
    return promotion.figures(odds, [rgb(folder / "label" / name)[..., 0] > 127 for name in names])


def neighbours(folder: Path, width: int) -> list[tuple[Any, Any, Any]]:
    """Frames beside each other brought onto one another: (before, after, where both show something)."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".jpg", ".jpeg"))
    frames = [rgb(file) for file in files]
    frames = [cv2.resize(f, (width, f.shape[0] * width // f.shape[1]), interpolation=cv2.INTER_AREA) for f in frames]
    return [pair for one, two in itertools.pairwise(frames) if (pair := registered(one, two))]


def registered(one: Any, two: Any) -> tuple[Any, Any, Any] | None:
    finder = cv2.SIFT_create(4000)
    (k1, d1), (k2, d2) = (finder.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None) for image in (one, two))
    near = [m for m, n in cv2.BFMatcher().knnMatch(d1, d2, k=2) if m.distance < 0.75 * n.distance]
    if len(near) < 60:
        return None
    there, here = np.array([k2[m.trainIdx].pt for m in near]), np.array([k1[m.queryIdx].pt for m in near])
    way = cv2.findHomography(there, here, cv2.USAC_MAGSAC, 2)[0]
    size = (one.shape[1], one.shape[0])
    valid = cv2.erode(cv2.warpPerspective(np.full(two.shape[:2], 255, np.uint8), way, size), np.ones((9, 9))) > 254
    if valid.mean() < 0.3:
        return None
    return one, np.where(valid[..., None], cv2.warpPerspective(two, way, size), one), valid


def built_into(frame: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """The frame with buildings of the generator drawn onto it, and the number of the building at each pixel."""
    side, gsd = max(frame.shape[:2]), 0.4
    plan = lay_out(rng, side, gsd, "village")
    scene = Scene(side, gsd, boxes=[box for box in plan.boxes if np.random.default_rng(box.building).random() < 0.15])
    scene.photo = cv2.copyMakeBorder(frame, 0, side - frame.shape[0], 0, side - frame.shape[1], cv2.BORDER_REFLECT)
    light = replace(light_of(rng, gsd), lean=(0.0, 0.0))
    numbers = np.zeros((side, side), np.int32)
    for box in scene.boxes:
        cv2.fillConvexPoly(numbers, np.round(box.corners(gsd)).astype(np.int32), box.building)
    drawn = np.clip(scenes.draw(scene, light, rng).image, 0, 255).astype(np.uint8)
    return drawn[: frame.shape[0], : frame.shape[1]], numbers[: frame.shape[0], : frame.shape[1]]


def frames(net: ChangeNet, data: Path, rng: np.random.Generator) -> None:
    for name, width in FOLDERS.items():
        flagged = seen = found = there = 0
        for before, after, valid in neighbours(data / name, width):
            flagged, seen = flagged + int((net.change(before, after, valid) > 0.5).sum()), seen + int(valid.sum())
            with_buildings, numbers = built_into(after, rng)
            odds = net.odds(before, with_buildings)[0] > 0.5
            for number in np.unique(numbers[valid & (numbers > 0)]):
                there, found = there + 1, found + bool(odds[numbers == number].mean() >= promotion.COVERED)
        print(f"{name:<16} unchanged area flagged {100 * flagged / max(seen, 1):6.3f} %   put in and found {found}/{there}")


def cost(net: ChangeNet, photo: Any) -> None:
    """CPU-seconds a megapixel, of a windowed read of a deflate GeoTIFF and of the net; the best of five."""
    tile = np.ascontiguousarray(photo[:512, :512])
    if (net.change(tile, tile) > 0.5).mean() > 0.001:
        sys.exit("wrong answer: a tile beside itself is flagged")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, big = os.path.join(folder, "a.tif"), photo[:2048, :2048]
        with rasterio.open(path, "w", driver="GTiff", width=2048, height=2048, count=3, dtype="uint8", compress="deflate",
                           tiled=True, blockxsize=512, blockysize=512) as raster:  # fmt: skip
            raster.write(big.transpose(2, 0, 1))
        reads, asks = [], []
        for _ in range(5):
            began = time.process_time()
            with rasterio.open(path) as raster:
                for y in range(0, 2048, 512):
                    for x in range(0, 2048, 512):
                        raster.read(window=Window(x, y, 512, 512))
            reads.append((time.process_time() - began) / (2048 * 2048 / 1e6))
            began = time.process_time()
            net.change(tile, tile)
            asks.append((time.process_time() - began) / (512 * 512 / 1e6))
    ratio = min(asks) / min(reads)
    print(f"deflate read {min(reads):.4f} CPU-s/MP   net {min(asks):.3f} CPU-s/MP = {ratio:.0f} reads")


def main() -> None:
    options = argparse.ArgumentParser(prog="sense_net")
    options.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/sense")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no imagery in {given.data}: name its folder with --data")
    cv2.setNumThreads(1)
    net = open_net()
    print(f"{platform.platform()} · Python {platform.python_version()} · seed {given.seed} · weights {net.model_id[:12]}")
    told = labelled(net, given.data / "dev_pairs")
    print(f"dev pairs, invented training only: pixel F1 {told.pixel_f1:.3f} ({told.precision:.3f}, {told.recall:.3f})")
    print(f"objects {told.objects:.3f} of {told.n_objects}")
    frames(net, given.data, np.random.default_rng(given.seed))
    cost(net, rgb(sorted((given.data / "drone_village").glob("*.jpg"))[0]))


if __name__ == "__main__":
    main()
