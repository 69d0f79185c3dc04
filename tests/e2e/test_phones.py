"""The emulator's page with phones, played in a browser: chat, menu, camera roll, cards, the record, and its accessibility."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from emulator import crypto, scene
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from emulator.xml import to_xml
from tests.emulator.callback import TOKEN, Push, listening
from tests.emulator.product import Product
from tests.emulator.test_work import CARD, Work, connect, passive

pytestmark = pytest.mark.browser
SECOND = 3_000
PAGE = """<!doctype html><meta charset="utf-8"><title>上报</title><p id="told">…</p>
<button id="choose">选照片</button><button id="close">关</button>
<script src="SCRIPT"></script><script>
const told = document.getElementById("told");
wx.config(CONFIG);
wx.error((found) => { told.textContent = found.errMsg; });
wx.ready(() => wx.getLocation({ success: (found) => { told.textContent = `config:ok ${found.latitude}`; } }));
const show = (found) => {
  const img = document.createElement("img");
  Object.assign(img, { alt: "照片", width: 90, src: found.localIds[0] });
  document.body.append(img);
};
document.getElementById("choose").onclick = () => wx.chooseImage({ count: 1, success: show });
document.getElementById("close").onclick = () => wx.closeWindow();
</script>"""


@pytest.fixture
def page(browser: Browser, emulator: Strings) -> Iterator[Page]:  # noqa: F811
    """The page at 1440 by 900; it says nothing on the console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="zh-CN")
    found = context.new_page()
    found.set_default_timeout(10_000)
    said: list[str] = []
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda fault: said.append(str(fault)))
    yield found
    context.close()
    # A localId is no address: the script turns it into one after the browser has tried.
    assert not [one for one in said if "ERR_UNKNOWN_URL_SCHEME" not in one]


def phone_of(page: Page, name: str) -> Locator:
    return page.get_by_label(f"{name}的手机")


def account_of(phone: Locator) -> Locator:
    """The official account in the list of chats."""
    return phone.get_by_role("listitem").first.get_by_role("button")


def open_phones(page: Page, emulator: Strings) -> None:  # noqa: F811
    page.goto(emulator.base + "/phones/")
    expect(account_of(phone_of(page, "周敏"))).to_be_visible()


def answer(push: Push) -> tuple[int, str]:
    """A product that thanks for each message."""
    fields = push.fields
    if fields["MsgType"] == "event":
        return 200, ""
    words = {"ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"], "CreateTime": 1, "MsgType": "text"}
    return 200, to_xml({**words, "Content": f"收到{fields['MsgType']}"})


def test_a_report_is_sent_by_photo_place_and_words_and_the_leader_sees_a_card(
    page: Page,
    emulator: Strings,  # noqa: F811
) -> None:
    with listening() as callback:
        callback.answer = answer
        emulator.server(callback.url, token=TOKEN)
        open_phones(page, emulator)
        zhou = phone_of(page, "周敏")
        account_of(zhou).click()
        zhou.get_by_role("button", name="关注公众号").click()
        zhou.get_by_label("更多方式").click()
        zhou.get_by_role("button", name="照片", exact=True).click()
        zhou.get_by_label("照片 1").click()
        zhou.get_by_role("button", name="选好了").click()
        expect(zhou.get_by_text("收到image")).to_be_visible()
        zhou.get_by_label("更多方式").click()
        zhou.get_by_role("button", name="位置", exact=True).click()
        zhou.get_by_role("dialog").get_by_role("button", name="发送").click()
        expect(zhou.get_by_text("收到location")).to_be_visible()
        zhou.get_by_label("消息").fill("河道堵了")
        zhou.get_by_role("button", name="发送", exact=True).click()
        expect(zhou.get_by_text("收到text")).to_be_visible()
        assert callback.kinds() == ["subscribe", "image", "location", "text"]

        emulator.does("he", "follow")
        product = Product(emulator.base)
        template = next(iter(emulator.ask("GET", "/state")["accounts"][scene.APPID]["templates"]))
        data = {"character_string1": "LG-2026-000123", "thing2": "河道堵塞", "thing3": "待处理", "time4": "2026-11-27 18:00"}
        values = {name: {"value": value} for name, value in data.items()}
        body = {"touser": emulator.openid("he"), "template_id": template, "data": values}
        product.post("/cgi-bin/message/template/send", body)
        product.close()
        he = phone_of(page, "何志远")
        expect(he.get_by_text("工单处理通知")).to_be_visible(timeout=SECOND)
        account_of(he).click()
        expect(he.get_by_text("LG-2026-000123")).to_be_visible()


