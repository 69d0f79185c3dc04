"""Notices by template and by customer-service message: filled, checked before they are sent, shown once, and told of later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.official import fields as emulated
from emulator.store import Template as EmulatedTemplate
from emulator.testing import Strings
from jiequ.channels.models import Message
from jiequ.channels.ports import Outgoing, Result
from jiequ.channels.services import Notice, seal_account, send
from jiequ.channels.wechat import rules, services
from jiequ.channels.wechat.models import Follower, TemplateForm
from jiequ.channels.wechat.services import sending
from jiequ.channels.wechat.way import ServiceWay, TemplateWay
from jiequ.core import clock
from jiequ.core.jobs import work_once
from jiequ.people.rules import Actor
from tests.actors import World
from tests.unit.channels.wechat.conftest import Pusher

pytestmark = pytest.mark.django_db

NOTICE = Outgoing(
    text="新任务：LG-2026-000123（河道堵塞）。",
    template="new_task",
    facts={"number": "LG-2026-000123", "type": "河道堵塞", "grid": "990106001001001", "due": "2026-03-04T08:00:00+00:00"},
    language="zh-hans",
    title="新任务",
    url="http://127.0.0.1:8110/cases/1",
)


@pytest.fixture
def chen(platform: Strings, push: Pusher, hand_on: Callable[[], None], world: World) -> Follower:
    """The grid worker follows and is known; the account's templates are read and adopted."""
    platform.does("chen", "follow")
    push(sender=platform.openid("chen"), MsgType="event", Event="subscribe", EventKey="")
    hand_on()
    follower = Follower.objects.get()
    services.bind(follower.pk, world.chen.pk, by=Actor.system(), at=clock.now())
    assert services.adopt_templates(services.read_templates(), by=Actor.system(), at=clock.now()) == 6
    follower.refresh_from_db()
    return follower


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called where the test's transaction is seen."""
    monkeypatch.setattr(TemplateWay, "is_remote", False)
    monkeypatch.setattr(ServiceWay, "is_remote", False)


def cards(platform: Strings, who: str = "chen") -> list[dict[str, Any]]:
    return [one["data"] for one in platform.chat(who) if one["kind"] == "template"]


def test_a_notice_to_staff_is_a_card_with_its_four_facts(chen: Follower, platform: Strings) -> None:
    way = TemplateWay()
    assert way.addresses_of([chen.person_id, 0]) == {chen.person_id: str(chen.pk)}
    assert way.can_carry(NOTICE)
    outcome = way.send(NOTICE, str(chen.pk), "case:1:new_task")
    assert (outcome.result, outcome.provider_id.isdigit()) == (Result.ACCEPTED, True)
    (card,) = cards(platform)
    assert card["title"] == "工单处理通知"
    assert dict(card["lines"]) == {
        "工单编号": "LG-2026-000123",
        "事项类型": "河道堵塞",
        "所在网格": "990106001001001",
        "办理期限": "2026年3月4日 16:00",
    }
    assert card["url"] == NOTICE.url


def test_the_same_key_is_shown_once(chen: Follower, platform: Strings) -> None:
    first = TemplateWay().send(NOTICE, str(chen.pk), "k")
    platform.fault("reset", "/api/cgi-bin/message/template/send", after=True)
    lost = TemplateWay().send(NOTICE, str(chen.pk), "k2")
    again = TemplateWay().send(NOTICE, str(chen.pk), "k2")
    assert (lost.result, again.result) == (Result.TRY_LATER, Result.ACCEPTED)
    assert TemplateWay().send(NOTICE, str(chen.pk), "k").provider_id == first.provider_id
    assert len(cards(platform)) == 2


def test_a_notice_without_a_grid_or_due_time_takes_another_form_or_another_way(chen: Follower) -> None:
    without_grid = replace(NOTICE, facts={name: value for name, value in NOTICE.facts.items() if name != "grid"})
    found = sending.filled_for(without_grid, at=clock.now())
    assert found is not None
    assert TemplateForm.objects.get(pk=found.form_id).title == "待办事项提醒"
    bare = replace(NOTICE, facts={"number": "LG-2026-000123"})
    assert not TemplateWay().can_carry(bare)


def test_each_refusal_of_the_platform_is_what_the_chain_can_use(chen: Follower, platform: Strings) -> None:
    way, address = TemplateWay(), str(chen.pk)
    expected = {
        -1: (Result.TRY_LATER, "-1", False),
        45009: (Result.REFUSED_PERMANENT, "45009", True),
        45011: (Result.TRY_LATER, "45011", True),
        43101: (Result.REFUSED_PERMANENT, "43101", False),
        48001: (Result.REFUSED_PERMANENT, "48001", False),
    }
    for errcode, (result, error, rests) in expected.items():
        platform.fault("errcode", "/api/cgi-bin/message/template/send", errcode=errcode)
        outcome = way.send(NOTICE, address, f"k{errcode}")
        assert (outcome.result, outcome.error, outcome.rest_seconds > 0) == (result, error, rests)
    platform.fault("status", "/api/cgi-bin/message/template/send", status=503)
    assert way.send(NOTICE, address, "k503").error == "http_503"


