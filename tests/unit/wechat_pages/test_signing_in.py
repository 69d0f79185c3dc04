"""In by WeChat: once, in the browser that set out, to our own pages only (RELIABILITY row 25: OAuth `state` replay refused)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from jiequ.channels import oauth
from jiequ.channels.wechat.models import Follower
from jiequ.core.ids import token_hash
from jiequ.core.models import AuditEntry
from jiequ.people import entry
from jiequ.people.models import Device, Person, Session
from tests.actors import PASSWORD
from tests.unit.wechat_pages.phones import AGENT, Phones, phone, query_of

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])


def is_staff(client: Client) -> bool:
    return client.get("/me", headers={"accept": "application/json"}).status_code != 401


def account_in(client: Client) -> str:
    return str(client.session.get("_account", ""))


def test_the_words_of_the_address_stand_in_the_order_wechat_wants(phones: Phones) -> None:
    away = phone().get("/wechat/enter", {"next": "/my/"})["Location"]
    names = [name for name, _value in parse_qsl(urlsplit(away).query)]
    assert names == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert query_of(away)["scope"] == "snsapi_base"
    assert urlsplit(away).fragment == "wechat_redirect"


def test_a_resident_comes_in_without_a_word_and_the_session_carries_their_account(phones: Phones) -> None:
    client = phone()
    answer = phones.enters(client, "zhou")
    assert (answer.status_code, answer["Location"]) == (302, "/my/")
    assert account_in(client) == f"wechat:{phones.follower('zhou').pk}"
    assert client.get("/my/").status_code == 200
    row = Session.objects.get(account=account_in(client))
    assert (row.kind, row.person_id, (row.ends_at - row.begun_at).days) == ("anonymous", None, 90)


def test_a_page_of_ones_own_asked_for_in_wechat_goes_round_by_it_and_arrives(phones: Phones) -> None:
    assert phones.goes(phone(), "zhou", "/my/").status_code == 200


def test_the_key_of_the_session_changes_on_coming_in(phones: Phones) -> None:
    """Planted before, it is worth nothing after."""
    client = phone()
    away = client.get("/wechat/enter", {"next": "/my/"})["Location"]
    planted = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.get(phones.sent_back(away, "zhou"))
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    thief = phone()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert account_in(thief) == ""


# -- a state is good once, in the browser that set out ---------------------------------------------------------------


def test_the_way_back_is_good_once(phones: Phones) -> None:
    client = phone()
    back = phones.sent_back(client.get("/wechat/enter")["Location"], "zhou")
    assert client.get(back).status_code == 302
    again = client.get(back)
    assert again.status_code == 422
    assert "没有登录成功" in again.content.decode()


def test_somebody_elses_way_back_signs_nobody_in(phones: Phones) -> None:
    """Login CSRF: 周 is sent a link that would make her phone the attacker's account, or the attacker follows hers."""
    theirs = phones.sent_back(phone().get("/wechat/enter")["Location"], "huang")
    for victim in (phone(), phone()):
        victim.get("/wechat/enter")
        assert victim.get(theirs).status_code == 422
        assert account_in(victim) == ""
    assert not Follower.objects.exists()


