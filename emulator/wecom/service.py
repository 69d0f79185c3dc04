"""The door of qyapi.weixin.qq.com: tokens of applications, trusted addresses and call limits before each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json
from emulator.routes import answer_or_refusal
from emulator.tokens import client_of
from emulator.wecom import basics, contacts, messages, people
from emulator.wecom.routes import Caller, routes
from emulator.wecom.state import CorpToken

if TYPE_CHECKING:
    from emulator.app import Emulator

PARTS = (basics, contacts, messages, people)
"""The modules whose rows make up the table."""
A_MINUTE = 10_000


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/qyapi/…``."""
    path = request.path.removeprefix("/qyapi")
    route = routes.find(request, path)
    if not route:
        return as_json({"errcode": 40066, "errmsg": "invalid url"}, 404)
    if route.guard == "none":
        return await answer_or_refusal(route.handler, emu, request)
    caller = _caller(emu, request.query.get("access_token", ""))
    ips = caller.agent.ips if caller.agent else caller.corp.contacts_ips
    if ips and client_of(request) not in ips:
        raise ApiError(60020, f"from ip: {client_of(request)}")
    if route.guard == "agent" and not caller.agent:
        raise ApiError(48002, words="api forbidden for contacts secret")
    _count(emu, caller, path)
    return await answer_or_refusal(route.handler, emu, request, caller)


def _caller(emu: Emulator, value: str) -> Caller:
    if not value:
        raise ApiError(41001)
    for corp in emu.state.corps.values():
        for agent in corp.agents.values():
            if any(one.value == value and _valid(emu, one) for one in agent.tokens):
                return Caller(corp, agent)
        if any(one.value == value and _valid(emu, one) for one in corp.contacts_tokens):
            return Caller(corp, None)
    raise ApiError(40014)


def _valid(emu: Emulator, token: CorpToken) -> bool:
    if token.until <= emu.clock.now():
        raise ApiError(42001)
    return True


def _count(emu: Emulator, caller: Caller, path: str) -> None:
    """Ten thousand a minute for each address of a corporation."""
    mark = f"@{int(emu.clock.now() // 60)}"
    calls = caller.corp.calls
    if path + mark not in calls:
        caller.corp.calls = calls = {name: count for name, count in calls.items() if name.endswith(mark)}
    calls[path + mark] = calls.get(path + mark, 0) + 1
    if calls[path + mark] > emu.state.settings.get("wecom_a_minute", A_MINUTE):
        raise ApiError(45009)
