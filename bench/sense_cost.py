"""What a comparison costs, as multiples of a windowed read of a deflate GeoTIFF on one thread: ``./run bench sense cost``.

An invented pair of orthophotos (0.4 m) and of surfaces on the same pixels (``sense_sheets``), kept as the store keeps them.
CPU time of each part, without that of the parts inside it; a part's own reading is in it. Best of ``--rounds``. The unit is the
read of one orthophoto, all bands, one date, by blocks. Before a cost counts, nine in ten of the houses built and torn down
must be found.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import rasterio
from rasterio.windows import Window

from bench.sense_sheets import fly
from bench.triage import at_most, row
from jiequ.sense.engine import compare, joining, units
from jiequ.sense.engine.net import ChangeNet
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.shapes import Outcome, Sources

PARTS: dict[str, list[tuple[Any, str]]] = {
    "register and normalise": [(compare, "picture_whole"), (compare, "picture_field"), (units, "warped"), (units, "toned")],
    "surface path": [(compare, "surface_whole"), (compare, "surface_field"), (units, "surface_tile")],
    "net": [(ChangeNet, "odds")],
    "vectorise": [(units, "traced"), (joining, "joined"), (joining, "candidates")],
}
MOST = {"register and normalise": 8, "surface path": 12, "net": 30, "vectorise": 2}


class Meter:
    """CPU seconds by part, each without the parts inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def around(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*given: Any, **named: Any) -> Any:
            began = time.process_time()
            self._inside.append(0.0)
            try:
                return work(*given, **named)
            finally:
                whole, within = time.process_time() - began, self._inside.pop()
                self.spent[part] += whole - within
                if self._inside:
                    self._inside[-1] += whole

        return measured


def read_cost(path: Path, side: int) -> float:
    """CPU seconds of reading all three bands in windows of 512 pixels."""
    began = time.process_time()
    with rasterio.open(path) as file:
        for row in range(0, side, 512):
            for column in range(0, side, 512):
                file.read(window=Window(column, row, min(512, side - column), min(512, side - row)))
    return time.process_time() - began


def one_round(before: Sources, after: Sources, work: Path) -> tuple[dict[str, float], Outcome]:
    meter = Meter()
    kept = [(owner, name, getattr(owner, name)) for wanted in PARTS.values() for owner, name in wanted]
    for part, wanted in PARTS.items():
        for owner, name in wanted:
            setattr(owner, name, meter.around(part, getattr(owner, name)))
    began = time.process_time()
    try:
        found = compare.compare(before, after, work=work, parameters=Parameters(), processes=1)
    finally:
        for owner, name, was in kept:
            setattr(owner, name, was)
    return {**meter.spent, "all": time.process_time() - began}, found


def main() -> None:
    options = argparse.ArgumentParser(prog="sense cost")
    options.add_argument("--side", type=int, default=2048)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    warnings.simplefilter("ignore")
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flown = fly(folder, given.side, given.seed, surfaces=True)
        assert flown.before.ortho is not None
        reads = min(read_cost(flown.before.ortho, given.side) for _ in range(5))
        rounds = [one_round(flown.before, flown.after, folder / f"work{n}") for n in range(given.rounds)]
    if flown.found(rounds[0][1].findings) < 0.9:
        sys.exit("wrong answer: what was built and torn down is not found")
    megapixels = given.side**2 / 1e6
    found = f"{len(rounds[0][1].findings)}, {flown.found(rounds[0][1].findings):.3f} of {len(flown.truth)}"
    row(f"{given.side} x {given.side}: findings, share of what changed", found)
    row("deflate read of one date, CPU-s a megapixel", f"{reads / megapixels:.4f}")
    for part, most in {**MOST, "all": 60}.items():
        spent = min(told[part] for told, _ in rounds)
        at_most(f"{part}, {spent / megapixels:.3f} CPU-s a megapixel, in reads", spent / reads, most, 1)


if __name__ == "__main__":
    main()
