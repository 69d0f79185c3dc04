"""The door of api.weixin.qq.com and mp.weixin.qq.com: tokens, whitelist, permissions and quotas before each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator import tokens
from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json
from emulator.official import basics, custom, mass, media, menus, messages, people, qrcodes, subscriptions, templates
from emulator.official.routes import mp_routes, routes
from emulator.routes import answer_of, answer_or_refusal

if TYPE_CHECKING:
    from emulator.app import Emulator

PARTS = (basics, custom, mass, media, menus, messages, people, qrcodes, subscriptions, templates)
"""The modules whose rows make up the tables."""


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/api/…``."""
    path = request.path.removeprefix("/api")
    route = routes.find(request, path)
    if not route:
        return as_json({"errcode": 40066, "errmsg": "invalid url"}, 404)
    if route.guard == "none":
        return await answer_or_refusal(route.handler, emu, request)
    account = tokens.account_of(emu, request.query.get("access_token", ""))
    client = tokens.client_of(request)
    if account.ip_whitelist and client not in account.ip_whitelist:
        raise ApiError(40164, words=f"invalid ip {client}, not in whitelist")
    name = path.removeprefix("/cgi-bin/").lstrip("/")
    if any(name.startswith(one) for one in account.no_permission):
        raise ApiError(48001)
    if name != "clear_quota":
        tokens.spend(emu, account, name)
    return await answer_or_refusal(route.handler, emu, request, account)


async def answer_mp(emu: Emulator, request: Request) -> Answer:
    """``/mp/…``: pictures of QR codes, and what uploads of pictures made."""
    route = mp_routes.find(request, request.path.removeprefix("/mp"))
    if not route:
        return as_json({"detail": "no such page"}, 404)
    return await answer_of(route.handler(emu, request))
