"""The inbox of callbacks: the same message is stored once, handed on in its sender's order, and takes effect once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError

from jiequ.channels.arrivals import handing, jobs, queries, services
from jiequ.channels.arrivals.models import Arrival, Mark, Nonce, State
from jiequ.channels.arrivals.services import Incoming, Replayed, incoming_of, receive
from jiequ.core.errors import Forbidden
from jiequ.core.models import AuditEntry, Counter
from tests.actors import NOW, World

pytestmark = pytest.mark.django_db
numbers = count(1)


def push(sender: str = "oZhou", **fields: Any) -> Incoming:
    body = {"FromUserName": sender, "CreateTime": "1772589600", "MsgType": "text", "MsgId": str(next(numbers)), **fields}
    return incoming_of("play", "wx1", {name: value for name, value in body.items() if value is not None})


def event(name: str, **fields: Any) -> Incoming:
    return push(MsgType="event", MsgId=None, Event=name, **fields)


def take(incoming: Incoming, nonce: str = "", at: datetime = NOW) -> bool:
    return receive(incoming, timestamp="1772589600", nonce=nonce or str(next(numbers)), at=at)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the handlers of the channel "play" were given; "poison" makes the last of them fail."""
    monkeypatch.setattr(services, "HANDLERS", {})
    monkeypatch.setattr(handing, "HANDLERS", services.HANDLERS)
    found: list[str] = []

    def store(incoming: Incoming, *, at: datetime) -> None:
        Counter.objects.create(name=f"effect {incoming.fields['Content']}")

    def note(incoming: Incoming, *, at: datetime) -> None:
        found.append(incoming.fields["Content"])
        if "poison" in incoming.fields["Content"]:
            raise ValueError("cannot be read")

    services.on_arrival("play", store)
    services.on_arrival("play", note)
    return found


def hand_on_all(at: datetime = NOW) -> None:
    while handing.hand_on(at=at):
        pass


def test_what_a_push_says_of_itself() -> None:
    found = event("CLICK", EventKey="report")
    assert (found.channel, found.account, found.sender, found.kind, found.event) == ("play", "wx1", "oZhou", "event", "click")
    assert found.at == datetime.fromtimestamp(1772589600, UTC)
    for wrong in ({"CreateTime": "soon"}, {"CreateTime": None}, {"FromUserName": None}, {"MsgType": {"a": "b"}}):
        with pytest.raises(ValueError):
            push(**wrong)


def test_the_same_message_is_stored_once_and_its_second_try_is_known() -> None:
    message = push(Content="河道堵了")
    assert [take(message), take(message), take(message)] == [True, False, False]
    row = Arrival.objects.get()
    assert "河道" not in row.body_sealed
    assert "oZhou" not in f"{row.body_sealed}{row.lane}{row.key}"
    assert services.opened(row) == message


def test_two_different_events_of_one_person_in_one_second_are_two() -> None:
    events = [
        event("CLICK", EventKey="report"),
        event("CLICK", EventKey="mine"),
        event("SCAN", EventKey="report"),
        event("TEMPLATESENDJOBFINISH", MsgID="1", Status="success"),
        event("TEMPLATESENDJOBFINISH", MsgID="2", Status="success"),
        event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": {"TemplateId": "t", "MsgID": "1"}}),
        event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": [{"TemplateId": "t", "MsgID": "2"}]}),
        event("CLICK", FromUserName="oChen", EventKey="report"),
    ]
    assert all(take(one) for one in events)
    assert not any(take(one) for one in events)


def test_a_signed_request_played_again_with_other_words_is_refused_and_leaves_nothing() -> None:
    message = push(Content="真的")
    take(message, nonce="n1")
    with pytest.raises(Replayed):
        take(push(Content="假的"), nonce="n1")
    assert take(message, nonce="n1") is False  # a retry may carry the same pair
    assert Arrival.objects.count() == Nonce.objects.count() == 1


def test_each_sender_is_heard_in_order_and_what_is_done_is_forgotten(told: list[str]) -> None:
    for sender, words in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3"), ("b", "b2")):
        take(push(sender, Content=words))
    hand_on_all()
    assert [one for one in told if one[0] == "a"] == ["a1", "a2", "a3"]
    assert [one for one in told if one[0] == "b"] == ["b1", "b2"]
    assert set(Arrival.objects.values_list("state", "body_sealed")) == {(State.DONE, "")}
    assert Counter.objects.filter(name__startswith="effect").count() == 5


def test_one_that_fails_is_tried_again_then_given_up_and_holds_nobody_else_up(told: list[str]) -> None:
    for sender, words in (("a", "poison"), ("a", "after"), ("b", "other")):
        take(push(sender, Content=words))
    hand_on_all()
    assert told == ["poison", "other"]
    at = NOW
    for wait in handing.RETRY_AFTER:
        hand_on_all(at + wait - timedelta(milliseconds=1))
        at += wait
        hand_on_all(at)
    assert told == ["poison", "other", "poison", "poison", "poison", "after"]
    assert set(Counter.objects.filter(name__startswith="effect").values_list("name", flat=True)) == {
        "effect other",
        "effect after",
    }
    dead = queries.dead().get()
    assert (dead.last_error, queries.counts("play", since=timedelta(hours=1), at=at)) == (
        "ValueError: cannot be read",
        {"dead": 1, "done": 2},
    )


