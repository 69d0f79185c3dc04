"""Who is told, by which way, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jiequ.channels.models import CallBack, InboxItem, Message, StubSms
from jiequ.people.models import Leave, Person, Post, Shift
from jiequ.people.rules import Role
from tests.actors import NOW, SINCE, World
from tests.unit.channels.letterbox import BUSY, DELIVERED, PHONE, Letterbox, ScriptedPort

EVENING = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # Wednesday 20:00 in Shanghai
NEXT_MORNING = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # 23:00


def on_rota(world: World, name: str, role: Role, department: str | None, at: datetime) -> None:
    unit = world.departments[department] if department else None
    Shift.objects.create(
        role=role.value,
        street=world.street,
        department=unit,
        person=world.people[name],
        starts_at=at - timedelta(hours=2),
        ends_at=at + timedelta(hours=6),
    )


def on_leave(world: World, name: str, deputy: str, at: datetime = NOW) -> None:
    Leave.objects.create(
        person=world.people[name], deputy=world.people[deputy], starts_at=at - timedelta(days=1), ends_at=at + timedelta(days=1)
    )


def test_a_person_finds_it_in_the_inbox(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang"))
    letters.work()
    message = letters.message()
    assert (message.state, message.channel, message.ended_at) == ("delivered", "inbox", NOW)
    assert letters.in_inbox("huang") == ["k"]


def test_nothing_is_sent_to_a_person_on_leave_but_to_the_deputy(letters: Letterbox) -> None:
    on_leave(letters.world, "huang", "wu")
    letters.send(letters.to_person("huang"))
    letters.work()
    assert letters.in_inbox("huang") == []
    assert letters.in_inbox("wu") == ["k"]


def test_leave_that_begins_between_sending_and_its_moment_counts(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang"), undo_seconds=10)
    on_leave(letters.world, "huang", "wu")
    letters.work(NOW + timedelta(seconds=10))
    assert letters.in_inbox("huang") == []
    assert letters.in_inbox("wu") == ["k"]


def test_a_notice_to_a_department_lands_on_its_duty_post_not_on_every_member(letters: Letterbox) -> None:
    world = letters.world
    second = Person.objects.create(username="huang2", name="黄二", phone="13800000099", street=world.street, created_at=NOW)
    Post.objects.create(
        person=second, role="handler", street=world.street, department=world.sanitation, starts_on=SINCE, account="staff"
    )
    on_rota(world, "huang", Role.HANDLER, "sanitation", NOW)
    letters.send(letters.to_post("handler", department="sanitation"))
    letters.work()
    assert letters.in_inbox("huang") == ["k"]
    assert InboxItem.objects.count() == 1


def test_without_a_rota_the_departments_lead_gets_it(letters: Letterbox) -> None:
    letters.send(letters.to_post("handler", department="sanitation"))
    letters.work()
    assert letters.in_inbox("wu") == ["k"]
    assert letters.in_inbox("huang") == []


def test_what_is_for_the_lead_goes_to_the_lead_whoever_has_the_shift(letters: Letterbox) -> None:
    on_rota(letters.world, "huang", Role.HANDLER, "sanitation", NOW)
    letters.send(letters.to_post("department_lead", department="sanitation"))
    letters.work()
    assert letters.in_inbox("wu") == ["k"]
    assert letters.in_inbox("huang") == []


def test_two_persons_on_one_post_with_one_deputy_make_one_item(letters: Letterbox) -> None:
    world = letters.world
    on_rota(world, "huang", Role.HANDLER, "sanitation", NOW)
    on_rota(world, "wu", Role.DEPARTMENT_LEAD, "sanitation", NOW)
    on_leave(world, "huang", "wu")
    letters.send(letters.to_post("handler", department="sanitation"))
    letters.work()
    assert letters.in_inbox("wu") == ["k"]


def test_a_closed_account_gets_nothing_and_the_duty_desk_hears_of_it(letters: Letterbox, heard: list[Any]) -> None:
    Person.objects.filter(pk=letters.world.huang.pk).update(is_active=False, disabled_at=NOW)
    letters.send(letters.to_person("huang"))
    letters.work()
    assert letters.message().state == "not_delivered"
    assert letters.in_inbox("liang") == [f"lost:{letters.message().pk}:0"]
    assert [(lost.about, lost.key, lost.error) for lost in heard] == [("case:7", "k", "nobody_there")]


def test_outside_working_time_a_notice_waits_until_the_next_morning(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang"), at=EVENING)
    letters.work(EVENING)
    assert letters.in_inbox("huang") == []
    assert letters.message().due_at == NEXT_MORNING
    letters.work(NEXT_MORNING - timedelta(seconds=1))
    assert letters.in_inbox("huang") == []
    letters.work(NEXT_MORNING)
    assert letters.in_inbox("huang") == ["k"]


def test_an_urgent_notice_rings_inbox_and_phone_at_night(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    port = ScriptedPort(DELIVERED)
    use_ports(port)
    letters.send(letters.to_person("huang", is_urgent=True), at=NIGHT)
    letters.work(NIGHT)
    assert letters.in_inbox("huang") == ["k"]
    assert port.calls == [
        ("新任务：LG-2026-000123（河道堵塞）。网格 990101001001001。", "13800000004", f"k:to:{letters.world.huang.pk}")
    ]
    assert {m.state for m in Message.objects.all()} == {"delivered"}


def test_a_notice_that_is_not_urgent_rings_no_phone(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    port = ScriptedPort(DELIVERED)
    use_ports(port)
    letters.send(letters.to_person("huang"))
    letters.work()
    assert letters.in_inbox("huang") == ["k"]
    assert port.calls == []


def test_whoever_is_on_shift_hears_at_any_hour(letters: Letterbox) -> None:
    on_rota(letters.world, "huang", Role.HANDLER, "sanitation", EVENING)
    letters.send(letters.to_post("handler", department="sanitation"), at=EVENING)
    letters.work(EVENING)
    assert letters.in_inbox("huang") == ["k"]


def test_a_resident_with_a_phone_gets_a_text(letters: Letterbox) -> None:
    letters.send(letters.to_resident())
    letters.work()
    text = StubSms.objects.get()
    assert (text.key, text.phone_tail) == ("k", "2222")
    assert text.text == "您反映的“河道堵塞”（LG-2026-000123）已受理，下一步派给负责单位。可凭编号和手机号后四位查询进度。"
    assert (letters.message().state, letters.message().channel) == ("delivered", "sms")


def test_a_resident_reads_english_if_that_was_chosen(letters: Letterbox) -> None:
    letters.send(letters.to_resident(language="en"))
    letters.work()
    assert StubSms.objects.get().text.startswith("“河道堵塞” (LG-2026-000123), which you reported, is accepted.")


def test_at_night_a_residents_phone_is_silent_until_eight(letters: Letterbox) -> None:
    letters.send(letters.to_resident(), at=NIGHT)
    letters.work(NIGHT)
    letters.work(NEXT_MORNING - timedelta(seconds=1))
    assert not StubSms.objects.exists()
    letters.work(NEXT_MORNING)
    assert StubSms.objects.count() == 1


def test_a_retry_that_falls_into_the_night_waits_as_well(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    port = ScriptedPort(BUSY, DELIVERED)
    use_ports(port)
    late = datetime(2026, 3, 4, 12, 59, 30, tzinfo=UTC)  # 20:59:30
    letters.send(letters.to_resident(), at=late)
    letters.work(late)
    letters.work(late + timedelta(minutes=1))
    assert len(port.calls) == 1
    letters.work(NEXT_MORNING)
    assert len(port.calls) == 2
    assert letters.message().state == "delivered"


@pytest.mark.usefixtures("heard")
def test_without_sms_a_resident_is_called(letters: Letterbox, use_ports: Callable[..., None]) -> None:
    use_ports()
    letters.send(letters.to_resident(sentence="您好，您反映的河道堵塞已受理。"), letters.to_resident("plain"))
    letters.work()
    call, plain = CallBack.objects.order_by("id")
    assert call.sentence == "您好，您反映的河道堵塞已受理。"
    assert plain.sentence.startswith("您反映的“河道堵塞”（LG-2026-000123）已受理")
    assert call.street_id == letters.street_id
    assert PHONE not in call.to_phone_sealed
    assert (letters.message().state, letters.message().channel) == ("sending", "call")
