"""The story 河道堵塞 on the emulator's phones, from the resident's photo to the rating: python -m tests.e2e.phone_story
http://127.0.0.1:8004 takes the README's pictures from a running demonstration (``./run demo --fresh --no-year``).

Every button is pressed by its name on the phone; nothing is done behind the page's back.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from emulator.scene import picture
from tests.e2e.browser import chromium

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
RIVER = "河道阻塞"
WITHIN_MS = 30_000
COLOURS = 128
WORDS = "河道堵了，水快漫上来了"
REPLY = "堵塞物已清走，水流恢复正常。"


def open_phones(browser: Browser, base: str) -> Page:
    """The page of phones at ``base``, as wide as a desk."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.goto(base + "/phones/")
    expect(page.locator("article.phone .rows").first).to_be_visible()
    return page


class Camera:
    """Keeps small pictures of the phones, or none."""

    def __init__(self, page: Page, out: Path | None) -> None:
        self._page, self._out = page, out

    def take(self, name: str, *phones: Locator) -> None:
        """One picture of phones that stand side by side."""
        if self._out is None:
            return
        self._page.mouse.move(0, 0)
        self._page.evaluate("document.activeElement.blur()")
        self._page.wait_for_timeout(400)
        boxes = [box for phone in phones if (box := phone.bounding_box())]
        left, top = min(box["x"] for box in boxes) - 8, min(box["y"] for box in boxes) - 8
        right = max(box["x"] + box["width"] for box in boxes) + 8
        bottom = max(box["y"] + box["height"] for box in boxes) + 8
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        picture = Image.open(io.BytesIO(self._page.screenshot(clip=clip, animations="disabled"))).convert("RGB")  # type: ignore[arg-type]
        small = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        small.save(self._out / f"{name}.png", optimize=True)


class Story:
    """One play: the phones on the page, and the case's number once there is one."""

    def __init__(self, page: Page, camera: Camera, product: str) -> None:
        self.page, self.camera, self.product = page, camera, product
        self.number = ""

    def phone(self, name: str) -> Locator:
        """Somebody's phone."""
        return self.page.get_by_label(f"{name}的手机")

    def web(self, name: str) -> FrameLocator:
        """The page that this phone shows."""
        return self.phone(name).frame_locator("iframe")

    def show(self, *names: str) -> None:
        """These phones and no others, in the page's own order."""
        for name in self.page.locator("#who button").all_inner_texts():
            button = self.page.locator("#who").get_by_role("button", name=name)
            is_wanted = str(name in names).lower()
            if button.get_attribute("aria-pressed") != is_wanted:
                button.click()
            expect(button).to_have_attribute("aria-pressed", is_wanted)
        expect(self.page.locator("article.phone")).to_have_count(len(names))

    def chat(self, name: str, which: str = "鹭港街道") -> Locator:
        """Open a chat from the list; back from whatever was open."""
        phone = self.phone(name)
        if phone.get_by_label("关闭网页").is_visible():
            phone.get_by_label("关闭网页").click()
        if phone.get_by_label("返回").is_visible():
            phone.get_by_label("返回").click()
        phone.get_by_role("listitem").get_by_role("button", name=re.compile(f".*{which}")).first.click()
        expect(phone.locator(".foot > *")).to_be_visible()
        return phone

    def menu(self, name: str, column: str, button: str) -> None:
        """A button of the account's menu."""
        phone = self.phone(name)
        if phone.get_by_label("菜单", exact=True).is_visible():
            phone.get_by_label("菜单", exact=True).click()
        phone.get_by_role("button", name=f"≡ {column}").click()
        phone.locator(".menu ul").get_by_role("button", name=button, exact=True).click()


def play(story: Story) -> None:
    """From the photo to the rating."""
    leader_waits(story)
    resident_reports(story)
    leader_dispatches(story)
    lead_passes_on(story)
    handler_accepts(story)
    handler_proves(story)
    lead_confirms(story)
    worker_checks(story)
    desk_closes(story)
    resident_rates(story)


def leader_waits(story: Story) -> None:
    """The leader's page of what is pending is open, signed in without a word."""
    story.show("周敏", "陈勇", "江水生", "何志远")
    story.chat("何志远")
    story.menu("何志远", "待处理", "打开待处理")
    expect(story.web("何志远").get_by_role("heading", name="待处理").first).to_be_visible()


def resident_reports(story: Story) -> None:
    """A photo, a place, a sentence, one tap; the leader's open page has the case."""
    zhou = story.chat("周敏")
    if zhou.get_by_label("键盘").is_visible():
        zhou.get_by_label("键盘").click()
    zhou.get_by_label("更多方式").click()
    zhou.get_by_role("button", name="照片", exact=True).click()
    zhou.get_by_label("照片 1").click()
    zhou.get_by_role("button", name="选好了").click()
    expect(zhou.locator("img[alt=照片]").last).to_be_visible()
    zhou.get_by_label("更多方式").click()
    zhou.get_by_role("button", name="位置", exact=True).click()
    zhou.get_by_role("dialog").get_by_role("button", name="发送").click()
    drafts = zhou.get_by_text("说明：").count()  # of an earlier play
    zhou.get_by_label("消息").fill(WORDS)
    zhou.get_by_role("button", name="发送", exact=True).click()
    expect(zhou.get_by_text("说明：").nth(drafts)).to_be_visible()
    before = zhou.get_by_text("已上报，编号").count()
    zhou.get_by_role("button", name="确认提交").last.click()
    told = zhou.get_by_text("已上报，编号").nth(before)
    expect(told).to_be_visible()
    found = re.search(r"编号 (\w+-\d{4}-\d+)", told.inner_text())
    assert found, told.inner_text()
    story.number = found[1]


