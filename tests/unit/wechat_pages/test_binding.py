"""A WeChat is tied to somebody on the roster by a code, a word on the phone and four digits on two screens; and untied."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jiequ.channels.models import InboxItem
from jiequ.channels.services import Notice, send
from jiequ.channels.wechat.models import Follower
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry
from jiequ.doors.wechat_pages.models import Binding
from jiequ.doors.wechat_pages.services import binding
from jiequ.people.models import Person, Session
from tests.actors import PASSWORD
from tests.unit.wechat_pages.phones import Phones, phone

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])


def admins_page(phones: Phones, name: str) -> str:
    return f"/wechat/staff/{phones.world.people[name].pk}"


def acts(phones: Phones, name: str, act: str, client: Client | None = None) -> Any:
    """The administrator presses a button on somebody's page."""
    current = Binding.objects.filter(person=phones.world.people[name]).order_by("-pk").first()
    data = {"act": act, "binding": current.pk if current else ""}
    return (client or phones.world.client("xi")).post(admins_page(phones, name), data)


def code_for(phones: Phones, name: str) -> str:
    """The administrator shows a code; what it says."""
    assert acts(phones, name, "begin").status_code == 302
    return Binding.objects.latest("pk").qr_url


def says(phones: Phones, client: Client, person: str, who: str = "me") -> Any:
    """On the phone that scanned: opens the confirmation and answers."""
    page = phones.goes(client, person, "/wechat/confirm").content.decode()
    number = re.search(r'name="binding" value="(\d+)"', page)
    return client.post("/wechat/confirm", {"binding": number[1] if number else "1", "who": who})


def audits(*actions: str) -> list[str]:
    found = AuditEntry.objects.filter(action__startswith="wechat.").order_by("pk").values_list("action", flat=True)
    return [one for one in found if not actions or one in actions]


def tied(phones: Phones, person: str, name: str) -> Client:
    """The whole way; the phone it was done with."""
    phones.emulator.does(person, "follow")
    phones.scans(person, code_for(phones, name))
    client = phone()
    says(phones, client, person)
    acts(phones, name, "confirm")
    return client


def test_code_scan_this_is_me_and_the_administrators_yes(phones: Phones) -> None:
    phones.emulator.does("huang", "follow")
    phones.scans("huang", code_for(phones, "huang"))
    assert "/wechat/enter?next=%2Fwechat%2Fconfirm" in phones.told("huang")
    client = phone()
    assert "您是黄海吗" in phones.goes(client, "huang", "/wechat/confirm").content.decode()
    says(phones, client, "huang")
    digits = Binding.objects.get().check_code
    assert digits in client.get("/wechat/confirm").content.decode()
    desk = phones.world.client("xi").get(admins_page(phones, "huang")).content.decode()
    assert digits in desk
    assert "数字一样，确认绑定" in desk
    assert not Follower.objects.exclude(person=None).exists()
    acts(phones, "huang", "confirm")
    assert Follower.objects.get(person=phones.world.huang) == phones.follower("huang")
    assert phones.goes(client, "huang", "/wechat/enter?next=/todo/").status_code == 200
    assert audits() == ["wechat.bind_begun", "wechat.bind_said", "wechat.bound"]


def test_whoever_did_not_follow_scans_follows_and_is_asked_the_same(phones: Phones) -> None:
    phones.scans("huang", code_for(phones, "huang"))
    assert Binding.objects.get().state == "scanned"
    assert Binding.objects.get().follower == phones.follower("huang")


def test_somebody_elses_phone_that_scans_first_is_not_confirmed_and_ties_nothing(phones: Phones) -> None:
    """周 photographs the code on the screen: she has the try, 黄's own phone shows no digits, and the administrator says no."""
    code = code_for(phones, "huang")
    phones.scans("zhou", code)
    phones.scans("huang", code)
    assert "这个二维码已经用过" in phones.told("huang")
    mine = phone()
    assert "没有要确认的" in phones.goes(mine, "huang", "/wechat/confirm").content.decode()
    thief = phone()
    says(phones, thief, "zhou")
    acts(phones, "huang", "refuse")
    assert acts(phones, "huang", "confirm").status_code == 422
    assert not Follower.objects.exclude(person=None).exists()
    assert audits()[-1] == "wechat.bind_refused"


def test_not_me_ends_the_try(phones: Phones) -> None:
    phones.scans("zhou", code_for(phones, "huang"))
    says(phones, phone(), "zhou", who="not")
    assert Binding.objects.get().state == "refused"
    assert acts(phones, "huang", "confirm").status_code == 422
    assert audits()[-1] == "wechat.bind_denied"


def test_the_administrator_cannot_confirm_what_nobody_said(phones: Phones) -> None:
    code = code_for(phones, "huang")
    assert acts(phones, "huang", "confirm").status_code == 422
    phones.scans("huang", code)
    assert acts(phones, "huang", "confirm").status_code == 422
    assert not Follower.objects.exclude(person=None).exists()


def test_a_code_is_good_for_ten_minutes_and_a_newer_one_ends_it(phones: Phones) -> None:
    old = code_for(phones, "huang")
    new = code_for(phones, "huang")
    phones.scans("huang", old)
    assert "已经用过，或者过了 10 分钟" in phones.told("huang")
    phones.scans("huang", new)
    says(phones, phone(), "huang")
    phones.clock.move(minutes=11)
    assert acts(phones, "huang", "confirm").status_code == 422
    assert not Follower.objects.exclude(person=None).exists()


