"""Signing in from WeCom's browser: a member we know comes in without a word, a new one is tied by our own password, once."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client

from jiequ.channels.wecom import queries, services
from jiequ.channels.wecom.models import WecomUser
from jiequ.channels.wecom.views import signing_in
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry
from jiequ.people import entry
from jiequ.people.models import Person, Post
from tests.actors import PASSWORD
from tests.unit.channels.wecom.office import Office

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
PHONE = {"user-agent": "Mozilla/5.0 (iPhone) wxwork/4.1 MicroMessenger/7.0"}


def phone() -> Client:
    return Client(headers=PHONE)


def by_wecom(office: Office, client: Client, person: str, next_path: str = "/todo/") -> HttpResponse:
    """Through WeCom's authorize page on somebody's phone, and back."""
    away = client.get("/wecom/sign-in", {"next": next_path})["Location"]
    back = httpx.get(away.partition("#")[0], headers={"x-emu-person": person}, trust_env=False)
    assert back.status_code == 302, back.text
    there = urlsplit(back.headers["location"])
    return client.get(there.path, dict(parse_qsl(there.query)))  # type: ignore[return-value]


def test_a_member_we_know_comes_in_without_a_word(office: Office) -> None:
    office.match("huang")
    client = phone()
    answer = by_wecom(office, client, "huang")
    assert (answer.status_code, answer["Location"]) == (302, "/todo/")
    assert client.get("/todo/").status_code == 200
    entry = AuditEntry.objects.filter(action="person.signed_in").latest("pk")
    assert (entry.person_id, entry.facts["how"]) == (office.world.huang.pk, "wecom")


def test_a_page_asked_for_in_wecoms_browser_goes_round_by_wecom(office: Office) -> None:
    office.match("huang")
    away = urlsplit(phone().get("/todo/")["Location"])
    assert (away.path, dict(parse_qsl(away.query))) == ("/wecom/sign-in", {"next": "/todo/"})


def test_a_desk_role_still_shows_the_second_factor(office: Office) -> None:
    office.match("he")
    client = phone()
    answer = by_wecom(office, client, "he")
    assert answer["Location"] == "/sign-in/set-up"  # where a first second factor is set up
    assert client.get("/todo/").status_code == 302


def test_a_new_member_signs_in_once_with_our_password_and_is_tied(office: Office) -> None:
    client = phone()
    answer = by_wecom(office, client, "huang")
    assert urlsplit(answer["Location"]).path == "/wecom/tie"
    page = client.get(answer["Location"]).content.decode()
    assert "/sign-in?next=" in page
    client.post("/sign-in", {"login": office.world.huang.phone, "password": PASSWORD, "next": "/wecom/tie?next=/todo/"})
    assert "就是您（黄海）吗" in client.get("/wecom/tie?next=/todo/").content.decode()
    assert queries.person_of("huang") is None
    tied = client.post("/wecom/tie", {"next": "/todo/"})
    assert tied["Location"] == "/todo/"
    assert queries.person_of("huang") == office.world.huang
    assert client.get("/todo/").status_code == 200
    second = phone()
    assert by_wecom(office, second, "huang")["Location"] == "/todo/"


def test_what_wecom_vouched_for_is_tied_in_that_browser_and_for_a_quarter_of_an_hour(office: Office) -> None:
    client = phone()
    by_wecom(office, client, "huang")
    elsewhere = office.world.client("huang")
    elsewhere.post("/wecom/tie", {"next": "/"})
    assert not WecomUser.objects.exists()
    client.post("/sign-in", {"login": "huang", "password": PASSWORD})
    office.clock.move(minutes=16)
    client.post("/wecom/tie", {"next": "/"})
    assert not WecomUser.objects.exists()


def test_a_session_somebody_left_open_ties_nobody(office: Office) -> None:
    """A tie outlives the session: whoever holds 黄's signed-in phone, or stole her session, is not to leave with a way in."""
    client = phone()
    client.post("/sign-in", {"login": "huang", "password": PASSWORD, "stays": "1"})
    office.clock.move(minutes=11)
    thiefs = by_wecom(office, client, "qian")["Location"]
    assert "就是您" not in client.get(thiefs).content.decode()
    refused = client.post("/wecom/tie", {"next": "/"})
    assert refused.status_code == 422
    assert "为防别人冒用" in refused.content.decode()
    assert queries.person_of("qian") is None
    client.post("/sign-in", {"login": "huang", "password": PASSWORD})
    assert client.post("/wecom/tie", {"next": "/"}).status_code == 302
    assert queries.person_of("qian") == office.world.huang


