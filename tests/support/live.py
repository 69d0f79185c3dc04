"""Live events as a browser hears them: a stream read in a thread, and the process that serves it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def free_port(beside: tuple[int, ...] = ()) -> int:
    """A port nobody listens on, nor on those at these distances from it: below those that this machine's own connections are
    given, or one of them may take it between this look and the start."""
    for _try in range(50):
        port = random.randrange(20_000, 32_000)
        if all(_is_free(port + more) for more in (0, *beside)):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Process:
    """The process of live events on this test's database; ``kill`` and ``start`` as often as one likes.

    ``pages``: the origin of the pages that may listen, where it is not the settings'.
    """

    def __init__(self, pages: str = "") -> None:
        self.port = free_port()
        self._more = {"JIEQU_BASE_URL": pages} if pages else {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = {**os.environ, "JIEQU_MODE": "test", "DATABASE_URL": database_url(), **self._more}
        words = [sys.executable, "-m", "jiequ.web.cli.live", "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(words, cwd=ROOT, env=env, start_new_session=True)
        soon(self.answers, within=60)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/live/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to the master and its worker."""
        if self._process:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None
            soon(lambda: not self.answers())


def database_url() -> str:
    """The test database for another process."""
    if connection.vendor == "postgresql":
        return os.environ["DATABASE_URL"]
    return f"sqlite:///{connection.settings_dict['NAME']}"


@contextmanager
def process(pages: str = "") -> Iterator[Process]:
    """A running process, killed at the end."""
    running = Process(pages)
    running.start()
    try:
        yield running
    finally:
        running.kill()


class Listener:
    """One open page: what it was told, in order. ``since`` is what the browser would come back with."""

    def __init__(self, port: int, session: str, *, query: str = "", headers: dict[str, str] | None = None) -> None:
        self.changes: list[dict[str, Any]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.since = ""
        self.is_over = False
        self._asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        given = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", **(headers or {})}
        self._asked.request("GET", f"/live/stream{query}", headers=given)
        self._socket = self._asked.sock
        self.answer = self._asked.getresponse()
        self.status = self.answer.status
        self._thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self._thread.start()

    def _read(self) -> None:
        name = ""
        try:
            for raw in self.answer:
                key, _colon, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "id":
                    self.since = value
                elif key == "data":
                    data = json.loads(value)
                    self.changes += data.get("changes", []) if name == "changed" else []
                    self.events.append((name, data))
        except (OSError, http.client.HTTPException, AttributeError, ValueError):
            pass
        self.is_over = True

    def close(self) -> None:
        """The page is closed."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self.status == 200:
            self._thread.join()
        self.answer.close()
        self._socket.close()
        self._asked.close()

    @property
    def names(self) -> list[str]:
        return [name for name, _data in self.events]

    def told_of(self, case_id: int) -> list[str]:
        """What happened to that case, as this page heard it."""
        return [move for change in self.changes if change["id"] == case_id for move in change["did"]]

    def welcomed(self) -> Listener:
        """Wait until it is really listening."""
        soon(lambda: "hello" in self.names)
        return self


def soon(claim: Callable[[], object], *, within: float = 10) -> None:
    """Wait until it is so; fail when it never is."""
    give_up_at = time.monotonic() + within
    while not claim():
        assert time.monotonic() < give_up_at, "it did not come true"
        time.sleep(0.02)
