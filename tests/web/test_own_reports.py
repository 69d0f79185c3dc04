"""我的上报 by an outside account: a list of one's own, each opened, rated and asked for again without its private link."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Rating, Report, Reporter
from jiequ.cases.services import keeping
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry
from jiequ.people.models import Session
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.photos import upload
from tests.statements import statements_of
from tests.support.accounts import client_of_account
from tests.web.test_report_pages import here, link, text_of

MINE, THEIRS = "wechat:7", "wechat:8"
BROWSER = "the-browser-it-was-made-in"


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def by_account(work: Casework, account: str = MINE, made: str = "just_reported", **changes: Any) -> Report:
    """A report made by an account, as far as ``made`` says."""
    if made == "just_reported":
        return work.reported(contact=services.Contact(account=account), **changes).report
    case = getattr(work, made)(contact=services.Contact(account=account), **changes)
    return Report.objects.get(case=case)


def test_whoever_came_in_by_wechat_reports_and_is_led_to_the_page_among_their_own(work: Casework) -> None:
    browser = client_of_account(MINE)
    answer = browser.post("/report/", here(work.world) | {"photos": upload(), "words": "河边有垃圾"})
    report = Report.objects.get()
    assert answer["Location"] == f"/my/{report.pk}/?new=1"
    page = text_of(browser.get(answer["Location"]))
    assert report.case.number in page
    assert "收到了，谢谢您" in page
    assert "/r/" not in page
    photo = report.proofs.get()
    assert f"/my/{report.pk}/photos/{photo.pk}/thumb" in page
    assert report.case.number in text_of(browser.get("/my/"))


def test_a_child_without_a_guardian_reports_and_no_account_is_kept(work: Casework) -> None:
    browser = client_of_account(MINE)
    answer = browser.post("/report/", here(work.world) | {"words": "井盖坏了", "is_minor": "on"})
    assert answer["Location"].startswith("/r/")
    assert Report.objects.get().reporter is None


def test_staff_who_report_are_no_residents(work: Casework) -> None:
    """A colleague's session that also carries an account files as staff; nobody's WeChat is kept with it."""
    browser = work.world.client("chen")
    browser.post("/report/", here(work.world) | {"words": "垃圾", "condition": work.condition.pk})
    assert Report.objects.get().reporter is None


def test_the_list_holds_ones_own_newest_first_and_nobody_elses(work: Casework) -> None:
    old, new, other = by_account(work), by_account(work, made="closed"), by_account(work, THEIRS)
    page = text_of(client_of_account(MINE).get("/my/"))
    assert page.index(new.case.number) < page.index(old.case.number)
    assert other.case.number not in page
    assert "等您评价" in page


def test_another_accounts_report_is_not_there_whatever_is_asked_of_it(work: Casework) -> None:
    """Stolen session or guessed number: one account opens nothing of another's, and is told like of a report that never was."""
    report = by_account(work, THEIRS, made="closed")
    browser = client_of_account(MINE)
    for path in ("", "export", "erase", "photos/1/thumb"):
        found, never = browser.get(f"/my/{report.pk}/{path}"), browser.get(f"/my/{report.pk + 99}/{path}")
        assert (found.status_code, found.content) == (404, never.content)
    for path in ("rate", "reopen", "erase"):
        answer = browser.post(f"/my/{report.pk}/{path}", {"is_solved": "no", "satisfaction": "1", "text": "没好"})
        assert answer.status_code == 404
    assert not Rating.objects.exists()
    assert Case.objects.get().state == "closed"


def test_a_notice_leads_to_ones_own_report_of_the_case_and_for_a_case_of_others_to_the_list(work: Casework) -> None:
    report, other = by_account(work), by_account(work, THEIRS)
    browser = client_of_account(MINE)
    assert browser.get(f"/my/case/{report.case.number}/")["Location"] == f"/my/{report.pk}/"
    for number in (other.case.number, "LG-2026-999999"):
        assert browser.get(f"/my/case/{number}/")["Location"] == "/my/"


