"""A real browser against a real server on an SQLite file; each test a fresh reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.actors import client_of
from tests.browser import chromium as chromium_path
from tests.e2e.browser import SIZES, chromium

Reader = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium. Playwright keeps an event loop in this thread, which Django takes for async code: allowed here only.

    A module that says ``DRAWS_MAPS = True`` gets one with WebGL.
    """
    if chromium_path() is None:
        pytest.skip("Chromium is not installed")  # ./run test says so in a line of its own and installs it where it may
    draws_maps = getattr(request.module, "DRAWS_MAPS", False)
    with pytest.MonkeyPatch.context() as patch, chromium(draws_maps=draws_maps) as running:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield running


@pytest.fixture
def reader(browser: Browser, live_server: Any) -> Iterator[Reader]:
    """``reader(size="phone", language="en", person=…, client=…, scripts=False, …)`` → a page of a fresh browser profile."""
    opened: list[BrowserContext] = []

    def open_reader(
        *,
        size: str = "phone",
        language: str = "zh",
        person: Any = None,
        client: Client | None = None,
        scripts: bool = True,
        care: bool = False,
    ) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            reduced_motion="reduce",
            has_touch=size != "desk",
        )
        opened.append(context)
        kept = {"django_language": "en" if language == "en" else "zh-hans", "care": str(int(care))}
        if person is not None:
            kept["jiequ_session"] = session_of(person)
        elif client is not None:
            kept["jiequ_session"] = client.cookies["jiequ_session"].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in kept.items()])
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    yield open_reader
    for context in opened:
        context.close()


def session_of(person: Any) -> str:
    """The session cookie of somebody signed in."""
    assert isinstance(person, get_user_model())
    client: Client = client_of(person)
    return client.cookies["jiequ_session"].value
