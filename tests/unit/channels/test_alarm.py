"""Late notices are noticed (RELIABILITY row 12): in every one of twenty planted stalls, within a minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from jiequ.channels import queries
from jiequ.channels.delivery import alarm_stalled
from jiequ.channels.jobs import SWEEP_SECONDS
from jiequ.channels.models import Message
from jiequ.channels.rules import STALLED_AFTER
from jiequ.core.jobs import schedule_periodic, work_once
from jiequ.core.models import Job
from tests.actors import NOW
from tests.unit.channels.letterbox import BUSY, Letterbox, ScriptedPort

STALLED_KINDS = ("channels.route", "channels.transmit")
LOOK_EVERY_SECONDS = 5


def alarms(letters: Letterbox) -> list[str]:
    return [key for key in letters.in_inbox("liang") if key.startswith("stalled:")]


def work_without_messages(at: datetime) -> None:
    """A worker that does everything but messages: the stall."""
    held = Job.objects.filter(kind__in=STALLED_KINDS)
    held.update(lease_until=at + timedelta(days=1))
    while work_once(at=at, limit=50):
        Job.objects.filter(kind__in=STALLED_KINDS).update(lease_until=at + timedelta(days=1))


def sweep_only() -> None:
    """Of the chores that come round, the one that is looked at."""
    schedule_periodic(NOW)
    Job.objects.exclude(kind="channels.sweep").delete()
    assert Job.objects.count() == 1
    assert SWEEP_SECONDS <= 60


@pytest.mark.parametrize("second", range(0, 60, 3))
def test_a_planted_stall_is_told_within_a_minute(second: int, letters: Letterbox) -> None:
    """Twenty stalls, begun at twenty seconds of a minute."""
    sweep_only()
    began = NOW + timedelta(minutes=2, seconds=second)
    letters.send(letters.to_person("huang", is_urgent=True), at=began)
    told_at = None
    for seconds in range(0, int(STALLED_AFTER.total_seconds()) + 121, LOOK_EVERY_SECONDS):
        at = began + timedelta(seconds=seconds)
        work_without_messages(at)
        if alarms(letters):
            told_at = at
            break
    assert told_at is not None
    late_by = told_at - began - STALLED_AFTER
    assert timedelta(0) < late_by <= timedelta(seconds=60)


def test_one_stall_is_told_once_and_ends(letters: Letterbox) -> None:
    sweep_only()
    letters.send(letters.to_person("huang", is_urgent=True))
    for minute in range(0, 120):
        work_without_messages(NOW + timedelta(minutes=minute))
    assert len(alarms(letters)) == 1
    assert queries.is_stalled(NOW + timedelta(minutes=120))
    Job.objects.update(lease_until=None)
    letters.work(NOW + timedelta(minutes=120))
    assert letters.in_inbox("huang") == ["k"]
    assert not queries.is_stalled(NOW + timedelta(minutes=121))
    assert queries.oldest_unsent_seconds(NOW + timedelta(minutes=121)) == 0


def test_each_street_hears_of_its_own_stall_only(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang", is_urgent=True))
    work_without_messages(NOW + timedelta(minutes=6))
    assert alarm_stalled(at=NOW + timedelta(minutes=6)) == 1
    assert alarm_stalled(at=NOW + timedelta(minutes=7)) == 0
    assert len(alarms(letters)) == 1
    assert letters.in_inbox("wai") == []


def test_a_notice_held_back_for_quiet_hours_is_not_late(letters: Letterbox) -> None:
    evening = NOW + timedelta(hours=10)
    letters.send(letters.to_person("huang"), at=evening)
    letters.work(evening)
    assert Message.objects.get().state == "waiting"
    assert not queries.is_stalled(evening + timedelta(hours=1))


def test_a_provider_that_is_down_is_a_stall_too(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    use_ports(ScriptedPort(BUSY))
    letters.send(letters.to_resident())
    for minute in range(0, 8):
        letters.work(NOW + timedelta(minutes=minute))
    assert queries.is_stalled(NOW + timedelta(minutes=8))


@pytest.mark.usefixtures("heard")
def test_an_open_call_is_in_peoples_hands_not_stalled(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    use_ports()
    letters.send(letters.to_resident())
    letters.work()
    assert not queries.is_stalled(NOW + timedelta(hours=5))
