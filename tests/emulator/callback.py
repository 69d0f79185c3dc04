"""A callback address: it proves itself as asked, writes down every push and answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from emulator import crypto
from emulator.xml import from_xml

TOKEN, AES_KEY = "a-token-of-ours", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
Reply = tuple[int, str]


@dataclass
class Push:
    """One request: its query, its body, and when it came."""

    query: dict[str, str]
    body: str
    at: float

    @property
    def fields(self) -> dict[str, Any]:
        """A plain body's fields."""
        return from_xml(self.body)

    def opened(self, receiver: str) -> dict[str, Any]:
        """An encrypted body's, after its signature was checked."""
        cipher = self.fields["Encrypt"]
        query = self.query
        assert crypto.is_signed(query["msg_signature"], TOKEN, query["timestamp"], query["nonce"], cipher)
        return from_xml(crypto.decrypt(cipher, key=AES_KEY, receiver=receiver))


@dataclass
class Callback:
    """``answer`` is called with each push; ``verify`` with each question's query."""

    url: str = ""
    pushes: list[Push] = field(default_factory=list)
    answer: Callable[[Push], Reply] = lambda push: (200, "success")
    verify: Callable[[dict[str, str]], str] = lambda query: query["echostr"]

    def kinds(self) -> list[str]:
        """Type or event of each plain push, in order of arrival."""
        return [push.fields.get("Event") or push.fields["MsgType"] for push in self.pushes]


@contextmanager
def listening() -> Iterator[Callback]:
    """A server on 127.0.0.1 for the time of a test."""
    told = Callback()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, told.verify(self._query()))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            push = Push(self._query(), body, time.monotonic())
            told.pushes.append(push)
            self._say(*told.answer(push))

        def _query(self) -> dict[str, str]:
            return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

        def _say(self, status: int, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_args: Any) -> None:  # a caller that gives up is what some tests are about
            return

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/wechat"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
