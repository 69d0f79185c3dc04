"""Events that are stored after higher numbers were followed: found for an hour, whatever happened meanwhile; then not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases import jobs_hooks
from jiequ.cases.models import Case, CaseEvent, Delivery, Webhook
from jiequ.cases.queries import gaps
from jiequ.cases.services import hooks
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_condition
from tests.statements import statements_of

FAR = 50_000
"""Numbers given meanwhile: an import stores thousands a second."""


@pytest.fixture
def case(world: World, clock: MovableClock) -> Case:
    """A case, and an address that is told of notes since."""
    work = Casework(world, make_condition())
    made = work.just_reported()
    hooks.make_webhook(
        name="数据平台", url="https://example.org/", street_id=None, events=["note"], by=work.actor("xi"), at=NOW
    )
    return made


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiequ.core.outgoing.target_of", lambda url: url)


def stored(case: Case, ahead: int, move: str = "note", at: datetime = NOW) -> int:
    """An event whose number is so far ahead of the newest that the address was made after; its number."""
    first = Webhook.objects.get().begins_after
    event: dict[str, Any] = {"case": case, "move": move, "state": case.state, "at": at}
    return int(CaseEvent.objects.create(pk=first + ahead, **event).pk)


def told() -> list[int]:
    return [pk for pk in Delivery.objects.order_by("event_id").values_list("event_id", flat=True) if pk is not None]


def follow(after: timedelta = timedelta(0)) -> None:
    jobs_hooks.follow(at=NOW + after)


def test_an_event_that_is_stored_late_is_told_once(case: Case) -> None:
    early = stored(case, 5)
    follow()
    late = stored(case, 3)
    follow()
    follow()
    assert told() == [late, early]
    another = stored(case, 4)
    follow()
    assert told() == [late, another, early]


def test_it_is_told_however_many_numbers_and_minutes_later(case: Case) -> None:
    stored(case, 5)
    follow()
    for n in range(1, 4):
        stored(case, n * FAR, move="urge")
        follow(timedelta(minutes=15 * n))
    late = stored(case, 3)
    follow(timedelta(minutes=59))
    assert late in told()


def test_after_an_hour_it_is_not_waited_for_any_more(case: Case) -> None:
    """What bounds it: a transaction that stays open for longer than gaps are kept."""
    stored(case, 5)
    follow()
    late = stored(case, 3)
    follow(gaps.KEPT + timedelta(seconds=1))
    assert late not in told()
    assert Webhook.objects.get().gaps == []


def test_a_follower_that_only_goes_on_would_miss_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: holes are not remembered."""
    monkeypatch.setattr(gaps, "new_gaps", lambda _after, _up_to, at: [])
    stored(case, 5)
    follow()
    late = stored(case, 3)
    follow()
    assert late not in told()


def test_a_call_that_does_not_come_to_the_end_passes_no_hole(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BATCH", 2)
    for ahead in (2, 3, 8, 9):
        stored(case, ahead)
    follow()
    first = Webhook.objects.get()
    assert first.followed_to == first.begins_after + 3
    assert [gap[:2] for gap in first.gaps] == [[first.begins_after + 1, first.begins_after + 1]]
    follow()
    begin = first.begins_after
    assert [gap[:2] for gap in Webhook.objects.get().gaps] == [[begin + 1, begin + 1], [begin + 4, begin + 7]]
    late = {stored(case, 1), stored(case, 5)}
    follow()
    assert late <= set(told())


def test_the_oldest_holes_give_way_to_new_ones(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST", 2)
    for ahead in (2, 4, 6):
        stored(case, ahead)
        follow()
    begin = Webhook.objects.get().begins_after
    assert [gap[0] - begin for gap in Webhook.objects.get().gaps] == [3, 5]


def test_where_there_is_no_hole_nothing_is_asked_about_holes(case: Case) -> None:
    stored(case, 1)
    follow()
    webhook = Webhook.objects.get()
    asked = statements_of(lambda: hooks.follow(webhook, at=NOW))
    assert len(asked) <= 3, asked
    assert not [one for one in asked if one.startswith(("UPDATE", "INSERT"))]