def test_without_the_check_of_the_state_it_would_sign_in(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    theirs = phones.sent_back(phone().get("/wechat/enter")["Location"], "huang")
    monkeypatch.setattr(oauth, "finish", lambda request, **_k: oauth.Came(request.GET["code"], ""))
    victim = phone()
    assert victim.get(theirs).status_code == 302
    assert account_in(victim) == f"wechat:{phones.follower('huang').pk}"


def test_a_code_that_was_used_or_made_up_or_is_too_old_brings_nobody_in(phones: Phones) -> None:
    used = query_of(phones.sent_back(phone().get("/wechat/enter")["Location"], "zhou"))["code"]
    first = phone()
    state = query_of(first.get("/wechat/enter")["Location"])["state"]
    assert first.get("/wechat/arrive", {"code": used, "state": state}).status_code == 302
    for code in (used, "0made-up", "", "x" * 2000):
        client = phone()
        state = query_of(client.get("/wechat/enter")["Location"])["state"]
        assert client.get("/wechat/arrive", {"code": code, "state": state}).status_code == 422
        assert account_in(client) == ""
    late = phone()
    back = phones.sent_back(late.get("/wechat/enter")["Location"], "zhou")
    phones.clock.move(minutes=11)
    assert late.get(back).status_code == 422


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\nb"])
def test_it_leads_nowhere_else(phones: Phones, next_path: str) -> None:
    assert phones.enters(phone(), "zhou", next_path)["Location"] == "/"


def test_a_snapshot_user_is_told_what_it_is_and_is_nobody(phones: Phones) -> None:
    phones.emulator.ask("POST", "/people/zhou", is_snapshot=True)
    client = phone()
    answer = phones.enters(client, "zhou")
    assert answer.status_code == 422
    assert "使用完整服务" in answer.content.decode()
    assert account_in(client) == ""
    assert not Follower.objects.exists()


@pytest.mark.parametrize("fault", [{"kind": "errcode", "errcode": -1}, {"kind": "status", "status": 502}, {"kind": "bad_json"}])
def test_where_wechat_does_not_answer_nobody_comes_in_and_the_page_says_what_can_be_done(
    phones: Phones, fault: dict[str, Any]
) -> None:
    phones.emulator.ask("POST", "/faults", where="/api/sns/oauth2/*", times=9, **fault)
    client = phone()
    answer = phones.enters(client, "zhou")
    assert answer.status_code == 422
    assert 'href="/report/"' in answer.content.decode()
    assert account_in(client) == ""


def test_the_report_page_in_wechat_is_ones_own_and_opens_without_wechat_too(phones: Phones) -> None:
    client = phone()
    assert phones.goes(client, "zhou", "/report/?plate=x").request["QUERY_STRING"] == "plate=x"
    assert account_in(client)
    phones.emulator.fault("status", "/api/sns/oauth2/*", times=9, status=502)
    other = phone()
    assert phones.goes(other, "zhou", "/report/").status_code == 422
    assert other.get("/report/").status_code == 200  # once more, and nobody is asked
    assert Client().get("/report/").status_code == 200


def test_outside_wechat_the_page_says_where_to_open_it_and_without_an_account_there_is_none(
    phones: Phones, settings: Any
) -> None:
    answer = Client().get("/wechat/enter", {"next": "/report/"})
    assert answer.status_code == 200
    assert "请在微信里打开" in answer.content.decode()
    settings.WECHAT_APPID = ""
    for path in ("/wechat/enter", "/wechat/arrive", "/wechat/config?url=x", "/wechat/confirm"):
        assert phone().get(path).status_code == 404
    assert phone().get("/todo/")["Location"].startswith("/sign-in")


# -- staff -----------------------------------------------------------------------------------------------------------


def test_a_member_of_staff_whose_wechat_is_tied_has_their_own_session(phones: Phones) -> None:
    follower = phones.tie("huang", "huang")
    client = phone()
    answer = phones.goes(client, "huang", "/todo/")
    assert answer.status_code == 200
    signed_in = AuditEntry.objects.filter(action="person.signed_in").latest("pk")
    assert (signed_in.person_id, signed_in.facts["how"]) == (phones.world.huang.pk, "wechat")
    row = Session.objects.get(person=phones.world.huang)
    assert (row.account, row.kind) == (f"wechat:{follower.pk}", "phone")


def test_after_a_day_the_phone_comes_in_again_without_a_word_and_after_signing_out_it_asks(phones: Phones) -> None:
    phones.tie("huang", "huang")
    client = phone()
    phones.goes(client, "huang", "/todo/")
    phones.clock.move(days=2)
    assert phones.goes(client, "huang", "/todo/").status_code == 200
    client.post("/sign-out")
    page = phones.goes(client, "huang", "/todo/").content.decode()
    assert "用微信进入" in page
    assert not is_staff(client)
    assert phones.goes(client, "huang", "/wechat/enter?next=/todo/").status_code == 200


def shown_on(phones: Phones, client: Client, person: Person) -> None:
    """The person showed the second factor in this browser before."""
    client.cookies[entry.DEVICE_COOKIE], at = "t" * 43, phones.clock.at
    known = {"trusted_at": at, "ends_at": at + timedelta(days=30), "second_factor": True}
    Device.objects.create(token_hash=token_hash("t" * 43), person=person, **known)


def test_a_leader_shows_the_second_factor_once_on_that_phone(phones: Phones) -> None:
    phones.tie("he", "he")
    client = phone()
    assert phones.enters(client, "he", "/leader/")["Location"] == "/sign-in/set-up"
    assert not is_staff(client)
    shown_on(phones, client, phones.world.he)
    assert phones.goes(client, "he", "/leader/").status_code == 200
    assert phones.enters(phone(), "he", "/leader/")["Location"] == "/sign-in/set-up"  # another phone


def test_a_desk_shows_it_every_time_and_the_demo_never(phones: Phones, settings: Any) -> None:
    phones.tie("chen", "lin")
    client = phone()
    shown_on(phones, client, phones.world.lin)
    assert phones.enters(client, "chen", "/desk/")["Location"] == "/sign-in/set-up"
    settings.DEMO = True
    assert phones.enters(phone(), "chen", "/desk/")["Location"] == "/desk/"


def test_a_resident_is_no_staff_whatever_page_they_ask_for(phones: Phones) -> None:
    client = phone()
    phones.enters(client, "zhou")
    for path in ("/todo/", "/desk/", "/people", "/me"):
        assert "/sign-in" in phones.goes(client, "zhou", path).request["PATH_INFO"]
    assert not is_staff(client)


def test_a_disabled_persons_wechat_is_a_residents(phones: Phones) -> None:
    phones.tie("huang", "huang")
    type(phones.world.huang).objects.filter(pk=phones.world.huang.pk).update(is_active=False, disabled_at=phones.clock.at)
    client = phone()
    phones.enters(client, "huang")
    assert not is_staff(client)
    assert account_in(client)


def test_another_persons_session_on_the_phone_ends_and_a_residents_visit_ends_nobodys(phones: Phones) -> None:
    phones.tie("huang", "huang")
    client = phone()
    client.post("/sign-in", {"login": "chen", "password": PASSWORD})
    phones.enters(client, "huang", "/todo/")
    assert client.session["_auth_user_id"] == str(phones.world.huang.pk)
    client = phone()
    client.post("/sign-in", {"login": "chen", "password": PASSWORD})
    phones.enters(client, "zhou")
    assert client.session["_auth_user_id"] == str(phones.world.chen.pk)
    assert client.get("/my/").status_code == 200


def test_one_phone_two_accounts_the_second_sees_nothing_of_the_first(phones: Phones) -> None:
    client = phone()
    phones.enters(client, "zhou")
    first = account_in(client)
    phones.enters(client, "qian")
    assert account_in(client) == f"wechat:{phones.follower('qian').pk}" != first
    assert Client(headers=AGENT).get("/my/").status_code in (302, 401)


def test_a_phone_that_lets_itself_in_again_stops_doing_so_for_somebody_elses_wechat(phones: Phones) -> None:
    """陈's phone stays signed in; 周 signs in to WeChat on it: 陈 is out, and not back with the next page."""
    client = phone()
    client.post("/sign-in", {"login": "chen", "password": PASSWORD, "stays": "1"})
    phones.tie("chen", to="chen")
    phones.enters(client, "chen")
    assert is_staff(client)
    phones.enters(client, "zhou")
    assert account_in(client) == f"wechat:{phones.follower('zhou').pk}"
    assert not is_staff(client)


def test_whoever_asks_to_come_in_after_signing_out_is_let_in_silently_again(phones: Phones) -> None:
    client = phone()
    phones.enters(client, "zhou")
    client.post("/my/leave", {"what": "here"})
    assert client.get("/my/").status_code == 401
    phones.enters(client, "zhou")
    assert not client.cookies[entry.STAY_OUT].value
