"""No delivery is lost when a worker dies in the middle of a call, and each case's events arrive in order (RELIABILITY row 9).

The short form; every worker is killed (kill -9) 20 to 80 ms after its first small batch.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases import jobs_hooks, services
from jiequ.cases.models import Delivery
from jiequ.cases.services import hooks
from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.jobs import KINDS, work_once
from jiequ.core.models import Job
from tests.actors import make_world
from tests.casework import Casework, make_condition
from tests.support import processes
from tests.support.processes import Tell
from tests.support.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)

CASES, NOTES = 8, 4


@pytest.fixture
def there(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiver() as told:
        yield told


def plant(there: Receiver) -> None:
    """``CASES`` cases with a report and some notes each: one webhook is told of all."""
    work = Casework(make_world(), make_condition())
    at = clock.now()
    hooks.make_webhook(name="数据平台", url=there.url, events=["report", "note"], street_id=None, by=work.actor("xi"), at=at)
    for _ in range(CASES):
        case = work.reported(at=at).case
        for n in range(NOTES):
            services.note(work.fresh(case, "lin"), text=str(n), by=work.actor("lin"), at=at)
    jobs_hooks.follow(at=at)
    Job.objects.exclude(kind=hooks.DELIVER).delete()


def work_on(at: datetime, tell: Tell) -> None:
    """The real thing; tells of each small batch."""
    while work_once(at=at, limit=2, outside=True):
        tell(b".")


def mark_then_call(at: datetime, tell: Tell) -> None:
    """The broken twin: marked as delivered first, and called then."""

    def deliver(*, delivery_id: int, round: int, at: datetime) -> None:
        delivery = hooks.to_send(delivery_id, round)
        if delivery is None:
            return
        with writing():
            hooks.mark(delivery, 200, "", at=at)
        if delivery_id % 5 == 0:
            os.kill(os.getpid(), signal.SIGKILL)  # the kill that a storm strikes by chance
        hooks.send(delivery, at=at)

    KINDS[hooks.DELIVER] = replace(KINDS[hooks.DELIVER], handler=deliver)  # in the child that is about to be killed
    work_on(at, tell)


def storm(worker: Callable[[datetime, Tell], None]) -> int:
    """Kill one worker after the other until nothing waits; returns how many were killed."""
    at = clock.now() + timedelta(minutes=1)
    waits = Job.objects.filter(kind=hooks.DELIVER).exists
    return processes.storm(worker, waits, at=at, least=0.02, most=0.08, rounds=500)


def firsts(there: Receiver) -> dict[str, list[str]]:
    """By case, the deliveries in the order in which each came for the first time."""
    found: dict[str, list[str]] = {}
    for call in there.calls:
        body = json.loads(call.body)
        keys = found.setdefault(body["case"]["number"], [])
        if body["id"] not in keys:
            keys.append(body["id"])
    return found


def test_killed_workers_lose_no_delivery_and_keep_each_cases_order(there: Receiver) -> None:
    plant(there)
    kills = storm(work_on)
    arrived = firsts(there)
    for number, keys in arrived.items():
        wanted = list(Delivery.objects.filter(case__number=number).order_by("pk").values_list("key", flat=True))
        assert keys == wanted, number
    assert sum(map(len, arrived.values())) == CASES * (1 + NOTES) == Delivery.objects.filter(state="delivered").count()
    assert kills >= 2


def test_marking_before_the_call_loses_some(there: Receiver) -> None:
    """The broken twin."""
    plant(there)
    storm(mark_then_call)
    assert sum(map(len, firsts(there).values())) < CASES * (1 + NOTES)
