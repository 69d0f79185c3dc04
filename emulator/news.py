"""Tells open pages that something happened: numbered, the newest thousand kept."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

HEARTBEAT_SECONDS = 15.0


class News:
    """What happened; who listens is woken."""

    def __init__(self) -> None:
        self.number = 0
        self._kept: deque[tuple[int, str, dict[str, Any]]] = deque(maxlen=1000)
        self._woken = asyncio.Event()

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Write it down and wake who listens."""
        self.number += 1
        self._kept.append((self.number, kind, data))
        told, self._woken = self._woken, asyncio.Event()
        told.set()

    async def listen(self, after: int) -> AsyncIterator[bytes]:
        """Server-sent events from there on; a comment now and then."""
        yield b"retry: 1000\n\n"
        while True:
            woken = self._woken
            for number, kind, data in [one for one in self._kept if one[0] > after]:
                after = number
                yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
            try:
                await asyncio.wait_for(woken.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
