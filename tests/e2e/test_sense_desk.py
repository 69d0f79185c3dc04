"""The analyst's desk in a real browser: a dozen verdicts and more by keys alone, taken back, and without scripts by forms."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from jiequ.people.models import Person
from jiequ.sense.models import Suspect, Verdict
from tests.actors import MovableClock, World, make_world
from tests.support.sense import analyst
from tests.support.suspects import queue_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
KEYS = "cl1x2c34l5c67c8"


@pytest.fixture
def pan(transactional_db: None, clock: MovableClock, settings: Any, tmp_path: Path, live_server: Any) -> Person:
    settings.MEDIA_ROOT = tmp_path
    settings.TILES_URL = f"{live_server.url}/tiles/"
    world: World = make_world()
    queue_of(world, len(KEYS) + 3)
    return analyst(world)[0]


def with_pictures(page: Page) -> Page:
    """The tile process is played: a grey square for each cut-out."""
    grey = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(grey, "JPEG")

    def answer(route: Route) -> None:
        route.fulfill(body=grey.getvalue(), content_type="image/jpeg")

    page.route("**/tiles/sense/**", answer)
    return page


def opened(page: Page) -> None:
    page.goto("/sense/desk/")
    page.wait_for_selector("html.is-started")
    with page.expect_navigation():
        page.keyboard.press("o")
    page.wait_for_selector("html.is-started")
    expect(page.locator("[data-sight-bar]")).to_be_visible()


def test_fifteen_verdicts_take_fifteen_presses(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    seen = []
    for key in KEYS:
        seen.append(page.locator("[data-suspect]").get_attribute("data-number"))
        page.keyboard.press(key)
        expect(page.locator("[data-suspect]")).not_to_have_attribute("data-number", seen[-1] or "")
    expect(page.locator("[data-verdict-said]")).to_contain_text(seen[-1] or "")
    said = [(one.suspect.number, one.said, one.false_alarm) for one in Verdict.objects.order_by("pk").select_related("suspect")]
    assert [number for number, _said, _class in said] == seen, "each suspect once, in the order in which it was shown"
    assert [one for _number, one, _class in said] == [
        {"c": "confirmed", "l": "lawful", "x": "cannot"}.get(key, "not") for key in KEYS
    ]
    assert {one for _number, said, one in said if said == "not"} == {
        "plants", "shadow", "lean", "vehicle", "goods", "surface", "water", "other"
    }  # fmt: skip


def test_u_takes_the_last_ones_back_one_after_another(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    first = page.locator("[data-suspect]").get_attribute("data-number") or ""
    page.keyboard.press("c")
    expect(page.locator("[data-suspect]")).not_to_have_attribute("data-number", first)
    second = page.locator("[data-suspect]").get_attribute("data-number") or ""
    page.keyboard.press("1")
    expect(page.locator("[data-verdict-said]")).to_contain_text(second)
    page.keyboard.press("u")
    expect(page.locator("[data-suspect]")).to_have_attribute("data-number", second)
    page.keyboard.press("u")
    expect(page.locator("[data-suspect]")).to_have_attribute("data-number", first)
    expect(page.locator("[data-verdict-undo]")).to_be_hidden()
    assert set(Suspect.objects.values_list("state", flat=True)) == {"open"}
    page.keyboard.press("l")
    expect(page.locator("[data-suspect]")).not_to_have_attribute("data-number", first)


def test_a_verdict_that_somebody_else_was_quicker_with_is_said(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    number = page.locator("[data-suspect]").get_attribute("data-number") or ""
    Suspect.objects.filter(number=number).update(state="lawful", version=7)
    page.keyboard.press("c")
    toast = page.locator(".toast").filter(has_text=number)
    expect(toast).to_be_visible()
    expect(toast.locator("a")).to_have_attribute("href", f"/sense/desk/{Suspect.objects.get(number=number).pk}/")
    assert not Verdict.objects.exists()


def test_looking_by_keys_swipes_blinks_and_zooms(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    room, picture = page.locator("[data-room]"), page.locator("[data-side=after] [data-picture]")
    page.keyboard.press("s")
    expect(room).to_have_attribute("data-look", "swipe")
    page.locator("[data-swipe]").focus()
    page.keyboard.press("Home")
    assert room.evaluate("room => room.style.getPropertyValue('--edge')") == "0%"
    page.locator("[data-swipe]").blur()
    page.keyboard.press("b")
    page.keyboard.press("b")
    expect(page.locator(".sight-after")).to_be_hidden()
    page.keyboard.press("b")
    expect(page.locator(".sight-after")).to_be_visible()
    around = picture.get_attribute("src")
    page.keyboard.press("+")
    assert picture.get_attribute("src") != around
    page.keyboard.press("+")
    assert "scale(2)" in (picture.get_attribute("style") or "")
    page.keyboard.press("c")
    expect(room).to_have_attribute("data-look", "blink")  # how one looks stays


def test_it_works_without_scripts_by_plain_forms(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="phone", person=pan, scripts=False))
    page.goto("/sense/desk/")
    page.locator("a[data-key=o]").click()
    first = page.locator("[data-suspect]").get_attribute("data-number") or ""
    expect(page.locator(".sight-side")).to_have_count(2)
    page.locator("button[value='not:goods']").click()
    assert page.locator("[data-suspect]").get_attribute("data-number") != first
    page.locator("[data-verdict-undo] button").click()
    assert page.locator("[data-suspect]").get_attribute("data-number") == first
    assert [one.undone_at is not None for one in Verdict.objects.all()] == [True]


def test_an_outline_is_drawn_on_the_picture_and_kept(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    number = page.locator("[data-suspect]").get_attribute("data-number") or ""
    page.keyboard.press("d")
    form = page.locator("[data-draws=polygon]")
    form.locator("[data-draw]").click()
    frame = page.locator("[data-side=after] .sight-frame")
    for x, y in ((200, 150), (280, 150), (280, 230), (200, 230)):
        frame.click(position={"x": x, "y": y})
    page.keyboard.press("Enter")
    assert len((form.locator("textarea").input_value()).splitlines()) == 4
    with page.expect_navigation():
        form.locator("[type=submit]").click()
    drawn = Suspect.objects.get(number=number)
    assert (drawn.is_drawn, drawn.version) == (True, 2)
    assert 50 < drawn.area_m2 < 2000


def test_heights_are_measured_between_two_places_that_are_pressed(pan: Person, reader: Any) -> None:
    page = with_pictures(reader(size="desk", person=pan))
    opened(page)
    heights, line = page.locator("[data-heights]"), page.locator("[data-side=after] .shape-line")
    along, drawn = heights.get_attribute("src") or "", line.get_attribute("d") or ""
    frame = page.locator("[data-side=after] .sight-frame")
    page.keyboard.press("m")
    expect(page.locator("[data-measure-help]")).to_be_visible()
    frame.click(position={"x": 120, "y": 150})
    page.keyboard.press("Escape")
    expect(line).to_have_attribute("d", drawn)
    assert heights.get_attribute("src") == along
    page.keyboard.press("m")
    frame.click(position={"x": 120, "y": 150})
    page.locator("[data-side=before] .sight-frame").click(position={"x": 300, "y": 150})
    expect(page.locator("[data-measure-help]")).to_be_hidden()
    expect(line).not_to_have_attribute("d", drawn)
    address = heights.get_attribute("src") or ""
    assert address.split("/")[:-1] == along.split("/")[:-1]
    west, south, east, north = (float(word) for word in address.split("/")[-1].split(".svg")[0].split(","))
    assert west < east
    assert south == pytest.approx(north, abs=2e-6)
    assert address.split("?t=")[1] == along.split("?t=")[1]
