"""Calls to addresses that somebody typed in: checked at the address actually connected to (RELIABILITY row 17).

``https`` only, no redirects, ten seconds in all (name, connection, greeting, request and answer together), a small answer, no
proxy from the environment. A name is resolved once, each address it gives is judged, and the connection goes to that very
address: a name that answers otherwise the second time gains nothing. What an operator names in ``JIEQU_WEBHOOK_NETWORKS`` (an
intranet) may be private, and plain ``http``.
"""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from . import reach
from .errors import Refusal

SECONDS = 10.0
LARGEST_ANSWER = 4096
LARGEST_DOCUMENT = 8 * 1024 * 1024
LONGEST_URL = 500


class Unreachable(Exception):
    """The call came to nothing; ``code`` says why, without a word of the other side's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers by lower-case name, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


def target_of(url: str) -> Target:
    """The parts of an address that may be called; Refusal for any other. Nothing is resolved here."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else str(parts.hostname)
    except (ValueError, UnicodeError):
        raise _bad_url() from None
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= LONGEST_URL
    if not is_plain or not host or port == 0 or parts.scheme not in {"https", "http"}:
        raise _bad_url()
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refusal("url_with_more", _("地址里不能带用户名、密码或 #。"), facts={"field": "url"})
    if parts.scheme == "http" and not _networks():
        raise Refusal("url_not_https", _("地址要以 https:// 开头。"), facts={"field": "url"})
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def _bad_url() -> Refusal:
    return Refusal("bad_url", _("请填写完整的地址，例如 https://example.org/hook。"), facts={"field": "url"})


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer to a POST, ``SECONDS`` from now at the latest; of its body only a little is read.

    Unreachable if there is none, or if the address may not be reached.
    """
    return _call("POST", url, body, headers, SECONDS, LARGEST_ANSWER, is_whole=False).status


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    seconds: float = SECONDS,
    largest: int = LARGEST_DOCUMENT,
) -> Answer:
    """The whole answer, ``seconds`` from now at the latest. Unreachable ``too_large`` for a body over ``largest`` bytes."""
    return _call(method, url, body, headers or {}, seconds, largest, is_whole=True)


def _call(
    method: str, url: str, body: bytes, headers: dict[str, str], seconds: float, largest: int, *, is_whole: bool
) -> Answer:
    until = time.monotonic() + seconds
    try:
        target = target_of(url)
    except Refusal as refusal:
        raise Unreachable(refusal.code) from None
    held: list[Any] = [_connected(target, until)]
    watch = threading.Timer(max(0.0, until - time.monotonic()), _cut, [held])
    watch.daemon = True
    watch.start()
    try:
        if target.scheme == "https":
            held[0] = _tls().wrap_socket(held[0], server_hostname=target.host, do_handshake_on_connect=False)
            held[0].settimeout(_left(until))
            held[0].do_handshake()
        held[0].settimeout(_left(until))
        answer = _answer(target, held[0], method, body, headers, until, largest)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_why(error, until)) from None
    finally:
        watch.cancel()
        held[0].close()
    if is_whole:
        _check_whole(answer, until, largest)
    return answer


def _check_whole(answer: Answer, until: float, largest: int) -> None:
    """Unreachable for a body that is too large, or that was cut off and only looks like one that ended."""
    if len(answer.body) > largest:
        raise Unreachable("too_large")
    _left(until)
    promised = answer.headers.get("content-length", "")
    if promised.isdecimal() and len(answer.body) < int(promised):
        raise Unreachable("no_answer")


def _left(until: float) -> float:
    """Seconds that are left; Unreachable if none is."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise Unreachable("timed_out")
    return seconds


def _why(error: Exception, until: float) -> str:
    """Once the time is over every fault is that: a connection that we cut looks like one that they broke."""
    if isinstance(error, TimeoutError) or time.monotonic() >= until:
        return "timed_out"
    return "bad_certificate" if isinstance(error, ssl.SSLError) else "no_answer"


def _answer(
    target: Target, sock: socket.socket, method: str, body: bytes, headers: dict[str, str], until: float, largest: int
) -> Answer:
    call: Any = http.client.HTTPConnection(target.host, target.port)
    call.default_port = 443 if target.scheme == "https" else 80
    call.sock = sock
    try:
        call.request(method, target.path, body=body or None, headers={**headers, "Connection": "close"})
        with call.getresponse() as answer:
            _left(until)  # headers that were cut off look like headers that ended
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(int(answer.status), told, answer.read(largest + 1))
    finally:
        call.close()


def _cut(held: list[Any]) -> None:
    """The ten seconds are over, whatever trickles in."""
    try:
        socket.socket.shutdown(held[0], socket.SHUT_RDWR)
    except OSError:
        return


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


# -- where the call goes ---------------------------------------------------------------------------------------------


def _connected(target: Target, until: float) -> socket.socket:
    """A socket to the first address of the name that may be reached; judged once more on the socket itself."""
    found = _resolved(target, until)
    allowed = [one for one in found if may_reach(str(one[4][0]), scheme=target.scheme)]
    if not allowed or len(allowed) < len(found):
        raise Unreachable("address_not_allowed")  # one bad address among them is a trick or a fault: none is tried
    family, kind, protocol, _name, address = allowed[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(_left(until))
        sock.connect(address)
        if not may_reach(str(sock.getpeername()[0]), scheme=target.scheme):
            raise Unreachable("address_not_allowed")
    except OSError as error:
        sock.close()
        raise Unreachable("timed_out" if isinstance(error, TimeoutError) else "no_connection") from None
    except Unreachable:
        sock.close()
        raise
    return sock


def _resolved(target: Target, until: float) -> list[Any]:
    """What the system's resolver gives for the name, as ``getaddrinfo`` does.

    The platform cannot break a lookup off, so it is made in a thread of its own and left behind when the time is over; the
    resolver's own limits end it (``resolv.conf``: by default five seconds, twice, for each name server).
    """
    answers: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, ValueError):
            answers.put([])

    threading.Thread(target=ask, daemon=True, name="name-lookup").start()
    try:
        found = answers.get(timeout=_left(until))
    except queue.Empty:
        raise Unreachable("timed_out") from None
    if not found:
        raise Unreachable("unknown_host")
    return found


def may_reach(text: str, *, scheme: str = "https") -> bool:
    """True for an address on the open internet, or in a network the operator named (there also by plain http)."""
    return reach.may_reach(text, _networks(), scheme=scheme)


def _networks() -> list[reach.Network]:
    return reach.networks(tuple(settings.WEBHOOK_NETWORKS))
