"""Notices while their worker is killed (kill -9) again and again: ``./run bench notices --kills``.

A third goes to staff (inbox, and a card in WeCom), a third to residents by template message, a third as text messages; the
emulator plays all three, each answer 50 ms late. The worker is ``./run jobs`` as installed. A kill waits for progress, not
for a clock: it comes when the worker has got 100 to 800 messages further. Every notice must have been shown; WeCom and
WeChat take a key and must have shown it once, the inbox too; text messages take none, so what was shown twice is counted.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import override_settings

from emulator import scene
from emulator.testing import Strings

ROOT = Path(__file__).resolve().parents[1]
SEED, FEWEST, MOST = 20261127, 100, 800
MEMBERS, FOLLOWERS = 300, 100  # WeCom drops what is over thirty a minute for one member, so there are many of them
PATIENCE_SECONDS = 2400
NUMBER = re.compile(r"LG-2026-(\d{6})")
FACTS = {"type": "河道堵塞", "grid": "990106001001001", "due": "2026-12-30T08:00:00+00:00"}
Members, Followers = dict[str, int], dict[str, str]


@dataclass
class Storm:
    """What was killed, and how long it all took."""

    kills: int = 0
    seconds: float = 0.0
    left: int = 0
    shown: dict[str, Counter[int]] = field(default_factory=dict)


def settings_at(base: str) -> dict[str, str]:
    """The installation's settings, without ``JIEQU_``, that lead to the emulator's account and corporation."""
    return {
        **{"WECHAT_APPID": scene.APPID, "WECHAT_SECRET": scene.SECRET, "WECHAT_API": f"{base}/api", "WECHAT_MP": f"{base}/mp"},
        **{"WECOM_CORPID": scene.CORPID, "WECOM_AGENTID": scene.AGENTID, "WECOM_SECRET": scene.AGENT_SECRET},
        **{"WECOM_API": f"{base}/qyapi", "WECOM_OPEN": f"{base}/open"},
    }


def measure(world: Any, strings: Strings, env: dict[str, str], count: int) -> int:
    """Plant, kill, look at every phone. Fails if one is lost, or one that has a key was shown twice."""
    given = settings_at(strings.base)
    for where in ("/api/cgi-bin/message/template/send", "/qyapi/cgi-bin/message/send"):
        strings.fault("latency", where, times=10**9, seconds=0.05)
    with override_settings(**given):
        members, followers = people(world, strings), residents(strings)
        plant(world, count, list(members.values()), list(followers.values()))
    storm = run(env | {f"JIEQU_{name}": value for name, value in given.items()})
    storm.shown = {
        "inbox": in_the_inbox(),
        "WeCom card": Counter(_numbers(strings, list(members), f"{scene.CORPID}:{scene.AGENTID}")),
        "template message": Counter(_numbers(strings, list(followers), scene.APPID)),
        "text message": Counter(_number(one["text"]) for one in strings.ask("GET", "/sms")),
    }
    return tell(storm, count)


def people(world: Any, strings: Strings) -> Members:
    """Members of the corporation who are persons of the roster: their ids, and the persons'."""
    from jiequ.channels.wecom.models import WecomUser
    from jiequ.core import clock
    from jiequ.people.models import Person
    from tests.actors import BEGAN

    rows = [
        Person(username=f"m{n}", name=f"员工{n}", phone=f"137{n:08d}", street=world.street, account="staff", created_at=BEGAN)
        for n in range(MEMBERS)
    ]
    made = Person.objects.bulk_create(rows)
    WecomUser.objects.bulk_create(
        WecomUser(userid=one.username, person=one, matched_by="administrator", matched_at=clock.now()) for one in made
    )
    for one in made:
        strings.ask("POST", "/people", id=one.username, name=one.name, userid=one.username)
        strings.ask("POST", f"/corps/{scene.CORPID}/contacts/create_user", userid=one.username, name=one.name)
    return {one.username: one.pk for one in made}


def residents(strings: Strings) -> Followers:
    """Followers of the account, by the emulator's id; each as an account's address. The templates are taken over as well."""
    from jiequ.channels.services import seal_account
    from jiequ.channels.wechat import services
    from jiequ.channels.wechat.services import followers
    from jiequ.core import clock
    from jiequ.people.rules import Actor

    at, found = clock.now(), {}
    for n in range(FOLLOWERS):
        strings.ask("POST", "/people", id=f"r{n}", name=f"居民{n}")
        strings.ask("POST", f"/people/r{n}/follow")
        row = followers.note_deed(strings.openid(f"r{n}"), kind="event", event="subscribe", sent_at=at, at=at)
        found[f"r{n}"] = seal_account(f"wechat:{row.pk}")
    services.adopt_templates(services.read_templates(), by=Actor.system(), at=at)
    return found


