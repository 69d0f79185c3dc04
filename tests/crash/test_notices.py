"""No notice is lost when a worker dies, and nobody is shown one twice (RELIABILITY rows 9 and 10).

The short form; ``storm`` takes any number. Every worker is killed (kill -9) 30 to 100 ms after its first small batch, so that
on a slow machine the storm gets on as well.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiequ.channels import ports, services
from jiequ.channels.models import InboxItem, Message
from jiequ.channels.ports import Outcome, Outgoing, Result
from jiequ.channels.services import Notice, seal_phone
from jiequ.core import clock
from jiequ.core.crew import Crew
from jiequ.core.db import writing
from jiequ.core.jobs import KINDS, work_once
from jiequ.core.models import Job
from jiequ.people.models import Person
from tests.actors import World, make_world
from tests.support import processes
from tests.support.processes import Tell

NETWORK_SECONDS = 0.002
BATCH = 5
HANDS = 8
pytestmark = pytest.mark.django_db(transaction=True)


class FilePort:
    """A provider: a call takes a moment, the effect is a line in a file, the answer takes a moment."""

    name = "file"
    is_remote = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, message: Outgoing | None, address: str, key: str) -> Outcome:
        time.sleep(NETWORK_SECONDS)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, f"{key}\n".encode())
        os.close(file)
        time.sleep(NETWORK_SECONDS)
        return Outcome(Result.DELIVERED, provider_id=key)


@pytest.fixture
def outside(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> FilePort:
    """The world outside, as the only SMS port."""
    port = FilePort(tmp_path / "outside")
    port.path.touch()
    settings.SMS_PORTS = [port.name]
    monkeypatch.setitem(ports._FACTORIES, port.name, lambda: port)
    return port


def work(at: datetime, tell: Tell) -> None:
    """The real thing; tells of each batch."""
    while work_once(at=at, limit=BATCH):
        tell(b".")


def work_with_hands(at: datetime, tell: Tell) -> None:
    """The line as the worker has it: several calls at a time, what came back stored together."""
    crew = Crew("notices sms", HANDS)
    while work_once(at=at, limit=BATCH, outside=False) + crew.turn(at=at) or not crew.is_idle:
        tell(b".")


def mark_then_send(port: FilePort) -> Callable[[datetime, Tell], None]:
    """The broken twin: a message is marked in a transaction of its own and acted on after."""

    def route(*, key: str, round: int, at: datetime) -> None:
        with writing():
            done = Message.objects.filter(key=key, state="waiting").update(state="delivered", channel="inbox", ended_at=at)
        if not done:
            return
        time.sleep(NETWORK_SECONDS)
        message = Message.objects.get(key=key)
        if message.to_phone_sealed:
            port.send(None, "", key)
        else:
            InboxItem.objects.create(message=message, person_id=message.to_person_id, put_at=at)

    def broken(at: datetime, tell: Tell) -> None:
        for name in (services.ROUTE, f"{services.TRANSMIT}.sms"):  # in the child that is about to be killed
            KINDS[name] = replace(KINDS[name], handler=route, outside=True)
        work(at, tell)

    return broken


@dataclass
class Count:
    """What came of the notices: by key, how often put into an inbox and how often handed to the provider."""

    inbox: Counter[str]
    outside: Counter[str]
    kills: int

    def lost(self, keys: list[str]) -> list[str]:
        return [key for key in keys if not self.inbox[key] and not self.outside[key]]


def plant(world: World, count: int) -> list[str]:
    """Half to staff, half to residents; urgent, so that the hour does not matter; no staff phones: each is one effect."""
    Person.objects.filter(account="staff").update(phone="")
    at, sealed = clock.now(), seal_phone("13911112222")
    facts = {"number": "LG-2026-000123", "type": "河道堵塞"}
    notices = []
    for n in range(count):
        to: dict[str, Any] = {"to_person": world.huang.pk} if n % 2 else {"to_phone_sealed": sealed}
        template = "new_task" if n % 2 else "reporter_accepted"
        notices.append(Notice(template, facts, f"case:{n}", f"notice-{n}", is_urgent=True, street_id=world.street.pk, **to))
    for start in range(0, count, 100):
        with writing():
            services.send(notices[start : start + 100], at=at)
    return [notice.key for notice in notices]


def storm(worker: Callable[[datetime, Tell], None], port: FilePort) -> Count:
    """Kill one worker after the other until nothing is left to do. Time leaps past the lease each round."""
    at = clock.now() + timedelta(hours=1)
    work_once(at=at, limit=1)  # what the first job of a process loads is loaded before the forks
    waits = Job.objects.filter(kind__startswith="channels.", dead_at=None).exists
    kills = processes.storm(worker, waits, at=at, least=0.03, most=0.1, rounds=2000)
    inbox = Counter(InboxItem.objects.values_list("message__key", flat=True))
    return Count(inbox=inbox, outside=Counter(port.path.read_text().split()), kills=kills)


def test_a_thousand_notices_survive_workers_that_are_killed(outside: FilePort) -> None:
    keys = plant(make_world(), 1000)
    count = storm(work, outside)
    print(f"kills {count.kills}, handed to the provider again {count.outside.total() - len(count.outside)}")
    assert count.kills >= 10
    assert count.lost(keys) == []
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
    assert max(count.inbox.values()) == 1, "shown twice in an inbox"
    assert set(count.inbox) == set(keys[1::2])
    assert set(count.outside) == set(keys[0::2]), "each key reaches the provider, which shows a key once"


def test_eight_calls_at_a_time_lose_nothing_either(outside: FilePort) -> None:
    keys = plant(make_world(), 300)
    count = storm(work_with_hands, outside)
    print(f"kills {count.kills}, handed to the provider again {count.outside.total() - len(count.outside)}")
    assert count.kills >= 10
    assert count.lost(keys) == []
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
    assert max(count.inbox.values()) == 1, "shown twice in an inbox"
    assert set(count.outside) == set(keys[0::2]), "each key reaches the provider, which shows a key once"


def test_marking_before_sending_loses_notices_and_nothing_shows_it(outside: FilePort) -> None:
    """The broken twin: the same killing, the other order."""
    keys = plant(make_world(), 300)
    count = storm(mark_then_send(outside), outside)
    print(f"kills {count.kills}, lost {len(count.lost(keys))}")
    assert len(count.lost(keys)) > 0
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
