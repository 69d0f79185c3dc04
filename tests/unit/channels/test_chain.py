"""A message goes by the first way that reaches its reader, on to the next when that one says no, and never by two at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jiequ.channels import services
from jiequ.channels.models import CallBack, Message
from jiequ.channels.ports import Outcome, Result
from tests.actors import NOW
from tests.unit.channels.letterbox import (
    ACCEPTED,
    BUSY,
    CLOSED,
    DELIVERED,
    PHONE,
    REFUSED,
    Letterbox,
    ScriptedPort,
    ScriptedWay,
)

Use = Callable[..., None]
NIGHT = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai


def of_copy(letters: Letterbox, name: str = "huang", key: str = "k") -> Message:
    return letters.message(f"{key}:to:{letters.world.people[name].pk}")


def test_staff_find_it_in_the_inbox_and_are_carried_it_by_the_first_way_that_reaches_them(
    letters: Letterbox, use_ways: Use
) -> None:
    huang = letters.world.huang.pk
    nobody, first = ScriptedWay("wecom", DELIVERED), ScriptedWay("wechat_template", DELIVERED, reaches=(huang,))
    second = ScriptedWay("wechat_service", DELIVERED, reaches=(huang,))
    use_ways(nobody, first, second)
    letters.send(letters.to_person("huang"))
    letters.work()
    assert letters.in_inbox("huang") == ["k"]
    assert [address for _text, address, _key in first.calls] == [f"u{huang}"]
    assert nobody.calls == second.calls == []
    assert (of_copy(letters).state, of_copy(letters).port) == ("delivered", "wechat_template")


@pytest.mark.parametrize("late", [timedelta(hours=24), timedelta(hours=37)])
def test_what_is_a_day_late_lies_in_the_inbox_and_rings_nobody_whatever_the_hour(
    letters: Letterbox, use_ways: Use, late: timedelta
) -> None:
    way = ScriptedWay("wecom", DELIVERED, reaches=(letters.world.huang.pk,))
    use_ways(way)
    letters.send(letters.to_person("huang"))
    letters.work(NOW + late)
    assert (letters.in_inbox("huang"), way.calls) == (["k"], [])


def test_what_a_way_is_given_opens_the_case_in_one_tap_and_carries_four_facts(letters: Letterbox, use_ways: Use) -> None:
    way = ScriptedWay("wecom", DELIVERED, reaches=(letters.world.huang.pk,))
    use_ways(way)
    letters.send(letters.to_person("huang"))
    letters.work()
    given = way.given[0]
    assert given.url == f"http://127.0.0.1:8000/inbox/go/{letters.message().pk}"
    assert (given.title, given.is_urgent, given.about) == ("新任务", False, "case:7")
    assert set(given.facts) <= {"number", "type", "grid", "due"}


def test_a_way_that_says_no_hands_on_at_once_and_text_messages_are_for_urgent_ones(
    letters: Letterbox, use_ways: Use, use_ports: Use
) -> None:
    huang = letters.world.huang.pk
    card, template = ScriptedWay("wecom", CLOSED, reaches=(huang,)), ScriptedWay("wechat_template", CLOSED, reaches=(huang,))
    phone = ScriptedPort(DELIVERED)
    use_ways(card, template)
    use_ports(phone)
    letters.send(letters.to_person("huang"), letters.to_person("huang", "urgent", is_urgent=True))
    letters.work()
    assert (len(card.calls), len(template.calls), len(phone.calls)) == (2, 2, 1)
    assert phone.calls[0][1] == letters.world.huang.phone
    urgent, plain = of_copy(letters, key="urgent"), of_copy(letters)
    assert (urgent.state, urgent.port, urgent.trail) == (
        "delivered",
        "scripted",
        [["wecom", "45015"], ["wechat_template", "45015"]],
    )
    assert (plain.state, letters.message().state) == ("not_delivered", "delivered"), "the inbox has it"


def test_an_unanswered_way_is_asked_again_with_the_same_key_before_another_one_is(letters: Letterbox, use_ways: Use) -> None:
    """The gap: a way that never answered three times may have shown it; then the next one shows it as well."""
    first, second = ScriptedWay("wechat_template", BUSY), ScriptedWay("wechat_service", DELIVERED)
    use_ways(first, second)
    letters.send(letters.to_account())
    for minute in (0, 1):
        letters.work(NOW + timedelta(minutes=minute))
    assert (len(first.calls), second.calls) == (2, [])
    letters.work(NOW + timedelta(minutes=6))
    assert {key for _text, _address, key in first.calls + second.calls} == {"k"}
    assert (len(first.calls), len(second.calls), letters.message().state) == (3, 1, "delivered")


def test_a_resident_is_told_by_account_then_by_phone_then_by_a_call(letters: Letterbox, use_ways: Use, use_ports: Use) -> None:
    chat, phone = ScriptedWay("wechat_template", DELIVERED, CLOSED), ScriptedPort(DELIVERED, REFUSED)
    use_ways(chat)
    use_ports(phone)
    for key in ("first", "second", "third"):
        letters.send(letters.to_account(key, phone=PHONE))
        letters.work()
    assert [address for _text, address, _key in chat.calls] == ["17"] * 3
    assert [key for _text, _address, key in phone.calls] == ["second", "third"]
    assert [letters.message(key).state for key in ("first", "second", "third")] == ["delivered", "delivered", "not_delivered"]
    assert [call.message.key for call in CallBack.objects.all()] == ["third"]


def test_an_account_no_way_reaches_and_no_phone_is_told_never_silent(letters: Letterbox, heard: list[Any]) -> None:
    letters.send(letters.to_account(account="gone:1"))
    letters.work()
    assert [(one.key, one.error) for one in heard] == [("k", "no_way")]
    assert letters.in_inbox("liang") == [f"lost:{letters.message().pk}:0"]


@pytest.mark.parametrize("is_early", [False, True], ids=["after our note", "before our note"])
def test_a_receipt_that_says_no_moves_the_message_on(letters: Letterbox, use_ways: Use, is_early: bool) -> None:
    first, second = ScriptedWay("wechat_template", ACCEPTED), ScriptedWay("wechat_service", DELIVERED)
    use_ways(first, second)
    letters.send(letters.to_account())
    word = {"port": "wechat_template", "provider_id": "p-1", "is_delivered": False, "error": "user_block", "at": NOW}
    if is_early:
        assert not services.record_receipt(**word)
        letters.work()
        letters.work(NOW + timedelta(seconds=5))
    else:
        letters.work()
        assert letters.message().state == "sent"
        assert services.record_receipt(**word)
        letters.work()
    assert (letters.message().state, letters.message().trail) == ("delivered", [["wechat_template", "user_block"]])
    assert (len(first.calls), len(second.calls)) == (1, 1)


def test_a_receipt_of_nobody_is_tried_twice_more_and_forgotten(letters: Letterbox) -> None:
    services.record_receipt(port="x", provider_id="p-9", is_delivered=False, at=NOW)
    for seconds in (5, 65, 600):
        letters.work(NOW + timedelta(seconds=seconds))
    assert not services.jobs.KINDS["channels.receipt"].outside
    assert not services.jobs.late_jobs(NOW + timedelta(hours=1))


def test_a_way_whose_quota_is_used_up_rests_and_the_next_one_is_asked(letters: Letterbox, use_ways: Use) -> None:
    spent = Outcome(Result.REFUSED_PERMANENT, error="45009", rest_seconds=3600)
    first, second = ScriptedWay("wechat_template", spent), ScriptedWay("wechat_service", DELIVERED)
    use_ways(first, second)
    for n in range(3):
        letters.send(letters.to_account(f"k{n}"))
        letters.work()
    assert (len(first.calls), len(second.calls)) == (1, 3)
    assert letters.message("k2").trail == [["wechat_template", "rests"]]


def test_a_way_without_a_form_for_it_is_passed_over(letters: Letterbox, use_ways: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ScriptedWay("wechat_template", DELIVERED), ScriptedWay("wechat_service", DELIVERED)
    monkeypatch.setattr(first, "can_carry", lambda message: message.template != "reporter_accepted")
    use_ways(first, second)
    letters.send(letters.to_account())
    letters.work()
    assert (first.calls, len(second.calls), letters.message().trail) == ([], 1, [["wechat_template", "no_form"]])


def test_what_was_put_in_the_inbox_in_working_hours_rings_no_phone_at_night(letters: Letterbox, use_ways: Use) -> None:
    way = ScriptedWay("wecom", BUSY, DELIVERED, reaches=(letters.world.huang.pk,))
    use_ways(way)
    evening = datetime(2026, 3, 4, 9, 59, 30, tzinfo=UTC)  # 17:59:30, half a minute before the end of work
    letters.send(letters.to_person("huang"), at=evening)
    letters.work(evening)
    letters.work(evening + timedelta(hours=2))
    assert len(way.calls) == 1
    letters.work(datetime(2026, 3, 5, 0, 0, tzinfo=UTC))
    assert (len(way.calls), of_copy(letters).state) == (2, "delivered")


def test_a_copy_that_reaches_nobody_tells_the_desk_only_if_it_was_urgent(
    letters: Letterbox, use_ways: Use, use_ports: Use, heard: list[Any]
) -> None:
    use_ports()
    use_ways(ScriptedWay("wecom", CLOSED, reaches=(letters.world.huang.pk,)))
    letters.send(letters.to_person("huang"))
    letters.work()
    assert (of_copy(letters).state, letters.in_inbox("liang"), heard) == ("not_delivered", [], [])
    letters.send(letters.to_person("huang", "urgent", is_urgent=True))
    letters.work()
    assert len(letters.in_inbox("liang")) == 1
    assert heard == []


def test_the_desk_sends_again_from_the_start_of_the_chain(letters: Letterbox, use_ways: Use) -> None:
    way = ScriptedWay("wechat_template", CLOSED, DELIVERED)
    use_ways(way)
    letters.send(letters.to_account())
    letters.work()
    services.retry_message(message_id=letters.message().pk, by=letters.world.actor("lin"), at=NOW)
    letters.work()
    assert (letters.message().state, letters.message().trail, len(way.calls)) == ("delivered", [], 2)


def test_a_copy_sent_again_is_carried_again_not_put_in_the_inbox_again(letters: Letterbox, use_ways: Use) -> None:
    way = ScriptedWay("wecom", CLOSED, DELIVERED, reaches=(letters.world.huang.pk,))
    use_ways(way)
    letters.send(letters.to_person("huang"))
    letters.work()
    services.retry_message(message_id=of_copy(letters).pk, by=letters.world.actor("lin"), at=NOW)
    letters.work()
    assert (of_copy(letters).state, letters.in_inbox("huang")) == ("delivered", ["k"])


def test_erasure_reaches_what_is_on_its_way_to_an_account(letters: Letterbox, use_ways: Use) -> None:
    way = ScriptedWay("wechat_template", DELIVERED)
    use_ways(way)
    letters.send(letters.to_account(), letters.to_account("other", account="chat:18"))
    assert services.forget("case:7", account="chat:17") == 1
    letters.work()
    assert [key for _text, _address, key in way.calls] == ["other"]
    assert (letters.message().state, letters.message().to_account_sealed) == ("withdrawn", "")
