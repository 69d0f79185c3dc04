"""Messages to all or many followers: four a month for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official.messages import push
from emulator.official.routes import routes
from emulator.store import Account, Following, Person

if TYPE_CHECKING:
    from emulator.app import Emulator

A_MONTH = 4


@routes("POST", "/cgi-bin/message/mass/sendall")
def send_all(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """To everybody, or everybody with a tag."""
    given = request.json()
    rule = given.get("filter") or {}
    tag = rule.get("tag_id")
    everybody = _followers(emu, account)
    chosen = everybody if rule.get("is_to_all") else [one for one in everybody if tag and int(tag) in one[1].tags]
    return _send(emu, account, given, chosen)


@routes("POST", "/cgi-bin/message/mass/send")
def send(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """To two or more by openid."""
    given = request.json()
    openids = given.get("touser") or []
    if not isinstance(openids, list) or not 2 <= len(openids) <= 10_000:
        raise ApiError(40031)
    return _send(emu, account, given, [one for one in _followers(emu, account) if one[1].openid in openids])


@routes("POST", "/cgi-bin/message/mass/preview")
def preview(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """To one, a hundred times a day, outside the month's four."""
    given = request.json()
    for person, following in _followers(emu, account):
        if following.openid == given.get("touser"):
            chat.add(emu, person, account.appid, "account", "text", {"text": _text(given)})
            return {"errcode": 0, "errmsg": "preview success"}
    raise ApiError(40003)


def _followers(emu: Emulator, account: Account) -> list[tuple[Person, Following]]:
    known = [(person, person.following.get(account.appid)) for person in emu.state.people.values()]
    return [(person, one) for person, one in known if one and one.is_following]


def _text(given: dict[str, Any]) -> str:
    kind = given.get("msgtype")
    if kind == "text":
        return str((given.get("text") or {}).get("content", ""))
    if kind in ("mpnews", "image", "voice", "mpvideo"):
        return f"[{kind}]"
    raise ApiError(40008)


def _send(emu: Emulator, account: Account, given: dict[str, Any], chosen: list[tuple[Person, Following]]) -> dict[str, Any]:
    text = _text(given)
    month = emu.clock.today()[:7]
    reached = [one for one in chosen if one[1].mass.get(month, 0) < A_MONTH]
    if chosen and not reached:
        raise ApiError(45028)
    for person, following in reached:
        following.mass[month] = following.mass.get(month, 0) + 1
        chat.add(emu, person, account.appid, "account", "text", {"text": text})
    number = emu.state.next_id() % 10**10
    told = {
        "Event": "MASSSENDJOBFINISH", "MsgID": number, "Status": "send success", "TotalCount": len(chosen),
        "FilterCount": len(reached), "SentCount": len(reached), "ErrorCount": 0,
    }  # fmt: skip
    if reached:
        emu.later(0.2, lambda: push(emu, account, reached[0][0], "event", told))
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": number, "msg_data_id": number + 1}
