"""The desk in a real browser: by keyboard alone, in two keystrokes where the suggestion is right, and taken back in time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent
from jiequ.cases.queries import types
from jiequ.triage import running
from tests.actors import NOW, MovableClock, World, make_world
from tests.casework import Casework, make_condition, make_place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def work(transactional_db: None, clock: MovableClock, settings: Any, tmp_path: Path) -> Casework:
    """The small world on a file of its own, for a server in another thread."""
    settings.MEDIA_ROOT = tmp_path
    world: World = make_world()
    return Casework(world, make_condition())


@pytest.fixture
def desk(work: Casework, reader: Any) -> Page:
    """林's browser at the desk's size."""
    page: Page = reader(size="desk", person=work.world.lin)
    return page


def opened(page: Page, address: str, number: str) -> None:
    """The page with scripts running and the first row's case beside it."""
    page.goto(address)
    page.wait_for_selector("html.is-started[data-desk=started]")
    expect(page.locator(f"#desk-panel [data-panel='{number}']")).to_be_visible()


def test_dispatching_takes_two_keystrokes_where_the_suggestion_is_right(work: Casework, desk: Page) -> None:
    first, second = work.accepted(), work.accepted()
    opened(desk, "/desk/?tray=dispatch", first.number)
    desk.keyboard.press("d")
    expect(desk.locator("#do-dispatch button[type=submit]")).to_be_focused()
    with desk.expect_navigation():
        desk.keyboard.press("Enter")
    first.refresh_from_db()
    assert (first.state, first.lead_id) == ("dispatched", work.sanitation)
    expect(desk.locator(f"#desk-panel [data-panel='{second.number}']")).to_be_visible()
    expect(desk.locator(".toast-undo")).to_be_visible()


def test_accepting_takes_two_keystrokes_where_one_of_the_suggestions_is_right(work: Casework, desk: Page) -> None:
    make_condition("0401", name="流动摊贩占道")
    types.forget()
    running.forget()
    case = work.reported(words="流动摊贩占道，路过不去").case
    desk.goto(f"/cases/{case.number}/do/accept")
    desk.wait_for_selector("html.is-started")
    expect(desk.locator("[data-offer] [data-key='1']")).to_contain_text("流动摊贩占道")
    desk.keyboard.press("1")
    with desk.expect_navigation():
        desk.keyboard.press("Enter")
    case = Case.objects.select_related("event_type").get(pk=case.pk)
    assert case.state == "accepted"
    assert case.event_type is not None
    assert case.event_type.code == "0401"


def test_a_dispatch_is_taken_back_within_ten_seconds_and_not_after(work: Casework, desk: Page, clock: MovableClock) -> None:
    case = work.accepted()
    services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=clock.at)
    event = CaseEvent.objects.get(case=case, move="dispatch")
    clock.move(seconds=9)
    desk.goto(f"/desk/?tray=dispatch&done={event.pk}")
    with desk.expect_navigation():
        desk.locator(".toast-undo button").click()
    case.refresh_from_db()
    assert (case.state, case.lead_id) == ("accepted", None)
    assert "/desk/" in desk.url
    expect(desk.locator("tr[data-row]")).to_have_count(1)

    services.dispatch(work.fresh(case, "lin"), lead_id=work.sanitation, by=work.actor("lin"), at=clock.at)
    late = CaseEvent.objects.filter(case=case, move="dispatch").order_by("-pk").first()
    assert late is not None
    clock.move(seconds=11)
    desk.goto(f"/desk/?tray=dispatch&done={late.pk}")
    expect(desk.locator(".toast-undo")).to_have_count(0)


