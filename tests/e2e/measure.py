"""What is measured of a page in the browser."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, Response

from jiequ.people.access import Door, access_of

# Every control a thumb is meant to hit on a phone; links inside running text and the display settings are not among them.
TARGETS = ", ".join(
    [
        ".actions .button, .page .button:not(.button-small), .tab, .door, .choice",
        ".cell[href], .case[href], .photo-add, .photo-remove, .more > summary",
    ]
)
SMALL_TARGETS = """([selector, least]) => [...document.querySelectorAll(selector)]
  .filter((one) => one.offsetParent !== null || getComputedStyle(one).position === "fixed")
  .map((one) => [one.className, one.textContent.trim().slice(0, 20), Math.round(one.getBoundingClientRect().height * 10) / 10])
  .filter(([, , height]) => height < least)"""
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  const sticksOut = (one) => one.offsetParent && one.getBoundingClientRect().right > room + 0.5;
  const wide = [...document.querySelectorAll("body *")].filter(sticksOut);
  const over = document.documentElement.scrollWidth - room;
  return over > 0 ? [`${over}px`, ...wide.slice(0, 3).map((one) => one.tagName + "." + one.className)] : [];
}"""


def public_pages() -> list[str]:
    """Every page anybody may open that needs no argument and is drawn as HTML; the style page in both frames."""
    found = []
    for path, view in routes(get_resolver().url_patterns):
        access = access_of(view)
        if access is not None and access.door is Door.PUBLIC and "<" not in path and _is_page("/" + path):
            found.append("/" + path)
    return [*sorted(found), "/style?frame=desk"]


def _is_page(path: str) -> bool:
    answer = Client().get(path)
    assert answer.status_code < 500, f"{path} breaks"
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and b"<html" in answer.content


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every (path, view) below some patterns."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def too_wide(page: Page) -> list[str]:
    """By how much a page scrolls sideways, and what sticks out; empty if it does not."""
    return page.evaluate(TOO_WIDE)


def small_targets(page: Page, least: int = 56) -> list[Any]:
    """Controls lower than ``least`` CSS pixels."""
    return page.evaluate(SMALL_TARGETS, [TARGETS, least])


def loaded(page: Page, path: str) -> dict[str, int]:
    """Opens a page; what the browser loaded for it and its bytes after gzip -6 (pictures count as they are)."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(path, wait_until="networkidle")
    sizes = {}
    for answer in answers:
        if answer.status == 200:
            body = answer.body()
            is_packed = (
                answer.headers.get("content-type", "").startswith("image/") and "svg" not in answer.headers["content-type"]
            )
            sizes[answer.url] = len(body) if is_packed else len(gzip.compress(body, 6))
    return sizes