def test_a_template_that_is_gone_or_refuses_a_field_is_marked_and_used_no_more(chen: Follower, platform: Strings) -> None:
    platform.fault(
        "errcode", "/api/cgi-bin/message/template/send", errcode=47003, errmsg="argument invalid! data.thing2.value invalid"
    )
    assert TemplateWay().send(NOTICE, str(chen.pk), "k1").error == "47003"
    marked = TemplateForm.objects.exclude(fault="").get()
    assert marked.fault == "field_refused thing2"
    assert TemplateWay().send(NOTICE, str(chen.pk), "k2").result is Result.ACCEPTED  # by the next form
    platform.fault("errcode", "/api/cgi-bin/message/template/send", errcode=40037)
    TemplateWay().send(NOTICE, str(chen.pk), "k3")
    assert not TemplateWay().can_carry(NOTICE)


def test_who_does_not_follow_any_more_is_nobodys_address(chen: Follower, platform: Strings) -> None:
    platform.does("chen", "unfollow")
    outcome = TemplateWay().send(NOTICE, str(chen.pk), "k")
    assert (outcome.result, outcome.error) == (Result.REFUSED_PERMANENT, "43004")
    assert TemplateWay().addresses_of([chen.person_id]) == {}
    assert TemplateWay().send(NOTICE, "nobody", "k").error == "not_following"


def test_a_customer_service_message_only_while_a_window_is_open(chen: Follower, platform: Strings) -> None:
    way = ServiceWay()
    assert way.addresses_of([chen.person_id]) == {chen.person_id: str(chen.pk)}
    assert way.send(NOTICE, str(chen.pk), "k").result is Result.DELIVERED
    text = platform.chat("chen")[-1]["data"]["text"]
    assert "LG-2026-000123" in text
    assert f'<a href="{NOTICE.url}">' in text
    Follower.objects.update(touch_left=0)
    assert way.addresses_of([chen.person_id]) == {}
    assert way.send(NOTICE, str(chen.pk), "k2").error == "no_window"


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize(
    ("status", "state"), [("success", "delivered"), ("failed:user block", "sent_on"), ("failed: system failed", "sent_on")]
)
def test_the_platforms_later_word_ends_the_message_or_sends_it_the_next_way(
    chen: Follower, platform: Strings, push: Pusher, hand_on: Callable[[], None], world: World, status: str, state: str
) -> None:
    at = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    notice = Notice("new_task", dict(NOTICE.facts), "case:1", "case:1:new_task", to_person=world.chen.pk, is_urgent=True)
    send([notice], at=at)
    while work_once(at=at, limit=20):
        pass
    copy = Message.objects.get(copy_of__key="case:1:new_task")
    assert (copy.state, copy.port) == ("sent", "wechat_template")
    push(
        sender=platform.openid("chen"),
        MsgType="event",
        Event="TEMPLATESENDJOBFINISH",
        MsgID=int(copy.provider_id),
        Status=status,
    )
    hand_on()
    later = max(at, clock.now())
    while work_once(at=later, limit=20):
        pass
    copy.refresh_from_db()
    if state == "delivered":
        assert (copy.state, copy.port) == ("delivered", "wechat_template")
    else:
        assert copy.trail[0] == ["wechat_template", rules.failure_of(status)]
        assert copy.port != "wechat_template" or copy.state == "not_delivered"


@pytest.mark.usefixtures("ways")
def test_a_resident_is_told_by_account(chen: Follower, platform: Strings, world: World) -> None:
    at = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    facts = {"number": "LG-2026-000123", "type": "河道堵塞", "due": "2026-03-05T08:00:00+00:00"}
    sealed = seal_account(f"wechat:{chen.pk}")
    send([Notice("reporter_accepted", facts, "case:1", "r1", to_account_sealed=sealed, street_id=world.street.pk)], at=at)
    while work_once(at=at, limit=20):
        pass
    assert [card["title"] for card in cards(platform)] == ["上报受理通知"]
    assert dict(cards(platform)[0]["lines"])["当前状态"] == "已受理"


KINDS = ("thing", "character_string", "time", "phrase", "number", "letter", "date")


@given(st.sampled_from(KINDS), st.text(max_size=40), st.booleans())
def test_what_we_put_into_a_field_the_platform_takes(kind: str, text: str, is_title: bool) -> None:
    fitted = rules.fitted(kind, text, is_title=is_title)
    template = EmulatedTemplate("T", "t", f"标签：{{{{{kind}1.DATA}}}}", "1")
    if fitted:
        assert emulated.check(template, {f"{kind}1": {"value": fitted}})


def test_labels_tell_what_a_field_is_filled_from(platform: Strings) -> None:
    by_title = {one.title: rules.suggested(one.fields) for one in services.read_templates()}
    assert by_title["工单处理通知"] == {"character_string1": "number", "thing2": "type", "thing3": "grid", "time4": "due"}
    assert by_title["办理结果通知"]["phrase3"] == "title"
    assert [field.label for field in rules.fields_of("a：{{thing1.DATA}}\n{{time2.DATA}}")] == ["a", ""]
