"""Tokens, tickets, files, menus, sign-in of WeCom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.errors import ApiError
from emulator.http import Answer, Request
from emulator.oauth import use_code
from emulator.official.media import as_file, kept, uploaded
from emulator.official.messages import keep_media
from emulator.store import Code, secret_text
from emulator.wecom.routes import Caller, routes
from emulator.wecom.state import CorpToken

if TYPE_CHECKING:
    from emulator.app import Emulator

LASTS = 7200
TICKET_LASTS = 1800.0
LARGEST = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
SMALLEST = 6
TICKETS_AN_HOUR = {"corp": 400, "agent": 100}


@routes("GET", "/cgi-bin/gettoken", guard="none")
def token(emu: Emulator, request: Request) -> dict[str, Any]:
    """The token of one application: the same while it is valid."""
    corp = emu.state.corps.get(request.query.get("corpid", ""))
    if not corp:
        raise ApiError(40013, words="invalid corpid")
    secret = request.query.get("corpsecret", "")
    held = next((one.tokens for one in corp.agents.values() if secret and one.secret == secret), None)
    if held is None and secret and secret == corp.contacts_secret:
        held = corp.contacts_tokens
    if held is None:
        raise ApiError(40001, words="invalid credential")
    found = _same(emu, held)
    return {"errcode": 0, "errmsg": "ok", "access_token": found.value, "expires_in": int(found.until - emu.clock.now())}


def _same(emu: Emulator, held: list[CorpToken]) -> CorpToken:
    if not held or held[-1].until <= emu.clock.now():
        held.append(CorpToken(secret_text(214), emu.clock.now() + LASTS))
        del held[:-3]
    return held[-1]


@routes("GET", "/cgi-bin/getcallbackip")
@routes("GET", "/cgi-bin/get_api_domain_ip")
def addresses(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Where pushes come from."""
    return {"errcode": 0, "errmsg": "ok", "ip_list": ["127.0.0.1"]}


@routes("GET", "/cgi-bin/get_jsapi_ticket")
def corp_ticket(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """The corporation's ticket for ``wx.config``."""
    _limit(emu, caller, "ticket", "corp")
    _limit(emu, caller, f"ticket:{caller.agent.agentid if caller.agent else 'contacts'}", "agent")
    if not caller.corp.ticket or caller.corp.ticket.until <= emu.clock.now():
        caller.corp.ticket = CorpToken(secret_text(86), emu.clock.now() + LASTS)
    return _ticket(emu, caller.corp.ticket)


@routes("GET", "/cgi-bin/ticket/get", guard="agent")
def agent_ticket(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """The application's ticket for ``wx.agentConfig``."""
    if request.query.get("type") != "agent_config" or not caller.agent:
        raise ApiError(40058)
    _limit(emu, caller, f"agent_ticket:{caller.agent.agentid}", "agent")
    if not caller.agent.ticket or caller.agent.ticket.until <= emu.clock.now():
        caller.agent.ticket = CorpToken(secret_text(86), emu.clock.now() + LASTS)
    return _ticket(emu, caller.agent.ticket)


def _ticket(emu: Emulator, found: CorpToken) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "ticket": found.value, "expires_in": int(found.until - emu.clock.now())}


def _limit(emu: Emulator, caller: Caller, name: str, kind: str) -> None:
    """So many tickets an hour, then 45009."""
    now = emu.clock.now()
    asked = [at for at in caller.corp.sent.get(name, []) if now - at < 3600]
    if len(asked) >= TICKETS_AN_HOUR[kind]:
        raise ApiError(45009)
    caller.corp.sent[name] = [*asked, now]


@routes("POST", "/cgi-bin/media/upload")
def upload(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """A file for three days."""
    kind = request.query.get("type", "")
    file = uploaded(request, kind, LARGEST, smallest=SMALLEST)
    media = keep_media(emu, caller.corp.corpid, kind, file.name, file.kind, file.data)
    created = str(int(emu.clock.now()))
    return {"errcode": 0, "errmsg": "ok", "type": kind, "media_id": media.id, "created_at": created}


@routes("GET", "/cgi-bin/media/get")
@routes("GET", "/cgi-bin/media/get/jssdk")
def get(emu: Emulator, request: Request, caller: Caller) -> Answer:
    """The bytes."""
    return as_file(kept(emu, caller.corp.corpid, request.query.get("media_id")))


@routes("GET", "/cgi-bin/auth/getuserinfo", guard="agent")
@routes("GET", "/cgi-bin/user/getuserinfo", guard="agent")
def who(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Who signed in: a member's userid, a stranger's openid."""
    code = use_code(emu, request.query.get("code", ""), caller.corp.corpid)
    userid = emu.state.people[code.person].userid
    if userid not in caller.corp.members:
        return {"errcode": 0, "errmsg": "ok", "openid": "o" + code.person, "OpenId": "o" + code.person}
    found: dict[str, Any] = {"errcode": 0, "errmsg": "ok", "userid": userid, "UserId": userid, "DeviceId": ""}
    if code.scope == "snsapi_privateinfo":
        ticket = "t" + secret_text(40)
        until = emu.clock.now() + TICKET_LASTS
        emu.state.codes[ticket] = Code(ticket, caller.corp.corpid, code.person, "user_ticket", until)
        found |= {"user_ticket": ticket, "expires_in": int(TICKET_LASTS)}
    return found


@routes("POST", "/cgi-bin/auth/getuserdetail", guard="agent")
def detail(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Phone and mail of a member who agreed, within half an hour."""
    ticket = emu.state.codes.get(str(request.json().get("user_ticket", "")))
    if not ticket or ticket.scope != "user_ticket" or ticket.until <= emu.clock.now():
        raise ApiError(40029, words="invalid user_ticket")
    member = caller.corp.members[emu.state.people[ticket.person].userid]
    return {
        "errcode": 0, "errmsg": "ok", "userid": member.userid, "gender": "0", "avatar": "", "qr_code": "",
        "mobile": member.mobile, "email": member.mail, "biz_mail": "", "address": "",
    }  # fmt: skip


@routes("POST", "/cgi-bin/menu/create", guard="agent")
def create_menu(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """The application's menu: three, five below each."""
    buttons = request.json().get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise ApiError(40016)
    if any(len(one.get("sub_button", [])) > 5 for one in buttons):
        raise ApiError(40023)
    if not all(isinstance(below, dict) for one in buttons for below in one.get("sub_button", [])):
        raise ApiError(47001)
    if caller.agent:
        caller.agent.menu = buttons
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/menu/get", guard="agent")
def get_menu(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """It."""
    return {"errcode": 0, "errmsg": "ok", "button": caller.agent.menu if caller.agent else []}


@routes("GET", "/cgi-bin/menu/delete", guard="agent")
def delete_menu(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """None."""
    if caller.agent:
        caller.agent.menu = []
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/agent/get", guard="agent")
def agent(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """What the application is."""
    if not caller.agent or request.query.get("agentid") != caller.agent.agentid:
        raise ApiError(301002)
    return {
        "errcode": 0, "errmsg": "ok", "agentid": int(caller.agent.agentid), "name": caller.agent.name,
        "allow_partys": {"partyid": caller.agent.visible_departments}, "close": 0,
        "redirect_domain": caller.agent.oauth_domain, "home_url": caller.agent.home,
    }  # fmt: skip
