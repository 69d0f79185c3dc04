"""What the guide's pictures of the doors show: reports by chat, cards, a WeChat that is tied, plates, hotline orders, Open311.

The phones are the demonstration's own, four ports above its pages.
"""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cv2
import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from jiequ.core.worktime import ZONE
from tests.e2e import phone_story
from tests.e2e.phone_story import Story

if TYPE_CHECKING:
    from tests.e2e.guide import Camera

PHONES_PORT = 4
ORDER = {
    "工单编号": "GZ-2026-1127",
    "问题类别": "河道阻塞",
    "诉求内容": "河涌被水浮莲堵住，请清理",
    "事发地址": "鹭港大道禾塘涌桥",
    "来电人": "周女士",
    "联系电话": "13900001127",
}


def phones_of(camera: Camera) -> str:
    """Where the demonstration's phones are."""
    found = urlsplit(camera.base)
    return f"http://{found.hostname}:{(found.port or 80) + PHONES_PORT}"


def open_story(camera: Camera) -> Story:
    """The phones, two pixels for each of the page."""
    context = camera.browser.new_context(
        viewport={"width": 1440, "height": 900},
        device_scale_factor=2,
        reduced_motion="reduce",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    page = context.new_page()
    page.set_default_timeout(phone_story.WITHIN_MS)
    expect.set_options(timeout=phone_story.WITHIN_MS)
    page.goto(phones_of(camera) + "/phones/")
    expect(page.locator("article.phone .rows").first).to_be_visible()
    return Story(page, phone_story.Camera(page, None), camera.base)


def shoot(camera: Camera, story: Story, phone: Locator, name: str) -> None:
    """A picture of one phone."""
    story.page.mouse.move(0, 0)
    story.page.evaluate("document.activeElement.blur()")
    story.page.wait_for_timeout(400)
    camera.keep(phone.screenshot(animations="disabled"), name)


def chat(camera: Camera) -> None:
    """A report by chat, a card in WeCom and what becomes of its button, and the answer to 进度."""
    story = open_story(camera)
    phone_story.leader_waits(story)
    phone_story.resident_reports(story)
    zhou = story.phone("周敏")
    shoot(camera, story, zhou, "phone-chat")
    phone_story.leader_dispatches(story)
    phone_story.lead_passes_on(story)
    phone_story.card_of(story, "江水生")
    shoot(camera, story, story.phone("江水生"), "phone-card")
    phone_story.handler_accepts(story)
    shoot(camera, story, story.phone("江水生"), "phone-card-taken")
    before = zhou.get_by_text(story.number).count()
    zhou.get_by_label("消息").fill("进度")
    zhou.get_by_role("button", name="发送", exact=True).click()
    expect(zhou.get_by_text(story.number).nth(before)).to_be_visible()
    shoot(camera, story, zhou, "phone-chat-progress")


def wechat(camera: Camera) -> None:
    """黄海涛's WeChat is untied and tied again, by code, name and four digits."""
    story, admin = open_story(camera), camera.enter("系统管理员", "desk")
    admin.goto("/people?q=黄海涛")
    admin.get_by_role("link", name="黄海涛").first.click()
    admin.locator("main").get_by_role("link", name="微信", exact=True).click()
    for begun in ("取消", "解绑"):  # an earlier code, an earlier WeChat
        if admin.locator("#binding").get_by_role("button", name=begun).count():
            admin.locator("#binding").get_by_role("button", name=begun).click()
    admin.get_by_role("button", name="出示一次性二维码").click()
    expect(admin.get_by_role("heading", name="请本人用微信扫")).to_be_visible()
    camera.take(admin, "desk-wechat-bind")
    scanned = {"text": code_on(admin)}
    httpx.post(f"{phones_of(camera)}/_emu/people/huang/scan", json=scanned, trust_env=False).raise_for_status()
    story.show("黄海涛")
    huang = story.chat("黄海涛")
    huang.locator(".bubble").filter(has_text="请点开确认").last.locator("button, a").last.click()
    web = story.web("黄海涛")
    expect(web.get_by_role("button", name="是我本人")).to_be_visible()
    shoot(camera, story, huang, "phone-wechat-me")
    web.get_by_role("button", name="是我本人").click()
    expect(web.locator(".check-code")).to_be_visible()
    shoot(camera, story, huang, "phone-wechat-code")
    admin.reload()
    admin.get_by_role("button", name="数字一样，确认绑定").click()
    expect(admin.get_by_role("button", name="解绑")).to_be_visible()


def code_on(page: Page) -> str:
    """What the code on a page says."""
    picture = Image.open(io.BytesIO(page.locator("#binding svg").first.screenshot())).convert("L")
    text, _corners, _straight = cv2.QRCodeDetector().detectAndDecode(np.asarray(picture))
    assert text, "no code could be read"
    return str(text)


def doors(camera: Camera) -> None:
    """Plates to print; a hotline's source and its order that was changed; what Open311 shows of the street."""
    page = camera.enter("系统管理员", "desk")
    page.goto("/plates")
    page.get_by_role("button", name="制作 PDF").click()
    page.get_by_role("link", name=re.compile("^PDF")).first.wait_for()
    camera.take(page, "desk-plates")
    _hotline(camera, page)
    page.goto("/open311/settings/")
    camera.take(page, "desk-open311")


def _hotline(camera: Camera, page: Page) -> None:
    page.goto("/hotline/sources/")
    page.locator("#name").fill("鹭港热线")
    page.locator("#slug").fill(f"gz-{datetime.now(ZONE):%H%M%S}")
    page.locator("#street").select_option(label="鹭港街道")
    page.get_by_role("button", name="建立并生成令牌").click()
    address, token = page.locator("#address").input_value(), page.locator("#token").input_value()
    page.get_by_role("link", name="去写映射，用样单试").click()
    page.get_by_role("button", name="保存映射").click()
    page.wait_for_load_state()
    camera.take(page, "desk-hotline-source")
    now = datetime.now(ZONE)
    times = {"来电时间": f"{now:%Y-%m-%d %H:%M}", "办理时限": f"{now + timedelta(days=3):%Y-%m-%d %H:%M}"}
    headers = {"Authorization": f"Bearer {token}"}
    for more in ({}, {"诉求内容": "河涌被水浮莲堵住，已经漫上人行道，请尽快清理"}):
        answer = httpx.post(address, json=ORDER | times | more, headers=headers, trust_env=False)
        assert answer.status_code in (201, 409), answer.text
    desk = camera.enter("受理员", "desk")
    desk.goto("/hotline/")
    camera.take(desk, "desk-hotline")


WALKS = {"chat": chat, "wechat": wechat, "doors": doors}
