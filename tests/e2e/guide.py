"""The pictures of the user guide, made anew from a running demonstration: python -m tests.e2e.guide http://127.0.0.1:8000

Start with ``./run demo --fresh`` and wait until /demo says that its history is whole: the walks make cases of their own.
Every button is pressed by the name the guide gives it, so a walk that stops tells where the guide and the product part.
``--only story desk`` takes some of the walks.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from jiequ.web import guide
from tests.e2e import guide_desk, guide_doors, guide_phone
from tests.e2e.browser import SIZES, chromium

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
FOLDER, THUMBS = GUIDE / "pictures", GUIDE / "thumbs"
COLOURS = 160
THUMB_QUALITY = 36
WAIT_MS = 60_000
WALKS = {**guide_phone.WALKS, **guide_desk.WALKS, **guide_doors.WALKS}


class Camera:
    """A browser that signs in as somebody and keeps small pictures of pages."""

    def __init__(self, browser: Browser, base: str, out: Path) -> None:
        self.browser, self.base, self.out = browser, base, out

    def enter(self, role: str = "", size: str = "phone", *, at: tuple[float, float] | None = None) -> Page:
        """A fresh reader: somebody of that role by the demonstration's button, or a resident; ``at``: (lon, lat)."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            base_url=self.base,
            viewport={"width": width, "height": height},
            device_scale_factor=1 if size == "desk" else 2,
            reduced_motion="reduce",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            has_touch=size != "desk",
            permissions=["geolocation"] if at else [],
            geolocation={"longitude": at[0], "latitude": at[1], "accuracy": 12} if at else None,
        )
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        if role:
            page.goto("/sign-in")
            page.locator("button.cell", has_text=role).first.click()
            settle(page)
        return page

    def take(self, page: Page, name: str, *, top: str = "", part: str = "") -> None:
        """One picture of the screen; ``top`` is what is scrolled to the upper edge, ``part`` the only thing to be seen."""
        settle(page)
        page.evaluate("document.activeElement.matches('input, textarea, select') && document.activeElement.blur()")
        if top:
            page.locator(top).first.evaluate("(node) => scrollTo(0, node.getBoundingClientRect().top + scrollY - 8)")
        page.wait_for_timeout(300)
        seen = page.locator(part).first if part else page
        self.keep(seen.screenshot(animations="disabled"), name)

    def keep(self, shot: bytes, name: str) -> None:
        """A screenshot as one of the guide's pictures."""
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        small = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        target = self.out / f"{name}.png"
        small.save(target, optimize=True)
        if self.out == FOLDER:
            keep_thumb(target)
        print(f"{target.name}  {target.stat().st_size // 1024} KB", flush=True)


def keep_thumb(picture: Path) -> Path:
    """The picture's thumbnail (jiequ/web/guide.py), written beside the pictures' folder."""
    target = THUMBS / guide.thumb_of(picture.name)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(thumb(picture))
    return target


def thumb(picture: Path) -> bytes:
    """A picture made small, as WebP."""
    whole, width = Image.open(picture).convert("RGB"), guide.thumb_width(picture.name)
    small = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=THUMB_QUALITY, method=6)
    return out.getvalue()


def settle(page: Page) -> None:
    """Scripts run and nothing is being fetched. A page that scrolls sideways has no business in a guide."""
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("html.is-started")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide}px"


def main() -> None:
    """Walk every walk, or those that are asked for."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("base")
    ask.add_argument("--only", nargs="+", choices=WALKS, default=list(WALKS))
    ask.add_argument("--out", type=Path, default=FOLDER)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with chromium(draws_maps=True) as browser:
        for name in given.only:
            WALKS[name](Camera(browser, given.base, given.out))


if __name__ == "__main__":
    main()
