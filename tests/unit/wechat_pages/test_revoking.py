"""Somebody takes back what they had let the account know: nothing of them is used or kept that hung on their WeChat."""

from __future__ import annotations

from typing import Any

import pytest

from jiequ.cases.models import Report
from jiequ.cases.services import Contact
from jiequ.channels.models import Message
from jiequ.channels.services import Notice, seal_account, send
from jiequ.channels.wechat.models import Follower, Said
from jiequ.channels.wechat.services import follower_of, forgetting, say
from jiequ.core.models import AuditEntry, Job
from jiequ.doors.chat.models import Draft, Talk
from jiequ.doors.wechat_pages.models import Binding
from jiequ.people.models import Session
from tests.casework import Casework
from tests.unit.wechat_pages.phones import Phones, phone
from tests.web.conftest import work  # noqa: F401  (fixture)

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
REVOKED = {"Event": "user_authorization_revoke", "RevokeInfo": "301"}


def follows(phones: Phones, person: str) -> None:
    phones.emulator.does(person, "follow")
    phones.pushed(person, Event="subscribe", EventKey="")


def revokes(phones: Phones, person: str, **more: Any) -> None:
    phones.pushed(person, **{**REVOKED, "OpenID": phones.emulator.openid(person), **more})


@pytest.mark.parametrize("event", ["user_authorization_revoke", "user_authorization_cancellation"])
def test_a_residents_account_is_dropped_and_the_report_stays(
    phones: Phones,
    work: Casework,  # noqa: F811
    event: str,
) -> None:
    follows(phones, "zhou")
    follower = phones.follower("zhou")
    account = f"wechat:{follower.pk}"
    browser = phone()
    phones.enters(browser, "zhou")
    report = work.reported(contact=Contact(account=account, phone="13911112222")).report
    phones.pushed("zhou", MsgType="text", Content="河边有垃圾", MsgId="1")
    say(follower_id=follower.pk, key="later", text="请稍等", at=phones.clock.at)
    facts = {"number": report.case.number}
    to: dict[str, Any] = {"to_account_sealed": seal_account(account), "street_id": work.world.street.pk}
    later = Notice("reporter_accepted", facts, f"case:{report.case_id}", "k", **to)
    send([later], at=phones.clock.at, undo_seconds=600)
    assert Session.objects.filter(account=account).exists()
    assert Draft.objects.filter(follower_id=follower.pk, state="open").exists()

    revokes(phones, "zhou", Event=event)

    kept = Report.objects.select_related("reporter").get(pk=report.pk)
    assert kept.reporter is not None
    assert (kept.reporter.account_sealed, kept.reporter.account_blind, bool(kept.reporter.phone_sealed)) == ("", "", True)
    assert kept.words == report.words
    assert (Message.objects.get(key="k").state, Message.objects.get(key="k").to_account_sealed) == ("withdrawn", "")
    assert not Session.objects.filter(account=account).exists()
    assert not Follower.objects.exists()
    assert not Said.objects.exists()
    assert not Talk.objects.exists()
    assert not Draft.objects.filter(state="open").exists()
    entry = AuditEntry.objects.get(action="wechat.authorization_revoked")
    assert entry.facts == {"chat": 1, "sessions": 1, "reports": 1}
    assert report.case.number not in browser.get("/my/", follow=True).content.decode()


def test_a_colleagues_wechat_is_nobodys_and_has_everybodys_menu(phones: Phones) -> None:
    follows(phones, "huang")
    phones.tie("huang", "huang")
    phones.work()
    follower = phones.follower("huang")
    assert follower.tag == "field"
    phones.enters(phone(), "huang")
    assert Session.objects.filter(person=phones.world.huang).exists()

    revokes(phones, "huang")

    assert not Follower.objects.exists()
    assert not Session.objects.filter(person=phones.world.huang).exists()
    assert phones.emulator.transcript(path="/api/cgi-bin/tags/members/batchuntagging")
    assert {"wechat.unbound", "wechat.authorization_revoked"} <= set(AuditEntry.objects.values_list("action", flat=True))
    assert phones.world.client("huang").get("/todo/").status_code == 200, "the account here stays, with its password"


def test_who_writes_again_begins_as_a_stranger_even_while_the_platform_is_away(phones: Phones) -> None:
    follows(phones, "he")
    phones.tie("he", "he")
    phones.work()
    before = phones.follower("he").pk
    phones.emulator.fault("errcode", "/api/cgi-bin/tags/*", times=99, errcode=-1)
    revokes(phones, "he")
    gone = Follower.objects.get(pk=before)
    assert (gone.openid_blind, gone.person, gone.is_following) == (f"gone:{before}", None, False)
    phones.pushed("he", MsgType="text", Content="你好", MsgId="2")
    new = phones.follower("he")
    assert (new.pk != before, new.person, new.is_following) == (True, None, True)
    for _try in range(6):
        phones.clock.move(hours=13)
        phones.work()
    assert not Follower.objects.filter(pk=before).exists(), "given up at the platform, gone here all the same"
    assert not Job.objects.filter(kind=forgetting.FORGET, dead_at=None).exists()


def test_a_try_to_tie_that_was_under_way_ends(phones: Phones) -> None:
    follows(phones, "zhou")
    follower = phones.follower("zhou")
    at = phones.clock.at
    Binding.objects.create(
        secret_hash="x", qr_url="x", check_code="0000", made_at=at, ends_at=at, person=phones.world.he, follower=follower
    )
    revokes(phones, "zhou")
    assert not Binding.objects.exists()


def test_who_was_never_known_is_not_made_known_by_it(phones: Phones) -> None:
    revokes(phones, "zhou")
    assert not Follower.objects.exists()
    assert not AuditEntry.objects.filter(action="wechat.authorization_revoked").exists()


def test_an_app_that_keeps_a_follower_and_hears_of_nothing_would_be_seen(
    phones: Phones,
    work: Casework,  # noqa: F811
    monkeypatch: Any,
) -> None:
    """The broken twin: reports are not among those who are told."""
    monkeypatch.delitem(forgetting._hooks, "reports")
    follower = follower_of(phones.emulator.openid("zhou"), at=phones.clock.at)
    report = work.reported(contact=Contact(account=f"wechat:{follower.pk}")).report
    revokes(phones, "zhou")
    kept = Report.objects.select_related("reporter").get(pk=report.pk)
    assert kept.reporter is not None
    assert kept.reporter.account_blind
