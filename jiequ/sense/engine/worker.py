"""What a process that works for another begins with. Loads nothing of the engine by itself, so that it can say how things are
loaded."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

Work = Callable[..., bytes]


def begin_worker() -> None:
    """In a process of the pool: ends when the parent ends, however it ended."""
    settled()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


@cache
def settled() -> None:
    """One thread a process, and little cache: GDAL by itself takes a twentieth of the machine's memory in each."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with _without("boto3"):
        rasters = import_module("jiequ.sense.engine.rasters")
    os.environ["GDAL_CACHEMAX"] = str(rasters.WORKER_CACHE_MB)
    import_module("cv2").setNumThreads(1)


@contextmanager
def _without(module: str) -> Iterator[None]:
    """As if it were not installed. rasterio loads boto3 for a login to S3, half of the time that a worker takes to begin; a
    worker reads local files."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def ready() -> None:
    """Loads what the units stand in."""
    import_module("jiequ.sense.engine.evidence")
    with suppress(ImportError):
        import_module("onnxruntime")


def all_done(work: Sequence[tuple[Work, tuple[Any, ...]]]) -> list[bytes]:
    """Some units, one after another."""
    return [one(*given) for one, given in work]


def unit_done(work: Work, *given: Any) -> bytes:
    """One unit, by a process that somebody else began."""
    settled()
    return work(*given)
