"""Units of work done somewhere: in this process, in a pool of processes, or by the workers of a Dask scheduler.

A unit is a function of plain arguments that answers bytes. What is done already lies in the folder and is not done again. The
bytes come back to this process and are written here, so a worker needs the sources and nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jiequ.sense.engine.folder import place_of, write_whole
from jiequ.sense.engine.plan import fingerprint
from jiequ.sense.engine.worker import Work, all_done, begin_worker, ready, unit_done

Progress = Callable[[str, int, int], None]
TRIES = 3  # of a pool whose worker was killed
AHEAD = 4  # units handed out for each worker of Dask
TOGETHER = 24  # units at most that one process does in one go: neighbours share blocks of the files


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work: ``work(*given)``; its key is the hash of the stage and of all that is given."""

    stage: str
    work: Work
    given: tuple[Any, ...]

    @property
    def key(self) -> str:
        """Names its result."""
        return fingerprint(self.stage, *self.given)


class Crew(Protocol):
    """Whoever does the work."""

    def begin(self) -> None:
        """There will be work: whoever takes a while to start may start."""

    def results(self, units: Sequence[Unit]) -> Iterator[tuple[int, bytes]]:
        """(place in ``units``, result) in any order."""
        ...


class Alone:
    """This process, one unit after another."""

    def begin(self) -> None:
        """See ``Crew``."""

    def results(self, units: Sequence[Unit]) -> Iterator[tuple[int, bytes]]:
        """See ``Crew``."""
        for place, unit in enumerate(units):
            yield place, unit.work(*unit.given)


class Pool:
    """So many processes on this machine. One that is killed is replaced, and what it held is done again."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._executor: ProcessPoolExecutor | None = None

    def begin(self) -> None:
        """See ``Crew``. A process takes a second to load what it works with; meanwhile files are hashed here."""
        for _process in range(self.processes):
            self._started().submit(ready)

    def results(self, units: Sequence[Unit]) -> Iterator[tuple[int, bytes]]:
        """See ``Crew``."""
        left, tries = list(range(len(units))), 0
        while left:
            try:
                for place, data in self._round(units, left):
                    left.remove(place)
                    yield place, data
            except BrokenProcessPool:
                self.close()
                tries += 1
                if tries == TRIES:
                    raise

    def _round(self, units: Sequence[Unit], places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        size = max(1, min(TOGETHER, len(places) // (4 * self.processes)))
        waiting = [places[first : first + size] for first in range(0, len(places), size)][::-1]
        running: dict[Future[list[bytes]], Sequence[int]] = {}
        while waiting or running:
            while waiting and len(running) < 2 * self.processes:
                some = waiting.pop()
                work = [(units[place].work, units[place].given) for place in some]
                running[self._started().submit(all_done, work)] = some
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from zip(running.pop(future), future.result(), strict=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.processes, context, initializer=begin_worker)
        return self._executor

    def close(self) -> None:
        """End the processes."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


class Dask:
    """The workers of a Dask scheduler; they see the sources under the same path. What a lost worker held is done by another."""

    def __init__(self, address: str) -> None:
        from distributed import Client

        self._client = Client(address, set_as_default=False)

    def begin(self) -> None:
        """See ``Crew``."""

    def results(self, units: Sequence[Unit]) -> Iterator[tuple[int, bytes]]:
        """See ``Crew``."""
        from distributed import as_completed

        waiting = list(reversed(range(len(units))))
        workers = max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
        first = [waiting.pop() for _ in range(min(len(waiting), workers * AHEAD))]
        running = {self._submit(units[place]): place for place in first}
        landing = as_completed(running, loop=self._client.loop)
        for future in landing:
            data = future.result()
            if waiting:
                place = waiting.pop()
                fresh = self._submit(units[place])
                running[fresh] = place
                landing.add(fresh)
            yield running.pop(future), data

    def _submit(self, unit: Unit) -> Any:
        return self._client.submit(unit_done, unit.work, *unit.given, key=f"{unit.stage}-{unit.key}", retries=TRIES, pure=True)

    def close(self) -> None:
        """Leave the scheduler."""
        self._client.close()


@contextmanager
def crew(runner: str, processes: int) -> Iterator[Crew]:
    """``runner``: "pool", or the address of a Dask scheduler; ``processes``: 0 for as many as there are cores."""
    found: Alone | Pool | Dask
    if runner != "pool":
        found = Dask(runner)
    else:
        count = processes or len(os.sched_getaffinity(0))
        found = Pool(count) if count > 1 else Alone()
    try:
        yield found
    finally:
        if not isinstance(found, Alone):
            found.close()


def run(units: Sequence[Unit], folder: Path, hands: Crew, progress: Progress | None) -> list[Path]:
    """Do what is not done yet; answers where each unit's result lies. Calls ``progress(stage, done, of)`` as they land."""
    places = [place_of(folder, unit.stage, unit.key) for unit in units]
    missing = [number for number, place in enumerate(places) if not place.is_file()]
    done = len(units) - len(missing)
    _tell(progress, units, done)
    for number, data in hands.results([units[number] for number in missing]):
        write_whole(places[missing[number]], data)
        done += 1
        _tell(progress, units, done)
    return places


def _tell(progress: Progress | None, units: Sequence[Unit], done: int) -> None:
    if progress is not None and units:
        progress(units[0].stage, done, len(units))