def test_whoever_came_in_by_no_account_is_told_where_to_open_it(work: Casework) -> None:
    report = by_account(work)
    assert Client().get(f"/my/{report.pk}/")["Location"] == "/my/"
    assert Client().post(f"/my/{report.pk}/rate")["Location"] == "/my/"
    answer = Client().get("/my/")
    assert answer.status_code == 401
    assert "进入街道的公众号" in text_of(answer)
    assert report.case.number not in text_of(answer)
    told = Client().post(f"/my/{report.pk}/rate", headers={"accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (401, "link_no_account")


def test_one_rates_and_asks_again_without_a_link(work: Casework) -> None:
    report = by_account(work, made="closed")
    browser = client_of_account(MINE)
    assert "请您评价" in text_of(browser.get(f"/my/{report.pk}/"))
    refused = browser.post(f"/my/{report.pk}/rate", {"satisfaction": "4"})
    assert refused.status_code == 422
    assert "请选择问题解决了没有" in text_of(refused)
    answer = browser.post(f"/my/{report.pk}/rate", {"is_solved": "no", "satisfaction": "2", "text": "没好"})
    assert (answer.status_code, answer["Location"]) == (303, f"/my/{report.pk}/")
    assert browser.post(f"/my/{report.pk}/reopen", {"text": "又堵了"}).status_code == 303
    assert Case.objects.get().state == "reopened"


# -- earlier private links -------------------------------------------------------------------------------------------


def test_a_link_opened_in_the_browser_it_was_made_in_joins_ones_own_without_a_word(work: Casework) -> None:
    case = work.reported(device=BROWSER).case
    browser = client_of_account(MINE, device=BROWSER)
    assert "已在您的“我的上报”里" in text_of(browser.get(link(work, case)))
    assert case.number in text_of(browser.get("/my/"))
    assert AuditEntry.objects.filter(action="reporter.account_kept").count() == 1


def test_a_link_that_was_sent_on_is_asked_about_first(work: Casework) -> None:
    case = work.reported(contact=None, device=BROWSER).case
    address, browser = link(work, case), client_of_account(THEIRS, device="another-browser")
    assert "是您自己报的吗" in text_of(browser.get(address))
    assert case.number not in text_of(browser.get("/my/"))
    assert browser.post(f"{address}keep")["Location"] == f"/my/{Report.objects.get().pk}/"
    assert case.number in text_of(browser.get("/my/"))


def test_whoever_took_it_by_a_link_that_was_sent_on_gives_way_to_the_browser_it_was_made_in(work: Casework) -> None:
    case = work.reported(device=BROWSER).case
    address = link(work, case)
    taker, owner, third = client_of_account(THEIRS), client_of_account(MINE, device=BROWSER), client_of_account("wechat:9")
    taker.post(f"{address}keep")
    assert third.post(f"{address}keep").status_code == 422
    assert "是您自己报的吗" not in text_of(third.get(address))
    assert "是您自己报的吗" in text_of(owner.get(address))
    owner.post(f"{address}keep")
    assert case.number in text_of(owner.get("/my/"))
    assert case.number not in text_of(taker.get("/my/"))


def test_a_stolen_link_put_into_ones_own_tells_nobodys_name_or_phone(work: Casework) -> None:
    """The link alone does not tell them (test_report_pages), so taking the report over does not either."""
    contact = services.Contact(name="周女士", phone="13912345678")
    case = work.reported(contact=contact, device=BROWSER).case
    address, report = link(work, case), Report.objects.get()
    thief, owner = client_of_account(THEIRS, device="another-browser"), client_of_account(MINE, device=BROWSER)
    thief.post(f"{address}keep")
    for path in (f"/my/{report.pk}/export", f"{address}export"):
        kept = thief.get(path).json()
        assert (kept["name"], kept["phone"]) == ("", "")
        assert "只在当初上报的浏览器里给出" in kept["note"]
    owner.post(f"{address}keep")
    for client in (owner, client_of_account(MINE)):
        kept = client.get(f"/my/{report.pk}/export").json()
        assert (kept["name"], kept["phone"]) == ("周女士", "13912345678")


def test_deleting_by_the_link_of_ones_own_report_says_that_all_of_the_accounts_go(work: Casework) -> None:
    first, second = by_account(work, made="closed"), by_account(work, made="closed")
    address, browser = link(work, first.case), client_of_account(MINE)
    assert "“我的上报”里的其他事，也一起删" in text_of(browser.get(f"{address}erase"))
    assert "“我的上报”里的其他事" not in text_of(Client().get(f"{address}erase"))
    browser.post(f"{address}erase")
    assert not Report.objects.exclude(words="").filter(pk__in=[first.pk, second.pk]).exists()


def test_of_two_who_take_a_report_at_once_one_has_it(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read it as nobody's. Twin: with the condition left out of the change the second takes it from the first."""
    report = work.reported(contact=services.Contact(phone="13912345678")).report
    first, second, third = (Report.objects.select_related("reporter", "street").get(pk=report.pk) for _ in range(3))
    services.keep_for_account(first, account=MINE, device="", at=NOW)
    with pytest.raises(Refusal):
        services.keep_for_account(second, account=THEIRS, device="", at=NOW)
    assert services.is_of_account(MINE, Report.objects.select_related("reporter").get())
    monkeypatch.setattr(keeping, "_unchanged", lambda before: Reporter.objects.filter(pk=before.pk))
    services.keep_for_account(third, account=THEIRS, device="", at=NOW)
    assert services.is_of_account(THEIRS, Report.objects.select_related("reporter").get())


def test_without_an_account_a_link_opens_and_keeps_as_before(work: Casework) -> None:
    case = work.reported(device=BROWSER).case
    browser = Client()
    browser.cookies["device"] = BROWSER
    page = text_of(browser.get(link(work, case)))
    assert "我的上报" not in page
    assert not AuditEntry.objects.filter(action="reporter.account_kept").exists()


# -- what is kept, and leaving ---------------------------------------------------------------------------------------


def test_the_account_downloads_and_deletes_all_of_its_own(work: Casework) -> None:
    first, second = by_account(work, made="closed"), by_account(work, made="closed")
    other = by_account(work, THEIRS, made="closed")
    browser = client_of_account(MINE)
    kept = browser.get(f"/my/{first.pk}/export").json()
    assert {one["number"] for one in kept["reports"]} == {first.case.number, second.case.number}
    assert "也一起删" in text_of(browser.get(f"/my/{first.pk}/erase"))
    browser.post(f"/my/{first.pk}/erase")
    assert list(Report.objects.exclude(words="").values_list("pk", flat=True)) == [other.pk]
    assert first.case.number not in text_of(browser.get("/my/"))


def test_one_tap_ends_this_browser_another_all_of_them(work: Casework) -> None:
    by_account(work)
    here_, there = client_of_account(MINE), client_of_account(MINE)
    stranger = client_of_account(THEIRS)
    here_.post("/my/leave", {"what": "here"})
    assert here_.get("/my/").status_code == 401
    assert there.get("/my/").status_code == 200
    again = client_of_account(MINE)
    again.post("/my/leave", {"what": "all"})
    assert there.get("/my/").status_code == 401
    assert stranger.get("/my/").status_code == 200
    assert not Session.objects.filter(account=MINE).exists()


def test_the_list_asks_as_much_for_twenty_as_for_two(work: Casework) -> None:
    browser = client_of_account(MINE)
    by_account(work)
    by_account(work, made="closed")
    few = statements_of(lambda: browser.get("/my/"))
    for _ in range(8):
        by_account(work)
    many = statements_of(lambda: browser.get("/my/"))
    assert len(many) == len(few) <= 4, "\n".join(many)
