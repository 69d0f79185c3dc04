"""Subscription notices: admitted by their reader, used up by sending, refused by 43101, told of by callback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from emulator.testing import Strings
from jiequ.channels.models import Message
from jiequ.channels.ports import Outcome, Outgoing, Result
from jiequ.channels.services import Notice, seal_account, send
from jiequ.channels.wechat import services
from jiequ.channels.wechat.models import Follower, Grant, TemplateForm
from jiequ.channels.wechat.rules import FormKind
from jiequ.channels.wechat.services import grants
from jiequ.channels.wechat.way import ServiceWay, SubscriptionWay, TemplateWay
from jiequ.core import clock
from jiequ.core.jobs import work_once
from jiequ.people.rules import Actor
from tests.actors import World
from tests.unit.channels.wechat.conftest import Pusher

pytestmark = pytest.mark.django_db
SEND = "/api/cgi-bin/message/subscribe/bizsend"
NOTICE = Outgoing(
    text="已受理：LG-2026-000123。",
    template="reporter_accepted",
    facts={"number": "LG-2026-000123", "type": "河道堵塞", "due": "2026-03-05T08:00:00+00:00"},
    language="zh-hans",
    title="已受理",
    url="http://127.0.0.1:8110/my/1/",
)


@pytest.fixture
def zhou(platform: Strings, push: Pusher, hand_on: Callable[[], None]) -> Follower:
    """A resident who follows; the account's templates are read."""
    platform.does("zhou", "follow")
    push(sender=platform.openid("zhou"), MsgType="event", Event="subscribe", EventKey="")
    hand_on()
    services.adopt_templates(services.read_templates(), by=Actor.system(), at=clock.now())
    return Follower.objects.get()


