"""Followers and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.errors import ApiError
from emulator.http import Request
from emulator.official.routes import routes
from emulator.store import Account, Following, Person

if TYPE_CHECKING:
    from emulator.app import Emulator

PAGE = 10_000
MOST_TAGS, TAGS_OF_ONE, FIRST_TAG = 100, 20, 100


def found(emu: Emulator, account: Account, openid: Any) -> tuple[Person, Following]:
    """Whose openid it is; 40003."""
    known = emu.state.person_of(account, str(openid))
    if not known:
        raise ApiError(40003)
    return known


def info_of(person: Person, following: Following) -> dict[str, Any]:
    """What the platform tells of somebody: next to nothing of who does not follow; no name or picture since 2021-12."""
    if not following.is_following:
        return {"subscribe": 0, "openid": following.openid, "unionid": person.unionid}
    return {
        "subscribe": 1,
        "openid": following.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(following.since),
        "unionid": person.unionid,
        "remark": following.remark,
        "groupid": following.tags[0] if following.tags else 0,
        "tagid_list": following.tags,
        "subscribe_scene": following.scene,
        "qr_scene": int(following.qr_scene) if following.qr_scene.isdigit() else 0,
        "qr_scene_str": "" if following.qr_scene.isdigit() else following.qr_scene,
    }


@routes("GET", "/cgi-bin/user/info")
def info(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One person."""
    return info_of(*found(emu, account, request.query.get("openid")))


@routes("POST", "/cgi-bin/user/info/batchget")
def infos(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Up to a hundred."""
    asked = request.json().get("user_list", [])
    if not 0 < len(asked) <= 100:
        raise ApiError(40032)
    return {"user_info_list": [info_of(*found(emu, account, one.get("openid"))) for one in asked]}


@routes("GET", "/cgi-bin/user/get")
def listed(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The followers' openids, ten thousand at a time."""
    everybody = [openid for openid, _tags in _followers(emu, account)]
    return _page(everybody, request.query.get("next_openid", ""), total=True)


def _followers(emu: Emulator, account: Account) -> list[tuple[str, list[int]]]:
    known = [person.following.get(account.appid) for person in emu.state.people.values()]
    return [(one.openid, one.tags) for one in known if one and one.is_following]


def _page(openids: list[str], after: str, *, total: bool) -> dict[str, Any]:
    start = openids.index(after) + 1 if after in openids else 0
    page = openids[start : start + PAGE]
    answer: dict[str, Any] = {"count": len(page), "next_openid": page[-1] if page else ""}
    answer |= {"data": {"openid": page}} if page else {}
    return answer | ({"total": len(openids)} if total else {})


@routes("POST", "/cgi-bin/user/info/updateremark")
def remark(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The owner's own name for somebody, fewer than 30 characters."""
    given = request.json()
    if len(str(given.get("remark", ""))) >= 30:
        raise ApiError(45002)
    found(emu, account, given.get("openid"))[1].remark = str(given.get("remark", ""))
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/tags/create")
def create_tag(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A tag; its name is new and at most 30 bytes."""
    name = _tag_name(account, request.json())
    if len(account.tags) >= MOST_TAGS:
        raise ApiError(45056)
    number = max([FIRST_TAG - 1, *map(int, account.tags)]) + 1
    account.tags[str(number)] = name
    return {"tag": {"id": number, "name": name}}


def _tag_name(account: Account, given: dict[str, Any]) -> str:
    name = (given.get("tag") or {}).get("name", "")
    if len(name.encode()) > 30:
        raise ApiError(45158)
    if not name or name in account.tags.values():
        raise ApiError(45157)
    return str(name)


@routes("GET", "/cgi-bin/tags/get")
def tags(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """All tags with their counts."""
    everybody = _followers(emu, account)
    return {
        "tags": [
            {"id": int(number), "name": name, "count": sum(int(number) in theirs for _openid, theirs in everybody)}
            for number, name in account.tags.items()
        ]
    }


@routes("POST", "/cgi-bin/tags/update")
def rename_tag(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Another name."""
    given = request.json()
    number = _tag(account, (given.get("tag") or {}).get("id"))
    account.tags[number] = _tag_name(account, given)
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/tags/delete")
def delete_tag(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Gone, from everybody too."""
    number = _tag(account, (request.json().get("tag") or {}).get("id"))
    del account.tags[number]
    for person in emu.state.people.values():
        if (following := person.following.get(account.appid)) and int(number) in following.tags:
            following.tags.remove(int(number))
    return {"errcode": 0, "errmsg": "ok"}


def _tag(account: Account, number: Any) -> str:
    if str(number) not in account.tags:
        raise ApiError(45159)
    return str(number)


@routes("POST", "/cgi-bin/user/tag/get")
def tagged(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Who has a tag."""
    given = request.json()
    number = int(_tag(account, given.get("tagid")))
    theirs = [openid for openid, tags in _followers(emu, account) if number in tags]
    return _page(theirs, str(given.get("next_openid", "")), total=False)


@routes("POST", "/cgi-bin/tags/getidlist")
def tags_of(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Somebody's tags."""
    return {"tagid_list": found(emu, account, request.json().get("openid"))[1].tags}


@routes("POST", "/cgi-bin/tags/members/batchtagging")
def tag_people(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Give a tag to up to fifty."""
    for number, following in _batch(emu, account, request.json()):
        if number not in following.tags:
            if len(following.tags) >= TAGS_OF_ONE:
                raise ApiError(45059, words="has too many tags of this fan")
            following.tags.append(number)
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/tags/members/batchuntagging")
def untag_people(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Take it from them."""
    for number, following in _batch(emu, account, request.json()):
        if number in following.tags:
            following.tags.remove(number)
    return {"errcode": 0, "errmsg": "ok"}


def _batch(emu: Emulator, account: Account, given: dict[str, Any]) -> list[tuple[int, Following]]:
    number = int(_tag(account, given.get("tagid")))
    openids = given.get("openid_list") or []
    if not 0 < len(openids) <= 50:
        raise ApiError(40032)
    return [(number, found(emu, account, one)[1]) for one in openids]
