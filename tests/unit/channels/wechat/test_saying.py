"""Followers, their windows, and what the account says to them, with the emulator as the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.testing import Strings
from jiequ.channels.client import ApiError
from jiequ.channels.tokens import services as tokens
from jiequ.channels.wechat import services
from jiequ.channels.wechat.models import Follower, Said
from jiequ.channels.wechat.rules import SaidState
from jiequ.core import clock
from jiequ.core.jobs import work_once
from jiequ.core.models import AuditEntry, Job
from tests.actors import World
from tests.support.receiver import receiver
from tests.unit.channels.wechat.conftest import Pusher

pytestmark = pytest.mark.django_db


@pytest.fixture
def zhou(platform: Strings, push: Pusher, hand_on: Callable[[], None]) -> Follower:
    """Zhou follows and has written: both sides' windows are open."""
    platform.does("zhou", "follow")
    platform.does("zhou", "say", text="你好")
    push(sender=platform.openid("zhou"), MsgType="event", Event="subscribe", EventKey="")
    push(sender=platform.openid("zhou"), Content="你好", MsgId="1")
    hand_on()
    return Follower.objects.get()


def said(platform: Strings) -> list[str]:
    return [one["data"].get("text", "") for one in platform.chat("zhou") if one["by"] == "account"]


def say(follower: Follower, key: str, **words: Any) -> None:
    services.say(follower_id=follower.pk, key=key, at=clock.now(), **words)


def work() -> None:
    while work_once(at=clock.now(), outside=True, line="wechat", limit=50):
        pass


def test_a_follower_is_a_sealed_openid_with_windows(zhou: Follower, platform: Strings) -> None:
    openid = platform.openid("zhou")
    assert openid not in f"{zhou.openid_sealed}{zhou.openid_blind}"
    assert services.openid_of(zhou) == openid
    assert services.follower_of(openid, at=clock.now()) == zhou
    assert (zhou.is_following, zhou.message_left, zhou.touch_left) == (True, 5, 3)
    assert zhou.message_until is not None
    assert zhou.message_until > clock.now() + timedelta(hours=47, minutes=59)


def test_what_is_said_comes_once_and_in_order(zhou: Follower, platform: Strings) -> None:
    for number in range(3):
        say(zhou, f"k{number}", text=f"第{number}句")
    say(zhou, "k0", text="同一个编号")
    assert "第0句" not in "".join(Said.objects.values_list("body_sealed", flat=True))
    work()
    assert said(platform) == ["第0句", "第1句", "第2句"]
    assert set(Said.objects.values_list("state", "body_sealed")) == {(SaidState.SENT, "")}