def leader_dispatches(story: Story) -> None:
    """The type is named, one tap tells three departments; after the seconds of Undo the resident hears of it."""
    web = story.web("何志远")
    card = web.locator("article.pending", has_text=story.number)
    expect(card).to_be_visible()
    story.camera.take("wechat-report", story.phone("周敏"), story.phone("何志远"))
    group = card.locator("select").first.locator(f"optgroup[label*='{RIVER}']")
    card.locator("select").first.select_option(value=group.locator("option").first.get_attribute("value"))
    card.get_by_role("button", name="派出去").click()
    expect(web.get_by_role("heading", name="已经派出")).to_be_visible()
    expect(story.phone("周敏").locator(".card", has_text=story.number).get_by_text("已派单")).to_be_visible()


def card_of(story: Story, name: str) -> Locator:
    """The newest card about the case in somebody's WeCom."""
    phone = story.chat(name, "企业微信")
    card = phone.locator(".card", has_text=story.number).last
    expect(card).to_be_visible()
    return card


def lead_passes_on(story: Story) -> None:
    """The water lead passes the task on to 江水生, on the card, which greys."""
    story.show("周敏", "江水生", "钱江", "何志远")
    card = card_of(story, "钱江")
    card.get_by_label("江水生").check()
    card.get_by_role("button", name="转办").click()
    expect(card.get_by_role("button").last).to_be_disabled()


def handler_accepts(story: Story) -> None:
    """江水生 takes it on the card; its button greys."""
    card = card_of(story, "江水生")
    story.camera.take("wecom-card", story.phone("江水生"))
    card.get_by_role("button", name="接单").click()
    expect(card.get_by_role("button", name=re.compile("已接单"))).to_be_disabled()
    expect(card.get_by_role("button", name="接单", exact=True)).to_have_count(0)


def open_notice(story: Story, name: str, chat: str) -> FrameLocator:
    """The page behind somebody's newest notice about the case."""
    phone = story.chat(name, chat)
    phone.locator(".card", has_text=story.number).last.get_by_role("button", name=re.compile("打开|查看详情")).click()
    web = story.web(name)
    expect(web.locator("html.is-started")).to_be_attached()
    return web


def handler_proves(story: Story) -> None:
    """The case's page opens from the card, signed in; a photo of the cleared river proves the work."""
    web = open_notice(story, "江水生", "企业微信")
    web.locator(".case-bar").get_by_text("提交处置").click()
    photo = {"name": "cleared.jpg", "mimeType": "image/jpeg", "buffer": picture("cleared")}
    web.locator("#do-handle [data-photos-camera]").set_input_files(photo)  # type: ignore[arg-type]
    expect(web.locator("#do-handle figure.photo")).to_be_visible()
    web.locator("#do-handle").get_by_role("button", name="提交处置").click()
    expect(web.get_by_text("待部门确认").first).to_be_visible()


def lead_confirms(story: Story) -> None:
    """钱江 confirms for the department."""
    story.show("周敏", "江水生", "钱江", "何志远")
    web = open_notice(story, "钱江", "企业微信")
    web.locator(".case-bar").get_by_text("部门确认").first.click()
    confirm = web.locator("#do-confirm").get_by_role("button", name="部门确认")
    if confirm.count():
        confirm.click()
    expect(web.get_by_text("核查中").first).to_be_visible()


def worker_checks(story: Story) -> None:
    """The grid worker looks and says so."""
    story.show("周敏", "陈勇", "江水生", "何志远")
    web = open_notice(story, "陈勇", "企业微信")
    web.locator(".case-bar").get_by_text("核查通过").first.click()
    web.get_by_role("form", name="核查通过", exact=True).get_by_role("button", name="核查通过").click()
    expect(web.locator(".timeline").get_by_text("核查通过")).to_be_visible()


def desk_closes(story: Story) -> None:
    """The acceptor, at her desk and on no phone, writes the resident a sentence and closes."""
    context = story.page.context.browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")  # type: ignore[union-attr]
    desk = context.new_page()
    desk.set_default_timeout(WITHIN_MS)
    desk.goto(f"{story.product}/sign-in")
    desk.locator("button.cell", has_text="受理员").first.click()
    desk.goto(f"{story.product}/cases/{story.number}/")
    desk.locator("#do-close textarea").first.fill(REPLY)
    desk.locator("#do-close").get_by_role("button", name="结案").click()
    desk.wait_for_url("**done=*")
    context.close()


def resident_rates(story: Story) -> None:
    """The resident is told, opens the case from the notice, reads the sentence and rates."""
    zhou = story.phone("周敏")
    if zhou.get_by_label("返回").is_hidden():
        story.chat("周敏")
    closed = zhou.locator(".card", has_text=story.number).filter(has_text="已办结")
    expect(closed).to_be_visible()
    closed.get_by_role("button", name="查看详情").click()
    web = story.web("周敏")
    expect(web.locator("html.is-started")).to_be_attached()
    expect(web.get_by_text(REPLY).first).to_be_visible()
    web.locator("#rate input[name=is_solved][value=yes]").check(force=True)
    web.locator('#rate input[name=satisfaction][value="5"]').check(force=True)
    story.camera.take("wechat-rate", zhou)
    web.get_by_role("button", name="提交评价").click()
    expect(web.get_by_role("button", name="提交评价")).to_be_hidden()


def main() -> None:
    """Play it on a running demonstration and keep the pictures."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("phones", help="the phones' address, http://127.0.0.1:8004")
    ask.add_argument("--product", default="http://127.0.0.1:8000")
    ask.add_argument("--out", type=Path, default=PICTURES)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=WITHIN_MS)
    with chromium() as browser:
        page = open_phones(browser, given.phones)
        play(Story(page, Camera(page, given.out), given.product))


if __name__ == "__main__":
    main()
