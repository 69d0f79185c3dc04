"""Open pages as the benchmark of live events needs them: a hundred browsers in one thread of a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

SPREAD_SECONDS, SLOW_SECONDS, SLOW_SPREAD_SECONDS = 0.06, 5.0, 3.0  # as renew.js has them
NUMBERS_SECONDS = SLOW_SECONDS + SLOW_SPREAD_SECONDS
ADDRESSES = {"leader": "/leader/", "desk": "/desk/?tray=accept", "list": "/cases/?all=1", "todo": "/todo/"}
_PART = re.compile(r'data-live-part="([^"]+)"([^>]*)>')
_STATES = re.compile(r'data-live-states="([^"]*)"')
_NUMBER = re.compile(r"[A-Z]{2}-\d{4}-\d{6}")


class Pages:
    """The pages, seen from the benchmark."""

    def __init__(self, port: int, sessions: list[str], of: list[str]) -> None:
        self._count = len(sessions)
        self._ours, theirs = multiprocessing.Pipe()
        start = multiprocessing.get_context("spawn").Process
        self._process = start(target=_open, args=(port, sessions, of, theirs), daemon=True)
        self._process.start()
        self._seen: dict[str, list[float]] = defaultdict(list)

    def __len__(self) -> int:
        return self._count

    def opened(self) -> None:
        """Wait until every page listens."""
        if not self._ours.poll(120) or self._ours.recv() != "listening":
            raise RuntimeError("the pages did not open")

    def seen(self, number: str, *, give_up_at: float) -> list[float]:
        """The moments at which the pages had that case, as soon as all have it or the time is over."""
        while len(self._seen[number]) < self._count and time.monotonic() < give_up_at:
            if self._ours.poll(0.02):
                found, at = self._ours.recv()
                self._seen[found].append(at)
        return self._seen[number]


def _open(port: int, sessions: list[str], of: list[str], told: Connection) -> None:
    asyncio.run(_live(port, sessions, of, told))


async def _live(port: int, sessions: list[str], of: list[str], told: Connection) -> None:
    pages = [Page(port, session, ADDRESSES[of[n % len(of)]], told) for n, session in enumerate(sessions)]
    for page in pages:
        await page.open()
    told.send("listening")
    await asyncio.gather(*(page.follow() for page in pages))


@dataclass
class Page:
    """One browser's page: a connection that listens and one that is kept for what it asks."""

    port: int
    session: str
    address: str
    told: Connection
    parts: list[tuple[str, set[str]]] = field(default_factory=list)
    numbers: str = ""
    shown: set[str] = field(default_factory=set)
    wanted: set[int] = field(default_factory=set)

    async def open(self) -> None:
        """The page itself, which names its parts; then the stream, up to its first word."""
        self.asking: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.turn = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()
        self.slow: asyncio.Task[None] | None = None
        self.renewing: asyncio.Task[None] | None = None
        for address, rest in _PART.findall(await self.get(self.address)):
            plain = address.replace("&amp;", "&")
            if "data-live-slow" in rest:
                self.numbers = plain
            elif states := _STATES.search(rest):
                self.parts.append((plain, set(states.group(1).split())))
        self.stream, self.listening = await asyncio.open_connection("127.0.0.1", self.port + 1)
        self.listening.write(self._request("/live/stream"))  # kept: a writer that goes away closes
        while b"event: hello" not in await self.stream.readline():
            pass

    async def follow(self) -> None:
        """Hear what changed, for ever."""
        event = ""
        while raw := await self.stream.readline():
            name, _colon, value = raw.decode().rstrip().partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "changed":
                self.take(json.loads(value)["changes"])

    def take(self, changes: list[dict[str, object]]) -> None:
        """Ask for the rows a moment later, for the numbers some seconds later."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            for address, states in self.parts:
                if change["state"] in states or "*" in states:
                    wanted[address].add(str(change["id"]))
        for address, ids in wanted.items():
            task = asyncio.create_task(self.renew(f"{address}&cases={','.join(sorted(ids))}"))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if self.numbers and (self.slow is None or self.slow.done()):
            self.slow = asyncio.create_task(self.count())

    async def renew(self, address: str) -> None:
        await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))
        body, at = await self.get(address), time.monotonic()
        for number in set(_NUMBER.findall(body)) - self.shown:
            self.shown.add(number)
            self.told.send((number, at))

    async def count(self) -> None:
        await asyncio.sleep(random.uniform(1, SLOW_SPREAD_SECONDS) if not self.shown else SLOW_SECONDS)
        await asyncio.sleep(random.uniform(0, SLOW_SPREAD_SECONDS))
        await self.get(self.numbers)

    async def get(self, address: str) -> str:
        """One answer over the connection that is kept; a new one where the server closed it."""
        async with self.turn:
            for _try in range(2):
                if self.asking is None:
                    self.asking = await asyncio.open_connection("127.0.0.1", self.port)
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    return await self._ask(*self.asking, address)
                self.asking = None
        raise RuntimeError(f"no answer: {address}")

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> str:
        writer.write(self._request(address))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if not head.startswith("http/1.1 200"):
            raise RuntimeError(f"{address}: {head.splitlines()[0]}")
        if length := re.search(r"content-length: (\d+)", head):
            return (await reader.readexactly(int(length.group(1)))).decode()
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body.decode()

    def _request(self, address: str) -> bytes:
        lines = [f"GET {address} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Cookie: jiequ_session={self.session}"]
        return "\r\n".join([*lines, "HX-Request: true", "Jiequ-By-Itself: 1", "", ""]).encode()
