"""A large pair from end to end: memory, and what a second process brings. ``./run bench sense pair --size 20000``.

Two invented flights without a block that comes twice (``sense_sheets``); each run is a process of its own with an empty work
folder. Memory is the peak of each process (VmHWM), the largest and the sum of all. The answers of all runs must be the same
bytes, also of two workers of Dask and of a run whose processes are all killed when half of its tiles are done and that is
begun again; and most of the houses built and torn down must be found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.triage import at_least, at_most, row

if TYPE_CHECKING:
    from bench.sense_sheets import Flown

ROOT = Path(__file__).resolve().parents[1]
FLOWN = "flown.pickle"
LEAST_FOUND = 0.7  # of what changed; two pictures alone, no surfaces


def one_run(folder: Path, work: Path, processes: int, dask: bool) -> None:
    """In a process of its own: compare, and say what it took. Peaks of children are the kernel's ru_maxrss of the largest."""
    import cv2

    from jiequ.sense.engine.compare import compare

    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)  # as in each process of a pool
    flown = pickle.loads((folder / FLOWN).read_bytes())  # written by this bench a moment ago
    with cluster(dask) as found_at:
        began = time.monotonic()
        found = compare(flown.before, flown.after, work=work, processes=processes, runner=found_at, progress=tell)
        took = time.monotonic() - began
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    own, child = int(line.split()[1]) / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    told = {
        "seconds": took,
        "largest_mb": max(own, child),
        "sum_mb": own + child * (2 if dask else processes if processes > 1 else 0),
        "findings": len(found.findings),
        "share": flown.found(found.findings),
        "blind_m2": sum(one.area_m2 for one in found.blind),
        "compared_m2": found.compared_m2,
        "hash": hashlib.sha256((work / "outcome.json").read_bytes()).hexdigest(),
    }
    print(json.dumps(told))


def cluster(dask: bool) -> AbstractContextManager[Any]:
    """Where the work is sent: "pool", or the address of a Dask scheduler with two workers."""
    if not dask:
        return nullcontext("pool")
    from distributed import LocalCluster

    return _Address(LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50))


class _Address:
    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster

    def __enter__(self) -> str:
        return str(self.cluster.scheduler_address)

    def __exit__(self, *_given: object) -> None:
        self.cluster.close()


def tell(stage: str, done: int, of: int) -> None:
    """For who waits to kill."""
    if stage == "picture":
        print("picture", done, of, flush=True)


def asked(folder: Path, *options: str, killed: bool = False) -> dict[str, Any]:
    """One run in a work folder of its own; ``killed``: all of its processes at half of the tiles, then begun again."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        if killed:
            assert _told(folder, work, *options, until_half=True) is None
        found = _told(folder, work, *options)
    assert found is not None
    print(f"   {' '.join(options)}{' killed' if killed else ''}: {found}", flush=True)
    return found


def _told(folder: Path, work: str, *options: str, until_half: bool = False) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "bench.sense_pair", "--one", str(folder), "--work", work, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            words = line.split()
            if until_half and words[0] == "picture" and 2 * int(words[1]) >= int(words[2]):
                os.killpg(process.pid, signal.SIGKILL)
                return None
            if words[0] != "picture":
                return dict(json.loads(line))
    raise SystemExit("a run ended without an answer")


def measured(flown: Flown, folder: Path, size: int, runs: int) -> None:
    """All runs, and the lines of the table."""
    (folder / FLOWN).write_bytes(pickle.dumps(flown))
    told = {count: [asked(folder, "--processes", str(count)) for _ in range(runs)] for count in (1, 2)}
    others = [asked(folder, "--dask"), asked(folder, "--processes", "2", killed=True)]
    every = [run for some in told.values() for run in some]
    if every[0]["share"] < LEAST_FOUND:
        sys.exit("wrong answer: what was built and torn down is not found")
    if len({run["hash"] for run in [*every, *others]}) > 1:
        sys.exit("wrong answer: not the same polygons")
    seconds = {count: statistics.median(run["seconds"] for run in some) for count, some in told.items()}
    first = every[0]
    row(f"{size} x {size}, findings, share of what changed", f"{first['findings']}, {first['share']:.3f} of {len(flown.truth)}")
    row("1 process / 2, Dask with two, killed and again: the same bytes", f"{seconds[1]:.0f} / {seconds[2]:.0f} s")
    at_most("peak of the largest process, MiB, Dask's too", max(run["largest_mb"] for run in [*every, *others]), 1024, 0)
    at_most("peaks of all processes of a pool together, MiB", max(run["sum_mb"] for run in every), 1024, 0)
    at_least("two processes are faster by", seconds[1] / seconds[2], 1.6, 2)


def main() -> None:
    options = argparse.ArgumentParser(prog="sense pair")
    options.add_argument("--size", type=int, default=4096, help="pixels along a side")
    options.add_argument("--runs", type=int, default=3, help="of each number of processes; the median counts")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    options.add_argument("--dask", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        one_run(given.one, given.work, given.processes, given.dask)
        return
    warnings.simplefilter("ignore")
    from bench.sense_sheets import fly  # not above: each process of a pool loads this file again

    with tempfile.TemporaryDirectory() as name:
        flown = fly(Path(name), given.size, given.seed, surfaces=False)
        measured(flown, Path(name), given.size, given.runs)


if __name__ == "__main__":
    main()
