"""A failing channel is tried again, then somebody is told (RELIABILITY row 11): no silent loss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jiequ.channels import queries, services
from jiequ.channels.models import CallBack, Message, PortHealth
from jiequ.core.errors import NotFound, Stale
from jiequ.core.models import AuditEntry, Job
from tests.actors import NOW
from tests.unit.channels.letterbox import ACCEPTED, BUSY, DELIVERED, PHONE, REFUSED, Letterbox, ScriptedPort

MINUTES_OF_TRIES = [0, 1, 6, 36, 156, 876]
URGENT = {"is_urgent": True}  # so that no try falls into quiet hours


def work_through(letters: Letterbox, hours: int = 24) -> None:
    """A day of the worker, minute by minute."""
    for minute in range(hours * 60 + 1):
        work_minute(letters, minute)


def work_minute(letters: Letterbox, minute: int) -> None:
    """What is due in one minute of the day."""
    at = NOW + timedelta(minutes=minute)
    if Job.objects.filter(run_at__lte=at, dead_at=None).exists():
        letters.work(at)


def test_a_busy_port_is_tried_six_times_then_the_notice_is_marked_and_told(
    letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]
) -> None:
    port = ScriptedPort(BUSY)
    use_ports(port)
    letters.send(letters.to_resident(**URGENT))
    tried: list[int] = []
    for minute in range(24 * 60):
        port.calls.clear()
        work_minute(letters, minute)
        tried += [minute for _text, _phone, key in port.calls if key == "k"]  # every try carries the message's key
    assert tried == MINUTES_OF_TRIES
    lost = letters.message()
    assert (lost.state, lost.tries, lost.last_error) == ("not_delivered", 6, "http_500")
    assert lost.ended_at is not None
    assert lost.ended_at - lost.due_at < timedelta(hours=24)
    assert [line.key for line in queries.undelivered("case:7")] == ["k"]
    assert letters.in_inbox("liang") == [f"lost:{lost.pk}:{lost.round}"]
    assert [one.key for one in heard] == ["k"]
    assert CallBack.objects.get().message_id == lost.pk


def test_a_refusal_for_good_is_not_tried_again(letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]) -> None:
    port = ScriptedPort(REFUSED)
    use_ports(port)
    letters.send(letters.to_resident())
    work_through(letters)
    assert len(port.calls) == 1
    assert (letters.message().state, letters.message().last_error) == ("not_delivered", "bad_number")
    assert len(heard) == 1


def test_a_port_that_recovers_delivers(letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]) -> None:
    port = ScriptedPort(BUSY, ConnectionResetError(), DELIVERED)
    use_ports(port)
    letters.send(letters.to_resident())
    work_through(letters, hours=1)
    assert (letters.message().state, letters.message().tries) == ("delivered", 3)
    assert heard == []
    assert queries.undelivered("case:7") == []


def test_the_receipt_ends_what_a_provider_accepted(
    letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]
) -> None:
    use_ports(ScriptedPort(ACCEPTED))
    letters.send(letters.to_resident())
    letters.work()
    assert letters.message().state == "sent"
    receipt = {"port": "scripted", "provider_id": "p-1", "at": NOW}
    assert services.record_receipt(**receipt, is_delivered=True)
    assert letters.message().state == "delivered"
    assert not services.record_receipt(**receipt, is_delivered=False), "the second word changes nothing"
    assert heard == []


def test_a_failing_receipt_is_a_lost_notice(letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]) -> None:
    use_ports(ScriptedPort(ACCEPTED))
    letters.send(letters.to_resident())
    letters.work()
    assert services.record_receipt(port="scripted", provider_id="p-1", is_delivered=False, at=NOW)
    assert [(one.key, one.error) for one in heard] == [("k", "receipt_failed")]


def test_five_failures_in_a_row_let_the_port_rest_and_cost_no_tries(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    port = ScriptedPort(BUSY)
    use_ports(port)
    letters.send(*(letters.to_resident(f"k{n}") for n in range(20)))
    letters.work()
    assert len(port.calls) == 5
    assert PortHealth.objects.get().open_until == NOW + timedelta(seconds=60)
    assert sorted(Message.objects.values_list("tries", flat=True)) == [0] * 15 + [1] * 5
    port.script = [DELIVERED]
    letters.work(NOW + timedelta(seconds=59))
    assert len(port.calls) == 5
    letters.work(NOW + timedelta(seconds=60))
    assert {message.state for message in Message.objects.all()} == {"delivered"}
    assert PortHealth.objects.get().failures_in_row == 0


def test_a_port_at_rest_leaves_the_way_to_the_next(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    first, second = ScriptedPort(BUSY, name="first"), ScriptedPort(DELIVERED, name="second")
    use_ports(first, second)
    letters.send(*(letters.to_resident(f"k{n}") for n in range(8)))
    letters.work()
    assert (len(first.calls), len(second.calls)) == (5, 3)


def test_the_duty_desk_can_send_again(letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]) -> None:
    port = ScriptedPort(REFUSED, DELIVERED)
    use_ports(port)
    letters.send(letters.to_resident())
    letters.work()
    lin, wai = letters.world.actor("lin"), letters.world.actor("wai")
    with pytest.raises(NotFound):
        services.retry_message(message_id=letters.message().pk, by=wai, at=NOW)
    services.retry_message(message_id=letters.message().pk, by=lin, at=NOW)
    with pytest.raises(Stale):
        services.retry_message(message_id=letters.message().pk, by=lin, at=NOW)
    letters.work()
    assert letters.message().state == "delivered"
    assert len(port.calls) == 2


def test_a_job_that_core_gives_up_is_a_lost_notice(
    letters: Letterbox, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("jiequ.channels.delivery.to_staff", broken)
    letters.send(letters.to_person("huang"))
    work_through(letters)
    assert (letters.message().state, letters.message().last_error) == ("not_delivered", "job_failed")
    assert [one.error for one in heard] == ["job_failed"]


def test_a_lost_word_of_a_lost_notice_does_not_go_round(letters: Letterbox, heard: list[Any]) -> None:
    from jiequ.people.models import Person

    Person.objects.update(is_active=False, disabled_at=NOW)
    letters.send(letters.to_person("huang"))
    work_through(letters)
    assert Message.objects.count() == 2
    assert set(Message.objects.values_list("state", flat=True)) == {"not_delivered"}
    assert [one.template for one in heard] == ["new_task", "not_delivered"]


@pytest.mark.usefixtures("heard")
class TestCallBack:
    """Where no text goes, a person calls."""

    def call(self, letters: Letterbox, use_ports: Callable[..., None]) -> CallBack:
        use_ports()
        letters.send(letters.to_resident())
        letters.work()
        return CallBack.objects.get()

    def test_a_call_that_reached_the_resident_ends_the_notice(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        call = self.call(letters, use_ports)
        lin = letters.world.actor("lin")
        services.finish_call_back(call_back_id=call.pk, reached=True, outcome=" 已知道 ", by=lin, at=NOW)
        call.refresh_from_db()
        assert (call.state, call.outcome, call.done_by_id) == ("done", "已知道", lin.person_id)
        assert (letters.message().state, letters.message().channel) == ("delivered", "call")
        with pytest.raises(Stale):
            services.finish_call_back(call_back_id=call.pk, reached=False, outcome="", by=lin, at=NOW)
        assert letters.message().state == "delivered"

    def test_a_resident_who_cannot_be_reached_was_not_told(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        call = self.call(letters, use_ports)
        services.finish_call_back(call_back_id=call.pk, reached=False, outcome="", by=letters.world.actor("lin"), at=NOW)
        assert (letters.message().state, letters.message().last_error) == ("not_delivered", "unreachable")
        assert CallBack.objects.filter(state="open").count() == 0

    def test_another_streets_desk_does_not_see_it(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        call = self.call(letters, use_ports)
        wai = letters.world.actor("wai")
        assert queries.open_call_backs(wai) == []
        for act in (
            lambda: services.finish_call_back(call_back_id=call.pk, reached=True, outcome="", by=wai, at=NOW),
            lambda: services.reveal_call_back_phone(call_back_id=call.pk, by=wai, at=NOW),
        ):
            with pytest.raises(NotFound):
                act()

    def test_looking_at_the_number_is_written_down(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        call = self.call(letters, use_ports)
        assert services.reveal_call_back_phone(call_back_id=call.pk, by=letters.world.actor("lin"), at=NOW) == PHONE
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.object_id, entry.person_id) == ("phone_revealed", str(call.pk), letters.world.lin.pk)

    def test_trying_again_makes_a_new_call(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        call = self.call(letters, use_ports)
        lin = letters.world.actor("lin")
        services.finish_call_back(call_back_id=call.pk, reached=False, outcome="", by=lin, at=NOW)
        services.retry_message(message_id=letters.message().pk, by=lin, at=NOW)
        letters.work()
        assert [one.state for one in CallBack.objects.order_by("id")] == ["unreachable", "open"]

    def test_a_text_sent_instead_takes_the_call_off_the_list(self, letters: Letterbox, use_ports: Callable[..., None]) -> None:
        use_ports(ScriptedPort(REFUSED, DELIVERED))
        letters.send(letters.to_resident())
        letters.work()
        assert CallBack.objects.get().state == "open"
        services.retry_message(message_id=letters.message().pk, by=letters.world.actor("lin"), at=NOW)
        letters.work()
        assert CallBack.objects.get().state == "withdrawn"
        assert letters.message().state == "delivered"


def test_phones_and_sentences_are_forgotten_a_month_after_the_end(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    use_ports(ScriptedPort(DELIVERED))
    letters.send(letters.to_resident(sentence="您好"))
    letters.work()
    services.forget_ended(at=NOW + timedelta(days=30))
    assert letters.message().to_phone_sealed
    services.forget_ended(at=NOW + timedelta(days=30, seconds=1))
    assert (letters.message().to_phone_sealed, letters.message().sentence) == ("", "")


def test_an_erasure_forgets_at_once(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    use_ports()
    letters.send(letters.to_resident(sentence="您好"))
    letters.work()
    assert services.forget("case:7") == 1
    assert (letters.message().to_phone_sealed, CallBack.objects.get().to_phone_sealed) == ("", "")
    with pytest.raises(Stale):
        services.reveal_call_back_phone(call_back_id=CallBack.objects.get().pk, by=letters.world.actor("lin"), at=NOW)


def test_an_erasure_leaves_the_others_of_a_shared_case(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    port = ScriptedPort(DELIVERED)
    use_ports(port)
    letters.send(letters.to_resident("a"), letters.to_resident("b", phone="13933334444"), undo_seconds=10)
    assert services.forget("case:7", phone=PHONE) == 1
    letters.work(NOW + timedelta(seconds=10))
    assert [phone for _text, phone, _key in port.calls] == ["13933334444"]
    assert (letters.message("a").state, letters.message("b").state) == ("withdrawn", "delivered")
