"""Everybody who listens, and the beat at which they are told."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import close_old_connections
from django.utils import translation
from django.utils.translation import gettext as _

from .watching import Look, Watch, Welcome

log = logging.getLogger("jiequ.live")

TICK_SECONDS = 0.25
CHECK_SECONDS = 15.0
"""How often everybody's session is looked at although nothing happened."""
MOST_OF_ONE = 6
MOST_STREAMS = 2000
MOST_WAITING = 32
"""Messages that wait for a slow reader; one more and the stream is dropped. The browser comes back and catches up."""

END = b""


def message(event: str, data: dict[str, Any], *, floor: int) -> bytes:
    """One server-sent event; the browser names ``floor`` when it comes back."""
    return f"event: {event}\nid: {floor}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


@dataclass(eq=False)
class Stream:
    """One open page: whose session, and what it has not been sent yet."""

    session: str
    person_id: int | None = None
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 2))
    is_over: bool = False

    def tell(self, data: bytes) -> None:
        """Queue a message, or end the stream of a reader who does not keep up."""
        if self.is_over:
            return
        if self.waiting.qsize() >= MOST_WAITING:
            self.end()
        else:
            self.waiting.put_nowait(data)

    def end(self, last: bytes = b"") -> None:
        """Nothing more will come, but ``last``."""
        if self.is_over:
            return
        self.is_over = True
        if last:
            self.waiting.put_nowait(last)
        self.waiting.put_nowait(END)


class Hub:
    """Holds the streams and looks at the timeline for all of them. The database is asked in one thread only."""

    def __init__(self, watch: Callable[[], Watch] = Watch) -> None:
        self._watch = watch()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._streams: list[Stream] = []
        self._beat: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, in the running loop."""
        if self._beat is None or self._beat.done():
            self._beat = asyncio.get_running_loop().create_task(self._look_for_ever())

    async def stop(self) -> None:
        """End every stream; browsers come back to the next process."""
        if self._beat:
            self._beat.cancel()
        for stream in self._streams:
            stream.end()
        self._thread.shutdown(wait=False)

    async def join(self, session: str, *, since: int | None, page_at: datetime | None) -> Stream | None:
        """A stream for a session; None if it opens nothing, or the house is full.

        It listens before it is asked what was missed: told twice is harmless, not told is not.
        """
        if len(self._streams) >= MOST_STREAMS:
            return None
        stream = Stream(session)
        self._streams.append(stream)
        try:
            welcome = await self._ask(lambda: self._watch.welcome(session, since=since, page_at=page_at))
        except BaseException:
            self.leave(stream)
            raise
        if welcome is None:
            self.leave(stream)
            return None
        self._admit(stream, welcome)
        return stream

    def _admit(self, stream: Stream, welcome: Welcome) -> None:
        stream.person_id = welcome.person_id
        theirs = [one for one in self._streams if one.person_id == welcome.person_id and not one.is_over]
        for oldest in theirs[:-MOST_OF_ONE]:
            oldest.end(message("closed", _too_many(welcome.language), floor=welcome.floor))
        stream.tell(b"retry: 2000\n\n" + message("hello", {}, floor=welcome.floor))
        if welcome.missed["changes"] or welcome.missed["all"]:
            stream.tell(message("changed", welcome.missed, floor=welcome.floor))

    def leave(self, stream: Stream) -> None:
        """The reader has gone."""
        stream.is_over = True
        if stream in self._streams:
            self._streams.remove(stream)

    async def _ask(self, question: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _with_a_sound_connection, question)

    async def _look_for_ever(self) -> None:
        check_at = 0.0
        while True:
            began = time.monotonic()
            try:
                is_due = began >= check_at
                await self._look(check=is_due)
                check_at = began + CHECK_SECONDS if is_due else check_at
            except Exception:
                log.exception("live events could not look; trying again")
                await asyncio.sleep(1.0)
            await asyncio.sleep(max(0.02, TICK_SECONDS - (time.monotonic() - began)))

    async def _look(self, *, check: bool) -> None:
        listening = [stream for stream in self._streams if stream.person_id is not None]
        sessions = {stream.session for stream in listening}
        look: Look = await self._ask(lambda: self._watch.look(sessions, check=check and bool(sessions)))
        for stream in listening:
            if look.alive is not None and stream.session not in look.alive:
                stream.end(message("closed", {"reason": "signed_out"}, floor=look.floor))
            elif look.told.get(stream.session):
                stream.tell(message("changed", look.told[stream.session], floor=look.floor))
            elif check:
                stream.tell(message("beat", {}, floor=look.floor))


def _with_a_sound_connection(question: Callable[[], Any]) -> Any:
    close_old_connections()
    return question()


def _too_many(language: str) -> dict[str, str]:
    with translation.override(language):
        return {"reason": "too_many", "sentence": _("您打开的页面太多，这一页改为每隔几秒刷新一次。")}
