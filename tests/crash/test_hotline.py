"""No letter to a hotline is lost when a worker dies in the middle of a call, and none is kept twice there (RELIABILITY row 9).

The short form; every worker is killed (kill -9) 20 to 80 ms after its first small batch.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases import services as cases
from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.jobs import KINDS, work_once
from jiequ.core.models import Job
from jiequ.doors.hotline import jobs
from jiequ.doors.hotline.models import Letter
from jiequ.doors.hotline.services import letters
from tests.actors import make_world
from tests.casework import Casework, make_condition
from tests.support import processes
from tests.support.hotline import Hotline, hotline, make_source
from tests.support.processes import Tell

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 24


@pytest.fixture
def there(settings: Any) -> Iterator[Hotline]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with hotline() as found:
        yield found


def plant(there: Hotline) -> None:
    """``ORDERS`` cases, each given back to the hotline: a letter for each."""
    work, at = Casework(make_world(), make_condition()), clock.now()
    source, _token = make_source(work.world, way_out="http", out_url=there.url)
    for n in range(ORDERS):
        case = work.reported(by="lin", at=at, source="hotline", system=source.system.name, source_ref=f"GZ-{n}").case
        cases.reject(work.fresh(case, "lin"), reason_code="outside_duty", by=work.actor("lin"), at=at)
    jobs.write_letters(at=at)
    Job.objects.exclude(kind=letters.DELIVER).delete()
    assert Letter.objects.filter(state="waiting").count() == ORDERS


def work_on(at: datetime, tell: Tell) -> None:
    """The real thing; tells of each small batch."""
    while work_once(at=at, limit=2, outside=True):
        tell(b".")


def mark_then_carry(at: datetime, tell: Tell) -> None:
    """The broken twin: marked as delivered first, and carried then."""

    def deliver(*, letter_id: int, round: int, at: datetime) -> None:
        letter = letters.to_send(letter_id, round)
        if letter is None:
            return
        with writing():
            letters.mark(letter, 200, "", at=at)
        if letter_id % 5 == 0:
            os.kill(os.getpid(), signal.SIGKILL)  # the kill that a storm strikes by chance
        letters.carry(letter)

    KINDS[letters.DELIVER] = replace(KINDS[letters.DELIVER], handler=deliver)  # in the child that is about to be killed
    work_on(at, tell)


def storm(worker: Callable[[datetime, Tell], None]) -> int:
    """Kill one worker after the other until nothing waits; returns how many were killed."""
    at = clock.now() + timedelta(minutes=1)
    waits = Job.objects.filter(kind=letters.DELIVER).exists
    return processes.storm(worker, waits, at=at, least=0.02, most=0.08, rounds=500)


def test_killed_workers_lose_no_letter_and_the_hotline_keeps_each_once(there: Hotline) -> None:
    plant(there)
    kills = storm(work_on)
    keys = set(Letter.objects.filter(state="delivered").values_list("key", flat=True))
    assert set(there.letters) == keys
    assert len(keys) == ORDERS
    assert {call.body["number"] for call in there.calls} == {f"GZ-{n}" for n in range(ORDERS)}
    assert kills >= 2


def test_marking_before_the_call_loses_some(there: Hotline) -> None:
    """The broken twin."""
    plant(there)
    storm(mark_then_carry)
    assert len(there.letters) < ORDERS
