"""Pages that use WeChat's scripts are signed: appid, moment, a random word, and a signature over the page's own address."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha1
from typing import Any

from django.conf import settings

from jiequ.channels.sources import page_ticket
from jiequ.channels.tokens import services as tokens
from jiequ.channels.wechat.config import api

CALLS = ("getLocation", "chooseImage", "getLocalImgData", "scanQRCode")


def signature(*, ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """SHA-1 of the four as WeChat writes them; ``url`` without what follows ``#``."""
    told = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.partition('#')[0]}"
    return sha1(told.encode(), usedforsecurity=False).hexdigest()


def page_config(url: str, *, at: datetime) -> dict[str, Any]:
    """What ``wx.config`` takes for a page at ``url``. May ask WeChat for a ticket (once in two hours); ApiError, NoToken."""
    source = page_ticket(api(), f"wechat:{settings.WECHAT_APPID}:jsapi")
    nonce, timestamp = secrets.token_hex(8), int(at.timestamp())
    signed = signature(ticket=tokens.token(source), nonce=nonce, timestamp=timestamp, url=url)
    return {
        "appId": settings.WECHAT_APPID,
        "timestamp": timestamp,
        "nonceStr": nonce,
        "signature": signed,
        "jsApiList": list(CALLS),
    }
