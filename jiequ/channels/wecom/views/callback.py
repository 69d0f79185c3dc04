"""WeCom's callbacks: always encrypted, the question too, which is answered within a second because it asks no database.

What all callbacks have in common: ``channels.callbacks``.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from jiequ.channels import callbacks
from jiequ.channels.arrivals.services import Incoming, incoming_of
from jiequ.channels.crypt import CryptError, Envelope
from jiequ.channels.xml import read_xml
from jiequ.people.access import public

from .. import config

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
    word = partial(callbacks.opened, request, envelope, request.GET.get("echostr", ""))
    return callbacks.answer(request, word=word, pushed=partial(_pushed, request, envelope, whose))


def _pushed(request: HttpRequest, envelope: Envelope, whose: str, at: datetime) -> Incoming:
    """What WeCom pushed to this corporation and application; CryptError for what is somebody else's."""
    text = callbacks.opened(request, envelope, callbacks.body(request).get("Encrypt"), at)
    fields = read_xml(text.encode())
    if fields.get("ToUserName") != settings.WECOM_CORPID:
        raise CryptError
    if not whose and fields.get("AgentID", settings.WECOM_AGENTID) != settings.WECOM_AGENTID:
        raise CryptError
    return incoming_of("wecom", f"{settings.WECOM_CORPID}:{whose or settings.WECOM_AGENTID}", fields)
