"""The demonstration's phones are connected: callbacks, menus, templates, who of them is which member of staff.

Everything goes the way an operator's installation goes: the platform (played by the emulator) is told our address over HTTP and
tries it; pushes and calls do the rest. Doing it again changes nothing.
"""

from __future__ import annotations

import time
from typing import Any

import httpx
from django.conf import settings

from jiequ.channels.wechat import services as wechat
from jiequ.channels.wecom import services as wecom
from jiequ.core.clock import now
from jiequ.people.models import Person
from jiequ.people.rules import Actor

ANSWERS_WITHIN_SECONDS = 30.0


class NotConnected(Exception):
    """The phones stay as they are; the words say why."""


def connect(emulator: str, people: list[dict[str, str]]) -> None:
    """Make the emulator's accounts ours. ``people``: ``id`` (our user name, where they are staff) and ``userid`` in WeCom.

    NotConnected if the emulator does not answer or does not take our address.
    """
    with httpx.Client(base_url=f"{emulator}/_emu", timeout=20, trust_env=False) as strings:
        _wait(strings)
        _save_callbacks(strings)
        wechat.push_menus()
        wechat.adopt_templates(wechat.read_templates(), by=Actor.system(), at=now())
        staff = {
            person.username: person for person in Person.objects.active().filter(username__in=[one["id"] for one in people])
        }
        for one in people:
            _take(strings, one, staff.get(one["id"]))


def _wait(strings: httpx.Client) -> None:
    until = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while True:
        try:
            strings.get("/clock").raise_for_status()
            return
        except httpx.HTTPError as fault:
            if time.monotonic() > until:
                raise NotConnected(f"the emulator does not answer ({type(fault).__name__})") from None
            time.sleep(0.2)


def _save_callbacks(strings: httpx.Client) -> None:
    """The address of each account's pushes; the platform asks it at once and takes only one that proves itself."""
    proof = {"token": settings.WECHAT_TOKEN, "aes_key": settings.WECHAT_AES_KEY}
    address = f"{settings.BASE_URL}/callbacks/wechat/"
    _tell(strings, f"/accounts/{settings.WECHAT_APPID}/server", {"url": address, "mode": "secure", **proof})
    agent = f"/corps/{settings.WECOM_CORPID}/agents/{settings.WECOM_AGENTID}"
    _tell(strings, agent, {"url": f"{settings.BASE_URL}/callbacks/wecom/", **proof})


def _take(strings: httpx.Client, one: dict[str, str], person: Person | None) -> None:
    """Somebody follows the account; one who is staff is told to be that member of staff, in WeChat and in WeCom."""
    phone = strings.get(f"/people/{one['id']}/phone").json()
    account = next(each for each in phone["accounts"] if each["where"] == settings.WECHAT_APPID)
    if not account["is_following"]:
        _tell(strings, f"/people/{one['id']}/follow", {})
    if person is None:
        return
    follower = wechat.follower_of(account["openid"], at=now())
    if follower.person_id != person.pk:
        wechat.bind(follower.pk, person.pk, by=Actor.system(), at=now())
    if one["userid"]:
        wecom.tie(userid=one["userid"], person=person, at=now())


def _tell(strings: httpx.Client, path: str, words: dict[str, Any]) -> None:
    answer = strings.post(path, json=words)
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise NotConnected(f"{path}: {answer.text[:300]}")