def test_coming_in_without_a_word_proves_nothing_that_lasts(office: Office) -> None:
    office.match("huang")
    client = phone()
    by_wecom(office, client, "huang")
    assert client.get("/todo/").status_code == 200
    assert entry.PROVED not in client.session


def test_no_administrators_account_is_tied(office: Office) -> None:
    with pytest.raises(Refusal) as caught:
        services.tie(userid="xi", person=office.world.xi, at=office.clock.at)
    assert caught.value.code == "not_bindable"
    assert not WecomUser.objects.exists()


def test_whoever_was_given_a_leaders_seat_since_is_led_on_to_the_second_factor(office: Office) -> None:
    office.match("huang")
    client = phone()
    by_wecom(office, client, "huang")
    Post.objects.create(
        person=office.world.huang, account="staff", role="leader", street=office.world.street, starts_on="2026-01-05"
    )
    assert client.get("/todo/").status_code == 302
    assert by_wecom(office, client, "huang")["Location"] == "/sign-in/set-up"


def test_setting_out_has_a_limit_for_each_setting_out_keeps_a_session(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "ENTERS_A_MINUTE", 2)
    assert [phone().get("/wecom/sign-in").status_code for _n in range(3)] == [302, 302, 429]


def test_a_member_who_is_somebody_elses_is_not_taken_over(office: Office) -> None:
    office.match("huang")
    client = phone()
    client.post("/sign-in", {"login": "wu", "password": PASSWORD})
    by_wecom(office, client, "huang")
    assert queries.person_of("huang") == office.world.huang
    assert client.get("/me").content.decode().count("黄海") >= 1


def test_a_stranger_and_a_code_that_was_used_are_refused_in_words(office: Office) -> None:
    client = phone()
    assert "您不是本单位企业微信的成员" in by_wecom(office, client, "zhou").content.decode()
    away = client.get("/wecom/sign-in")["Location"]
    back = httpx.get(away.partition("#")[0], headers={"x-emu-person": "huang"}, trust_env=False).headers["location"]
    query = dict(parse_qsl(urlsplit(back).query))
    office.match("huang")
    assert client.get("/wecom/back", query).status_code == 302
    assert client.get("/wecom/back", query).status_code == 422
    state = dict(parse_qsl(urlsplit(client.get("/wecom/sign-in")["Location"]).query))["state"]
    assert client.get("/wecom/back", {"code": query["code"], "state": state}).status_code == 422  # 40163


def test_a_code_begun_in_another_browser_signs_nobody_in(office: Office) -> None:
    office.match("huang")
    away = phone().get("/wecom/sign-in")["Location"]
    back = httpx.get(away.partition("#")[0], headers={"x-emu-person": "huang"}, trust_env=False).headers["location"]
    victim = phone()
    answer = victim.get("/wecom/back", dict(parse_qsl(urlsplit(back).query)))
    assert answer.status_code == 422
    assert victim.get("/todo/").status_code == 302


def test_a_member_who_is_untied_is_signed_out_at_once(office: Office) -> None:
    office.match("huang")
    client = phone()
    by_wecom(office, client, "huang")
    row = WecomUser.objects.get(userid="huang")
    services.unmatch(member_id=row.pk, by=office.world.actor("xi"), at=office.clock.at)
    assert client.get("/todo/").status_code == 302


def test_a_closed_account_does_not_come_in(office: Office) -> None:
    office.match("huang")
    Person.objects.filter(pk=office.world.huang.pk).update(is_active=False, disabled_at=office.clock.at)
    assert urlsplit(by_wecom(office, phone(), "huang")["Location"]).path == "/wecom/tie"


def test_wecom_that_does_not_answer_leaves_the_password(office: Office) -> None:
    office.emulator.fault("status", "/qyapi/cgi-bin/auth/getuserinfo", status=502, times=1)
    page = by_wecom(office, phone(), "huang")
    assert page.status_code == 422
    assert "/sign-in" in page.content.decode()
