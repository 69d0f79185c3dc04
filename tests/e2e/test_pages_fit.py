"""Every page anybody may open: fits a narrow phone, is light, has large targets, works with scripts off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Reader
from tests.e2e.measure import loaded, public_pages, small_targets, too_wide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

MOST_BYTES = 60 * 1024


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("care", [False, True], ids=["standard", "care"])
def test_no_public_page_scrolls_sideways_at_320_pixels(reader: Reader, world: Any, language: str, care: bool) -> None:
    page = reader(size="narrow", language=language, care=care)
    wrong = {}
    for path in public_pages():
        page.goto(path, wait_until="load")
        if found := too_wide(page):
            wrong[path] = found
    assert wrong == {}


def test_the_sideways_measure_sees_what_sticks_out(reader: Reader, world: Any) -> None:
    page = reader(size="narrow")
    page.goto("/about")
    page.evaluate("document.querySelector('main').append(Object.assign(document.createElement('hr'), {id: 'wide'}))")
    page.evaluate("document.getElementById('wide').style.width = '500px'")
    assert too_wide(page)


def test_the_first_load_of_every_phone_page_is_at_most_60_kib_after_gzip(reader: Reader, world: Any) -> None:
    heavy = {}
    for path in public_pages():
        if "desk" in path:
            continue
        sizes = loaded(reader(), path)
        assert any("htmx" in url for url in sizes), f"{path} loaded no scripts: the measure is broken"
        if sum(sizes.values()) > MOST_BYTES:
            heavy[path] = sizes
    assert heavy == {}


def test_what_a_thumb_must_hit_is_at_least_56_pixels_high(reader: Reader, world: Any) -> None:
    page = reader()
    wrong = {}
    for path in public_pages():
        page.goto(path, wait_until="load")
        if "desk" not in path and (found := small_targets(page)):
            wrong[path] = found
    assert wrong == {}
    page.goto("/style")
    assert small_targets(page, least=57), "the measure finds no target at all"


def test_pages_are_read_and_forms_are_sent_with_scripts_off(reader: Reader, world: Any) -> None:
    page = reader(scripts=False)
    for path in public_pages():
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, path
        assert page.locator("h1").first.is_visible(), path
    page.goto("/feedback?page=/about")
    page.get_by_label("您想说的").fill("字太小，看不清。")
    page.get_by_role("button", name="发送").click()
    assert page.get_by_text("字太小，看不清。").is_visible()
    assert page.get_by_text("还没有答复").is_visible()


def test_larger_type_and_language_are_kept_with_scripts_off(reader: Reader, world: Any) -> None:
    page = reader(scripts=False)
    page.goto("/about")
    page.get_by_role("button", name="大字").click()
    assert page.url.endswith("/about")
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 19
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("heading", name="About and privacy").is_visible()
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 19


def test_nothing_breaks_the_content_security_policy(reader: Reader, world: Any) -> None:
    page = reader()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    for path in public_pages():
        page.goto(path, wait_until="networkidle")
    assert told == []
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert any("style" in text for text in told), "the policy is not in force"