@pytest.fixture
def asked(zhou: Follower, platform: Strings, push: Pusher, hand_on: Callable[[], None]) -> Callable[..., str]:
    """Zhou is asked to admit a notice and answers; the template."""

    seconds = count()

    def answers(answer: str = "accept", event: str = grants.POPUP, tells_us: bool = True) -> str:
        template = form().template_id
        if event == grants.POPUP:
            platform.does("zhou", "subscribe", answers={template: answer})
        else:
            platform.does("zhou", "refuse_template", template=template)
        part = {"List": {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": "2"}}
        name = "SubscribeMsgPopupEvent" if event == grants.POPUP else "SubscribeMsgChangeEvent"
        if tells_us:
            at = int(clock.now().timestamp()) + next(seconds)  # a second of its own: by it a repeat is known
            push(sender=platform.openid("zhou"), MsgType="event", Event=event, CreateTime=at, **{name: part})
            hand_on()
        return template

    return answers


def form() -> TemplateForm:
    return TemplateForm.objects.get(kind=FormKind.SUBSCRIPTION, title="上报受理通知")


def sent(zhou: Follower) -> Outcome:
    return SubscriptionWay().send(NOTICE, str(zhou.pk), "k")


def cards(platform: Strings) -> list[str]:
    return [one["data"]["title"] for one in platform.chat("zhou") if one["kind"] == "template"]


def test_one_notice_is_admitted_sent_and_used_up(zhou: Follower, asked: Callable[..., str], platform: Strings) -> None:
    assert (sent(zhou).result, sent(zhou).error) == (Result.REFUSED_PERMANENT, "no_grant")
    template = asked()
    assert Grant.objects.get(template_id=template).left == 1
    first = sent(zhou)
    assert (first.result, first.provider_id) == (Result.ACCEPTED, grants.receipt_of(zhou.pk, template))
    assert (cards(platform), Grant.objects.get().left) == (["上报受理通知"], 0)
    assert sent(zhou).error == "no_grant"
    assert len(platform.transcript(path=SEND)) == 1, "nobody is asked in vain"


def test_a_refusal_admits_nothing_and_takes_nothing_that_was_admitted_before(zhou: Follower, asked: Callable[..., str]) -> None:
    asked("reject")
    assert not Grant.objects.exists()
    asked("accept")
    asked("reject")
    assert Grant.objects.get().left == 1


def test_a_lasting_one_is_never_used_up_until_it_is_taken_back(
    zhou: Follower, asked: Callable[..., str], platform: Strings
) -> None:
    TemplateForm.objects.filter(pk=form().pk).update(is_lasting=True)
    template = asked()
    Grant.objects.update(is_lasting=True, left=0)
    assert sent(zhou).result is Result.ACCEPTED
    assert Grant.objects.get(template_id=template).is_lasting
    asked("reject", event=grants.CHANGE)
    assert not Grant.objects.exists()
    assert sent(zhou).error == "no_grant"


def test_where_the_platform_counts_otherwise_43101_empties_ours(zhou: Follower, platform: Strings) -> None:
    Grant.objects.create(follower=zhou, template_id=form().template_id, left=3, changed_at=clock.now())
    outcome = sent(zhou)
    assert (outcome.result, outcome.error) == (Result.REFUSED_PERMANENT, "no_grant")
    assert not Grant.objects.exists()
    assert len(platform.transcript(path=SEND)) == 1


@pytest.mark.parametrize(
    ("fault", "result", "left"),
    [
        ({"kind": "errcode", "errcode": -1}, Result.TRY_LATER, 1),
        ({"kind": "errcode", "errcode": 45009}, Result.REFUSED_PERMANENT, 1),
        ({"kind": "errcode", "errcode": 40037}, Result.REFUSED_PERMANENT, 1),
        ({"kind": "reset", "after": True}, Result.UNKNOWN, 0),
        ({"kind": "bad_json"}, Result.UNKNOWN, 0),
    ],
)
def test_what_surely_was_not_sent_uses_none_up_and_what_may_have_been_is_unknown(
    zhou: Follower, asked: Callable[..., str], platform: Strings, fault: dict[str, Any], result: Result, left: int
) -> None:
    asked()
    platform.fault(where=SEND, **fault)
    assert sent(zhou).result is result
    assert Grant.objects.get().left == left
    assert form().fault == ("template_gone" if fault.get("errcode") == 40037 else "")


@pytest.mark.parametrize(("code", "words", "state"), [("0", "success", "delivered"), ("1003", "user block", "sent_on")])
def test_the_callback_ends_the_message_or_sends_it_the_next_way(
    zhou: Follower,
    asked: Callable[..., str],
    push: Pusher,
    platform: Strings,
    hand_on: Callable[[], None],
    world: World,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    words: str,
    state: str,
) -> None:
    for way in (SubscriptionWay, ServiceWay, TemplateWay):
        monkeypatch.setattr(way, "is_remote", False)
    settings.WAYS = ["wechat_subscription", "wechat_service"]
    template, at = asked(), datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    to: dict[str, Any] = {"to_account_sealed": seal_account(f"wechat:{zhou.pk}"), "street_id": world.street.pk}
    send([Notice("reporter_accepted", dict(NOTICE.facts), "case:1", "r1", **to)], at=at)
    while work_once(at=at, limit=20):
        pass
    message = Message.objects.get()
    assert (message.state, message.port) == ("sent", "wechat_subscription")
    told = {"List": {"TemplateId": template, "MsgID": "1700827132819554304", "ErrorCode": code, "ErrorStatus": words}}
    push(sender=platform.openid("zhou"), MsgType="event", Event="subscribe_msg_sent_event", SubscribeMsgSentEvent=told)
    hand_on()
    while work_once(at=max(at, clock.now()) + timedelta(seconds=1), limit=20):
        pass
    message.refresh_from_db()
    if state == "delivered":
        assert (message.state, message.port) == ("delivered", "wechat_subscription")
    else:
        assert message.trail[0] == ["wechat_subscription", "user_block"]
        assert message.port != "wechat_subscription"


def test_only_residents_are_asked_and_for_five_of_one_sort_at_most(zhou: Follower) -> None:
    offered = services.offered_subscriptions()
    titles = {one.template_id: one.title for one in TemplateForm.objects.filter(kind=FormKind.SUBSCRIPTION)}
    assert {titles[one] for one in offered} == set(titles.values()) == {"上报受理通知", "办理结果通知"}
    TemplateForm.objects.filter(template_id=offered[0]).update(is_lasting=True)
    assert services.offered_subscriptions() == offered[1:], "one-time and lasting ones are not asked for together"


def test_an_account_without_subscription_notices_has_its_templates_all_the_same(platform: Strings) -> None:
    platform.fault("errcode", "/api/wxaapi/newtmpl/gettemplate", errcode=48001)
    assert len(services.read_templates()) == 4
