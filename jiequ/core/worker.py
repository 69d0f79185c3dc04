"""The worker process: one loop for jobs inside the database, one for each line of those outside: what hangs delays no timer.

Any number of workers may run, on any number of hosts with PostgreSQL. Stopping is graceful: the job in hand is finished.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import close_old_connections, connections
from django.db.utils import DatabaseError, InterfaceError

from . import clock
from .errors import plain
from .kinds import KINDS, Kind
from .lease import work_once
from .queue import schedule_periodic

log = logging.getLogger("jiequ.jobs")

SHORTEST_SLEEP_SECONDS = 0.05
LONGEST_SLEEP_SECONDS = 1.0
BATCH, BATCH_SECONDS = 20, 1.0
MOST_STUCK = 8


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that is no job: ``work()`` does some and says how much. Idle, it is asked again within ``longest_sleep_seconds``."""

    name: str
    work: Callable[[], int]
    longest_sleep_seconds: float = LONGEST_SLEEP_SECONDS


LOOPS: dict[str, Loop] = {}


def register_loop(name: str, work: Callable[[], int], *, longest_sleep_seconds: float = LONGEST_SLEEP_SECONDS) -> None:
    """Give every worker a loop of its own for work that lies elsewhere than in the jobs table."""
    LOOPS[name] = Loop(name, work, longest_sleep_seconds)


class TookTooLong(Exception):
    """An outside handler did not come back within its ``timeout_seconds``."""


def run_worker(stop: threading.Event) -> None:
    """Do jobs until ``stop`` is set. Latency of a due job: at most a second when idle.

    Raises RuntimeError when too many outside handlers hang: the supervisor starts a fresh worker, leases bring the jobs back.
    """
    schedule_periodic(clock.now())
    limits = {line: TimeLimited() for line in sorted({kind.line for kind in KINDS.values() if kind.outside})}
    loops = [threading.Thread(target=_loop, args=(stop, _inside), name="inside")]
    loops += [
        threading.Thread(target=_loop, args=(stop, partial(_outside, line, limited)), name=f"outside {line}")
        for line, limited in limits.items()
    ]
    loops += [
        threading.Thread(target=_loop, args=(stop, one.work, one.longest_sleep_seconds), name=one.name)
        for one in LOOPS.values()
    ]
    for loop in loops:
        loop.start()
    while any(loop.is_alive() for loop in loops):
        if _stuck(limits.values()) > MOST_STUCK:
            stop.set()
        for loop in loops:
            loop.join(timeout=0.2)
    for limited in limits.values():
        limited.close()
    connections.close_all()
    if (stuck := _stuck(limits.values())) > MOST_STUCK:
        raise RuntimeError(f"{stuck} outside jobs hang; their handlers need time-outs of their own")


def _inside() -> int:
    return work_once(at=clock.now(), limit=BATCH, outside=False, seconds=BATCH_SECONDS)


def _outside(line: str, limited: TimeLimited) -> int:
    return work_once(at=clock.now(), limit=1, outside=True, line=line, run=limited)


def _stuck(limits: Iterable[TimeLimited]) -> int:
    return sum(limited.stuck for limited in limits)


def _loop(stop: threading.Event, work: Callable[[], int], longest: float = LONGEST_SLEEP_SECONDS) -> None:
    """Work while there is work; else sleep a little longer each time, up to ``longest`` seconds."""
    pause = SHORTEST_SLEEP_SECONDS
    while not stop.is_set():
        done = 0
        try:
            close_old_connections()
            done = work()
        except (DatabaseError, InterfaceError) as error:
            log.error("the database is not answering: %s", plain(error))
            connections.close_all()
            pause = LONGEST_SLEEP_SECONDS
        pause = SHORTEST_SLEEP_SECONDS if done else min(pause * 2, longest)
        if not done:
            stop.wait(pause)
    connections.close_all()


class TimeLimited:
    """Calls outside handlers in a thread of its own; one that hangs is left behind and a new thread takes over."""

    def __init__(self) -> None:
        self.stuck = 0
        self._hand: _Hand | None = None

    def __call__(self, kind: Kind, call: Callable[[], Any]) -> Any:
        self._hand = self._hand or _Hand()
        try:
            outcome, value = self._hand.do(call, kind.timeout_seconds)
        except queue.Empty:
            self.close()
            self.stuck += 1
            raise TookTooLong(f"no answer within {kind.timeout_seconds:g} s") from None
        if outcome == "raised":
            raise value
        return value

    def close(self) -> None:
        """Let the thread end once its call, if it hangs in one, comes back."""
        if self._hand:
            self._hand.leave()
            self._hand = None


class _Hand:
    """One daemon thread with its own database connection."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, daemon=True, name="outside-hand").start()

    def do(self, call: Callable[[], Any], timeout_seconds: float) -> tuple[str, Any]:
        self._calls.put(call)
        return self._answers.get(timeout=timeout_seconds)

    def leave(self) -> None:
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            close_old_connections()
            try:
                answer = ("returned", call())
            except Exception as error:
                answer = ("raised", error)
            self._answers.put(answer)
        connections.close_all()
