"""What the callbacks of WeChat and WeCom have in common: one 403 that says nothing for whatever is wrong, a 503 while the inbox
is down (the platform sends it again), ``success`` once a push is stored. No table of cases or people is touched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from jiequ.core.clock import now

from .arrivals.services import Incoming, Replayed, receive
from .crypt import CryptError, Envelope
from .xml import MOST_BYTES, XmlError, read_xml

log = logging.getLogger("jiequ.callbacks")
LONGEST_NONCE = 128


def answer(
    request: HttpRequest,
    *,
    word: Callable[[datetime], str],
    pushed: Callable[[datetime], Incoming],
    is_bound: bool = True,
) -> HttpResponse:
    """The answer to a platform. ``word``: what proves us to a GET; ``pushed``: who sent what by a POST. Both raise CryptError,
    XmlError or ValueError for what is not the platform's to this account. ``is_bound``: the signature covers the body."""
    at = now()
    try:
        if request.method == "GET":
            return _text(word(at))
        receive(pushed(at), timestamp=request.GET["timestamp"], nonce=request.GET["nonce"], at=at, is_bound=is_bound)
    except (CryptError, XmlError, Replayed, ValueError) as fault:
        log.info("a callback was refused: %s", type(fault).__name__)
        return _text("", 403)
    except (DatabaseError, InterfaceError) as fault:
        log.error("the inbox is down: %s", type(fault).__name__)
        return _text("", 503)
    return _text("success")


def opened(request: HttpRequest, envelope: Envelope, encrypted: Any, at: datetime) -> str:
    """The text of a ciphertext that the platform signed lately; CryptError for anything else."""
    check_time(request, at)
    query = request.GET
    return envelope.open(
        encrypted if isinstance(encrypted, str) else "",
        signature=query.get("msg_signature", ""),
        timestamp=query["timestamp"],
        nonce=query["nonce"],
    )


def body(request: HttpRequest) -> dict[str, Any]:
    """The fields of a push as it came; XmlError."""
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise XmlError("longer than 64 KiB")
    return read_xml(request.body)


def check_time(request: HttpRequest, at: datetime) -> None:
    """CryptError for a request without a nonce, or that is older or newer than the setting allows."""
    stamp, nonce = request.GET.get("timestamp", ""), request.GET.get("nonce", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 10 and nonce.isascii() and 0 < len(nonce) <= LONGEST_NONCE):
        raise CryptError
    if abs(at.timestamp() - int(stamp)) > settings.CALLBACK_SECONDS:
        raise CryptError


def _text(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
