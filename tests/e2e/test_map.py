"""The console's map, really drawn (WebGL in software): clusters become points, rows and points answer each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.grid.rules import q18
from tests.actors import NOW, MovableClock, World, make_world
from tests.casework import Casework, make_condition

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
DRAWS_MAPS = True


@pytest.fixture
def work(transactional_db: None, clock: MovableClock, settings: Any, tmp_path: Path) -> Casework:
    settings.MEDIA_ROOT = tmp_path
    world: World = make_world()
    return Casework(world, make_condition())


def open_map(page: Page, address: str = "/map/") -> list[str]:
    """The map, drawn and filled; the console's complaints (a request that a quicker one replaced is none)."""
    said: list[str] = []
    page.on(
        "console",
        lambda message: message.type in {"error", "warning"} and "htmx:" not in message.text and said.append(message.text),
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    page.wait_for_selector("html[data-map=drawn]", timeout=30_000)
    page.wait_for_selector("#map-status:not(:empty)", timeout=15_000)
    return said


def many(work: Casework, count: int) -> None:
    """Cases around the first place, counted as an importer does."""
    first = work.dispatched()
    lon, lat = work.world.point_in("a")
    made = []
    for i in range(count):
        one = Case.objects.get(pk=first.pk)
        one.pk, one.number, one.lon, one.lat = None, f"LG-2026-{i + 500:06d}", lon + i % 30 * 4e-5, lat + i // 30 * 4e-5
        one.q18 = q18(one.lon, one.lat)
        made.append(one)
    services.count_in(Case.objects.bulk_create(made))


def test_a_row_and_its_point_and_the_part_beside_belong_together(work: Casework, reader: Any) -> None:
    first, second = work.just_reported(), work.dispatched()
    page = reader(size="desk", person=work.world.lin)
    said = open_map(page)
    room = page.locator("#desk-map")
    expect(room).to_have_attribute("data-drawn", "2")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(room).to_have_attribute("data-chosen", str(first.pk))
    expect(page.locator(f"#desk-panel [data-panel='{first.number}']")).to_be_visible()
    page.locator(f"#map-rows [data-row='{second.pk}'] small").first.click()
    expect(room).to_have_attribute("data-chosen", str(second.pk))
    expect(page.locator(f"#desk-panel [data-panel='{second.number}']")).to_be_visible()
    assert said == []


def test_a_point_opens_its_case_and_chooses_its_row(work: Casework, reader: Any) -> None:
    case = work.dispatched()
    lon, lat = work.world.point_in("a")
    page = reader(size="desk", person=work.world.lin)
    open_map(page, f"/map/#at=15/{lat}/{lon}")
    expect(page.locator("#desk-map")).to_have_attribute("data-drawn", "1")
    page.wait_for_timeout(500)  # the dot is in the next frame
    canvas = page.locator("#desk-map canvas").bounding_box()
    assert canvas
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    expect(page.locator(f"#map-rows [data-row='{case.pk}']")).to_have_attribute("aria-selected", "true")
    expect(page.locator(f"#desk-panel [data-panel='{case.number}']")).to_be_visible()


def test_clusters_become_points_as_one_comes_near_and_the_list_follows(work: Casework, reader: Any) -> None:
    many(work, 900)
    lon, lat = work.world.point_in("a")
    page = reader(size="desk", person=work.world.lin)
    open_map(page, f"/map/#at=11/{lat}/{lon}")
    room = page.locator("#desk-map")
    expect(room).to_have_attribute("data-drawn", "0")
    cluster = page.locator(".map-cluster").first
    expect(cluster).to_have_attribute("aria-label", "这一片 901 件，未结 901 件：点开放大")
    expect(page.locator("#map-rows .map-count")).to_contain_text("还有更多")
    cluster.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#at=13"))  # no function waited for: the page may not evaluate
    page.locator(".map-cluster").first.press("Enter")
    expect(room).to_have_attribute("data-drawn", "901", timeout=15_000)
    expect(page.locator(".map-cluster")).to_have_count(0)


def test_layers_are_switched_by_letter_and_what_changed_appears(work: Casework, reader: Any) -> None:
    page = reader(size="desk", person=work.world.lin)
    open_map(page)
    page.keyboard.press("g")
    expect(page.locator("[data-layer=units]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#desk-map")).to_have_attribute("data-drawn", "0")
    work.just_reported()
    page.evaluate("document.dispatchEvent(new CustomEvent('jiequ:changed', { detail: { ids: [], changes: [], all: true } }))")
    expect(page.locator("#desk-map")).to_have_attribute("data-drawn", "1")
    expect(page.locator("#map-rows [data-row]")).to_have_count(1)


def test_a_handler_without_the_part_beside_is_led_to_the_cases_page(work: Casework, reader: Any) -> None:
    case = work.handling()
    page = reader(size="desk", person=work.world.huang)
    open_map(page)
    page.locator(f"#map-rows [data-row='{case.pk}'] small").first.click()
    page.wait_for_url(f"**/cases/{case.number}/")


def test_without_webgl_the_page_says_so_and_keeps_its_lists(work: Casework, reader: Any) -> None:
    case = work.fresh(work.just_reported(), "lin")
    services.accept(case, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    page = reader(size="desk", person=work.world.lin)
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto("/map/")
    page.wait_for_selector("html[data-map=none]")
    expect(page.locator("#map-without")).to_contain_text("没有 WebGL")
    expect(page.locator("#map-without a")).to_contain_text("东涌社区")
    expect(page.locator("#desk-map")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator(f"#desk-panel [data-panel='{case.number}']")).to_be_visible()
