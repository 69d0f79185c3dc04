"""The guided story 河道堵塞, clicked through on the demonstration's own page: resident → leader → three departments → proof →
check → rating. Every step begins with the story's own button."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from jiequ.cases.models import Case
from jiequ.core import clock
from jiequ.web.demo.base import seed_base
from tests.e2e.conftest import Reader
from tests.photos import jpeg

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def demo(settings: Any, tmp_path: Path) -> None:
    """The demonstration's district, without its history."""
    settings.DEMO = True
    settings.MEDIA_ROOT = tmp_path
    seed_base(clock.now())


def step(page: Page, number: int) -> None:
    """Press the story's button of that step, counted from one."""
    page.goto("/demo")
    page.locator("ol.guide > li").nth(number - 1).locator("button").click()
    page.wait_for_selector("html.is-started")


def add_photo(page: Page, scope: str = "") -> None:
    photo = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.locator(f"{scope} .photo-add-camera input[type=file]").first.set_input_files(photo)
    expect(page.locator(f"{scope} figure.photo").first).to_be_visible()


def state_of(case: Case) -> str:
    case.refresh_from_db()
    return case.state


def test_the_story_of_the_blocked_river_can_be_clicked_through(reader: Reader, demo: None) -> None:
    assert django_settings.DEMO
    page = reader()

    step(page, 1)  # the resident; the plate fills in the place
    add_photo(page)
    page.locator("#report-words").fill("河涌被水浮莲堵住了")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*/?new=1")
    case = Case.objects.get()
    assert case.unit_grid_id is not None

    step(page, 2)  # the leader
    card = page.locator("article.pending", has_text=case.number)
    choose_river(card)
    card.locator("button[type=submit]").first.click()
    expect(page.get_by_role("heading", name="已经派出")).to_be_visible()
    assert state_of(case) == "dispatched"
    assert case.lead is not None
    assert case.lead.key == "sw"
    assert case.tasks.filter(state="open").count() == 3  # one tap told three departments

    step(page, 3)  # the water officer takes it
    page.get_by_role("button", name="接单").first.click()
    page.wait_for_url("**done=*")
    assert state_of(case) == "handling"

    step(page, 4)  # … and proves the work
    page.locator(".case-bar").get_by_text("提交处置").click()
    add_photo(page, "#do-handle")
    page.locator("#do-handle").get_by_role("button", name="提交处置").click()
    page.wait_for_url("**/cases/*/?done=*")
    assert state_of(case) == "handled"

    step(page, 5)  # the department confirms
    page.locator(".case-bar").get_by_text("部门确认").click()
    confirm = page.locator("#do-confirm").get_by_role("button", name="部门确认")
    if confirm.count():
        confirm.click()
    page.wait_for_url("**done=*")
    assert state_of(case) == "checking"

    step(page, 6)  # the grid worker looks
    page.locator("details", has_text="核查").first.locator("summary").click()
    page.get_by_role("button", name="核查通过").first.click()
    page.wait_for_url("**done=*")
    case.refresh_from_db()
    assert case.checked_at is not None

    step(page, 7)  # the acceptor closes with a sentence
    page.locator("#do-close textarea").first.fill("水浮莲已清走，水流恢复。")
    page.locator("#do-close").get_by_role("button", name="结案").click()
    page.wait_for_url("**done=*")
    assert state_of(case) == "closed"

    step(page, 8)  # the resident reads and rates
    expect(page.get_by_text("水浮莲已清走，水流恢复。").first).to_be_visible()
    page.locator("#rate input[name=is_solved][value=yes]").check(force=True)
    page.locator('#rate input[name=satisfaction][value="5"]').check(force=True)
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("button", name="提交评价")).to_be_hidden()
    assert case.ratings.get().is_solved
    page.goto("/demo")
    expect(page.locator("ol.guide > li.is-past")).to_have_count(8)


def choose_river(card: Any) -> None:
    """The leader names the type: the filing condition "ordinary obstruction" of 河道阻塞."""
    group = card.locator("select").first.locator("optgroup[label*='河道阻塞']")
    card.locator("select").first.select_option(value=group.locator("option").first.get_attribute("value"))
