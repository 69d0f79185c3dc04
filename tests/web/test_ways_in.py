"""A channel's own browser lets its people in again without a word, and never in a circle (RELIABILITY row 25)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest
from django.test import Client

from jiequ.people import entry, ways_in
from jiequ.people.models import Device, Session
from jiequ.people.services import drop_account_sessions
from tests.actors import PASSWORD, MovableClock, World

HOME = {"user-agent": "Mozilla/5.0 (Linux; Android 14) HomeBrowser/1.0"}


def _is_home(request: HttpRequest) -> bool:
    return "HomeBrowser" in request.headers.get("User-Agent", "")


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Iterator[ways_in.WayIn]:
    """A channel of which only its browser is known."""
    made = ways_in.WayIn("home", "从频道进入", _is_home, lambda: "/channel/enter")
    monkeypatch.setattr(ways_in, "_ways", {"home": made})
    return made  # type: ignore[return-value]


def test_its_own_browser_is_sent_round_by_the_channel_and_back_to_the_page(
    world: World, clock: MovableClock, way: ways_in.WayIn
) -> None:
    answer = Client(headers=HOME).get("/todo/?all=1")
    told = urlsplit(answer["Location"])
    assert (answer.status_code, told.path) == (302, "/channel/enter")
    assert parse_qs(told.query) == {"next": ["/todo/?all=1"]}


def test_every_other_browser_gets_the_sign_in_page(world: World, clock: MovableClock, way: ways_in.WayIn) -> None:
    answer = Client(headers={"user-agent": "Firefox"}).get("/todo/")
    assert answer["Location"] == "/sign-in?next=%2Ftodo%2F"
    assert "从频道进入" not in Client().get(answer["Location"]).content.decode()


def test_whoever_the_channel_does_not_know_comes_to_the_sign_in_page_and_is_not_sent_in_a_circle(
    world: World, clock: MovableClock, way: ways_in.WayIn
) -> None:
    client = Client(headers=HOME)
    client.get("/todo/")
    answer = client.get("/todo/")
    assert answer["Location"] == "/sign-in?next=%2Ftodo%2F"
    page = client.get(answer["Location"]).content.decode()
    assert 'href="/channel/enter?next=%2Ftodo%2F"' in page


def test_forms_parts_and_programs_are_not_sent_round(world: World, clock: MovableClock, way: ways_in.WayIn) -> None:
    client = Client(headers=HOME)
    assert client.get("/todo/", headers={"accept": "application/json"}).status_code == 401
    assert client.get("/todo/", headers={"hx-request": "true"})["HX-Redirect"].startswith("/sign-in")
    assert client.post("/me", {"care_mode": "1"})["Location"].startswith("/sign-in")


def test_after_signing_out_the_browser_waits_to_be_asked_until_somebody_signs_in(
    world: World, clock: MovableClock, way: ways_in.WayIn
) -> None:
    client = Client(headers=HOME)
    signed_in = {"login": "chen", "password": PASSWORD, "stays": "1"}
    client.post("/sign-in", signed_in)
    client.post("/sign-out")
    assert client.get("/todo/")["Location"].startswith("/sign-in")
    client.post("/sign-in", signed_in)
    assert entry.STAY_OUT not in {name for name, cookie in client.cookies.items() if cookie.value}


def test_what_a_lost_phone_had_open_ends_and_other_browsers_go_on(world: World, clock: MovableClock) -> None:
    phone = Client(headers={"user-agent": "Android MicroMessenger/8.0"})
    computer = Client(headers={"user-agent": "Windows Firefox"})
    for client in (phone, computer):
        client.post("/sign-in", {"login": "chen", "password": PASSWORD, "stays": "1"})
    resident = Session.objects.create(
        key_hash="k", data="", begun_at=clock.at, idle_end_at=clock.at, ends_at=clock.at, account="wechat:7"
    )
    assert drop_account_sessions("wechat:7", person_id=world.chen.pk, browser="WeChat") == 2
    assert not Session.objects.filter(pk=resident.pk).exists()
    assert phone.get("/me").status_code == 302
    assert computer.get("/me").status_code == 200
    assert Device.objects.filter(person=world.chen).count() == 1
