"""A small HTTP server for an ASGI app, on h11: it can also break a connection the way networks do.

An application server hides the socket, and resets and half answers are among what the product must survive.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import h11

from emulator.listener import Listener

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
LARGEST = 32 * 1024 * 1024


class Broken(Exception):
    """The connection is to be broken now."""


class Server(Listener):
    """Plays one ASGI app."""

    def __init__(self, app: App, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host=host, port=port, backlog=1024)
        self.app = app

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request after the other."""
        wire = Wire(reader, writer)
        with contextlib.suppress(h11.ProtocolError, Broken):
            while await wire.one_request(self.app):
                pass


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.SERVER)
        self._is_started = False

    async def one_request(self, app: App) -> bool:
        """Read one, have it answered; False when the connection is over."""
        request = await self._event()
        if not isinstance(request, h11.Request):
            return False
        body = await self._body()
        self._is_started = False
        await app(self._scope(request), self._receiver(body), self._send)
        if self._h11.our_state is h11.MUST_CLOSE or self._h11.their_state is not h11.DONE:
            return False
        if self._h11.our_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def _event(self) -> Any:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            if self._h11.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._h11.receive_data(await self._reader.read(65_536))
        return event

    async def _body(self) -> bytes:
        found = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            found += event.data
            if len(found) > LARGEST:
                raise Broken
        return bytes(found)

    def _scope(self, request: h11.Request) -> Message:
        path, _mark, query = request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method.decode(),
            "path": unquote(path.decode()),
            "raw_path": path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers],
            "client": self._writer.get_extra_info("peername"),
            "extensions": {"emulator": {"reset": self.reset, "half": self.half}},
        }

    def _receiver(self, body: bytes) -> Callable[[], Awaitable[Message]]:
        waiting = [body]

        async def receive() -> Message:
            if waiting:
                return {"type": "http.request", "body": waiting.pop(), "more_body": False}
            while await self._reader.read(65_536):
                pass
            return {"type": "http.disconnect"}

        return receive

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", [])]
            await self._write(h11.Response(status_code=message["status"], headers=headers))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                await self._write(h11.Data(data=message["body"]))
            if not message.get("more_body"):
                await self._write(h11.EndOfMessage())

    async def _write(self, event: Any) -> None:
        data = self._h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    def reset(self) -> None:
        """RST instead of an answer."""
        held = self._writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        raise Broken

    async def half(self) -> None:
        """End in the middle of an answer: call it after a start that announced more."""
        await self._writer.drain()
        self._writer.transport.close()
        raise Broken
