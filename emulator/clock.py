"""The emulator's time: it can run faster, stand still, and be put forward."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

CHINA = timezone(timedelta(hours=8))
T = TypeVar("T")


class Clock:
    """Seconds since 1970. ``rate``: emulated seconds in one real second; 0 stands still until ``advance``."""

    def __init__(self, *, at: float | None = None, rate: float = 1.0) -> None:
        self._at = time.time() if at is None else at
        self._since = time.monotonic()
        self._rate = rate
        self._changed = asyncio.Event()

    @property
    def rate(self) -> float:
        """How fast time runs."""
        return self._rate

    def now(self) -> float:
        """The moment it is."""
        return self._at + (time.monotonic() - self._since) * self._rate

    def today(self) -> str:
        """The day in China, where quotas begin anew at midnight."""
        return datetime.fromtimestamp(self.now(), tz=UTC).astimezone(CHINA).strftime("%Y-%m-%d")

    def set(self, *, at: float | None = None, rate: float | None = None) -> None:
        """Another moment or another speed; who waits looks again. Call it in the loop."""
        self._at, self._since = (self.now() if at is None else at), time.monotonic()
        self._rate = self._rate if rate is None else rate
        told, self._changed = self._changed, asyncio.Event()
        told.set()

    def advance(self, seconds: float) -> None:
        """Put it forward."""
        self.set(at=self.now() + seconds)

    async def until(self, moment: float) -> None:
        """Wait for a moment of this clock."""
        while (left := moment - self.now()) > 0:
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), left / self._rate if self._rate else None)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        await self.until(self.now() + seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; TimeoutError, and the work cancelled, after so many seconds of this clock."""
        doing = asyncio.ensure_future(work)
        limit = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait({doing, limit}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise TimeoutError
        finally:
            for task in (doing, limit):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await doing
