"""The push engine: what people do is told to the product's callback address, in order for each person, with retries."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from emulator import envelope
from emulator.envelope import Outcome, Target
from emulator.faults import PUSH_KINDS, Fault

if TYPE_CHECKING:
    from emulator.app import Emulator

SETTINGS: dict[str, Any] = {
    "push_timeout": 5.0,
    "push_attempts": 3,  # field reports say 3 deliveries in all; 4 are possible
    "push_spacing": 5.0,  # a failed attempt is followed by the next one this long after it began
    "timestamps": "clock",  # or "machine": pushes carry the computer's time although the clock was moved
}
BEFORE_SENDING = ("drop", "delay", "reorder", "duplicate", "replay")
IN_THE_BODY = tuple(kind for kind in PUSH_KINDS if kind not in BEFORE_SENDING)
REORDER_SECONDS = 2.0
CONNECTIONS = 400


@dataclass
class Push:
    """One message on its way. ``kind``: ``text``, ``event.CLICK``, ``wecom.text`` …"""

    target: Target
    fields: dict[str, Any]
    kind: str
    person: str
    done: Callable[[Outcome], None] = field(default=lambda outcome: None)


class Pusher:
    """Queues by target and person; each has a task while it holds something."""

    def __init__(self, emu: Emulator) -> None:
        self._emu = emu
        self._queues: dict[str, deque[Push]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is still on its way."""
        return bool(self._tasks)

    def setting(self, name: str) -> Any:
        """A setting of the engine."""
        return self._emu.state.settings.get(name, SETTINGS[name])

    def client(self) -> httpx.AsyncClient:
        """The one client of all pushes."""
        if self._client is None:
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=100)
            self._client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False)
        return self._client

    def push(self, push: Push) -> None:
        """Put it behind this person's other messages; a target without an address is told nothing."""
        if not push.target.url:
            return
        key = f"{push.target.receiver}:{push.target.agent}:{push.person}"
        if key in self._queues:
            self._queues[key].append(push)
            return
        self._queues[key] = deque([push])
        self._begin(self._work(key))

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                fault = self._emu.faults.take(queue[0].kind, BEFORE_SENDING)
                if fault and fault.kind == "reorder":
                    await self._swap(queue, fault)
                    fault = None
                await self._one(queue[0], fault)
                queue.popleft()
        finally:  # a queue that nobody works at would take whatever comes later, for ever
            del self._queues[key]

    async def _swap(self, queue: deque[Push], fault: Fault) -> None:
        """The next message, if one comes in time, goes first."""
        until = self._emu.clock.now() + (fault.seconds or REORDER_SECONDS)
        while len(queue) < 2 and self._emu.clock.now() < until:
            await asyncio.sleep(0.01)
        if len(queue) > 1:
            queue[0], queue[1] = queue[1], queue[0]

    async def _one(self, push: Push, fault: Fault | None) -> None:
        if fault and fault.kind == "drop":
            self._note(push, {}, "", 0, "", "dropped")
            push.done(Outcome("dropped"))
            return
        if fault and fault.kind == "delay":
            await self._emu.clock.sleep(fault.seconds)
        if fault and fault.kind == "duplicate":
            for _copy in range(fault.count - 1):
                self._begin(self._attempt(push, None))
        outcome = await self._deliver(push, fault)
        push.done(outcome)
        self._emu.news.tell("pushed", {"person": push.person, "kind": push.kind, "outcome": outcome.kind})

    async def _deliver(self, push: Push, fault: Fault | None) -> Outcome:
        outcome = Outcome("failed", "never tried")
        for number in range(1, int(self.setting("push_attempts")) + 1):
            began = self._emu.clock.now()
            outcome = await self._attempt(push, fault if number == 1 else None)
            outcome.attempts = number
            if outcome.kind != "failed":
                return outcome
            if number < int(self.setting("push_attempts")):
                await self._emu.clock.until(began + float(self.setting("push_spacing")))
        return outcome

    async def _attempt(self, push: Push, fault: Fault | None) -> Outcome:
        """One request with a signature of its own. ``fault``: a replay to plan."""
        wrong = self._emu.faults.take(push.kind, IN_THE_BODY)
        now = time.time() if self.setting("timestamps") == "machine" else self._emu.clock.now()
        query, body = envelope.sealed(push.target, push.fields, now=now, wrong=wrong)
        if fault and fault.kind == "replay":
            self._emu.later(fault.seconds, lambda: self._send(push, query, body, "replay"))
        return await self._send(push, query, body, f"fault: {wrong.kind}" if wrong else "")

    async def _send(self, push: Push, query: dict[str, str], body: str, note: str) -> Outcome:
        status, text = 0, ""
        try:
            asking = self.client().post(
                push.target.url, params=query, content=body.encode(), headers={"content-type": "text/xml"}
            )
            answer = await self._emu.clock.within(float(self.setting("push_timeout")), asking)
            status, text = answer.status_code, answer.text
            outcome = envelope.read(push.target, push.fields, status, text)
        except TimeoutError:
            outcome = Outcome("failed", "no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            outcome = Outcome("failed", f"{type(fault).__name__}: {fault}")
        self._note(push, query, body, status, text, "; ".join(filter(None, (note, outcome.why))))
        return outcome

    def _note(self, push: Push, query: dict[str, str], body: str, status: int, answer: str, note: str) -> None:
        self._emu.transcript.write(
            at=self._emu.clock.now(),
            way="out",
            service="qyapi" if push.kind.startswith("wecom.") else "api",
            method="POST",
            path=push.target.url,
            query=query,
            body=body,
            status=status,
            answer=answer,
            kind=push.kind,
            person=push.person,
            note=note,
        )

    async def verify(self, target: Target, *, seconds: float) -> str:
        """Ask the address to prove itself, as on 'save settings'; an empty text if it does, else why not."""
        query, wanted = envelope.question(target, now=self._emu.clock.now())
        status, text, why = 0, "", ""
        try:
            answer = await self._emu.clock.within(seconds, self.client().get(target.url, params=query))
            status, text = answer.status_code, answer.text
            why = "" if status == 200 and text == wanted else f"token 验证失败: HTTP {status}, {text[:80]!r}"
        except TimeoutError:
            why = f"请求URL超时 ({seconds:g} s)"
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            why = f"请求URL失败: {type(fault).__name__}"
        self._emu.transcript.write(
            at=self._emu.clock.now(), way="out", service="qyapi" if target.is_work else "api", method="GET",
            path=target.url, query=query, body="", status=status, answer=text, kind="verify", note=why,
        )  # fmt: skip
        return why

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._queues = {}

    async def let_go(self) -> None:
        """Let go of connections."""
        if self._client:
            await self._client.aclose()
            self._client = None
