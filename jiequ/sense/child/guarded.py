"""Connections of this process go only where somebody who typed an address may lead us: the rules of ``core.outgoing``.

``pyodm`` calls ``requests``, which calls ``urllib3``: the one place below all of them where a connection is made is replaced. A
name is resolved once, every address that it gives is judged, and the connection goes to that very address. Redirects are not
followed, no proxy and no ``.netrc`` is read.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.util.connection

from jiequ.core import reach


class Refused(OSError):
    """The address may not be reached."""


class _Rules:
    """What holds for the request in hand."""

    scheme = "https"
    named: Sequence[reach.Network] = ()
    was_refused = False


def keep_to(url: str, networks: Sequence[str]) -> None:
    """From now on connections are for this address; ``networks`` are those that the operator named."""
    _Rules.scheme, _Rules.named, _Rules.was_refused = urlsplit(url).scheme, reach.networks(tuple(networks)), False
    os.environ["NETRC"], os.environ["NO_PROXY"] = os.devnull, "*"
    requests.sessions.DEFAULT_REDIRECT_LIMIT = 0
    urllib3.util.connection.create_connection = _connected


def was_refused() -> bool:
    """True if an address was refused since ``keep_to``."""
    return _Rules.was_refused


def _connected(
    address: tuple[str, int], timeout: Any = None, source_address: Any = None, socket_options: Any = None
) -> socket.socket:
    """In place of urllib3's: one bad address among those of the name is a trick or a fault, and none is tried."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    if not found or not all(_may_reach(one[4][0]) for one in found):
        _Rules.was_refused = True
        raise Refused("address_not_allowed")
    family, kind, protocol, _name, place = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        for option in socket_options or ():
            sock.setsockopt(*option)
        sock.settimeout(timeout if isinstance(timeout, int | float) else 30.0)
        sock.connect(place)
    except OSError:
        sock.close()
        raise
    return sock


def _may_reach(text: Any) -> bool:
    return reach.may_reach(str(text), _Rules.named, scheme=_Rules.scheme)
