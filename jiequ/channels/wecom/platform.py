"""WeCom's API as this installation calls it: one application's, and the contacts', each with a token of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from jiequ.channels.client import Api
from jiequ.channels.pages import signed
from jiequ.channels.sources import corp_token, page_ticket
from jiequ.channels.tokens.services import token

from .rules import PAGE, Member, Unit, members_of, units_of


def application() -> Api:
    """The application's API."""
    source = corp_token(settings.WECOM_API, settings.WECOM_CORPID, settings.WECOM_AGENTID, settings.WECOM_SECRET)
    return Api(settings.WECOM_API, source)


def contacts() -> Api:
    """The API of contacts sync, whose secret may list ids."""
    source = corp_token(settings.WECOM_API, settings.WECOM_CORPID, "contacts", settings.WECOM_CONTACTS_SECRET)
    return Api(settings.WECOM_API, source)


def list_units() -> list[Unit]:
    """Every department; ApiError."""
    return units_of(contacts().get("/cgi-bin/department/list"))


def list_members(cursor: str) -> tuple[list[Member], str]:
    """A page of member ids and where the next begins (empty: it was the last); ApiError."""
    answer = contacts().post("/cgi-bin/user/list_id", {"limit": PAGE, **({"cursor": cursor} if cursor else {})})
    return members_of(answer), str(answer.get("next_cursor") or "")[:400]


def send_card(card: dict[str, Any], userid: str) -> dict[str, Any]:
    """One card to one member: ``msgid``, and ``response_code`` where it has buttons. The same words within half an hour are one
    card for the platform too. ApiError; 81013 if the member is none of the application's."""
    body = {
        "touser": userid,
        "msgtype": "template_card",
        "agentid": int(settings.WECOM_AGENTID),
        "template_card": card,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 1800,
    }
    return application().post("/cgi-bin/message/send", body)


def draw_again(response_code: str, userid: str, change: dict[str, Any]) -> None:
    """Change a card that was sent; a code is good once and for 72 hours. ApiError, 42045 for one that is over."""
    body = {"userids": [userid], "agentid": int(settings.WECOM_AGENTID), "response_code": response_code, **change}
    application().post("/cgi-bin/message/update_template_card", body)


def userid_of(code: str) -> str:
    """Whose code of a web sign-in it is; empty for somebody who is no member of the corporation. ApiError."""
    answer = application().get("/cgi-bin/auth/getuserinfo", {"code": code})
    return str(answer.get("userid") or answer.get("UserId") or "")


def page_configs(url: str, *, at: datetime) -> dict[str, Any]:
    """What ``wx.config`` and ``wx.agentConfig`` want for the page at ``url`` in WeCom's browser: the corporation's ticket, and
    the application's own. ApiError, NoToken."""
    api, corpid, agent = application(), settings.WECOM_CORPID, settings.WECOM_AGENTID
    page = page_ticket(api, f"wecom:{corpid}:jsapi", "/cgi-bin/get_jsapi_ticket", kind="")
    own = page_ticket(api, f"wecom:{corpid}:{agent}:agent", "/cgi-bin/ticket/get", kind="agent_config")
    return {
        "config": {"beta": True, "appId": corpid, **signed(token(page), url, at=at)},
        "agent": {"corpid": corpid, "agentid": agent, **signed(token(own), url, at=at)},
    }
