"""Pages that use WeChat's scripts are signed with the account's ticket (``channels.pages``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from jiequ.channels.pages import signed
from jiequ.channels.sources import page_ticket
from jiequ.channels.tokens import services as tokens
from jiequ.channels.wechat.config import api


def page_config(url: str, *, at: datetime) -> dict[str, Any]:
    """What ``wx.config`` takes for a page at ``url``. May ask WeChat for a ticket (once in two hours); ApiError, NoToken."""
    ticket = tokens.token(page_ticket(api(), f"wechat:{settings.WECHAT_APPID}:jsapi"))
    return {"config": {"appId": settings.WECHAT_APPID, **signed(ticket, url, at=at)}}
