"""What a platform pushes takes effect once, although it comes three times at once and workers are killed (RELIABILITY 16)."""

from __future__ import annotations

import time
from collections import Counter as Tally
from datetime import datetime
from typing import Any

import pytest
from django.db import connections

from jiequ.channels.arrivals import handing, services
from jiequ.channels.arrivals.models import Arrival, State
from jiequ.channels.arrivals.services import Incoming, incoming_of, receive
from jiequ.core import clock, ids
from jiequ.core.models import Counter
from tests.support import processes, unmarked
from tests.support.processes import Tell

MESSAGES, DELIVERIES, BATCH = 300, 3, 5
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler of the channel "play": one effect a message, and a moment's work."""
    monkeypatch.setattr(services, "HANDLERS", {})
    monkeypatch.setattr(handing, "HANDLERS", services.HANDLERS)

    def handle(incoming: Incoming, *, at: datetime) -> None:
        ids.next_value(f"effect-{incoming.fields['MsgId']}")

    services.on_arrival("play", handle)


def deliver(side: int) -> int:
    """Every message, as one of three deliveries of each that overtake one another."""
    order = list(range(MESSAGES))
    new = 0
    for number in order[side * 7 :] + order[: side * 7]:
        fields = {"FromUserName": f"o{number % 20}", "CreateTime": "1772589600", "MsgType": "text", "MsgId": str(number)}
        message = incoming_of("play", "wx1", fields)
        new += receive(message, timestamp="1772589600", nonce=f"{side}-{number}", at=clock.now())
    return new


def work(at: datetime, tell: Tell) -> None:
    """The real thing; tells of each batch."""
    while handing.hand_on(at=at, limit=BATCH):
        tell(b".")


def without_marks(at: datetime, tell: Tell) -> None:
    """The broken twin: the effect is stored, and that it is done is written after it, with nothing that ties the two."""
    unmarked.work(at, tell, limit=BATCH)


def effects() -> Tally[str]:
    connections.close_all()
    return Tally(dict(Counter.objects.filter(name__startswith="effect-").values_list("name", "value")))


def storm(worker: Any) -> int:
    waits = Arrival.objects.filter(state=State.WAITING).exists
    return processes.storm(worker, waits, at=clock.now(), least=0.005, most=0.06, rounds=400)


def test_three_deliveries_of_each_and_killed_workers_make_one_effect_each() -> None:
    assert sum(processes.at_once(DELIVERIES, deliver)) == MESSAGES
    assert Arrival.objects.count() == MESSAGES
    kills = storm(work)
    print(f"kills {kills}")
    assert kills >= 2
    assert effects() == {f"effect-{number}": 1 for number in range(MESSAGES)}
    assert set(Arrival.objects.values_list("state", flat=True)) == {State.DONE}


def test_without_the_mark_killed_workers_repeat_effects() -> None:
    deliver(0)
    began = time.monotonic()
    kills = storm(without_marks)
    doubled = {name: times for name, times in effects().items() if times > 1}
    print(f"kills {kills}, doubled {len(doubled)}, {time.monotonic() - began:.1f} s")
    assert doubled