def test_a_case_is_accepted_by_keyboard_alone_with_a_type_that_is_searched(work: Casework, desk: Page) -> None:
    make_condition("0702", name="河道阻塞", limit=1, unit="work_day")
    case = work.just_reported()
    opened(desk, "/desk/", case.number)
    desk.keyboard.press("a")
    expect(desk.locator("[data-pick-find]")).to_be_focused()
    desk.keyboard.type("垃圾")
    expect(desk.locator("select[data-pick] option:not([value=''])")).to_have_count(1)
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-fact=limit]")).to_have_text("4工作时")
    expect(desk.locator("[data-fact=proofs]")).to_have_text("处置后照片")
    expect(desk.locator("#do-accept button[type=submit]")).to_be_focused()
    with desk.expect_navigation():
        desk.keyboard.press("Enter")
    case.refresh_from_db()
    assert (case.state, case.condition_id) == ("accepted", work.condition.pk)


def test_j_and_k_walk_the_rows_and_a_letter_means_the_row_that_is_chosen(work: Casework, desk: Page) -> None:
    first, second = work.just_reported(), work.just_reported()
    opened(desk, "/desk/", first.number)
    desk.keyboard.press("j")
    desk.keyboard.press("r")  # before the second one's panel has come
    expect(desk.locator(f"[data-panel='{second.number}'] #do-reject")).to_be_visible()
    expect(desk.locator("#do-reject input[value=emergency]")).to_be_focused()
    desk.keyboard.press("Space")
    expect(desk.locator("#do-reject input[value=emergency]")).to_be_checked()
    expect(desk.locator("[data-preview-texts]")).to_contain_text("110")
    desk.keyboard.press("Escape")
    desk.keyboard.press("k")
    expect(desk.locator(f"#desk-panel [data-panel='{first.number}']")).to_be_visible()
    with desk.expect_navigation(url=f"**/cases/{first.number}/"):
        desk.keyboard.press("o")


def test_the_reply_is_shown_as_the_reporter_will_read_it_while_it_is_typed(work: Casework, desk: Page) -> None:
    case = work.checked()
    opened(desk, "/desk/?tray=close", case.number)
    desk.keyboard.press("c")
    expect(desk.locator("#do-close textarea")).to_be_focused()
    desk.keyboard.type("垃圾已清走，谢谢您。")
    expect(desk.locator("[data-preview-reply]")).to_have_text("垃圾已清走，谢谢您。")


def test_one_press_merges_a_report_into_the_near_case(work: Casework, desk: Page) -> None:
    other, case = work.just_reported(), work.just_reported()
    Case.objects.filter(pk=other.pk).update(due_at=NOW.replace(hour=9))
    opened(desk, "/desk/", case.number)
    near = desk.locator(f"[data-aid=near] li:has-text('{other.number}')")
    with desk.expect_navigation():
        near.get_by_role("button").click()
    case.refresh_from_db()
    assert (case.state, case.merged_into_id) == ("merged", other.pk)
    with desk.expect_navigation():
        desk.locator(".toast-undo button").click()
    case.refresh_from_db()
    assert case.state == "reported"


def test_one_key_merges_into_the_likeliest_earlier_report(work: Casework, desk: Page) -> None:
    other, case = work.just_reported(), work.accepted()
    opened(desk, "/desk/?tray=dispatch", case.number)
    expect(desk.locator("[data-aid=near] [data-key=f]")).to_be_visible()
    expect(desk.locator("[data-aid=near] .badge", has_text="可能有关")).to_be_visible()
    with desk.expect_navigation():
        desk.keyboard.press("f")
    case.refresh_from_db()
    assert (case.state, case.merged_into_id) == ("merged", other.pk)


def test_a_refusal_leaves_what_was_chosen_and_says_why(work: Casework, desk: Page) -> None:
    case = work.accepted()
    opened(desk, "/desk/?tray=dispatch", case.number)
    desk.keyboard.press("d")
    desk.locator("#do-dispatch textarea").fill("请带铲车")
    Case.objects.filter(pk=case.pk).update(version=99)
    desk.locator("#do-dispatch button[type=submit]").click()
    expect(desk.locator("#refusal [data-refusal=stale]")).to_be_visible()
    expect(desk.locator("#do-dispatch textarea")).to_have_value("请带铲车")


