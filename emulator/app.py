"""The emulator: an ASGI app. The first part of a path says which host is played.

``/api`` api.weixin.qq.com, ``/open`` open.weixin.qq.com, ``/mp`` mp.weixin.qq.com, ``/res`` res.wx.qq.com,
``/qyapi`` qyapi.weixin.qq.com, ``/oapi`` oapi.dingtalk.com, ``/sms`` a text-message provider, ``/_emu`` the strings.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from emulator import control, dingtalk, oauth, phones, plain, sms, store
from emulator.browser import Browsers
from emulator.clock import Clock
from emulator.errors import ApiError
from emulator.faults import ANSWER_KINDS, Fault, Faults
from emulator.http import Answer, Request, as_json, redirect
from emulator.jssdk import service as jssdk_service
from emulator.news import News
from emulator.official import service as official_service
from emulator.push import Pusher
from emulator.store import State
from emulator.transcript import Transcript
from emulator.wecom import service as wecom_service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Service = Callable[["Emulator", Request], Awaitable[Answer]]

SERVICES: dict[str, Service] = {
    "api": official_service.answer,
    "mp": official_service.answer_mp,
    "open": oauth.answer,
    "res": jssdk_service.answer,
    "qyapi": wecom_service.answer,
    "oapi": dingtalk.answer,
    "sms": sms.answer,
    "phones": phones.answer,
    "_emu": control.answer,
}
NOT_WRITTEN_DOWN = {"_emu", "phones"}
SAVE_SECONDS = 1.0
SOON_SECONDS, SETTLE_SECONDS = 10.0, 20.0
"""What is due within so many emulated seconds is waited for, so many real seconds at most."""


class Emulator:
    """State, time, faults and the push engine; ``__call__`` is ASGI. ``file``: where the state is kept over a restart."""

    def __init__(self, *, clock: Clock | None = None, file: Path | None = None, state: State | None = None) -> None:
        self.clock = clock or Clock()
        self.file = file
        self.state = state or (plain.load(file) if file else None) or State()
        self.transcript = Transcript()
        self.faults = Faults()
        self.news = News()
        self.pusher = Pusher(self)
        self.browsers = Browsers(self)
        self.refuse_for: Callable[[float], Awaitable[None]] | None = None
        self._later: dict[asyncio.Task[Any], float] = {}

    def later(self, seconds: float, deed: Callable[[], Any]) -> None:
        """Do it so many emulated seconds from now."""

        async def wait() -> None:
            await self.clock.sleep(seconds)
            result = deed()
            if asyncio.iscoroutine(result):
                await result

        task = asyncio.ensure_future(wait())
        self._later[task] = self.clock.now() + seconds
        task.add_done_callback(lambda done: self._later.pop(done, None))

    async def settle(self) -> bool:
        """Wait until nothing is pushed any more nor will be soon; False if that takes too long (a clock may stand still)."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while self.pusher.is_busy or any(due < self.clock.now() + SOON_SECONDS for due in self._later.values()):
            if time.monotonic() > give_up_at:
                return False
            await asyncio.sleep(0.005)
        return True

    async def drop(self) -> None:
        """Give up what is on its way or planned."""
        for task in list(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self.pusher.close()
        await self.browsers.close()

    async def keep(self) -> None:
        """Write the state down whenever it changed, until cancelled."""
        written = -1
        while self.file:
            if self.news.number != written:
                written = self.news.number
                plain.save(self.state, self.file)
            await asyncio.sleep(SAVE_SECONDS)

    async def close(self) -> None:
        """Stop what is under way."""
        await self.drop()
        await self.pusher.let_go()
        if self.file:
            plain.save(self.state, self.file)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        fault = self._fault(request)
        if fault and not fault.after:
            await self._break(fault, None, scope, send)
            return
        answer = await self.answer(request)
        if fault:
            await self._break(fault, answer, scope, send)
        else:
            await respond(answer, receive, send)

    async def answer(self, request: Request) -> Answer:
        """What the played service says; everything but the strings is written down."""
        service = request.path.split("/")[1]
        if not service:
            return redirect("/phones/")
        play = SERVICES.get(service)
        if not play:
            return as_json({"detail": f"no such host is played: {service}"}, 404)
        try:
            answer = await play(self, request)
        except ApiError as fault:
            answer = refusal(fault, self.clock.now())
        if service not in NOT_WRITTEN_DOWN and "/phones/" not in request.headers.get("referer", ""):
            self._note(service, request, answer.status, answer.body)
            self.news.tell("called", {"path": request.path})
        return answer

    def _note(self, service: str, request: Request, status: int, answer: bytes, note: str = "") -> None:
        self.transcript.write(
            at=self.clock.now(),
            way="in",
            service=service,
            method=request.method,
            path=request.path,
            query=request.query,
            body=request.body,
            status=status,
            answer=answer,
            note=note,
        )

    def _fault(self, request: Request) -> Fault | None:
        if request.path.split("/")[1] in NOT_WRITTEN_DOWN:
            return None
        return self.faults.take(request.path, ANSWER_KINDS)

    async def _break(self, fault: Fault, answer: Answer | None, scope: Message, send: Send) -> None:
        """Answer wrongly. ``answer``: what would have been said, where the deed was done."""
        wire = scope.get("extensions", {}).get("emulator", {})
        if not answer:
            await self._note_fault(fault, scope)
        if fault.kind == "latency":
            await self.clock.sleep(fault.seconds)
            request = await _request(scope, _nothing)
            await respond(answer or await self.answer(request), None, send)
        elif fault.kind == "reset":
            if "reset" in wire:
                wire["reset"]()
            raise ConnectionResetError
        elif fault.kind == "hang":
            await self.clock.sleep(fault.seconds or 3600)
            await respond(Answer(b"", 504, "text/plain"), None, send)
        elif fault.kind == "drip":
            await _drip(fault, answer or Answer(b'{"errcode":0,"errmsg":"ok"}'), send)
        elif fault.kind == "half":
            await respond_half(send)
            if "half" in wire:
                await wire["half"]()
        else:
            await respond(_wrong(fault, self.clock.now()), None, send)

    async def _note_fault(self, fault: Fault, scope: Message) -> None:
        if fault.kind == "latency":
            return
        request = await _request(scope, _nothing)
        self._note(request.path.split("/")[1], request, 0, b"", note=f"fault: {fault.kind}")


def refusal(fault: ApiError, now: float) -> Answer:
    """``errcode`` and ``errmsg`` with a request id, HTTP 200."""
    number = store.digest(str(now), str(fault.errcode))[:8].lower()
    return as_json(
        {"errcode": fault.errcode, "errmsg": f"{fault.errmsg} rid: {int(now):x}-{number}-{int(now * 1e6) % 2**32:08x}"}
    )


def _wrong(fault: Fault, now: float) -> Answer:
    if fault.kind == "status":
        return Answer(b"<html>Bad Gateway</html>", fault.status, "text/html")
    if fault.kind == "bad_json":
        return Answer(b'{"errcode":0,"errmsg":"ok"')
    if fault.kind == "empty":
        return Answer(b"")
    return refusal(ApiError(fault.errcode, words=fault.errmsg), now)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _request(scope: Message, receive: Receive) -> Request:
    if "emulator.request" not in scope:
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        scope["emulator.request"] = Request(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            client=(scope.get("client") or ["127.0.0.1"])[0],
        )
    found: Request = scope["emulator.request"]
    return found


async def respond(answer: Answer, receive: Receive | None, send: Send) -> None:
    """Send an answer; a stream ends when the reader leaves."""
    headers = [(b"content-type", answer.kind.encode()), (b"x-content-type-options", b"nosniff")]
    headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers += [(b"set-cookie", one.encode()) for one in answer.cookies]
    if not answer.stream:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.stream:
        await _stream(answer, receive, send)
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _stream(answer: Answer, receive: Receive | None, send: Send) -> None:
    async def pour() -> None:
        assert answer.stream
        async for part in answer.stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})

    pouring = asyncio.ensure_future(pour())
    leaving = asyncio.ensure_future(receive()) if receive else None
    try:
        await asyncio.wait({pouring, *([leaving] if leaving else [])}, return_when=asyncio.FIRST_COMPLETED)
        if pouring.done():
            pouring.result()
            await send({"type": "http.response.body", "body": b""})
    finally:
        for task in filter(None, (pouring, leaving)):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def respond_half(send: Send) -> None:
    """A start that promises 500 bytes, and a few of them."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"500")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"errcode":', "more_body": True})


async def _drip(fault: Fault, answer: Answer, send: Send) -> None:
    """One byte at a time, ``seconds`` of the real clock between them: a reader's own time is real."""
    headers = [(b"content-type", answer.kind.encode()), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    for at in range(len(answer.body)):
        await send({"type": "http.response.body", "body": answer.body[at : at + 1], "more_body": True})
        await asyncio.sleep(fault.seconds or 0.2)
    await send({"type": "http.response.body", "body": b""})
