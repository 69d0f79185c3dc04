"""WeChat's and WeCom's own script on the report page, on the phones: the signature, the place, the camera roll, the scanner;
and the page without the script."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import FrameLocator, Page, Request, Response, Route, expect

from emulator.scene import picture
from tests.e2e.phone_story import Story, open_notice

SCRIPT, CHECK = re.compile(r"/jweixin-[\d.]+\.js$"), re.compile(r"/res/check$")


def asked_by(request: Request) -> dict[str, Any]:
    """What the script sends."""
    return dict(request.post_data_json or {})


def verdicts(page: Page) -> list[str]:
    """What the platform says of each signature from now on, with whom it was asked by: ``wx…: config:ok``."""
    found: list[str] = []

    def keep(answer: Response) -> None:
        if urlsplit(answer.url).path.endswith("/res/check"):
            asked = asked_by(answer.request)
            found.append(f"{asked.get('agentid') or asked['appId']}: {answer.json()['errMsg']}")

    page.on("response", keep)
    return found


def expect_verdicts(page: Page, said: list[str], wanted: list[str]) -> None:
    """An answer's words are fetched after the page has used them: they are waited for."""
    until = time.monotonic() + 10
    while len(said) < len(wanted) and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert said == wanted


def report_page(story: Story) -> FrameLocator:
    """周敏 opens the form from the account's menu."""
    story.show("周敏", "何志远", "江水生")
    story.chat("周敏")
    story.menu("周敏", "我要上报", "填表上报")
    web = story.web("周敏")
    expect(web.locator("html.is-started")).to_be_attached()
    return web


def chooses_a_photo(story: Story, web: FrameLocator) -> None:
    """WeChat's camera roll fills the page's own field."""
    web.get_by_role("button", name="用微信选照片").click()
    story.phone("周敏").get_by_label("照片 1").click()
    story.phone("周敏").get_by_role("button", name="选好了").click()
    expect(web.locator("figure.photo")).to_have_count(1)


def is_placed(story: Story, web: FrameLocator) -> None:
    """The place comes from WeChat, in its own coordinates."""
    web.locator("[data-place-find]").click()
    expect(web.locator("[data-place-system]")).to_have_value("gcj02")
    expect(web.locator("[data-place-lon]")).to_have_value(re.compile(r"113\.\d+"))
    expect(web.get_by_text(re.compile("已带上位置"))).to_be_visible()


def scans_a_plate(story: Story, web: FrameLocator, text: str) -> None:
    """The phone's camera is held to a code that says ``text``."""
    web.get_by_role("button", name="扫点位牌").click()
    story.phone("周敏").get_by_label("码里的内容").fill(text)
    story.phone("周敏").get_by_role("button", name="确定").click()


def plate_near(product: str) -> tuple[str, str]:
    """The code of the unit grid at the blocked river, and what its plate says."""
    told = httpx.get(f"{product}/grid/locate", params={"x": 113.497, "y": 23.171, "system": "cgcs2000"}, trust_env=False).json()
    code = str(told["unit_grid"]["code"])
    return code, f"{product}/p/{code}"


def forge(route: Route) -> None:
    """Another page's signature, on its way to the platform's check."""
    route.continue_(post_data=json.dumps(asked_by(route.request) | {"signature": "0" * 40}))


def takes_a_file(web: FrameLocator) -> None:
    """The plain field takes a photo; nothing of WeChat's is offered."""
    expect(web.locator("[data-wechat]")).to_be_hidden()
    photo = {"name": "river.jpg", "mimeType": "image/jpeg", "buffer": picture("blocked")}
    web.locator("[data-photos-camera]").set_input_files(photo)  # type: ignore[arg-type]
    expect(web.locator("figure.photo")).to_have_count(1)


def is_agents(answer: Response) -> bool:
    """The platform's verdict on the application's own signature."""
    return bool(CHECK.search(answer.url)) and "agentid" in asked_by(answer.request)


def report_page_in_wecom(story: Story) -> FrameLocator:
    """From the page behind a card of the story on to the form, in WeCom's browser."""
    story.show("周敏", "江水生", "何志远")
    web = open_notice(story, "江水生", "企业微信")
    web.get_by_role("link", name="上报", exact=True).first.click()
    expect(web.locator("#report")).to_be_visible()
    return web
