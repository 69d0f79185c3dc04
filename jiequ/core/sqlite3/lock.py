"""A fair lock between processes and threads: two flocks in a row.

Whoever wants to write first takes the *queue* file, then, at its head, waits for the *write* file, and lets go of the queue.
So exactly one waits for the write lock, and a writer that has just finished cannot overtake it. The kernel drops both
when a process dies: nothing can be left behind by kill -9.
"""

from __future__ import annotations

import fcntl
import os
import time
import weakref

FIRST_WAIT_SECONDS = 0.0001
LONGEST_WAIT_SECONDS = 0.0005


class LockTimeout(Exception):
    """The writer in front did not finish in time."""


class FairLock:
    """One connection's place in the queue. Descriptors are its own (flock is per open file), opened anew after a fork."""

    def __init__(self, database: str, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.is_held = False
        self._paths = (f"{database}-queue", f"{database}-write")
        self._descriptors: tuple[int, ...] = ()
        _open_locks.add(self)

    def acquire(self) -> None:
        """Wait for the turn. Raises LockTimeout when the head of the queue waited longer than ``timeout_seconds``."""
        if not self._descriptors:
            self._descriptors = tuple(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660) for path in self._paths)
        queue, write = self._descriptors
        fcntl.flock(queue, fcntl.LOCK_EX)
        try:
            self._wait_at_the_head(write)
        finally:
            fcntl.flock(queue, fcntl.LOCK_UN)
        self.is_held = True

    def _wait_at_the_head(self, write: int) -> None:
        """Poll, because flock cannot time out; only one process of all polls."""
        give_up_at = time.monotonic() + self.timeout_seconds
        pause = FIRST_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(write, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise LockTimeout from None
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_WAIT_SECONDS)

    def release(self) -> None:
        """Let the next one write. Does nothing if the lock is not held."""
        if self.is_held:
            self.is_held = False
            fcntl.flock(self._descriptors[1], fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the descriptors back (a held lock goes with them)."""
        self.is_held = False
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = ()


_open_locks: weakref.WeakSet[FairLock] = weakref.WeakSet()


def _forget_parents_descriptors() -> None:
    """In a forked child: an inherited descriptor would share, and could undo, the parent's lock."""
    for lock in _open_locks:
        lock.close()


os.register_at_fork(after_in_child=_forget_parents_descriptors)