def test_a_dead_one_is_handed_on_again_by_the_administrator_only(told: list[str], world: World) -> None:
    take(push(Content="poison"))
    for minute in range(5):
        hand_on_all(NOW + timedelta(minutes=minute))
    dead = queries.dead().get()
    with pytest.raises(Forbidden):
        services.revive(dead.pk, by=world.actor("lin"), at=NOW)
    told.clear()
    later = NOW + timedelta(hours=1)
    assert services.revive(dead.pk, by=world.actor("xi"), at=later)
    assert not services.revive(dead.pk, by=world.actor("xi"), at=later)
    hand_on_all(later)
    assert told == ["poison"]
    assert AuditEntry.objects.filter(action="arrivals.revive").count() == 1


def test_an_effect_whose_end_was_not_written_is_not_repeated(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    take(push(Content="once"))
    with monkeypatch.context() as patched:
        patched.setattr(handing, "_end", lambda ids, at: None)  # killed between the effect and its end
        handing.hand_on(at=NOW)
    assert not handing.hand_on(at=NOW)  # its lease holds
    assert handing.hand_on(at=NOW + handing.LEASE)
    assert told == ["once"]
    assert Arrival.objects.get().state == State.DONE


def test_a_database_that_does_not_answer_counts_against_nobody(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: Any) -> bool:
        raise OperationalError("database is locked")

    take(push("a", Content="one"))
    take(push("b", Content="two"))
    with monkeypatch.context() as patched:
        patched.setattr(handing, "_marked", down)
        for second in range(0, 60, 2):
            with pytest.raises(OperationalError):
                handing.hand_on(at=NOW + timedelta(seconds=second))
    assert set(Arrival.objects.values_list("state", "failures", "claims")) == {(State.WAITING, 0, 0)}
    hand_on_all(NOW + timedelta(minutes=2))
    assert sorted(told) == ["one", "two"]


def test_one_that_the_database_never_takes_holds_nobody_else_up(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for sender in "abc":
        take(push(sender, Content=sender))
    poison, real = Arrival.objects.order_by("id")[0].key, handing._marked

    def marked(key: str, at: datetime) -> bool:
        if key == poison:
            raise OperationalError("canceling statement due to lock timeout")
        return real(key, at)

    monkeypatch.setattr(handing, "_marked", marked)
    for second in range(4):
        with suppress(OperationalError):
            handing.hand_on(at=NOW + timedelta(seconds=second))
    assert told == ["b", "c"]
    assert list(Arrival.objects.filter(state=State.WAITING).values_list("key", "failures", "claims")) == [(poison, 0, 0)]


def test_one_that_kills_its_workers_is_given_up(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    take(push(Content="killer"))
    with monkeypatch.context() as patched:
        patched.setattr(handing, "_handle", lambda row, at: False)
        for turn in range(handing.MOST_LOST_WORKERS):
            assert handing.hand_on(at=NOW + turn * handing.LEASE)
    handing.hand_on(at=NOW + handing.MOST_LOST_WORKERS * handing.LEASE)
    assert (told, queries.dead().get().last_error) == ([], "its worker was killed 5 times")


def test_the_inbox_forgets_in_time_and_cries_when_nobody_works(told: list[str], caplog: pytest.LogCaptureFixture) -> None:
    take(push(Content="done"))
    hand_on_all()
    take(push(Content="waits"), at=NOW + timedelta(days=3))
    jobs.sweep(at=NOW + timedelta(days=3, seconds=61))
    assert "the oldest arrival has been waiting for 61 s" in caplog.text
    assert (Arrival.objects.count(), Nonce.objects.count(), Mark.objects.count()) == (1, 1, 1)
    jobs.sweep(at=NOW + timedelta(days=61))
    assert (Nonce.objects.count(), Mark.objects.count()) == (0, 0)
    assert queries.oldest_waiting_seconds(NOW + timedelta(days=4)) == 24 * 3600


def test_a_nonce_is_kept_as_long_as_its_request_would_be_taken(settings: Any) -> None:
    settings.CALLBACK_SECONDS = 3600
    take(push(Content="真的"), nonce="n1")
    jobs.sweep(at=NOW + timedelta(hours=2))
    with pytest.raises(Replayed):
        take(push(Content="假的"), nonce="n1", at=NOW + timedelta(hours=2))
    jobs.sweep(at=NOW + timedelta(hours=2, seconds=1))
    assert not Nonce.objects.exists()


def test_a_handler_is_registered_once(told: list[str]) -> None:
    handler: Callable[..., None] = services.HANDLERS["play"][0]
    services.on_arrival("play", handler)
    assert len(services.HANDLERS["play"]) == 2
