"""A large pair from end to end: memory, and what a second process brings. ``./run bench sense pair --size 20000``.

Sixteen invented scenes, turned and mirrored, fill both sheets; each run is a process of its own with an empty work folder.
Memory is the peak of each process (VmHWM), the largest and the sum of all. The answers of all runs must be the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

from bench.triage import at_least, at_most, row
from jiequ.sense.engine.scenes import pair
from jiequ.sense.engine.shapes import Sources
from tests.support.rasters import CORNER, UTM49

PART, SCENES, GSD = 1024, 16, 0.4
ROOT = Path(__file__).resolve().parents[1]


def sheets(folder: Path, size: int, seed: int) -> None:
    """Both dates, block by block."""
    drawn = [pair(seed + k, size=PART, gsd=GSD) for k in range(SCENES)]
    told: Any = {"driver": "GTiff", "count": 3, "dtype": "uint8", "width": size, "height": size, "crs": UTM49, "tiled": True,
                 "blockxsize": 512, "blockysize": 512, "compress": "deflate", "bigtiff": "if_safer",
                 "transform": Affine(GSD, 0, CORNER[0], 0, -GSD, CORNER[1])}  # fmt: skip
    with rasterio.open(folder / "before.tif", "w", **told) as one, rasterio.open(folder / "after.tif", "w", **told) as other:
        dice = np.random.default_rng(seed)
        for row_ in range(0, size, PART):
            for column in range(0, size, PART):
                scene, turns, flips = drawn[int(dice.integers(SCENES))], int(dice.integers(4)), bool(dice.integers(2))
                height, width = min(PART, size - row_), min(PART, size - column)
                for file, image in ((one, scene.before), (other, scene.after)):
                    turned = np.rot90(image[:, ::-1] if flips else image, turns)[:height, :width]
                    file.write(np.moveaxis(turned, 2, 0), window=Window(column, row_, width, height))


def one_run(folder: Path, processes: int) -> None:
    """In a process of its own: compare, and say what it took. Peaks of children are the kernel's ru_maxrss of the largest."""
    from jiequ.sense.engine.compare import compare

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        began = time.monotonic()
        found = compare(Sources(folder / "before.tif"), Sources(folder / "after.tif"), work=Path(work), processes=processes)
        took = time.monotonic() - began
        digest = hashlib.sha256((Path(work) / "outcome.json").read_bytes()).hexdigest()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    own, child = int(line.split()[1]) / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    everything = own + child * (processes if processes > 1 else 0)
    told = {
        "seconds": took,
        "largest_mb": max(own, child),
        "sum_mb": everything,
        "findings": len(found.findings),
        "hash": digest,
    }
    print(json.dumps(told))


def asked(folder: Path, processes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.sense_pair", "--one", str(folder), "--processes", str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    options = argparse.ArgumentParser(prog="sense pair")
    options.add_argument("--size", type=int, default=4000, help="pixels along a side")
    options.add_argument("--runs", type=int, default=3, help="of each number of processes; the median counts")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        one_run(given.one, given.processes)
        return
    with tempfile.TemporaryDirectory() as name:
        sheets(Path(name), given.size, given.seed)
        runs = {count: [asked(Path(name), count) for _ in range(given.runs)] for count in (1, 2)}
    every = [run for told in runs.values() for run in told]
    if len({run["hash"] for run in every}) > 1 or not every[0]["findings"]:
        sys.exit("wrong answer: not the same polygons, or none")
    seconds = {count: statistics.median(run["seconds"] for run in told) for count, told in runs.items()}
    row(
        f"{given.size} x {given.size}, findings; 1 process / 2",
        f"{every[0]['findings']}; {seconds[1]:.0f} / {seconds[2]:.0f} s",
    )
    at_most("peak of the largest process, MiB", max(run["largest_mb"] for run in every), 1024, 0)
    at_most("peaks of all processes together, MiB", max(run["sum_mb"] for run in every), 1024, 0)
    at_least("two processes are faster by", seconds[1] / seconds[2], 1.6, 2)


if __name__ == "__main__":
    main()
