"""The demonstration's phones are connected: callbacks, menus, templates, text messages and letters, who of them is which member
of staff, and that they stand at the blocked river.

Everything goes the way an operator's installation goes: the platform (played by the emulator) is told our address over HTTP and
tries it; pushes and calls do the rest. Doing it again changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
from django.conf import settings
from django.urls import reverse

from jiequ.channels.wechat import services as wechat
from jiequ.channels.wecom import services as wecom
from jiequ.core.clock import now
from jiequ.grid.models import Place
from jiequ.people.models import Person
from jiequ.people.rules import Actor

from .progress import story_spot

WITHIN_SECONDS = 60.0
STEP = 0.00002
"""Degrees: two metres."""


class NotConnected(Exception):
    """The phones stay as they are; the words say why."""


def connect(emulator: str, people: list[dict[str, str]]) -> None:
    """Make the emulator's accounts ours. ``people``: ``id`` (our user name, where they are staff) and ``userid`` in WeCom.

    NotConnected if the emulator does not answer or does not take our address, or nobody works on what it pushes.
    """
    with httpx.Client(base_url=f"{emulator}/_emu", timeout=20, trust_env=False) as strings:
        _wait(lambda: _answers(strings), "the emulator does not answer")
        _save_callbacks(strings)
        _stand_at_the_river(strings, [one["id"] for one in people])
        wechat.adopt_templates(wechat.read_templates(), by=Actor.system(), at=now())
        accounts = {one["id"]: _follow(strings, one["id"]) for one in people}
        _wait(lambda: all(_is_known(openid) for openid in accounts.values()), "the worker hears of no follower")
        for one in people:
            _name(one, accounts[one["id"]], strings.get(f"/people/{one['id']}/phone").json()["person"])
        wechat.push_menus(by=Actor.system(), at=now())  # last: a phone shows the menu it saw first for five minutes


def _wait(holds: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + WITHIN_SECONDS
    while not holds():
        if time.monotonic() > until:
            raise NotConnected(otherwise)
        time.sleep(0.2)


def _answers(strings: httpx.Client) -> bool:
    try:
        return strings.get("/clock").is_success
    except httpx.HTTPError:
        return False


def _save_callbacks(strings: httpx.Client) -> None:
    """The address of each account's pushes; the platform asks it at once and takes only one that proves itself."""
    proof = {"token": settings.WECHAT_TOKEN, "aes_key": settings.WECHAT_AES_KEY}
    address = f"{settings.BASE_URL}/callbacks/wechat/"
    _tell(strings, f"/accounts/{settings.WECHAT_APPID}/server", {"url": address, "mode": "secure", **proof})
    agent = f"/corps/{settings.WECOM_CORPID}/agents/{settings.WECOM_AGENTID}"
    _tell(strings, agent, {"url": f"{settings.BASE_URL}/callbacks/wecom/", **proof})
    if settings.SMS_CALLBACK_SECRET:
        receipts = reverse("channels:sms_receipts", args=[settings.SMS_CALLBACK_SECRET])
        _tell(strings, "/sms", {"report_url": settings.BASE_URL + receipts})


def _stand_at_the_river(strings: httpx.Client, names: list[str]) -> None:
    """Everybody is some steps from the next, where the guided story happens, by the nearest bridge's name."""
    if (spot := story_spot()) is None:
        return
    lon, lat = spot
    bridges = Place.objects.filter(kind="landmark", name__endswith="桥")
    near = min(bridges, key=lambda one: abs(one.lon - lon) + abs(one.lat - lat), default=None)
    for number, name in enumerate(names):
        place = {"lat": lat + number * STEP, "lon": lon - number * STEP, "label": near.name if near else ""}
        _tell(strings, f"/people/{name}", place)


def _follow(strings: httpx.Client, somebody: str) -> str:
    """They follow the account, and we know; returns who they are to it. A phone older than our database follows anew."""
    phone = strings.get(f"/people/{somebody}/phone").json()
    account = next(each for each in phone["accounts"] if each["where"] == settings.WECHAT_APPID)
    openid = str(account["openid"])
    if account["is_following"] and not _is_known(openid):
        _tell(strings, f"/people/{somebody}/unfollow", {})
    _tell(strings, f"/people/{somebody}/follow", {})
    return openid


def _is_known(openid: str) -> bool:
    return wechat.follower_of(openid, at=now()).is_following


def _name(one: dict[str, str], openid: str, phone: dict[str, str]) -> None:
    """One who is staff is that member of staff: in WeChat with the menu of their work, in WeCom, by number and by letter."""
    person = Person.objects.active().filter(username=one["id"]).first()
    if person is None:
        return
    Person.objects.filter(pk=person.pk, phone="").update(phone=phone["mobile"])
    Person.objects.filter(pk=person.pk, email=None).update(email=phone["mail"])
    follower = wechat.follower_of(openid, at=now())
    if follower.person_id != person.pk:
        wechat.bind(follower.pk, person.pk, by=Actor.system(), at=now())
    if note := wechat.tag_follower(follower.pk, at=now()):
        note()
    if one["userid"]:
        wecom.tie(userid=one["userid"], person=person, at=now())


def _tell(strings: httpx.Client, path: str, words: dict[str, Any]) -> None:
    answer = strings.post(path, json=words)
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise NotConnected(f"{path}: {answer.text[:300]}")
