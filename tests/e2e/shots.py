"""Pictures of pages as a reader sees them: python -m tests.e2e.shots http://127.0.0.1:8000 / /about --out var/shots

Sizes phone (360×740), narrow (320×640) and desk (1440×900); languages zh and en; themes light and dark; care mode.
"""

from __future__ import annotations

import argparse
import itertools
import re
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.e2e.browser import SIZES, chromium


def main() -> None:
    """Take every asked combination and say where each picture lies and whether the page scrolls sideways."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("base")
    ask.add_argument("paths", nargs="+")
    ask.add_argument("--out", type=Path, default=Path("var/shots"))
    ask.add_argument("--size", nargs="+", choices=SIZES, default=["phone"])
    ask.add_argument("--language", nargs="+", choices=["zh", "en"], default=["zh"])
    ask.add_argument("--theme", nargs="+", choices=["light", "dark"], default=["light"])
    ask.add_argument("--care", action="store_true")
    ask.add_argument("--no-scripts", action="store_true")
    ask.add_argument("--full", action="store_true", help="the whole page, not one screen")
    ask.add_argument("--maps", action="store_true", help="with WebGL, for pages with the console's map (slower)")
    ask.add_argument("--session", help="value of the session cookie of somebody signed in")
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with chromium(draws_maps=given.maps) as browser:
        for size, language, theme in itertools.product(given.size, given.language, given.theme):
            page = open_page(browser, given, size, language, theme)
            for path in given.paths:
                shoot(page, given, path, f"{size}-{language}-{theme}{'-care' if given.care else ''}")
            page.context.close()


def open_page(browser: Browser, given: argparse.Namespace, size: str, language: str, theme: str) -> Page:
    """A fresh reader with these preferences."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1 if size == "desk" else 2,
        java_script_enabled=not given.no_scripts,
        reduced_motion="reduce",
    )
    cookies = {"django_language": "en" if language == "en" else "zh-hans", "theme": theme, "care": str(int(given.care))}
    if given.session:
        cookies["jiequ_session"] = given.session
    context.add_cookies([{"name": name, "value": value, "url": given.base} for name, value in cookies.items()])
    return context.new_page()


def shoot(page: Page, given: argparse.Namespace, path: str, kind: str) -> None:
    """One picture, one line."""
    page.goto(given.base + path, wait_until="networkidle")
    name = re.sub(r"[^\w=-]+", "_", path).strip("_") or "home"
    target = given.out / f"{name}-{kind}.png"
    page.screenshot(path=target, full_page=given.full)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    print(target, "" if wide <= 0 else f"SCROLLS SIDEWAYS by {wide}px")


if __name__ == "__main__":
    main()
