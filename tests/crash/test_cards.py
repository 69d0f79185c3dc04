"""Cards on WeCom's phones survive workers that are killed: none is lost, none is shown twice (RELIABILITY rows 9 and 10)."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import services
from jiequ.channels.models import Message
from jiequ.channels.services import Notice
from jiequ.channels.wecom import deeds, platform, rules
from jiequ.channels.wecom.cards import Button
from jiequ.channels.wecom.models import WecomUser
from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people.models import Person
from tests.actors import World, make_world
from tests.support import processes
from tests.support.processes import Tell
from tests.unit.channels.wecom.office import AGENT, settings_of

MEMBERS = {"chen": "chen", "huang": "huang", "qian": "qian", "he": "he", "zhao": "shui"}
EACH = 4
pytestmark = pytest.mark.django_db(transaction=True)
Worker = Callable[[datetime, Tell], None]


class Things:
    """The owner of "thing:n": every second one has a button."""

    def offer(self, identifier: str, person: Person, *, at: datetime) -> deeds.Offer:
        return deeds.Offer((Button("take", "接单"),) if int(identifier) % 2 else ())

    def press(self, identifier: str, key: str, chosen: Mapping[str, str], person: Person, *, at: datetime) -> str:
        return "已接单"

    def marks(self, identifiers: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(identifiers, 0)

    def stands(self, identifier: str, person: Person, *, at: datetime) -> str:
        return ""


@pytest.fixture
def planted(emulator: Strings, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:  # noqa: F811
    """Notices to five members, four each: fewer than WeCom drops. Their keys."""
    for name, value in settings_of(emulator).items():
        setattr(settings, name, value)
    settings.SMS_PORTS = []
    emulator.ask("POST", "/clock", at=time.time(), rate=1.0)
    monkeypatch.setitem(deeds._owners, "thing", Things())
    return plant(make_world())


def plant(world: World) -> list[str]:
    for name, userid in MEMBERS.items():
        WecomUser.objects.create(userid=userid, person=world.people[name], matched_by="administrator", matched_at=clock.now())
    facts = {"number": "LG-2026-000123", "type": "河道堵塞"}
    notices = [
        Notice("new_task", facts, f"thing:{n}", f"card-{n}", to_person=world.people[name].pk, is_urgent=True)
        for n, name in enumerate(list(MEMBERS) * EACH)
    ]
    with writing():
        services.send(notices, at=clock.now())
    return [notice.key for notice in notices]


def work(at: datetime, tell: Tell) -> None:
    """The real thing; tells of each batch."""
    while work_once(at=at, limit=3):
        tell(b".")


def without_keys(at: datetime, tell: Tell) -> None:
    """The broken twin: each try is a card of its own, and WeCom is not asked to look for repeats."""
    send, tries = platform.application().post, count(1)

    def afresh(card: dict[str, Any], userid: str) -> dict[str, Any]:
        body = {"touser": userid, "msgtype": "template_card", "agentid": int(scene.AGENTID), "template_card": card}
        answer = send("/cgi-bin/message/send", body)
        if next(tries) == 4 and at < clock.now() + timedelta(hours=1, minutes=6):  # in the first rounds only
            os.kill(os.getpid(), signal.SIGKILL)  # the kill that a storm strikes by chance: sent, and not yet marked
        return answer

    rules.task_id = lambda key, userid: f"t{time.monotonic_ns()}"  # in the child that is about to be killed
    platform.send_card = afresh
    work(at, tell)


def storm(worker: Worker) -> int:
    at = clock.now() + timedelta(hours=1)
    waits = Job.objects.filter(kind__startswith="channels.", dead_at=None).exists
    return processes.storm(worker, waits, at=at, least=0.01, most=0.12, rounds=400)


def shown(emulator: Strings) -> Counter[str]:  # noqa: F811
    """How often each card lies on a phone, by the page it opens: that is the message's own."""
    phones = {userid: emulator.chat(userid, AGENT) for userid in MEMBERS.values()}
    return Counter(line["data"]["card_action"]["url"] for lines in phones.values() for line in lines)


def test_killed_workers_lose_no_card_and_show_none_twice(planted: list[str], emulator: Strings) -> None:  # noqa: F811
    kills = storm(work)
    found = shown(emulator)
    print(f"kills {kills}, cards {found.total()}, asked {len(emulator.transcript(path='/qyapi/cgi-bin/message/send'))}")
    assert kills >= 2
    assert len(found) == len(planted)
    assert max(found.values()) == 1
    copies = Message.objects.filter(copy_of__isnull=False)
    assert set(copies.values_list("state", "port")) == {("delivered", "wecom")}


def test_without_a_key_killed_workers_show_cards_twice(planted: list[str], emulator: Strings) -> None:  # noqa: F811
    """The broken twin: the same killing."""
    storm(without_keys)
    assert max(shown(emulator).values()) > 1