def test_a_session_of_a_resident_cannot_say_who_it_is_for_another_phone(phones: Phones) -> None:
    """Stolen or guessed: only the phone that scanned is asked, and only WeChat's own push says which that was."""
    phones.scans("huang", code_for(phones, "huang"))
    thief = phone()
    phones.enters(thief, "zhou", "/wechat/confirm")
    current = Binding.objects.get()
    assert thief.post("/wechat/confirm", {"binding": current.pk, "who": "me"}).status_code == 422
    assert Client().post("/wechat/confirm", {"binding": current.pk, "who": "me"}).status_code == 302
    assert Binding.objects.get().state == "scanned"


def test_scenes_are_not_guessed(phones: Phones) -> None:
    """The database knows the hash of the secret only; made-up scenes of the same shape move nothing."""
    phones.emulator.does("zhou", "follow")
    code_for(phones, "huang")
    current = Binding.objects.get()
    for key in ("bind-" + "a" * 40, f"bind-{current.pk}", f"bind-{current.secret_hash[:40]}", "bind-", f"mp:{current.pk}"):
        phones.pushed("zhou", Event="SCAN", EventKey=key)
    assert Binding.objects.get().state == "shown"


def test_one_wechat_a_person_and_one_person_a_wechat(phones: Phones) -> None:
    tied(phones, "huang", "huang")
    assert acts(phones, "huang", "begin").status_code == 422  # untie first
    phones.scans("huang", code_for(phones, "chen"))
    assert "已经绑定了工作人员" in phones.told("huang")
    assert Binding.objects.latest("pk").state == "shown"


def test_of_two_persons_confirmed_for_one_wechat_at_once_one_has_it(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tries were said by the same phone. Without the condition the second would take it from the first."""
    for name in ("huang", "chen"):
        phones.scans("zhou", code_for(phones, name))
        says(phones, phone(), "zhou")
    admin, at = phones.world.actor("xi"), phones.clock.at
    first, second = Binding.objects.order_by("pk")
    binding.confirm(person_id=first.person_id, binding_id=first.pk, by=admin, at=at)
    with pytest.raises(Refusal):
        binding.confirm(person_id=second.person_id, binding_id=second.pk, by=admin, at=at)
    assert Follower.objects.get().person == phones.world.huang
    assert Binding.objects.get(pk=second.pk).state == "said"  # nothing by half
    monkeypatch.setattr(binding, "_take", lambda *_a: True)
    binding.confirm(person_id=second.person_id, binding_id=second.pk, by=admin, at=at)
    assert Follower.objects.get().person == phones.world.chen


def test_only_the_roster_s_staff_and_only_by_the_system_administrator(phones: Phones) -> None:
    for who in ("an", "shen", "he", "lin", "chen"):
        assert acts(phones, "huang", "begin", phones.world.client(who)).status_code == 403
    assert acts(phones, "an", "begin").status_code == 404  # an administrator's account is tied to no phone
    Person.objects.filter(pk=phones.world.huang.pk).update(is_active=False, disabled_at=phones.clock.at)
    assert acts(phones, "huang", "begin").status_code == 404
    assert not Binding.objects.exists()


def test_where_wechat_gives_no_code_the_page_says_so(phones: Phones) -> None:
    phones.emulator.fault("errcode", "/api/cgi-bin/qrcode/create", times=9, errcode=45009)
    answer = acts(phones, "huang", "begin")
    assert answer.status_code == 422
    assert "微信没有给出二维码" in answer.content.decode()


@pytest.mark.parametrize("by", ["huang", "xi"])
def test_a_lost_phone_is_untied_in_one_click_its_sessions_end_and_the_inbox_stays(phones: Phones, by: str) -> None:
    lost = tied(phones, "huang", "huang")
    assert phones.goes(lost, "huang", "/wechat/enter?next=/todo/").status_code == 200
    typed = phone()  # the same phone, where the password was typed before
    typed.post("/sign-in", {"login": "huang", "password": PASSWORD, "stays": "1"})
    computer = Client(headers={"user-agent": "Windows Firefox"})
    computer.post("/sign-in", {"login": "huang", "password": PASSWORD})
    told = Notice("new_task", {"number": "LG-2026-000001"}, "case:1", "k", to_person=phones.world.huang.pk)
    send([told], at=phones.clock.at)
    phones.work()
    before = InboxItem.objects.count()
    if by == "huang":
        assert "已绑定" in computer.get("/me").content.decode()
        computer.post("/wechat/mine")
    else:
        acts(phones, "huang", "unbind")
    assert [client.get("/me", headers={"accept": "application/json"}).status_code for client in (lost, typed)] == [401, 401]
    assert computer.get("/me").status_code == 200
    assert not Session.objects.exclude(account="").exists()
    assert not Follower.objects.exclude(person=None).exists()
    assert "/sign-in" in phones.goes(lost, "huang", "/todo/").request["PATH_INFO"]
    assert InboxItem.objects.count() == before > 0
    assert audits("wechat.unbound") == ["wechat.unbound"]


def test_nobody_unties_another_but_the_administrator(phones: Phones) -> None:
    tied(phones, "huang", "huang")
    with pytest.raises(Refusal):
        binding.unbind(person_id=phones.world.huang.pk, by=phones.world.actor("he"), at=phones.clock.at)
    assert phones.world.client("chen").post("/wechat/mine").status_code == 404
    assert Follower.objects.exclude(person=None).exists()


def test_the_roster_and_ones_own_page_say_whether_it_is_tied(phones: Phones, settings: Any) -> None:
    page = f"/people/{phones.world.huang.pk}"
    assert admins_page(phones, "huang") in phones.world.client("xi").get(page).content.decode()
    assert "没有绑定，请找系统管理员" in phones.world.client("huang").get("/me").content.decode()
    assert "/wechat/staff/" not in phones.world.client("he").get(page).content.decode()
    settings.WECHAT_APPID = ""
    assert "/wechat/" not in phones.world.client("xi").get(page).content.decode()
