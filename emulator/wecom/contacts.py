"""Departments and members. Applications made after 2022-06-20 get no phone, picture or mail of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.envelope import Target
from emulator.errors import ApiError
from emulator.http import Request
from emulator.plain import changed, made
from emulator.push import Push
from emulator.wecom.routes import Caller, routes
from emulator.wecom.state import Agent, Corp, Department, Member

if TYPE_CHECKING:
    from emulator.app import Emulator


def below(corp: Corp, top: int) -> set[int]:
    """A department and all under it."""
    found, more = {top}, True
    while more:
        more = False
        for one in corp.departments.values():
            if one.parentid in found and one.id not in found and one.id != 1:
                found.add(one.id)
                more = True
    return found


def visible(corp: Corp, agent: Agent | None) -> list[Member]:
    """Whom a caller may see."""
    if not agent:
        return list(corp.members.values())
    seen = {number for top in agent.visible_departments for number in below(corp, top)}
    return [one for one in corp.members.values() if seen & set(one.departments)]


@routes("GET", "/cgi-bin/department/list")
def departments(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """All, or one and those under it. 60003."""
    return {"errcode": 0, "errmsg": "ok", "department": [vars(one) for one in _chosen(request, caller)]}


@routes("GET", "/cgi-bin/department/simplelist")
def department_ids(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Ids only."""
    found = [{"id": one.id, "parentid": one.parentid, "order": one.order} for one in _chosen(request, caller)]
    return {"errcode": 0, "errmsg": "ok", "department_id": found}


def _chosen(request: Request, caller: Caller) -> list[Department]:
    corp = caller.corp
    asked = request.query.get("id", "")
    if asked and asked not in corp.departments:
        raise ApiError(60003)
    chosen = below(corp, int(asked)) if asked else {one.id for one in corp.departments.values()}
    return [one for one in corp.departments.values() if one.id in chosen]


@routes("POST", "/cgi-bin/user/list_id")
def member_ids(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """userid and department of everybody, in pages; for contacts sync only."""
    if caller.agent:
        raise ApiError(48002, words="api forbidden: contacts secret only")
    given = request.json() if request.body.strip() else {}
    everybody = caller.corp.members.values()
    pairs = [{"userid": one.userid, "department": number} for one in everybody for number in one.departments]
    start, size = int(given.get("cursor") or 0), min(int(given.get("limit", 10_000)), 10_000)
    after = start + size
    return {
        "errcode": 0,
        "errmsg": "ok",
        "next_cursor": str(after) if after < len(pairs) else "",
        "dept_user": pairs[start:after],
    }


@routes("GET", "/cgi-bin/user/simplelist")
@routes("GET", "/cgi-bin/user/list")
def members(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """A department's members (``fetch_child=1``: and below)."""
    number = request.query.get("department_id", "")
    if number not in caller.corp.departments:
        raise ApiError(60003)
    wanted = below(caller.corp, int(number)) if request.query.get("fetch_child") == "1" else {int(number)}
    found = [one for one in visible(caller.corp, caller.agent) if wanted & set(one.departments)]
    return {"errcode": 0, "errmsg": "ok", "userlist": [_shown(one) for one in found]}


@routes("GET", "/cgi-bin/user/get")
def member(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """One member. 60111; 60011 out of the application's sight."""
    userid = request.query.get("userid", "")
    if userid not in caller.corp.members:
        raise ApiError(60111)
    found = caller.corp.members[userid]
    if found not in visible(caller.corp, caller.agent):
        raise ApiError(60011)
    return {"errcode": 0, "errmsg": "ok", **_shown(found)}


def _shown(one: Member) -> dict[str, Any]:
    return {
        "userid": one.userid, "name": one.name, "department": one.departments, "main_department": one.departments[0],
        "order": [0] * len(one.departments), "position": one.position, "status": one.status, "enable": 1,
        "is_leader_in_dept": [0] * len(one.departments),
    }  # fmt: skip


def change(emu: Emulator, corp: Corp, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """An administrator changes the contacts (``create_user``, ``update_party``, …), and it is pushed."""
    verb, what = kind.split("_")
    table: dict[str, Any] = corp.members if what == "user" else corp.departments
    key = str(given["userid"] if what == "user" else given["id"])
    if verb == "create":
        table[key] = made(Member if what == "user" else Department, given)
    elif key not in table:
        raise ValueError(f"{key} is not in the contacts")
    elif verb == "update":
        changed(table[key], {name: value for name, value in given.items() if name not in ("userid", "id")})
    else:
        del table[key]
    fields = {"UserID": key} if what == "user" else {"Id": key}
    told = {
        "ToUserName": corp.corpid, "FromUserName": "sys", "CreateTime": int(emu.clock.now()),
        "MsgType": "event", "Event": "change_contact", "ChangeType": kind, **fields,
    }  # fmt: skip
    target = Target(corp.contacts_url, corp.contacts_token, corp.contacts_aes_key, corp.corpid, "secure", is_work=True)
    emu.pusher.push(Push(target, told, "wecom.event.change_contact", "sys"))
    return told
