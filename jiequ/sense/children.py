"""Child processes of a jobs' worker: one for each sort of work, kept from slice to slice.

A job on the lease queue may run for half a minute only, so that a worker that was killed is replaced soon. Long work is
therefore done by a child process; each slice of the job waits for it some seconds, tells how far it is, and enqueues the next
slice. When the worker dies its children die too; another worker's slice starts the work anew, and whatever the work keeps by
hash in its folder is not done twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

SLICE_SECONDS = 20.0
BEFORE_OTHERS = timedelta(microseconds=1)
"""By so much a further slice is due before what waits in its lane, or two would end each other's children."""
TELL_EVERY_SECONDS = 1.0
MOST_CRASHES = 2
LIMITS = {"take": 6 << 30, "compare": 8 << 30, "permits": 2 << 30, "export": 2 << 30, "pairs": 2 << 30, "release": 2 << 30,
          "mosaic": 3 << 30, "glance": 2 << 30, "fetch": 2 << 30}  # fmt: skip
"""Bytes of address space where files of strangers are opened."""
COMMAND = (sys.executable, "-m", "jiequ.sense.child")
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR")
Progress = Callable[[dict[str, Any]], None]


class ChildFailed(Exception):
    """The work failed for a reason that is not the file's: the job tries again later."""


class Child:
    """One process, the request it is busy with, and what it said."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.key = ""
        self.said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "SENSE_CHILD_BYTES": str(LIMITS.get(role, 0))}
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            start_new_session=True, text=True, encoding="utf-8",
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True, name=f"child {role}")
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as told:
            for line in told:
                with contextlib.suppress(ValueError):
                    self.said.put(json.loads(line))
        self.process.wait()
        self.said.put(None)

    def send(self, key: str, request: Mapping[str, Any]) -> None:
        """Begin with a request."""
        assert self.process.stdin is not None
        self.key = key
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """With everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(timeout=5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


_children: dict[str, Child] = {}
_crashes: dict[str, int] = {}
_lock = threading.Lock()


def ask(
    role: str,
    key: str,
    request: Mapping[str, Any],
    *,
    on_progress: Progress = lambda told: None,
    seconds: float | None = None,
) -> dict[str, Any] | None:
    """The answer to a request, or None while it is still being worked on: ask again with the same key.

    ``fault`` and ``facts`` stand in the answer where the file is to blame. A child that died over a request is replaced at
    once; dying over it again counts as such a fault. ``seconds``: None for ``SLICE_SECONDS``. Raises ChildFailed for the rest.
    """
    child = _child_for(role, key, request)
    ends, told_at = time.monotonic() + (SLICE_SECONDS if seconds is None else seconds), 0.0
    latest: dict[str, Any] | None = None
    while (left := ends - time.monotonic()) > 0:
        try:
            said = child.said.get(timeout=min(left, TELL_EVERY_SECONDS))
        except queue.Empty:
            continue
        if said is None:
            if crashed := _crashed(role, key):
                return crashed
            child = _child_for(role, key, request)
            continue
        if "progress" not in said:
            return _done(child, key, said)
        latest = said["progress"]
        if time.monotonic() - told_at > TELL_EVERY_SECONDS:
            on_progress(latest)
            told_at, latest = time.monotonic(), None
    if latest:
        on_progress(latest)
    return None


def once(role: str, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """The answer to one request by a process of its own, killed when it took too long: for pages, where a file is small."""
    child, ends = Child(role), time.monotonic() + seconds
    try:
        child.send(role, request)
        while (left := ends - time.monotonic()) > 0:
            said = child.said.get(timeout=left)
            if said is None:
                return {"fault": "crashed", "facts": {}}
            if "error" in said:
                raise ChildFailed(said["error"])
            if "progress" not in said:
                return said
    except (queue.Empty, BrokenPipeError):
        pass
    finally:
        child.kill()
    return {"fault": "too_long", "facts": {}}


def is_busy(role: str, key: str) -> bool:
    """True if the work on that request is in hand here."""
    child = _children.get(role)
    return child is not None and child.key == key and child.process.poll() is None


def stop(key: str) -> None:
    """Kill the work on a request, if it is in hand here."""
    for role, child in list(_children.items()):
        if child.key == key:
            child.kill()
            _children.pop(role, None)


def _child_for(role: str, key: str, request: Mapping[str, Any]) -> Child:
    with _lock:
        child = _children.get(role)
        if child is not None and child.key == key:
            return child
        if child is not None and (child.key or child.process.poll() is not None):
            child.kill()  # the request of a job that is no more
            child = None
        if child is None:
            child = _children[role] = Child(role)
        child.send(key, request)
        return child


def _done(child: Child, key: str, said: dict[str, Any]) -> dict[str, Any]:
    child.key = ""
    if "error" in said:
        raise ChildFailed(said["error"])
    _crashes.pop(key, None)
    return said


def _crashed(role: str, key: str) -> dict[str, Any] | None:
    """What is to be answered, or None if the request is worth another child. What the dead one held open is closed."""
    child = _children.pop(role, None)
    if child is not None:
        child.kill()
    _crashes[key] = _crashes.get(key, 0) + 1
    if _crashes[key] < MOST_CRASHES:
        return None
    _crashes.pop(key)
    return {"fault": "crashed", "facts": {}}
