"""An SMS provider on this machine with faults by script, and the small HTTP port that talks to it.

The port is the shape a real adapter has: a time-out per read, the message's key as idempotency key, statuses read by
``ports.of_http_status``. The provider keeps what it would have shown to people, by key: that is the truth to compare with.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter

from jiequ.channels.ports import Outcome, Outgoing, Result, of_http_status

HANG_SECONDS = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class Provider:
    """One fault for each call, the last one for ever. ``shown`` counts, by key, what people would have seen."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.calls = 0
        self.shown: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            fault = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            self.calls += 1
            with contextlib.suppress(OSError):
                getattr(self, f"_{fault}")(connection)

    def _show(self, connection: socket.socket) -> None:
        """Read the request and show its text, once a key."""
        data = b""
        while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < _length(data):
            data += connection.recv(4096)
        key = json.loads(data.split(b"\r\n\r\n", 1)[1])["key"]
        self.shown[key] = 1

    def _ok(self, connection: socket.socket) -> None:
        self._show(connection)
        connection.sendall(OK % (12, b'{"id":"p-1"}'))

    def _reset(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _hang(self, connection: socket.socket) -> None:
        self._stop.wait(HANG_SECONDS)

    def _error_500(self, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _busy_429(self, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _refused_400(self, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 No such number\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _bad_json(self, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(OK % (9, b"<html>no<"))

    def _garbage(self, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x00\xff not http at all\r\n\r\n")

    def _slow_drip(self, connection: socket.socket) -> None:
        """A byte every so often: each read is in time, the whole never ends."""
        connection.recv(4096)
        until = time.monotonic() + HANG_SECONDS
        for byte in OK % (12, b'{"id":"p-1"}'):
            connection.sendall(bytes([byte]))
            if self._stop.wait(0.05) or time.monotonic() > until:
                return

    def _shown_without_reply(self, connection: socket.socket) -> None:
        self._show(connection)


def _length(data: bytes) -> int:
    for line in data.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


class HttpPort:
    """A port over HTTP, as an adapter for a real provider would be."""

    is_remote = True

    def __init__(self, tcp_port: int, *, name: str = "http", timeout: float = 0.3) -> None:
        self.name = name
        self.tcp_port = tcp_port
        self.timeout = timeout

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        connection = http.client.HTTPConnection("127.0.0.1", self.tcp_port, timeout=self.timeout)
        try:
            connection.request("POST", "/sms", json.dumps({"key": key, "to": address, "text": message.text}))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            return of_http_status(answer.status)
        return Outcome(Result.ACCEPTED, provider_id=json.loads(body)["id"])
