"""WeCom's callback: always encrypted. The question is answered at once and without a database; a push is stored, then answered.

Whatever is wrong with a request, the answer is one 403 that says nothing. An inbox that is down is a 503: WeCom sends again.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from jiequ.channels.arrivals.services import Incoming, Replayed, incoming_of, receive
from jiequ.channels.crypt import CryptError, Envelope
from jiequ.channels.xml import MOST_BYTES, XmlError, read_xml
from jiequ.core.clock import now
from jiequ.people.access import public

from .. import config

log = logging.getLogger(__name__)
DRIFT_SECONDS = 300
CONTACTS = "contacts"


@csrf_exempt
@public
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    """The application's."""
    return _answer(request, "")


@csrf_exempt
@public
@require_http_methods(["GET", "POST"])
def contacts(request: HttpRequest) -> HttpResponse:
    """Contacts sync's, which has a token and a key of its own."""
    return _answer(request, CONTACTS)


def _answer(request: HttpRequest, whose: str) -> HttpResponse:
    found = config.callbacks().get(whose)
    if not config.is_on() or found is None:
        raise Http404
    envelope = Envelope(found.token, found.aes_key, settings.WECOM_CORPID)
    try:
        if request.method == "GET":
            return _text(_opened(request, envelope, request.GET.get("echostr", "")))
        incoming = _incoming(request, envelope, whose)
        query = request.GET
        is_new = receive(incoming, timestamp=query["timestamp"], nonce=query["nonce"], at=now())
    except (CryptError, XmlError, Replayed, ValueError):
        log.info("a callback that is not WeCom's was refused")
        return _text("", 403)
    except DatabaseError:
        log.exception("the inbox is down")
        return _text("", 503)
    log.debug("arrival", extra={"event": incoming.event, "is_new": is_new})
    return _text("success")


def _opened(request: HttpRequest, envelope: Envelope, encrypted: str) -> str:
    """The text inside, signed lately; CryptError for anything else."""
    query = request.GET
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    text = envelope.open(encrypted, signature=query.get("msg_signature", ""), timestamp=stamp, nonce=nonce)
    if not _is_fresh(stamp, now()):
        raise CryptError
    return text


def _is_fresh(stamp: str, at: datetime) -> bool:
    return stamp.isascii() and stamp.isdigit() and len(stamp) <= 10 and abs(at.timestamp() - int(stamp)) <= DRIFT_SECONDS


def _incoming(request: HttpRequest, envelope: Envelope, whose: str) -> Incoming:
    """What was pushed; CryptError, XmlError or ValueError for what was not pushed by WeCom to this application."""
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise XmlError("longer than 64 KiB")
    sealed = read_xml(request.body).get("Encrypt")
    fields: dict[str, Any] = read_xml(_opened(request, envelope, sealed if isinstance(sealed, str) else "").encode())
    if fields.get("ToUserName") != settings.WECOM_CORPID:
        raise CryptError
    if not whose and fields.get("AgentID", settings.WECOM_AGENTID) != settings.WECOM_AGENTID:
        raise CryptError
    return incoming_of("wecom", f"{settings.WECOM_CORPID}:{whose or settings.WECOM_AGENTID}", fields)


def _text(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
