"""The story on phones, through the emulator: a photo, a place, one tap, and the leader's page shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.scene import APPID, SECRET
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.cases.models import Case, Proof
from jiequ.channels import client as http
from jiequ.channels.arrivals import handing
from jiequ.core import clock
from jiequ.core.jobs import work_once
from jiequ.doors.chat.models import Draft
from jiequ.grid import queries as grid
from tests.actors import World

TOKEN, KEY = "a-token-of-the-test", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
pytestmark = pytest.mark.django_db(transaction=True)
PUSH_FAULTS = {"zhou": "", "chen": "duplicate", "huang": "reorder", "shui": "delay", "qian": "replay"}
"""What goes wrong with everybody's pushes; nobody has more or fewer than one report for it."""


@pytest.fixture
def phones(settings: Any, emulator: Strings, live_server: Any) -> Iterator[Strings]:  # noqa: F811
    """An installation whose official account the emulator plays."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET = APPID, SECRET
    settings.WECHAT_TOKEN, settings.WECHAT_AES_KEY = TOKEN, KEY
    settings.WECHAT_API, settings.WECHAT_MP = emulator.base + "/api", emulator.base + "/mp"
    settings.BASE_URL = live_server.url
    emulator.server(live_server.url + "/callbacks/wechat/", token=TOKEN, aes_key=KEY, mode="secure")
    http.connections.close()
    grid.forget()
    yield emulator
    http.connections.close()


def work(phones: Strings) -> None:
    """The worker, until nothing is left to do."""
    for _turn in range(60):
        phones.settle()
        busy = handing.hand_on(at=clock.now())
        if not busy + work_once(at=clock.now(), limit=50):
            return
        time.sleep(0)


@pytest.fixture
def does(phones: Strings) -> Callable[..., None]:
    def do(person: str, deed: str, **given: Any) -> None:
        phones.does(person, deed, **given)
        work(phones)

    return do


def lines(phones: Strings, person: str) -> list[dict[str, Any]]:
    """What the account said."""
    return [one["data"] for one in phones.chat(person) if one["by"] == "account"]


def place_of(world: World) -> dict[str, Any]:
    lon, lat = world.point_in("a")
    return {"lat": lat, "lon": lon, "label": "鹭溪河桥"}


def test_a_photo_and_a_place_in_the_chat_stand_on_the_leaders_page(
    world: World, phones: Strings, does: Callable[..., None]
) -> None:
    does("zhou", "follow")
    assert "您好" in lines(phones, "zhou")[-1]["text"]
    does("zhou", "send_photo")
    assert "在哪里" in lines(phones, "zhou")[-1]["text"]
    does("zhou", "send_place", **place_of(world))
    summary = lines(phones, "zhou")[-1]
    assert "鹭溪河桥" in summary["head"]
    does("zhou", "say", text=summary["choices"][0], answer=summary["ids"][0])
    case = Case.objects.get()
    assert case.number in lines(phones, "zhou")[-1]["text"]
    assert (case.raw_system, case.unit_grid_id) == ("gcj02", world.grid_a.pk)
    assert Proof.objects.filter(case=case, picture__isnull=False).count() == 1
    leader = world.client("he").get("/leader/").content.decode()
    assert f"/cases/{case.number}/" in leader
    does("zhou", "say", text="进度")
    assert case.number in lines(phones, "zhou")[-1]["text"]
    does("zhou", "say", text="确认")
    assert Case.objects.count() == 1
    told = len(lines(phones, "zhou"))
    does("zhou", "unfollow")
    assert len(lines(phones, "zhou")) == told


def test_whatever_goes_wrong_with_the_pushes_everybody_has_one_report(
    world: World, phones: Strings, does: Callable[..., None]
) -> None:
    phones.settings(push_timeout=2, push_spacing=0.1)
    for person, fault in PUSH_FAULTS.items():
        does(person, "follow")
        if fault:
            phones.fault(fault, "*", times=4, seconds=0.2, count=3)
        for deed, given in (("say", {"text": "河道被垃圾堵住了"}), ("send_photo", {}), ("send_place", place_of(world))):
            phones.ask("POST", f"/people/{person}/{deed}", **given)
        work(phones)
        phones.ask("DELETE", "/faults")
        does(person, "say", text="确认")
        assert Case.objects.count() == list(PUSH_FAULTS).index(person) + 1, (person, fault, lines(phones, person))
    assert Draft.objects.exclude(state="done").count() == 0
    assert Proof.objects.filter(picture__isnull=False).count() == len(PUSH_FAULTS)
