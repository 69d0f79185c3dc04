"""Debian's Chromium under Playwright, the same way for tests and for pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.browser import ARGUMENTS
from tests.browser import chromium as chromium_path

SIZES = {"phone": (360, 740), "narrow": (320, 640), "desk": (1440, 900)}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; RuntimeError says what to install if there is none."""
    path = chromium_path()
    if path is None:
        raise RuntimeError("Chromium is not installed (Debian, Ubuntu: apt install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