def test_while_there_is_no_token_no_window_is_used_up(
    zhou: Follower, platform: Strings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_brings_one(source: tokens.Source) -> str:
        raise tokens.NoToken(source.name)

    monkeypatch.setattr(tokens, "token", nobody_brings_one)
    say(zhou, "k", text="请等一下")
    work()
    zhou.refresh_from_db()
    assert (zhou.message_left, zhou.touch_left, Said.objects.get().state) == (5, 3, SaidState.WAITING)
    assert not said(platform)


def test_a_list_to_tap_and_a_card_that_opens_a_page(zhou: Follower, platform: Strings) -> None:
    say(zhou, "choices", text="确认提交吗？", choices=[("confirm:1", "确认"), ("cancel", "取消")])
    say(
        zhou,
        "card",
        article={"title": "已受理", "description": "LG-2026-000123", "url": "http://127.0.0.1:8110/x", "picurl": ""},
    )
    say(zhou, "long", text="很" * 2000)
    work()
    lines = [one for one in platform.chat("zhou") if one["by"] == "account"]
    assert (lines[0]["data"]["choices"], lines[0]["data"]["ids"]) == (["确认", "取消"], ["confirm:1", "cancel"])
    assert lines[1]["data"]["articles"][0]["title"] == "已受理"
    assert lines[2]["data"]["text"].endswith("很…")


def test_the_windows_are_used_up_the_short_one_first_and_then_nothing_is_sent(zhou: Follower, platform: Strings) -> None:
    for number in range(10):
        say(zhou, f"k{number}", text=f"{number}")
    work()
    assert said(platform) == [str(number) for number in range(8)]  # three of the minute, five of the two days
    assert list(Said.objects.filter(state=SaidState.REFUSED).values_list("error", flat=True)) == ["no_window"] * 2
    assert not Job.objects.filter(kind="wechat.say").exists()


def test_where_the_platform_counts_otherwise_it_is_right(zhou: Follower, platform: Strings) -> None:
    platform.fault("errcode", "/api/cgi-bin/message/custom/send", errcode=45047)
    say(zhou, "a", text="一")
    say(zhou, "b", text="二")
    work()
    assert list(Said.objects.order_by("key").values_list("error", flat=True)) == ["45047", "no_window"]
    zhou.refresh_from_db()
    assert (zhou.message_left, zhou.touch_left) == (0, 0)


def test_what_passes_is_tried_again_and_keeps_its_place(zhou: Follower, platform: Strings) -> None:
    platform.fault("errcode", "/api/cgi-bin/message/custom/send", errcode=-1)
    say(zhou, "a", text="一")
    say(zhou, "b", text="二")
    work()
    assert said(platform) == ["一", "二"]  # the second one's job sends the first
    assert Job.objects.get(kind="wechat.say").args == {"key": "a"}
    while work_once(at=clock.now() + timedelta(seconds=61), outside=True, line="wechat", limit=50):
        pass
    assert said(platform) == ["一", "二"]
    assert set(Said.objects.values_list("state", flat=True)) == {SaidState.SENT}


SEND = "/api/cgi-bin/message/custom/send"


@pytest.mark.parametrize(
    "fault", [{"kind": "reset", "after": True}, {"kind": "reset"}, {"kind": "status", "status": 502}, {"kind": "bad_json"}]
)
def test_what_got_no_answer_is_unknown_and_never_said_again(zhou: Follower, platform: Strings, fault: dict[str, Any]) -> None:
    platform.fault(where=SEND, **fault)
    say(zhou, "a", text="一")
    say(zhou, "b", text="二")
    for minute in (0, 1, 6, 36):
        while work_once(at=clock.now() + timedelta(minutes=minute), outside=True, line="wechat", limit=50):
            pass
    assert said(platform) == (["一", "二"] if fault.get("after") else ["二"])
    assert dict(Said.objects.values_list("key", "state")) == {"a": SaidState.UNKNOWN, "b": SaidState.SENT}
    lost = Said.objects.get(key="a")
    assert (lost.body_sealed, bool(lost.error), lost.ended_at is not None) == ("", True, True)
    assert not Job.objects.filter(kind="wechat.say").exists()


def test_what_surely_was_not_said_waits(zhou: Follower, platform: Strings, account: Any) -> None:
    say(zhou, "a", text="一")
    account.WECHAT_API = "http://127.0.0.1:9"
    work()
    assert (Said.objects.get().state, said(platform)) == (SaidState.WAITING, [])
    zhou.refresh_from_db()
    assert zhou.touch_left == 3


def test_who_has_left_is_told_nothing(zhou: Follower, platform: Strings, push: Pusher, hand_on: Callable[[], None]) -> None:
    say(zhou, "before", text="还在吗")
    push(sender=platform.openid("zhou"), MsgType="event", Event="unsubscribe", EventKey="")
    hand_on()
    work()
    zhou.refresh_from_db()
    assert (zhou.is_following, Said.objects.get().error, said(platform)) == (False, "not_following", [])


def test_a_photo_and_a_voice_are_fetched_and_what_is_gone_is_none(platform: Strings) -> None:
    platform.does("zhou", "follow")
    platform.does("zhou", "send_photo")
    media_id = platform.chat("zhou")[-1]["data"]["media_id"]
    assert (services.fetch(media_id) or b"").startswith(b"\xff\xd8\xff")
    assert services.fetch("no-such-media") is None
    platform.fault("status", "/api/cgi-bin/media/get", status=502)
    with pytest.raises(ApiError):
        services.fetch(media_id)
    platform.advance(4 * 86_400)
    assert services.fetch(media_id) is None


@pytest.mark.parametrize(
    ("url", "is_fetched"),
    [
        ("http://127.0.0.1:{port}/p.jpg", True),
        ("http://127.0.0.1.evil.example:{port}/p.jpg", False),
        ("http://qpic.cn@127.0.0.1:{port}/p.jpg", False),
        ("http://localhost:{port}/p.jpg", False),
        ("file:///etc/hostname", False),
        ("gopher://127.0.0.1:{port}/", False),
        ("not an address", False),
        ("http://[", False),
        ("http://127.0.0.1:99999/p.jpg", False),
        ("", False),
    ],
)
def test_a_picture_by_its_address_only_from_hosts_that_are_named(
    platform: Strings, account: Any, url: str, is_fetched: bool
) -> None:
    account.WECHAT_PICTURE_HOSTS, account.WEBHOOK_NETWORKS = ["127.0.0.1"], ["127.0.0.0/8"]
    with receiver() as told:
        found = services.fetch("no-such-media", pic_url=url.format(port=urlsplit(told.url).port))
        assert bool(told.calls) == is_fetched
    assert (found is not None) == is_fetched


def test_codes_for_a_while_and_for_good(platform: Strings) -> None:
    made = services.make_scene("gp:17")
    assert made == services.make_scene("gp:17")
    assert platform.does("zhou", "scan", text=made.url)
    platform.settle()
    short = services.make_scene("bind:abc", seconds=600)
    assert short.url != made.url
    for scene, seconds in (("", 0), ("x" * 65, 0), ("x", 2_592_001)):
        with pytest.raises(ValueError):
            services.make_scene(scene, seconds=seconds)


def test_menus_for_everybody_and_for_groups_of_staff(platform: Strings, zhou: Follower, world: World) -> None:
    assert services.push_menus(by=world.actor("xi"), at=clock.now()) == ["", "leader", "desk", "field"]
    assert services.push_menus(by=world.actor("xi"), at=clock.now()) == [
        "",
        "leader",
        "desk",
        "field",
    ]  # what was there is replaced
    names = [one["name"] for one in platform.ask("GET", "/people/zhou/phone")["accounts"][0]["menu"]] or None
    assert names in (None, ["我要上报", "我的上报", "意见建议"])
    services.bind(zhou.pk, world.he.pk, by=world.actor("xi"), at=clock.now())
    while work_once(at=clock.now(), outside=True, limit=20):
        pass
    zhou.refresh_from_db()
    assert (zhou.tag, zhou.person) == ("leader", world.he)
    assert services.unbind(world.he.pk, by=world.actor("xi"), at=clock.now())
    while work_once(at=clock.now(), outside=True, limit=20):
        pass
    zhou.refresh_from_db()
    assert (zhou.tag, zhou.person) == ("", None)
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"wechat.bind", "wechat.unbind"}


def test_one_person_has_one_account(zhou: Follower, world: World) -> None:
    other = services.follower_of("o-another-phone", at=clock.now())
    services.bind(zhou.pk, world.huang.pk, by=world.actor("xi"), at=clock.now())
    services.bind(other.pk, world.huang.pk, by=world.actor("xi"), at=clock.now())
    assert list(Follower.objects.filter(person=world.huang)) == [other]
