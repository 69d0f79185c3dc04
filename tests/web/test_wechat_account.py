"""An official account and this product over real HTTP: the emulator asks, pushes, repeats and spoils as WeChat does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.scene import APPID, SECRET
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import client as http
from jiequ.channels.arrivals import handing
from jiequ.channels.arrivals.models import Arrival, State
from jiequ.channels.arrivals.services import opened
from jiequ.channels.wechat.models import Follower
from jiequ.core import clock
from tests.actors import World

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN, KEY = "a-token-of-the-test", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@pytest.fixture
def wechat(settings: Any, emulator: Strings, live_server: Any, world: World) -> Iterator[Strings]:  # noqa: F811
    """The account is configured here and there, in secure mode; the address has proved itself."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET = APPID, SECRET
    settings.WECHAT_TOKEN, settings.WECHAT_AES_KEY = TOKEN, KEY
    settings.WECHAT_API = emulator.base + "/api"
    http.connections.close()
    emulator.settings(push_spacing=0.2, push_timeout=5.0)
    emulator.server(f"{live_server.url}/callbacks/wechat/", token=TOKEN, aes_key=KEY, mode="secure")
    yield emulator
    http.connections.close()


def outcomes(wechat: Strings) -> list[tuple[int, str]]:
    return [(one["status"], one["answer"]) for one in wechat.transcript(way="out") if one["kind"] != "verify"]


def hand_on() -> None:
    while handing.hand_on(at=clock.now()):
        pass


def test_the_story_of_an_account(wechat: Strings, live_server: Any) -> None:
    for mode in ("compatible", "plain", "secure"):  # "plain": the address proves itself in every mode
        wechat.server(f"{live_server.url}/callbacks/wechat/", token=TOKEN, aes_key=KEY, mode=mode)
    wechat.does("zhou", "follow")
    wechat.fault("duplicate", "text", count=3)
    wechat.does("zhou", "say", text="河道堵了")
    wechat.does("zhou", "send_photo")
    wechat.does("zhou", "send_place")
    assert set(outcomes(wechat)) == {(200, "success")}
    assert Arrival.objects.count() == 4
    hand_on()
    assert set(Arrival.objects.values_list("state", flat=True)) == {State.DONE}
    follower = Follower.objects.get()
    assert (follower.is_following, follower.message_left) == (True, 5)
    assert not [one for one in wechat.chat("zhou") if one["kind"] == "fault"]


def test_a_spoilt_push_is_refused_and_its_next_try_taken(wechat: Strings) -> None:
    wechat.does("zhou", "follow")
    for fault in ("wrong_signature", "foreign_appid", "garbled", "xxe"):
        wechat.fault(fault, "text")
        wechat.does("zhou", "say", text=f"经过{fault}")
    wechat.fault("oversized", "text", count=70)
    wechat.does("zhou", "say", text="太大")
    statuses = [status for status, _answer in outcomes(wechat)]
    assert statuses.count(403) == 5
    assert statuses.count(200) == 6
    words = [opened(row).fields.get("Content") for row in Arrival.objects.filter(kind="text").order_by("id")]
    assert words == ["经过wrong_signature", "经过foreign_appid", "经过garbled", "经过xxe", "太大"]


def test_a_replay_hours_later_is_refused(wechat: Strings) -> None:
    wechat.does("zhou", "follow")
    wechat.fault("replay", "text", seconds=0.3)
    wechat.does("zhou", "say", text="第一次")
    wechat.fault("stale", "text", seconds=7200)
    wechat.does("zhou", "say", text="第二次")
    wechat.settle()
    assert Arrival.objects.filter(kind="text").count() == 2
    assert 403 in [status for status, _answer in outcomes(wechat)]