def plant(world: Any, count: int, members: list[int], followers: list[str]) -> None:
    """By turns to staff, to an account, to a phone; urgent, so that the hour does not matter."""
    from jiequ.channels import services
    from jiequ.channels.services import Notice, seal_phone
    from jiequ.core import clock
    from jiequ.core.db import writing

    def notice(n: int) -> Notice:
        to: dict[str, Any] = (
            {"to_person": members[n % len(members)]},
            {"to_account_sealed": followers[n % len(followers)]},
            {"to_phone_sealed": seal_phone(f"139{n:08d}")},
        )[n % 3]
        template = "reporter_accepted" if n % 3 else "new_task"
        facts = {"number": f"LG-2026-{n:06d}", **FACTS}
        return Notice(template, facts, f"case:{n}", f"n{n}", is_urgent=True, street_id=world.street.pk, **to)

    for start in range(0, count, 100):
        with writing():
            services.send([notice(n) for n in range(start, min(start + 100, count))], at=clock.now())


def run(env: dict[str, str]) -> Storm:
    """Workers one after the other until nothing waits; all but the last are killed."""
    dice, storm, began = random.Random(SEED), Storm(), time.monotonic()
    until = began + PATIENCE_SECONDS
    while waiting() and time.monotonic() < until:
        worker = subprocess.Popen(
            [sys.executable, "-m", "jiequ.web.cli", "jobs"],
            **{"cwd": ROOT, "env": env, "stdout": subprocess.DEVNULL, "start_new_session": True},  # type: ignore[call-overload]
        )
        goal = ended() + dice.randint(FEWEST, MOST)
        while ended() < goal and waiting() and time.monotonic() < until:
            time.sleep(0.02)
        if waiting():
            time.sleep(dice.uniform(0, 0.05))  # anywhere in a call, which takes as long
            storm.kills += 1
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    storm.seconds, storm.left = time.monotonic() - began, waiting()
    return storm


def waiting() -> int:
    """Messages and copies that somebody still has to carry."""
    from jiequ.channels.models import Message

    return Message.objects.filter(state__in=["waiting", "sending"]).count()


def ended() -> int:
    """Messages and copies that have been carried."""
    from jiequ.channels.models import Message

    return Message.objects.filter(state__in=["sent", "delivered"]).count()


def in_the_inbox() -> Counter[int]:
    """How often each notice lies in its reader's inbox."""
    from jiequ.channels.models import InboxItem

    keys = InboxItem.objects.filter(message__about__startswith="case:").values_list("message__key", flat=True)
    return Counter(int(key[1:]) for key in keys)  # an alarm that the outbox stands still is no notice of ours


def _numbers(strings: Strings, phones: list[str], chat: str) -> list[int]:
    """The numbers on the cards of these phones."""
    lines = [one["data"] for who in phones for one in strings.chat(who, chat) if one["kind"] in {"card", "template"}]
    return [_number(str(data)) for data in lines]


def _number(text: str) -> int:
    found = set(NUMBER.findall(text))
    assert len(found) == 1, text
    return int(found.pop())


def tell(storm: Storm, count: int) -> int:
    """The line to publish; 1 where a promise is broken."""
    wanted = {
        "inbox": range(0, count, 3),
        "WeCom card": range(0, count, 3),
        "template message": range(1, count, 3),
        "text message": range(2, count, 3),
    }
    lost = {name: len(set(keys) - set(storm.shown[name])) for name, keys in wanted.items()}
    twice = {name: sum(times - 1 for times in storm.shown[name].values()) for name in wanted}
    print(f"{count} notices, {storm.kills} kills in {storm.seconds:.0f} s; not ended {storm.left}")
    for name in wanted:
        print(f"{name:<17} {len(wanted[name]):>5}: lost {lost[name]}, shown twice {twice[name]}")
    with_a_key = sum(number for name, number in twice.items() if name != "text message")
    return 1 if sum(lost.values()) or with_a_key or storm.left or not storm.kills else 0
