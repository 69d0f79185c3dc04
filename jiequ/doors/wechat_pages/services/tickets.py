"""Pages that use WeChat's scripts are signed with the account's ticket (``channels.pages``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from jiequ.channels.pages import signed
from jiequ.channels.sources import page_ticket
from jiequ.channels.tokens import services as tokens
from jiequ.channels.wechat.config import api
from jiequ.channels.wechat.services import offered_subscriptions


def page_config(url: str, *, at: datetime) -> dict[str, Any]:
    """What ``wx.config`` takes for a page at ``url``, and the notices it may ask its reader to admit.

    May ask WeChat for a ticket (once in two hours); ApiError, NoToken."""
    ticket = tokens.token(page_ticket(api(), f"wechat:{settings.WECHAT_APPID}:jsapi"))
    config = {"appId": settings.WECHAT_APPID, **signed(ticket, url, at=at), "openTagList": ["wx-open-subscribe"]}
    return {"config": config, "subscriptions": offered_subscriptions()}
