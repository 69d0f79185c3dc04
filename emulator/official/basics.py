"""Tokens, tickets, addresses, quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import tokens
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official.routes import routes
from emulator.store import Account

if TYPE_CHECKING:
    from emulator.app import Emulator

CALLBACK_ADDRESSES = ["127.0.0.1"]


@routes("GET", "/cgi-bin/token", guard="none")
def token(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new token; who does not share it refreshes the others away."""
    if request.query.get("grant_type") != "client_credential":
        raise ApiError(40002, words="invalid grant_type")
    query = request.query
    account = tokens.by_secret(emu, query.get("appid", ""), query.get("secret", ""), tokens.client_of(request))
    tokens.spend(emu, account, "token")
    return {"access_token": tokens.classic(emu, account).value, "expires_in": tokens.LASTS}


@routes("POST", "/cgi-bin/stable_token", guard="none")
def stable_token(emu: Emulator, request: Request) -> dict[str, Any]:
    """The same token for everybody who asks."""
    given = request.json()
    if given.get("grant_type") != "client_credential":
        raise ApiError(40002, words="invalid grant_type")
    appid, secret = str(given.get("appid", "")), str(given.get("secret", ""))
    account = tokens.by_secret(emu, appid, secret, tokens.client_of(request))
    tokens.spend(emu, account, "stable_token")
    found = tokens.stable(emu, account, force=bool(given.get("force_refresh")))
    return {"access_token": found.value, "expires_in": int(found.until - emu.clock.now())}


@routes("GET", "/cgi-bin/ticket/getticket")
def ticket(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The JS-SDK's ticket, or that of cards."""
    kind = request.query.get("type", "jsapi")
    if kind not in ("jsapi", "wx_card"):
        raise ApiError(40097)
    found = tokens.ticket(emu, account, kind)
    left = int(found.until - emu.clock.now())
    return {"errcode": 0, "errmsg": "ok", "ticket": found.value, "expires_in": left}


@routes("GET", "/cgi-bin/getcallbackip")
@routes("GET", "/cgi-bin/get_api_domain_ip")
def callback_addresses(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Where pushes come from."""
    return {"ip_list": CALLBACK_ADDRESSES}


@routes("POST", "/cgi-bin/callback/check")
def check(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Names and pings, as if all went well."""
    given = request.json()
    if given.get("action") not in ("dns", "ping", "all"):
        raise ApiError(40097)
    found = [{"ip": one, "real_operator": "DEFAULT"} for one in CALLBACK_ADDRESSES]
    pinged = [{"ip": one, "package_loss": "0%", "time": "0.1ms"} for one in CALLBACK_ADDRESSES]
    return {"dns": found} if given["action"] == "dns" else {"dns": found, "ping": pinged}


@routes("POST", "/cgi-bin/clear_quota")
def clear_quota(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Counts back to nothing, ten times a month."""
    if request.json().get("appid") != account.appid:
        raise ApiError(40013)
    tokens.clear(emu, account)
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/openapi/quota/get")
def quota(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """What is left of one address's daily limit."""
    path = str(request.json().get("cgi_path", ""))
    name = path.removeprefix("/cgi-bin/").lstrip("/")
    limit, used = tokens.limit_of(account, name), account.quota.get(name, 0)
    return {"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}}
