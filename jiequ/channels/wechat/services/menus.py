"""The account's menus: one for everybody, and one for each group of staff, shown to whom the platform has tagged so.

A tag follows what a follower may do now: it changes with the binding, with posts that are given, ended, or begin and end by
their date, with a leave that lends posts, and goes with the account. A round finds whose tag is another than it should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from jiequ.channels.client import ApiError
from jiequ.core import audit
from jiequ.core.errors import Forbidden
from jiequ.people.access import posts_for, posts_of
from jiequ.people.rules import ADMIN_ROLES, DEPARTMENT_ROLES, DESK_ROLES, Actor, HeldPost, Role

from .. import config
from ..models import Follower
from ..platform_words import MENUS, TAGS
from . import followers

NO_MENU = 46003
AT_ONCE = 1000
Button = dict[str, Any]


def push_menus(*, by: Actor, at: datetime) -> list[str]:
    """Tell the platform our menus, the default one first; returns the groups. Outside a transaction. ApiError.

    Conditional menus of before are taken away with the default one, so that none is left over from another version.
    """
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))
    api, tags = config.api(), _tags()
    try:
        api.get("/cgi-bin/menu/delete")
    except ApiError as fault:
        if fault.errcode != NO_MENU:
            raise
    api.post("/cgi-bin/menu/create", {"button": buttons("")})
    for group in TAGS:
        api.post("/cgi-bin/menu/addconditional", {"button": buttons(group), "matchrule": {"tag_id": str(tags[group])}})
    audit.record(
        street_id=None, person_id=by.person_id, action="wechat.menus_pushed", object_kind="wechat_menu", object_id=1, at=at
    )
    return ["", *TAGS]


def buttons(group: str) -> list[Button]:
    """The menu of a group; "" is everybody's. A page that this version does not have is left out."""
    columns = [(name, [_button(*one) for one in below]) for name, below in MENUS[group]]
    return [{"name": name, "sub_button": [one for one in below if one is not None]} for name, below in columns]


def _button(name: str, kind: str, what: str) -> Button | None:
    if kind == "key":
        return {"type": "click", "name": name, "key": what}
    try:
        return {"type": "view", "name": name, "url": settings.BASE_URL + reverse(what)}
    except NoReverseMatch:
        return None


def group_of(posts: Iterable[HeldPost]) -> str:
    """Whose menu somebody with these posts is shown; "" is everybody's."""
    roles = {post.seat.role for post in posts}
    if Role.LEADER in roles:
        return "leader"
    if roles & DESK_ROLES:
        return "desk"
    return "field" if roles & (DEPARTMENT_ROLES | {Role.GRID_WORKER}) - ADMIN_ROLES else ""


def strayed(*, at: datetime) -> list[tuple[int, str]]:
    """Followers who are shown another menu than their posts ask for, and whose it should be. Two SELECTs, and one more for each
    further thousand members of staff who follow."""
    mine = Follower.objects.filter(appid=settings.WECHAT_APPID, is_following=True).exclude(person=None, tag="")
    rows = list(mine.order_by("pk").values_list("pk", "person_id", "person__is_active", "tag"))
    found = []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        posts = posts_of([person_id for _pk, person_id, is_active, _tag in some if person_id and is_active], at)
        wanted = {pk: group_of(posts.get(person_id or 0, ())) for pk, person_id, _active, _tag in some}
        found += [(pk, wanted[pk]) for pk, _person, _active, tag in some if wanted[pk] != tag]
    return found


def tag_follower(follower_id: int, *, at: datetime) -> Callable[[], None] | None:
    """Give the platform's tag of their group; returns what to write down then. Outside a transaction. ApiError."""
    follower = Follower.objects.select_related("person").filter(pk=follower_id, is_following=True).first()
    if follower is None or not config.is_on():
        return None
    person = follower.person
    wanted = group_of(posts_for(person.pk, at)) if person and person.is_active else ""
    if wanted == follower.tag:
        return None
    take_tag(follower)
    if wanted:
        _tell("batchtagging", follower, wanted)
    return partial(_note_tag, follower_id, wanted)


def take_tag(follower: Follower) -> None:
    """Take the tag back that the platform was last told, if any. Outside a transaction. ApiError."""
    if follower.tag in TAGS:
        _tell("batchuntagging", follower, follower.tag)


def _tell(what: str, follower: Follower, group: str) -> None:
    body = {"openid_list": [followers.openid_of(follower)], "tagid": _tags()[group]}
    config.api().post(f"/cgi-bin/tags/members/{what}", body)


def _note_tag(follower_id: int, tag: str) -> None:
    Follower.objects.filter(pk=follower_id).update(tag=tag)


def _tags() -> dict[str, int]:
    """The platform's number of each group's tag; a tag that it lacks is made."""
    api = config.api()
    known = {one["name"]: int(one["id"]) for one in api.get("/cgi-bin/tags/get").get("tags", [])}
    for name in TAGS.values():
        if name not in known:
            known[name] = int(api.post("/cgi-bin/tags/create", {"tag": {"name": name}})["tag"]["id"])
    return {group: known[name] for group, name in TAGS.items()}
