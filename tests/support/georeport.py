"""Another server on this machine that answers as it is told to, address by address, and writes down what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = bytes | tuple[int, bytes] | Callable[["Asked"], "bytes | tuple[int, bytes]"]


@dataclass
class Asked:
    """One call: its path, its query or form (the last value of each name), its headers."""

    method: str
    path: str
    given: dict[str, str]
    headers: dict[str, str]


@dataclass
class Foreign:
    """``answers`` by "GET /requests.xml"; what is not there is a 404."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Asked] = field(default_factory=list)

    def asked(self, what: str) -> list[Asked]:
        """The calls of one address."""
        return [one for one in self.calls if f"{one.method} {one.path}" == what]


@contextmanager
def foreign() -> Iterator[Foreign]:
    """A server on 127.0.0.1 for the time of a test."""
    told = Foreign()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET", urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._do("POST", self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _do(self, method: str, text: str) -> None:
            given = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
            asked = Asked(method, urlsplit(self.path).path, given, dict(self.headers))
            told.calls.append(asked)
            answer = told.answers.get(f"{method} {asked.path}", (404, b""))
            answer = answer(asked) if callable(answer) else answer
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
