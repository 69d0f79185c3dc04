"""The story 河道堵塞 on the emulator's phones, against the demonstration as a newcomer starts it; one start for the module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.phone_story import WITHIN_MS, Camera, Story, open_phones, play
from tests.support.demo import Demo, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
USUAL_MS = 5_000


@pytest.fixture(scope="module")
def demo(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The page of phones; it says nothing on its own console, and nor do the pages in its frames."""
    expect.set_options(timeout=WITHIN_MS)
    found, said = open_phones(browser, demo.phones), []
    found.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda fault: said.append(str(fault)))
    yield found
    found.context.close()
    expect.set_options(timeout=USUAL_MS)
    assert said == []


def test_the_blocked_river_goes_all_the_way_round_on_the_phones(page: Page, demo: Demo) -> None:
    play(Story(page, Camera(page, None), demo.product))