def test_a_handler_takes_the_case_on_a_card_and_the_button_turns_grey(page: Page, emulator: Strings) -> None:  # noqa: F811
    with listening() as callback:
        connect(emulator, callback)
        callback.answer = passive(lambda fields: {"MsgType": "update_button", "Button": {"ReplaceName": "已接单"}})
        open_phones(page, emulator)
        work = Work(emulator.base)
        work.send("template_card", "shui", **CARD)
        work.http.close()
        shui = phone_of(page, "江水生")
        shui.get_by_role("button", name="街区 · 企业微信").click()
        shui.get_by_role("button", name="接单").click()
        expect(shui.get_by_role("button", name="已接单")).to_be_disabled()
        expect(shui.get_by_role("button", name="转办")).to_have_count(0)


def test_a_menu_leads_to_a_page_that_uses_the_phones_camera_roll(page: Page, emulator: Strings) -> None:  # noqa: F811
    with listening() as callback:
        product = Product(emulator.base)
        host = callback.url.removeprefix("http://").removesuffix("/wechat")
        emulator.ask("POST", f"/accounts/{scene.APPID}", js_domains=[host])
        ticket = product.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
        url = f"http://{host}/page"
        callback.verify = lambda query: html_of(emulator, ticket, url)
        view = {"button": [{"name": "办事", "sub_button": [{"type": "view", "name": "我要上报", "url": url}]}]}
        product.post("/cgi-bin/menu/create", view)
        product.close()
        emulator.does("zhou", "follow")
        open_phones(page, emulator)
        zhou = phone_of(page, "周敏")
        account_of(zhou).click()
        zhou.get_by_role("button", name="≡ 办事").click()
        zhou.get_by_role("button", name="我要上报").click()
        frame = zhou.frame_locator("iframe")
        expect(frame.get_by_text("config:ok 23.19")).to_be_visible()
        frame.get_by_role("button", name="选照片").click()
        zhou.get_by_label("照片 2").click()
        zhou.get_by_role("button", name="选好了").click()
        expect(frame.get_by_role("img")).to_be_visible()
        frame.get_by_role("button", name="关").click()
        expect(zhou.get_by_role("button", name="≡ 办事")).to_be_visible()


def html_of(emulator: Strings, ticket: str, url: str) -> str:  # noqa: F811
    """A product's page that configures the JS-SDK, tells the place, shows a chosen picture and closes itself."""
    signed = crypto.jsapi_signature(ticket=ticket, nonce="n", timestamp="1", url=url)
    config = {
        "appId": scene.APPID,
        "timestamp": 1,
        "nonceStr": "n",
        "signature": signed,
        "jsApiList": ["chooseImage", "getLocation"],
    }
    script = f"{emulator.base}/res/open/js/jweixin-1.6.0.js"
    return PAGE.replace("SCRIPT", script).replace("CONFIG", json.dumps(config))


def test_the_clock_and_the_record_are_shown(page: Page, emulator: Strings) -> None:  # noqa: F811
    open_phones(page, emulator)
    before = emulator.ask("GET", "/clock")["now"]
    page.get_by_role("button", name="+1 小时").click()
    page.get_by_role("button", name="往来记录").click()
    product = Product(emulator.base)
    product.token()
    product.close()
    expect(page.get_by_text("/api/cgi-bin/stable_token")).to_be_visible()
    assert emulator.ask("GET", "/clock")["now"] - before >= 3600


def test_the_page_is_accessible(page: Page, emulator: Strings) -> None:  # noqa: F811
    emulator.does("zhou", "follow")
    emulator.does("zhou", "say", text="在吗")
    open_phones(page, emulator)
    account_of(phone_of(page, "周敏")).click()
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_the_page_speaks_english(page: Page, emulator: Strings) -> None:  # noqa: F811
    open_phones(page, emulator)
    page.get_by_role("button", name="English").click()
    zhou = page.get_by_label("周敏's phone")
    account_of(zhou).click()
    zhou.get_by_role("button", name="Follow the account").click()
    expect(zhou.get_by_text("You follow this account")).to_be_visible()
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("heading", name="Record")).to_be_visible()
