"""Steering the desk in real browsers: several rows by keyboard, who reads a row, and pages that follow what others do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jiequ.cases.models import Case
from tests.actors import MovableClock, make_world
from tests.casework import Casework, make_condition

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def work(transactional_db: None, clock: MovableClock, settings: Any, tmp_path: Path) -> Casework:
    settings.MEDIA_ROOT = tmp_path
    return Casework(make_world(), make_condition())


def desk(reader: Any, work: Casework, name: str = "lin", tray: str = "dispatch") -> Page:
    page: Page = reader(size="desk", person=work.world.people[name])
    page.goto(f"/desk/?tray={tray}")
    page.wait_for_selector("html.is-started[data-desk=started]")
    return page


def test_ticked_rows_are_dispatched_together_by_keyboard_and_taken_back_by_one_press(work: Casework, reader: Any) -> None:
    cases = [work.accepted() for _n in range(4)]
    page = desk(reader, work)
    expect(page.locator("#lot-form")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+J")
    expect(page.locator("[data-lot-count]")).to_have_text("已选 3 件")
    keystrokes = ["d", "Enter"]  # after ticking: the two that dispatch
    page.keyboard.press(keystrokes[0])
    expect(page.locator("#lot-form button[name=move]").first).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press(keystrokes[1])
    expect(page.locator(".lot-said")).to_contain_text("办成 3 件")
    assert sorted(Case.objects.values_list("state", flat=True)) == ["accepted", "dispatched", "dispatched", "dispatched"]
    with page.expect_navigation():
        page.locator(".toast-undo button").click()
    expect(page.locator(".lot-said")).to_contain_text("撤回 3 件")
    assert set(Case.objects.values_list("state", flat=True)) == {"accepted"}
    assert len(cases) == 4


def test_escape_lets_go_of_the_ticks_and_the_box_above_takes_all(work: Casework, reader: Any) -> None:
    for _n in range(3):
        work.accepted()
    page = desk(reader, work)
    page.locator("[data-tick-all]").check()
    expect(page.locator("[data-tick]:checked")).to_have_count(3)
    page.keyboard.press("Escape")  # out of the box
    page.locator("body").press("Escape")
    expect(page.locator("[data-tick]:checked")).to_have_count(0)
    expect(page.locator("#lot-form")).to_be_hidden()


def test_without_scripts_ticked_rows_go_together_too(work: Casework, reader: Any) -> None:
    for _n in range(2):
        work.accepted()
    page: Page = reader(size="desk", person=work.world.lin, scripts=False)
    page.goto("/desk/?tray=dispatch")
    for box in page.locator("[data-tick]").all():
        box.check()
    page.locator("#lot-form button[name=move]").first.click()
    assert "办成 2 件" in page.content()


def test_two_at_the_desk_see_each_other_on_the_row_and_not_after_it_is_closed(work: Casework, reader: Any) -> None:
    case = work.accepted()
    lin = desk(reader, work)
    expect(lin.locator(f"#desk-panel [data-panel='{case.number}']")).to_be_visible()
    liang = desk(reader, work, "liang")
    expect(liang.locator("tr .readers")).to_have_text("林晓 正在看")
    lin.close(run_before_unload=True)
    liang.wait_for_timeout(500)
    liang.reload()
    expect(liang.locator("#desk-panel [data-panel]")).to_be_visible()
    expect(liang.locator("tr .readers")).to_be_hidden()


def test_a_page_that_only_asks_follows_what_others_do_and_moves_nothing_under_the_hand(work: Casework, reader: Any) -> None:
    first, second = work.accepted(), work.accepted()
    page = desk(reader, work)
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(page.locator(f"tr[data-row='{second.pk}']")).to_be_focused()
    third = work.accepted()
    row = page.locator(f"tr[data-row='{third.pk}']")
    expect(row).to_be_visible(timeout=15_000)
    expect(page.locator(f"tr[data-row='{second.pk}']")).to_be_focused()
    expect(page.locator("[data-tick]:checked")).to_have_count(1)
    expect(page.locator(".desk-trays [aria-current] b")).to_have_text("3")
    assert first.pk != second.pk
