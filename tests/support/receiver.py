"""Another system's server on this machine: it writes down what it is sent and answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One call."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """``answers``: statuses for the calls to come, then 200. ``drip_seconds``: how slowly it answers, a byte at a time."""

    url: str = ""
    calls: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    drip_seconds: float = 0.0
    answer_bytes: int = 2


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A server on 127.0.0.1 for the time of a test."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.calls.append(Received(self.path, dict(self.headers), body))
            status = told.answers.pop(0) if told.answers else 200
            if told.drip_seconds:
                self._drip(status)
                return
            self.send_response(status)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", str(told.answer_bytes))
            self.end_headers()
            self.wfile.write(b"x" * told.answer_bytes)

        def _drip(self, status: int) -> None:
            try:
                for byte in f"HTTP/1.1 {status} OK\r\nX-Long: {'y' * 500}\r\n\r\n".encode():
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(told.drip_seconds)
            except OSError:
                return

        def log_message(self, *_args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:  # a client that hangs up is what some tests are about
            return

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
