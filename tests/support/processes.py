"""Real processes for race and crash tests: forked, so that they start in milliseconds, each with connections of its own."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

Tell = Callable[[bytes], None]
SEED = 20260304
BETWEEN_ROUNDS = timedelta(seconds=90)
"""Longer than any lease, so that the next worker may take over."""


@dataclass
class Child:
    """A forked process and the pipe on which it tells what it did."""

    pid: int
    pipe: int

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def told(self) -> bytes:
        """Everything it wrote until it ended."""
        with os.fdopen(self.pipe, "rb") as pipe:
            return pipe.read()


def fork(act: Callable[[Tell], Any]) -> Child:
    """Run ``act(tell)`` in a child; ``tell`` writes to the pipe at once, unbuffered. The child ends without any clean-up."""
    connections.close_all()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    status = 1
    try:
        os.close(reading)
        act(lambda data: _write(writing, data))
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def living(act: Callable[[Tell], Any]) -> Iterator[Child]:
    """A child that is killed at the end of the block."""
    child = fork(act)
    try:
        yield child
    finally:
        child.kill()


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """``act(0) … act(count - 1)``, each in a process of its own and all begun together; their results in order.

    An exception comes back as its instance, it is not raised.
    """
    start = time.monotonic() + 0.05

    def run(number: int, tell: Tell) -> None:
        time.sleep(max(0.0, start - time.monotonic()))
        try:
            result = act(number)
        except Exception as error:
            result = error
        tell(pickle.dumps(result))

    children = [fork(lambda tell, number=number: run(number, tell)) for number in range(count)]
    results = [child.told() for child in children]
    for child in children:
        os.waitpid(child.pid, 0)
    return [pickle.loads(result) if result else RuntimeError("the process died") for result in results]


def storm(
    worker: Callable[[datetime, Tell], Any], waits: Callable[[], bool], *, at: datetime, least: float, most: float, rounds: int
) -> int:
    """Kill -9 one worker after the other, from ``least`` to ``most`` seconds after its first word, while something ``waits``.

    Time begins at ``at`` and leaps past the lease each round. Returns how many were killed at work; what still waits after so
    many ``rounds`` is left, for the test to find.
    """
    dice, kills = random.Random(SEED), 0
    for _round in range(rounds):
        if not waits():
            break
        child = fork(lambda tell, at=at: worker(at, tell))
        os.read(child.pipe, 1)
        time.sleep(dice.uniform(least, most))
        gone, _status = os.waitpid(child.pid, os.WNOHANG)
        if not gone:
            child.kill()
            kills += 1
        os.close(child.pipe)
        at += BETWEEN_ROUNDS
    connections.close_all()
    return kills
