"""Pages of ours in WeChat and WeCom, signed for the platforms' own scripts (``wx.config``): location, pictures, codes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from jiequ.core import throttle
from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import client_network

from .client import ApiError
from .crypt import jsapi_signature
from .tokens.services import NoToken

CALLS = ("getLocation", "chooseImage", "getLocalImgData", "scanQRCode")
SIGNS_A_MINUTE = 600  # a mobile network's thousands share an address


def is_own_page(url: str) -> bool:
    """True for an address of this installation, as the browser shows it."""
    try:
        asked, own = urlsplit(url), urlsplit(settings.BASE_URL)
    except ValueError:  # no address at all: "http://[", say
        return False
    return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)


def signed(ticket: str, url: str, *, at: datetime) -> dict[str, Any]:
    """Moment, a random word, and the signature over the page's own address; what the page may then call."""
    nonce, timestamp = secrets.token_hex(8), int(at.timestamp())
    signature = jsapi_signature(ticket=ticket, nonce=nonce, timestamp=str(timestamp), url=url)
    return {"timestamp": timestamp, "nonceStr": nonce, "signature": signature, "jsApiList": list(CALLS)}


def answer(request: HttpRequest, channel: str, make: Callable[..., dict[str, Any]], *, otherwise: str) -> JsonResponse:
    """What ``make(url, at=…)`` says of the page at ``?url=``, one of our own (else 422). ``otherwise``: what a page is told
    that has to do without, where the platform gives no ticket."""
    url, at = request.GET.get("url", ""), now()
    if not is_own_page(url):
        raise Refusal("not_our_page", _("只能为本系统的页面签名。"), facts={"field": "url"})
    throttle.take(throttle.bucket(f"{channel}-sign", client_network(request)), capacity=SIGNS_A_MINUTE, per_seconds=60, at=at)
    try:
        found = make(url, at=at)
    except (ApiError, NoToken):
        raise Refusal("no_ticket", otherwise) from None
    told = JsonResponse({"ok": True, **found})
    told["Cache-Control"] = "no-store"
    return told
