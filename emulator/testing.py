"""For tests: an emulator in a thread of its own on 127.0.0.1, and its strings as methods.

pytest_plugins = ["emulator.testing"]        # or: from emulator.testing import emulator, emulator_thread

def test_something(emulator: Strings) -> None:
    emulator.does("zhou", "say", text="河道堵了")
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from emulator import scene
from emulator.app import Emulator
from emulator.clock import Clock
from emulator.running import running


class Strings:
    """The control API of a running emulator. ``base``: its address; ``smtp_port``: its mail server's."""

    def __init__(self, base: str, smtp_port: int) -> None:
        self.base, self.smtp_port = base, smtp_port
        self._client = httpx.Client(base_url=base + "/_emu", timeout=60, trust_env=False, verify=False)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def ask(self, method: str, path: str, /, **given: Any) -> Any:
        """One string; ValueError with its sentence where it refuses."""
        answer = self._client.request(
            method, path, json=given if method == "POST" else None, params=None if method == "POST" else given
        )
        if answer.status_code >= 400:
            raise ValueError(answer.json()["why"])
        return answer.json()

    def does(self, person: str, deed: str, **given: Any) -> Any:
        """Somebody does something with the phone, and what is pushed for it has arrived, or is given up."""
        found = self.ask("POST", f"/people/{person}/{deed}", **given)
        self.settle()
        return found

    def settle(self) -> None:
        """Wait until nothing is on its way."""
        self.ask("POST", "/settle")

    def chat(self, person: str, where: str = scene.APPID) -> list[dict[str, Any]]:
        """The lines of a chat."""
        found: list[dict[str, Any]] = self.ask("GET", f"/people/{person}/chats/{where}")
        return found

    def openid(self, person: str, account: str = scene.APPID) -> str:
        """Somebody's openid."""
        phone = self.ask("GET", f"/people/{person}/phone")
        return str(next(one["openid"] for one in phone["accounts"] if one["where"] == account))

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self.ask("POST", "/clock", advance=seconds)

    def fault(self, kind: str, where: str = "*", **given: Any) -> None:
        """Plant a fault."""
        self.ask("POST", "/faults", kind=kind, where=where, **given)

    def settings(self, **given: Any) -> None:
        """Settings of the push engine, and plans."""
        self.ask("POST", "/settings", **given)

    def server(self, url: str, *, token: str, aes_key: str = "", mode: str = "plain", is_checked: bool = True) -> None:
        """Save the callback of the scene's account."""
        given = {"url": url, "token": token, "aes_key": aes_key, "mode": mode, "is_checked": is_checked}
        self.ask("POST", f"/accounts/{scene.APPID}/server", **given)

    def transcript(self, **wanted: Any) -> list[dict[str, Any]]:
        """What was asked and answered."""
        found: list[dict[str, Any]] = self.ask("GET", "/transcript", **wanted)
        return found


@contextmanager
def in_a_thread(make: Callable[[], Emulator] = lambda: Emulator(clock=Clock())) -> Iterator[Strings]:
    """Start one; it plays the scene of ``scene.py`` (people ``zhou``, ``chen``, ``huang``, ``shui``, ``qian``, ``he``)."""
    ready, stop = threading.Event(), asyncio.Event()
    found: dict[str, Any] = {}

    async def serve() -> None:
        found["loop"] = asyncio.get_running_loop()
        emu = make()
        if not emu.state.people:
            scene.play(emu.state)
        async with running(emu) as (server, mails):
            found["strings"] = Strings(f"http://127.0.0.1:{server.port}", mails.port)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="emulator", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield found["strings"]
    finally:
        found["strings"].close()
        found["loop"].call_soon_threadsafe(stop.set)
        thread.join()


@pytest.fixture(scope="session")
def emulator_thread() -> Iterator[Strings]:
    """One emulator for the whole run."""
    with in_a_thread() as strings:
        yield strings


@pytest.fixture
def emulator(emulator_thread: Strings) -> Strings:
    """It, as on the first day: the scene's people and accounts, real time, no fault, no callback."""
    emulator_thread.ask("POST", "/reset", scene=True)
    emulator_thread.ask("POST", "/clock", at=time.time(), rate=1.0)
    return emulator_thread
