"""The door of live events: one address, and only for our own pages."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
os.environ.setdefault("JIEQU_MODE", "production")
django.setup()

from django.conf import settings  # noqa: E402

from jiequ.core.ids import token_hash  # noqa: E402

from .hub import END, Hub, Stream  # noqa: E402

PATH = "/live/stream"
HEARTBEAT_SECONDS = 15.0
SLOW_SECONDS = 20.0
"""A reader who takes one message for longer is dropped."""
_LONGEST_NUMBER = 18

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

hub = Hub()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI: the process's beginning and end, and requests."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http":
        await _answer(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        told = await receive()
        if told["type"] == "lifespan.startup":
            hub.start()
            await send({"type": "lifespan.startup.complete"})
        elif told["type"] == "lifespan.shutdown":
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["path"] == "/live/healthz":
        await _say(send, 200, b"ok\n", [])
        return
    origin = given.get("origin", "")
    if (origin and origin != own_origin()) or given.get("sec-fetch-site") == "cross-site":
        await _say(send, 403, b"not from here\n", [])
        return
    allowed: Headers = _cors(origin)
    if scope["path"] != PATH or scope["method"] != "GET":
        await _say(send, 404 if scope["path"] != PATH else 405, b"", allowed)
        return
    session = session_of(given.get("cookie", ""))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    since, page_at = where_from(given.get("last-event-id", ""), query)
    hub.start()
    stream = await hub.join(session, since=since, page_at=page_at) if session else None
    if stream is None:
        await _say(send, 401, b"sign in first\n", allowed)
        return
    try:
        await _stream(stream, receive, send, allowed)
    finally:
        hub.leave(stream)


def own_origin() -> str:
    """The origin of our pages: of nobody else's do we say anything."""
    parts = urlsplit(settings.BASE_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _cors(origin: str) -> Headers:
    found: Headers = [(b"vary", b"Origin"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    if origin:
        found += [(b"access-control-allow-origin", origin.encode()), (b"access-control-allow-credentials", b"true")]
    return found


def session_of(cookies: str) -> str:
    """The hash of the session's key, as the table knows it; nothing for a cookie that cannot be read."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return token_hash(morsel.value) if morsel and morsel.value else ""


def where_from(last_event_id: str, query: dict[str, list[str]]) -> tuple[int | None, datetime | None]:
    """From which event on, or from which moment (milliseconds: when the page was made); neither: from now on."""
    since = last_event_id or query.get("since", [""])[0]
    if _is_number(since):
        return int(since), None
    at = query.get("at", [""])[0]
    if _is_number(at) and int(at) < 10**14:
        return None, datetime.fromtimestamp(int(at) / 1000, tz=UTC)
    return None, None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


async def _say(send: Send, status: int, body: bytes, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]})
    await send({"type": "http.response.body", "body": body})


async def _stream(stream: Stream, receive: Receive, send: Send, headers: Headers) -> None:
    kind: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": [*kind, *headers]})
    gone = asyncio.ensure_future(_gone(receive))
    try:
        while not gone.done():
            data = await _next(stream, gone)
            if data == END:
                break
            await asyncio.wait_for(_send(send, data), SLOW_SECONDS)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), 1.0)
    except (TimeoutError, OSError, RuntimeError):  # slow, or gone in the middle of a message
        return
    finally:
        gone.cancel()


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _next(stream: Stream, gone: asyncio.Future[None]) -> bytes:
    """The next message; a comment when nothing happened for a while; ``END`` when the reader has gone."""
    coming = asyncio.ensure_future(stream.waiting.get())
    either: set[asyncio.Future[Any]] = {coming, gone}
    done, _waiting = await asyncio.wait(either, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if coming in done:
        return coming.result()
    coming.cancel()
    return END if gone in done else b": still here\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
