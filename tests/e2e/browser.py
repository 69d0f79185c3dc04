"""Debian's Chromium under Playwright, the same way for tests and for pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.browser import ARGUMENTS
from tests.browser import chromium as chromium_path

SIZES = {"phone": (360, 740), "narrow": (320, 640), "desk": (1440, 900)}


DRAWS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
"""WebGL without a graphics card: what a map needs; slower, so only where one is drawn."""


@contextmanager
def chromium(*, draws_maps: bool = False) -> Iterator[Browser]:
    """A running browser; RuntimeError says what to install if there is none."""
    path = chromium_path()
    if path is None:
        raise RuntimeError("Chromium is not installed (Debian, Ubuntu: apt install chromium).")
    arguments = [one for one in ARGUMENTS if one != "--disable-gpu"] + DRAWS if draws_maps else ARGUMENTS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
