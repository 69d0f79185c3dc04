"""The chain of ways on the phones: WeCom and WeChat refuse, so the text message and the letter arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Locator, expect

from emulator.scene import picture
from tests.e2e.phone_story import RIVER, Story

REFUSED = {
    "/qyapi/cgi-bin/message/send": 81013,  # no member the application may see
    "/api/cgi-bin/message/template/send": 43101,  # has refused
    "/api/cgi-bin/message/custom/send": 45015,  # the 48 hours are over
}


@contextmanager
def refusing(phones: str) -> Iterator[httpx.Client]:
    """As long as it lasts WeCom and WeChat take no message; the strings, to ask what was tried."""
    with httpx.Client(base_url=f"{phones}/_emu", trust_env=False) as strings:
        strings.delete("/transcript").raise_for_status()
        for where, code in REFUSED.items():
            given = {"kind": "errcode", "where": where, "errcode": code, "times": -1}
            strings.post("/faults", json=given).raise_for_status()
        try:
            yield strings
        finally:
            strings.delete("/faults").raise_for_status()


def tried(strings: httpx.Client) -> set[str]:
    """Which of the doors that refuse were knocked at."""
    found: list[dict[str, Any]] = strings.get("/transcript").json()
    return {one["path"] for one in found} & set(REFUSED)


def worker_reports_urgently(story: Story) -> None:
    """陈勇 fills in the form from his menu: a photo, the type, urgent."""
    story.show("陈勇", "钱江", "何志远")
    story.chat("陈勇")
    story.menu("陈勇", "上报", "填表上报")
    web = story.web("陈勇")
    expect(web.locator("html.is-started")).to_be_attached()
    photo = {"name": "river.jpg", "mimeType": "image/jpeg", "buffer": picture("blocked")}
    web.locator("[data-photos-camera]").set_input_files(photo)  # type: ignore[arg-type]
    expect(web.locator("figure.photo")).to_have_count(1)
    expect(web.locator("[data-place-lon]")).to_have_value(re.compile(r"113\.\d+"))
    if web.locator("[data-types-search]").is_hidden():  # behind the types used of late
        web.get_by_text("全部类型").click()
    web.locator("[data-types-search]").fill(RIVER)
    web.locator(".types-all [data-type]:visible").first.click()
    web.locator("input[name=is_urgent]").check(force=True)
    web.locator("#report").get_by_label("说一句").fill("河道堵死，水要漫进屋了")
    web.get_by_role("button", name="提交", exact=True).click()
    said = web.get_by_text(re.compile(r"LG-\d{4}-\d+")).first
    expect(said).to_be_visible()
    found = re.search(r"LG-\d{4}-\d+", said.inner_text())
    assert found
    story.number = found[0]


def leader_sends(story: Story) -> None:
    """何志远's open page has the case; it goes to the departments."""
    card = story.web("何志远").locator("article.pending", has_text=story.number)
    expect(card).to_be_visible()
    pick = card.locator("form.pending-form select").first
    if pick.count():
        pick.select_option(value=card.locator(f"optgroup[label*='{RIVER}'] option").first.get_attribute("value"))
    card.locator("form.pending-form button[type=submit]").click()
    expect(story.web("何志远").get_by_role("heading", name="已经派出")).to_be_visible()


def asks(story: Story, name: str) -> None:
    """Somebody asks in the chat, so that the 48 hours run in which the account may write by itself."""
    phone = story.chat(name)
    if phone.get_by_label("键盘").is_visible():
        phone.get_by_label("键盘").click()
    before = phone.locator("li.line.account").count()
    phone.get_by_label("消息").fill("待办")
    phone.get_by_role("button", name="发送", exact=True).click()
    expect(phone.locator("li.line.account").nth(before)).to_be_visible()


def arrived(story: Story, name: str, chat: str) -> Locator:
    """The newest line of somebody's text messages or letters that names the case."""
    phone = story.phone(name)
    if phone.get_by_label("返回").is_visible():
        phone.get_by_label("返回").click()
    phone.get_by_role("listitem").get_by_role("button", name=re.compile(f"^{chat}")).click()
    line = phone.locator(".lines").get_by_text(story.number).last
    expect(line).to_be_visible()
    return line
