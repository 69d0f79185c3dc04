"""Another system's server on this machine: it writes down what it is sent and answers as told."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.loopback import Handler, listening


@dataclass
class Received:
    """One call."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """``answers``: statuses for the calls to come, then 200. ``drip_seconds``: how slowly it answers, a byte at a time.

    ``went_out``: of each call that has ended, whether its answer could be written to the last byte.
    """

    url: str = ""
    calls: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    drip_seconds: float = 0.0
    answer_bytes: int = 2
    went_out: list[bool] = field(default_factory=list)


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A server on 127.0.0.1 for the time of a test; with ``tls`` it speaks https."""
    told = Receiver()

    class Theirs(Handler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.body()
            if len(body) < int(self.headers.get("Content-Length") or 0):  # whoever sent it died over it: no call came
                return
            told.calls.append(Received(self.path, dict(self.headers), body))
            status = told.answers.pop(0) if told.answers else 200
            try:
                if told.drip_seconds:
                    drip(self.connection, status, told.drip_seconds)
                else:
                    self.send(status, b"x" * told.answer_bytes, **({"Location": told.location} if told.location else {}))
            except OSError:
                told.went_out.append(False)
                raise
            told.went_out.append(True)

    with listening(Theirs, tls) as address:
        told.url = f"{address}/hook"
        yield told


def drip(connection: socket.socket, status: int, seconds: float) -> None:
    """An answer a byte at a time, with so many seconds after each."""
    for byte in f"HTTP/1.1 {status} OK\r\nX-Long: {'y' * 500}\r\n\r\n".encode():
        connection.sendall(bytes([byte]))
        time.sleep(seconds)


@dataclass
class Late:
    """A server whose queue is full: it takes calls once ``opens`` is set, and drips. ``taken``: how many it took."""

    url: str
    opens: threading.Event = field(default_factory=threading.Event)
    taken: int = 0


@contextmanager
def late_receiver() -> Iterator[Late]:
    """A port on 127.0.0.1 to which a connection comes about late, or never."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        late = Late(f"http://127.0.0.1:{listening.getsockname()[1]}/hook")
        waiting = [*_filling(listening)]
        threading.Thread(target=_take, args=(listening, late), daemon=True).start()
        try:
            yield late
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # wakes the one who takes
            late.opens.set()
            for one in waiting:
                one.close()


def _filling(listening: socket.socket) -> Iterator[socket.socket]:
    """Connections that stand in the queue, until none comes about any more."""
    for _n in range(50):
        one = socket.socket()
        yield one
        one.settimeout(0.2)
        try:
            one.connect(listening.getsockname())
        except TimeoutError:
            return
    raise AssertionError("the queue of this machine is never full")


def _take(listening: socket.socket, late: Late) -> None:
    late.opens.wait()
    try:
        while True:
            taken, _address = listening.accept()
            threading.Thread(target=_drip_for_ever, args=(taken, late), daemon=True).start()
    except OSError:  # the test is over
        return


def _drip_for_ever(taken: socket.socket, late: Late) -> None:
    with taken:
        if taken.recv(1):  # those that stand in the queue ask for nothing
            late.taken += 1
            try:
                drip(taken, 200, 0.05)
            except OSError:
                return
