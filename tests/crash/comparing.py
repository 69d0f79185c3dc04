"""A process that compares two flights and tells each step: ``python -m tests.crash.comparing FOLDER WORK real|writing|halves``.

Each line it prints is "stage done of". ``writing`` stops for a kill with a result half on its way; ``halves`` is the broken
twin, which writes results under their names at once.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

from jiequ.sense.engine import folder, runner, stages
from jiequ.sense.engine.compare import compare
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.shapes import Sources

SMALL = Parameters(tile_px=128, halo_px=32)


def tell(stage: str, done: int, of: int) -> None:
    print(stage, done, of, flush=True)


def flights(where: Path) -> tuple[Sources, Sources]:
    """The two dates that the tests wrote."""
    before, after = (Sources(where / f"ortho{n}.tif", where / f"dsm{n}.tif") for n in (0, 1))
    return before, after


def waiting_in_fsync(descriptor: int) -> None:
    """All is written and nothing has its name yet; told once the first tile of the surfaces is there."""
    if any(Path(sys.argv[2], "surface").glob("*.npz")):
        print("writing 0 0", flush=True)
        time.sleep(60)


def by_halves(path: Path, data: bytes) -> None:
    """What a hurried programmer writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        if path.parent.name == "surface":
            print("half 0 0", flush=True)
            time.sleep(60)
        file.write(data[len(data) // 2 :])


def main() -> None:
    """Compare, in this process alone."""
    warnings.simplefilter("ignore")
    if sys.argv[3] == "writing":
        folder.os.fsync = waiting_in_fsync  # type: ignore[assignment]
    if sys.argv[3] == "halves":
        runner.write_whole = stages.write_whole = by_halves  # type: ignore[attr-defined]
    compare(*flights(Path(sys.argv[1])), work=Path(sys.argv[2]), parameters=SMALL, processes=1, progress=tell)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
