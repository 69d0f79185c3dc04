"""The address that WeChat pushes to: whatever is wrong, one 403 that says nothing; the inbox down, a 503; else ``success``.

Plain mode without an AES key; with one only the decrypted body counts, in compatible mode too, whose plain fields anybody could
have written. No table of cases or people is touched here: the answer waits for nothing but the inbox.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from jiequ.channels import crypt
from jiequ.channels.arrivals.services import Replayed, incoming_of, receive
from jiequ.channels.crypt import CryptError
from jiequ.channels.xml import MOST_BYTES, XmlError, read_xml
from jiequ.core.clock import now
from jiequ.people.access import public

from .. import config

log = logging.getLogger("jiequ.wechat")
LONGEST_NONCE, LONGEST_ECHO = 128, 256


@csrf_exempt
@public
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    """A question whether we are who we say, or a push."""
    if not config.listens():
        raise Http404
    at = now()
    try:
        if request.method == "GET":
            return _text(_proved(request, at))
        fields = _body(request, at)
        incoming = incoming_of(config.CHANNEL, settings.WECHAT_APPID, fields)
        receive(incoming, timestamp=request.GET["timestamp"], nonce=request.GET["nonce"], at=at)
    except (CryptError, XmlError, Replayed, ValueError) as fault:
        log.info("a callback was refused: %s", type(fault).__name__)
        return _text("", 403)
    except (DatabaseError, InterfaceError) as fault:
        log.error("the inbox is down: %s", type(fault).__name__)
        return _text("", 503)
    return _text("success")


def _proved(request: HttpRequest, at: datetime) -> str:
    """The word to give back: plain in every mode."""
    _check(request, "signature", at)
    echo = request.GET.get("echostr", "")
    if not echo.isascii() or not echo.isalnum() or len(echo) > LONGEST_ECHO:
        raise CryptError
    return echo


def _body(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """The fields of a push that this account's platform signed."""
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise XmlError("longer than 64 KiB")
    envelope = config.envelope()
    if envelope is None:
        _check(request, "signature", at)
        return read_xml(request.body)
    _check_time(request, at)
    encrypted = read_xml(request.body).get("Encrypt")
    query = request.GET
    text = envelope.open(
        encrypted if isinstance(encrypted, str) else "",
        signature=query.get("msg_signature", ""),
        timestamp=query["timestamp"],
        nonce=query["nonce"],
    )
    return read_xml(text.encode())


def _check(request: HttpRequest, name: str, at: datetime) -> None:
    """The signature over token, timestamp and nonce."""
    _check_time(request, at)
    query = request.GET
    if not crypt.is_signed(query.get(name, ""), settings.WECHAT_TOKEN, query["timestamp"], query["nonce"]):
        raise CryptError


def _check_time(request: HttpRequest, at: datetime) -> None:
    stamp, nonce = request.GET.get("timestamp", ""), request.GET.get("nonce", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 10 and nonce.isascii() and 0 < len(nonce) <= LONGEST_NONCE):
        raise CryptError
    if abs(at.timestamp() - int(stamp)) > settings.CALLBACK_SECONDS:
        raise CryptError


def _text(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
