"""The worker process: a loop for each line of jobs inside the database and of those outside: what hangs delays no timer.

Any number of workers may run, on any number of hosts with PostgreSQL. Stopping is graceful: the job in hand is finished.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import close_old_connections, connections
from django.db.utils import DatabaseError, InterfaceError

from . import clock
from .crew import Crew
from .errors import plain
from .hands import Hands, TookTooLong
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


def run_worker(stop: threading.Event) -> None:
    """Do jobs until ``stop`` is set. Latency of a due job: at most a second when idle.

    Raises RuntimeError when too many outside handlers hang: the supervisor starts a fresh worker, leases bring the jobs back.
    """
    schedule_periodic(clock.now())
    lines, inside = _lines(), sorted({kind.line for kind in KINDS.values() if not kind.outside})
    limits = {line: TimeLimited(line) for line, hands in lines.items() if hands == 1}
    bell = Bell(stop)
    loops = [threading.Thread(target=_loop, args=(bell, partial(_inside, line)), name=f"inside {line}") for line in inside]
    loops += [
        threading.Thread(target=_loop, args=(bell, partial(_outside, line, limited)), name=f"outside {line}")
        for line, limited in limits.items()
    ]
    loops += [
        threading.Thread(target=_loop, args=(bell, one.work, one.longest_sleep_seconds), name=one.name)
        for one in LOOPS.values()
    ]
    loops += [
        threading.Thread(target=_crew, args=(bell, Crew(line, hands)), name=f"outside {line}")
        for line, hands in lines.items()
        if hands > 1
    ]
    for loop in loops:
        loop.start()
    while any(loop.is_alive() for loop in loops):
        if bell.stop.is_set():
            bell.ring()
        if _stuck(limits.values()) > MOST_STUCK:
            stop.set()
        for loop in loops:
            loop.join(timeout=0.2)
    for limited in limits.values():
        limited.close()
    connections.close_all()
    if (stuck := _stuck(limits.values())) > MOST_STUCK:
        raise RuntimeError(f"{stuck} outside jobs hang; their handlers need time-outs of their own")


def _lines() -> dict[str, int]:
    """The lines of outside jobs, and how many hands each has."""
    lines: dict[str, int] = {}
    for kind in KINDS.values():
        if kind.outside:
            lines[kind.line] = max(lines.get(kind.line, 1), kind.hands)
    return dict(sorted(lines.items()))


def _crew(bell: Bell, crew: Crew) -> None:
    """The loop of a line with several hands; stopped, it finishes what is in hand."""
    _loop(bell, crew.turn, rings=False)
    try:
        crew.close()
    except (DatabaseError, InterfaceError) as error:
        log.error("what was in hand is left to its lease: %s", plain(error))
    connections.close_all()


def _inside(line: str) -> int:
    return work_once(at=clock.now(), limit=BATCH, outside=False, line=line, seconds=BATCH_SECONDS)


def _outside(line: str, limited: TimeLimited) -> int:
    return work_once(at=clock.now(), limit=1, outside=True, line=line, run=limited)


def _stuck(limits: Iterable[TimeLimited]) -> int:
    return sum(limited.stuck for limited in limits)


class Bell:
    """Wakes the loops that sleep: what one of them did is often the cause of work for another."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.rung = 0
        self._waiting = threading.Condition()

    def ring(self) -> None:
        """Wake all."""
        with self._waiting:
            self.rung += 1
            self._waiting.notify_all()

    def sleep(self, seconds: float, *, since: int) -> None:
        """Until it rings (or has rung ``since`` then), at most so long."""
        with self._waiting:
            self._waiting.wait_for(lambda: self.rung != since, seconds)


def _loop(bell: Bell, work: Callable[[], int], longest: float = LONGEST_SLEEP_SECONDS, *, rings: bool = True) -> None:
    """Work while there is work; else sleep a little longer each time, up to ``longest`` seconds, unless the bell rings."""
    pause = SHORTEST_SLEEP_SECONDS
    while not bell.stop.is_set():
        done, since = 0, bell.rung
        try:
            close_old_connections()
            done = work()
        except (DatabaseError, InterfaceError) as error:
            log.error("the database is not answering: %s", plain(error))
            connections.close_all()
            pause = LONGEST_SLEEP_SECONDS
        pause = SHORTEST_SLEEP_SECONDS if done else min(pause * 2, longest)
        if not done:
            bell.sleep(pause, since=since)
        elif rings:
            bell.ring()
    connections.close_all()


class TimeLimited:
    """Calls outside handlers in a thread of its own; one that hangs is left behind and a new thread takes over."""

    def __init__(self, line: str = "") -> None:
        self.stuck = 0
        self._hands = Hands(f"outside {line}")

    def __call__(self, kind: Kind, call: Callable[[], Any]) -> Any:
        try:
            return self._hands.call(call, kind.timeout_seconds)
        except TookTooLong:
            self.stuck += 1
            raise

    def close(self) -> None:
        """Let the thread end once its call, if it hangs in one, comes back."""
        self._hands.close()
