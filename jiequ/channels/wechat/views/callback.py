"""The address that WeChat pushes to (what all callbacks have in common: ``channels.callbacks``).

Plain mode without an AES key; with one only the decrypted body counts, in compatible mode too, whose plain fields anybody could
have written.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from jiequ.channels import callbacks, crypt
from jiequ.channels.arrivals.services import Incoming, incoming_of
from jiequ.channels.crypt import CryptError
from jiequ.channels.xml import read_xml
from jiequ.people.access import public

from .. import config

LONGEST_ECHO = 256


@csrf_exempt
@public
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    """A question whether we are who we say, or a push."""
    if not config.listens():
        raise Http404
    is_bound = bool(settings.WECHAT_AES_KEY)
    return callbacks.answer(request, word=partial(_proved, request), pushed=partial(_pushed, request), is_bound=is_bound)


def _proved(request: HttpRequest, at: datetime) -> str:
    """The word to give back: plain in every mode."""
    _check(request, at)
    echo = request.GET.get("echostr", "")
    if not echo.isascii() or not echo.isalnum() or len(echo) > LONGEST_ECHO:
        raise CryptError
    return echo


def _pushed(request: HttpRequest, at: datetime) -> Incoming:
    return incoming_of(config.CHANNEL, settings.WECHAT_APPID, _fields(request, at))


def _fields(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """The fields of a push that this account's platform signed."""
    envelope = config.envelope()
    if envelope is None:
        _check(request, at)
        return callbacks.body(request)
    return read_xml(callbacks.opened(request, envelope, callbacks.body(request).get("Encrypt"), at).encode())


def _check(request: HttpRequest, at: datetime) -> None:
    """The signature over token, timestamp and nonce."""
    callbacks.check_time(request, at)
    query = request.GET
    if not crypt.is_signed(query.get("signature", ""), settings.WECHAT_TOKEN, query["timestamp"], query["nonce"]):
        raise CryptError