def test_without_scripts_a_case_is_dispatched_from_the_tray(work: Casework, reader: Any) -> None:
    case = work.accepted()
    page: Page = reader(size="desk", person=work.world.lin, scripts=False)
    page.goto("/desk/?tray=dispatch")
    page.locator(f"tr[data-row='{case.pk}'] .row-act").first.click()
    page.locator("#do-dispatch button[type=submit]").click()
    assert "/desk/?tray=dispatch&done=" in page.url
    page.locator(".toast-undo button").click()
    case.refresh_from_db()
    assert case.state == "accepted"


def test_on_a_phone_a_row_opens_the_cases_page(work: Casework, reader: Any) -> None:
    case = work.just_reported()
    page: Page = reader(size="phone", person=work.world.lin)
    page.goto("/desk/")
    page.wait_for_selector("html.is-started[data-desk=started]")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    with page.expect_navigation(url=f"**/cases/{case.number}/"):
        page.locator(".desk-open").first.click()


def test_a_call_is_entered_at_the_desk_by_key_n(work: Casework, desk: Page) -> None:
    case = work.just_reported()
    opened(desk, "/desk/", case.number)
    with desk.expect_navigation(url="**/report/"):
        desk.keyboard.press("n")


def wait_for_dots(page: Page, count: int) -> None:
    """Until the map has so many points (asked from outside: the page's policy forbids evaluating text)."""
    for _n in range(100):
        if page.evaluate("document.querySelector('#list-map').dots?.size ?? 0") == count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the map never had {count} points")


def test_the_lists_map_opens_by_itself_at_the_desk_and_only_when_asked_on_a_phone(work: Casework, reader: Any) -> None:
    case = work.just_reported()
    page: Page = reader(size="desk", person=work.world.lin)
    page.goto("/cases/")
    expect(page.locator("#list-map .leaflet-container")).to_be_visible()
    wait_for_dots(page, 1)
    page.keyboard.press("j")
    expect(page.locator(".leaflet-tooltip")).to_contain_text("待受理")
    with page.expect_navigation(url=f"**/cases/{case.number}/"):
        page.keyboard.press("Enter")
    phone: Page = reader(size="phone", person=work.world.lin)
    phone.goto("/cases/", wait_until="networkidle")
    expect(phone.locator("#list-map")).to_be_hidden()
    phone.locator("[data-map-open]").click()
    expect(phone.locator("#list-map .leaflet-container")).to_be_visible()


def page_errors(page: Page) -> list[str]:
    """What goes wrong in the page's scripts from now on."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_desk_and_list_do_not_scroll_sideways_and_make_no_errors(work: Casework, reader: Any, language: str) -> None:
    for make in (work.just_reported, work.dispatched, work.checked):
        make()
    for size in ("desk", "phone", "narrow"):
        page: Page = reader(size=size, person=work.world.lin, language=language)
        errors = page_errors(page)
        for address in ("/desk/", "/desk/?tray=work", "/cases/"):
            page.goto(address, wait_until="networkidle")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (size, address, wide)
        assert errors == []


def test_the_place_and_the_time_told_are_taken_by_one_key_each_and_nothing_is_set_before(work: Casework, desk: Page) -> None:
    make_place(work.world, "听橹花园", aliases=("老船厂宿舍",))
    case = work.reported(words="老船厂宿舍昨晚八点到十点放音响", place=services.Place(), at=NOW).case
    desk.goto(f"/cases/{case.number}/do/accept")
    desk.wait_for_selector("html.is-started")
    fields = desk.locator("[name=place_id]"), desk.locator("[name=happened]")
    for field in fields:
        expect(field).to_have_value("")
    desk.keyboard.press("4")
    desk.evaluate("document.activeElement.blur()")
    desk.keyboard.press("5")
    expect(fields[0]).not_to_have_value("")
    expect(fields[1]).to_have_value(re.compile("T20:00.*T22:00"))
    desk.locator("[name=condition_id]").select_option(str(work.condition.pk))
    with desk.expect_navigation():
        desk.get_by_role("button", name="立案").click()
    case.refresh_from_db()
    assert (case.unit_grid_id, case.happened_from is not None) == (work.world.grid_a.pk, True)
