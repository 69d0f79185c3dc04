"""A line of outside jobs with several hands: slow calls go on side by side, everything of ours happens in one thread.

A handler of such a line reads (and may write) what it needs and returns a ``Call``. Its ``act`` (the slow part, which ends in
time by itself) is done by a hand, after what the handler wrote is stored; its ``then`` gives what is to be stored, in the one
transaction that removes all jobs that have come back. So one connection to the database serves the line, and under load one
commit serves several jobs. If one of them fails, each is done by itself: handlers and follow-ups may run twice and must not
remember the first time. Jobs of one lane keep their order.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import clock, lease
from .db import writing
from .kinds import KINDS, Kind
from .models import Job

log = logging.getLogger("jiequ.jobs")
CLAIM_AT_ONCE = 16
ALONE_AFTER = 2
"""A job that has lost so many workers is done while nothing else is: should it be what kills them, only it is counted."""
Settle = Callable[[], Any]


@dataclass(slots=True)
class _Task:
    """A job in hand: claimed ``at``, and once its call is over what is to be stored, or why it failed."""

    job: Job
    kind: Kind
    at: datetime
    began: float
    answer: Any = None
    error: Exception | None = None
    then: Callable[[Any], Settle | None] | None = None
    follow_up: Settle | None = None

    def settle(self) -> None:
        """What is to be stored, from what the call came to."""
        if self.error is None and self.then is not None:
            try:
                self.follow_up = self.then(self.answer)
            except Exception as error:  # the handler's own failure, as any other
                self.error = error


class Crew:
    """The hands of one line and the thread that gives them work: call ``turn`` again and again from one thread."""

    def __init__(self, line: str, hands: int) -> None:
        self.kinds = lease.names(outside=True, line=line)
        self.hands = hands
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix=f"crew {line}")
        self._back: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._busy = 0
        self._turns = 0
        self._alone: Job | None = None

    @property
    def is_idle(self) -> bool:
        """True if no job is in hand."""
        return not self._busy and self._alone is None

    def turn(self, *, at: datetime | None = None, begins: bool = True, patience: float = 0.05) -> int:
        """Begin what is due, store what has come back, waiting for it up to ``patience`` seconds; 0 if there was nothing to do.

        ``at``: as if it were that time. ``begins`` False: only finish.
        """
        begun = self._begin(at or clock.now()) if begins or self._alone else 0
        return begun + self._store(0.0 if begun or not self._busy else patience) or self._busy

    def close(self) -> None:
        """Wait for what is in hand; its calls end in time."""
        while not self.is_idle:
            self.turn(begins=False, patience=0.2)
        self._pool.shutdown()

    # -- beginning --

    def _begin(self, at: datetime) -> int:
        if self._alone is not None:
            if self._busy:
                return 0
            job, self._alone = self._alone, None
            return self._start([job], at)
        free = min(self.hands - self._busy, CLAIM_AT_ONCE)
        if free <= 0 or not lease.is_due(self.kinds, at=at):
            return 0
        self._turns += 1
        begun = 0
        if self._turns % 4 == 0:
            begun = self._begin_abandoned(at)
        if not begun and self._alone is None:
            begun = self._start(lease.claim(self.kinds, at=at, limit=free), at) or self._begin_abandoned(at)
        return begun

    def _begin_abandoned(self, at: datetime) -> int:
        for job in lease.claim(self.kinds, at=at, limit=1, abandoned=True):
            if job.lost_workers > ALONE_AFTER:
                self._alone = job
                return self._begin(at)
            return self._start([job], at)
        return 0

    def _start(self, jobs: list[Job], at: datetime) -> int:
        tasks = [_Task(job, KINDS[job.kind], at, time.perf_counter()) for job in jobs]
        self._busy += len(tasks)
        for task, found in zip(tasks, _asked(tasks), strict=True):
            if isinstance(found, lease.Call):
                task.then = found.then
                self._pool.submit(self._act, task, found.act)
            else:
                task.follow_up = found if callable(found) else None
                self._back.put(task)
        return len(tasks)

    def _act(self, task: _Task, act: Callable[[], Any]) -> None:
        try:
            task.answer = act()
        except Exception as error:
            task.error = error
        self._back.put(task)

    # -- ending --

    def _store(self, patience: float) -> int:
        """Store what has come back: all of it in one transaction, or, if one of them cannot be stored, each in its own."""
        tasks = self._come_back(patience)
        self._busy -= len(tasks)
        for task in tasks:
            task.settle()
        good = [task for task in tasks if task.error is None]
        try:
            if len(good) > 1:
                with writing():
                    lease.remove([task.job for task in good])
                    for task in good:
                        if task.follow_up is not None:
                            task.follow_up()
                for task in good:
                    lease.tell_log(task.job, task.kind, at=task.at, seconds=time.perf_counter() - task.began)
                tasks = [task for task in tasks if task.error is not None]
        except Exception as error:
            log.debug("a batch is stored one by one: %s", type(error).__name__)
        for task in tasks:
            lease.end(task.job, task.kind, task.follow_up, task.error, at=task.at, began=task.began)
        return len(tasks) if len(good) < 2 else len(tasks) + len(good)

    def _come_back(self, patience: float) -> list[_Task]:
        tasks: list[_Task] = []
        try:
            tasks.append(self._back.get(timeout=patience) if patience else self._back.get_nowait())
            while len(tasks) < self.hands:
                tasks.append(self._back.get_nowait())
        except queue.Empty:
            pass
        return tasks


def _asked(tasks: list[_Task]) -> list[Any]:
    """What the handlers answer, before any call is made: in one transaction or, if one of them fails, each in its own."""
    try:
        with writing():
            return [_ask(task) for task in tasks]
    except Exception as error:
        log.debug("a batch is begun one by one: %s", type(error).__name__)
    return [_asked_alone(task) for task in tasks]


def _asked_alone(task: _Task) -> Any:
    try:
        with writing():
            return _ask(task)
    except Exception as error:  # whatever a handler raises is this job's own failure
        task.error = error
        return None


def _ask(task: _Task) -> Any:
    lease.check_lost_workers(task.job)
    return task.kind.handler(**task.job.args, at=task.at)
