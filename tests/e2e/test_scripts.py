"""What the page scripts promise, in a real browser: photos, place, waiting without network, undo, drafts, keyboard, map."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from jiequ.core.errors import Refusal
from jiequ.grid.rules import from_canonical
from tests.e2e import sample_urls
from tests.e2e.conftest import Reader

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(autouse=True)
def sample(settings: Any, world: Any) -> list[dict[str, Any]]:
    """The sample page is served; what it received is the effect that counts."""
    settings.ROOT_URLCONF = "tests.e2e.sample_urls"
    sample_urls.received.clear()
    sample_urls.refuse_with.clear()
    return sample_urls.received


def picture(width: int, height: int, kind: str = "JPEG") -> dict[str, Any]:
    """A picture file as a file input takes it, of a noisy pattern so that it has some weight."""
    noise = Image.effect_noise((width // 8, height // 8), 90).resize((width, height)).convert("RGB")
    out = io.BytesIO()
    noise.save(out, kind, quality=90)
    return {"name": f"shot.{kind.lower()}", "mimeType": f"image/{kind.lower()}", "buffer": out.getvalue()}


def opened(reader: Reader, path: str = "/sample", accuracy: float = 12) -> Page:
    """The sample page, started, on a device that may say where it is."""
    page = reader()
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 113.5, "latitude": 23.18, "accuracy": accuracy})
    page.goto(path)
    expect(page.locator("html.is-started")).to_be_attached()
    return page


def test_a_photo_is_shrunk_on_the_phone_and_carries_time_and_place_of_the_shot(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.locator("[data-photos-camera]").set_input_files(picture(4000, 3000))
    expect(page.locator("figure.photo img")).to_have_count(1)
    expect(page.locator("[data-place-said]")).to_contain_text("12")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sample/done")
    [taken] = sample
    assert taken["sizes"] == [(2560, 1920)]
    [facts] = taken["facts"]
    assert facts["source"] == "camera"
    assert facts["at"]
    assert (facts["lon"], facts["lat"], facts["accuracy_m"]) == (113.5, 23.18, 12)
    assert (taken["lon"], taken["lat"], taken["system"], taken["place_sure"]) == ("113.5", "23.18", "wgs84", "device")
    assert taken["act"] == "go"


def test_a_small_photo_of_the_album_is_sent_as_it_is_and_without_a_place_of_its_own(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.locator("[data-photos-album]").set_input_files([picture(800, 600), picture(640, 480, "PNG")])
    expect(page.locator("figure.photo img")).to_have_count(2)
    page.get_by_role("button", name="去掉第 1 张照片").click()
    expect(page.locator("figure.photo img")).to_have_count(1)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sample/done")
    assert sample[0]["sizes"] == [(640, 480)]
    assert sample[0]["facts"] == [{"name": "shot.png", "source": "album"}]


def test_what_is_no_readable_photo_gets_a_sentence(reader: Reader) -> None:
    page = opened(reader)
    box, error = page.locator("[data-photos-album]"), page.locator("[data-photos-error]")
    heic = b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64
    box.set_input_files({"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": heic})
    expect(error).to_contain_text("HEIC")
    box.set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"})
    expect(error).to_contain_text("JPEG")
    box.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    expect(error).to_contain_text("打不开")
    box.set_input_files([picture(64, 64)] * 4)
    expect(error).to_contain_text("最多 3 张")
    expect(page.locator("figure.photo")).to_have_count(3)


def test_a_position_worse_than_50_metres_asks_one_question(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader, accuracy=80)
    page.get_by_role("button", name="带上我现在的位置").click()
    page.get_by_label("不在，我来说地点").check()
    expect(page.locator("#words")).to_be_focused()
    page.locator("#words").fill("桥东")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sample/done")
    assert (sample[0]["lon"], sample[0]["place_sure"]) == ("", "typed")


def test_without_network_a_report_waits_survives_a_reload_and_is_sent_once(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.locator("[data-photos-album]").set_input_files(picture(800, 600))
    expect(page.locator("figure.photo img")).to_have_count(1)
    page.locator("#words").fill("桥下堵了")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-queue-list]")).to_contain_text("1 件还没发出去")
    expect(page.locator("#words")).to_have_value("")
    assert sample == []
    page.route("**/sample/take", lambda route: route.abort())
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("[data-queue-list]")).to_contain_text("1 件还没发出去")
    assert sample == []
    page.unroute("**/sample/take")
    page.get_by_role("button", name="现在发").click()
    expect(page.locator("[data-queue-list]")).to_be_hidden()
    expect(page.locator("[data-toasts]")).to_contain_text("已发出")
    assert [one["words"] for one in sample] == ["桥下堵了"]
    assert sample[0]["sizes"] == [(800, 600)]


def test_a_report_whose_answer_was_lost_is_sent_again_and_counts_once(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.locator("#words").fill("丢了回答")

    def lose_the_answer(route: Any) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/sample/take", lose_the_answer)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-queue-list]")).to_contain_text("1 件还没发出去")
    assert len(sample) == 1
    page.unroute("**/sample/take")
    page.get_by_role("button", name="现在发").click()
    expect(page.locator("[data-queue-list]")).to_be_hidden()
    assert len(sample) == 1


def test_a_queued_report_goes_out_by_itself_when_the_network_is_back(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.context.set_offline(True)
    page.locator("#words").fill("自己发")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-queue-list]")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("[data-queue-list]")).to_be_hidden()
    assert [one["words"] for one in sample] == ["自己发"]


def test_a_refusal_is_shown_in_place_and_the_form_can_be_corrected(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    sample_urls.refuse_with.append(Refusal("sample", "这里不收这类事"))
    page.locator("#words").fill("不收的")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#refusal")).to_contain_text("这里不收这类事")
    expect(page.locator("#words")).to_have_value("不收的")
    expect(page.locator("[data-queue-list]")).to_be_hidden()
    page.locator("#words").fill("收的")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sample/done")
    assert [one["words"] for one in sample] == ["收的"]


def test_a_report_refused_later_stays_with_its_sentence_until_its_owner_decides(reader: Reader, sample: list[Any]) -> None:
    page = opened(reader)
    page.context.set_offline(True)
    page.locator("#words").fill("过后被拒")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-queue-list]")).to_be_visible()
    sample_urls.refuse_with.append(Refusal("sample", "这里不收这类事"))
    page.context.set_offline(False)
    expect(page.locator("[data-queue-list]")).to_contain_text("这里不收这类事")
    page.reload()
    expect(page.locator("[data-queue-list]")).to_contain_text("这里不收这类事")
    page.get_by_role("button", name="不发了").click()
    expect(page.locator("[data-queue-list]")).to_be_hidden()
    assert sample == []


def test_what_one_person_left_waiting_is_not_sent_in_anothers_name(reader: Reader, world: Any, sample: list[Any]) -> None:
    from tests.e2e.conftest import session_of

    page = opened(reader)
    page.context.set_offline(True)
    page.locator("#words").fill("居民的")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-queue-list]")).to_be_visible()
    signed_in = {"jiequ_session": session_of(world.chen), "csrftoken": "b" * 32}  # signing in renews the token
    page.context.add_cookies([{"name": name, "value": value, "url": page.url} for name, value in signed_in.items()])
    page.context.set_offline(False)
    expect(page.locator("[data-queue-list]")).to_contain_text("1 件还没发出去")
    page.wait_for_timeout(500)
    assert sample == [], "an old page sent it in the new reader's name"
    page.goto("/sample/done")
    expect(page.locator("[data-queue-list]")).to_contain_text("别人的 1 件")
    page.wait_for_timeout(300)
    assert sample == []


def test_undo_counts_down_and_leaves_after_its_time(reader: Reader) -> None:
    page = opened(reader, "/sample?undo=2")
    assert re.search(r"还剩 [12] 秒", page.locator("[data-undo]").inner_text())
    expect(page.locator("[data-undo]")).to_have_count(0, timeout=5000)


def test_undo_is_a_plain_form_with_scripts_off(reader: Reader, sample: list[Any]) -> None:
    page = reader(scripts=False)
    page.goto("/sample?undo=10")
    page.get_by_role("button", name="撤销").click()
    assert page.get_by_role("heading", name="Done").is_visible()
    assert sample[0]["idempotency_key"] == "k" * 20


def test_a_draft_comes_back_after_a_closed_page_and_a_refusal_and_goes_when_the_form_is_taken(reader: Reader) -> None:
    page = opened(reader)
    page.get_by_label("Plain").fill("refuse")
    page.wait_for_timeout(600)  # the draft is kept 0.4 s after the last key
    page = _again(page)
    expect(page.get_by_label("Plain")).to_have_value("refuse")
    page.get_by_role("button", name="Plain go").click()
    expect(page.get_by_text("Refused for the test")).to_be_visible()
    page = _again(page)
    expect(page.get_by_label("Plain")).to_have_value("refuse")
    page.get_by_label("Plain").fill("take it")
    page.get_by_role("button", name="Plain go").click()
    page.wait_for_url("**/sample/done")
    page = _again(page)
    expect(page.get_by_label("Plain")).to_have_value("")


def _again(page: Page) -> Page:
    page.goto("/sample")
    expect(page.locator("html.is-started")).to_be_attached()
    return page


def test_the_desk_is_walked_by_keyboard(reader: Reader) -> None:
    page = reader(size="desk")
    page.goto("/sample?desk")
    expect(page.locator("html.is-started")).to_be_attached()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row][aria-selected=true]")).to_contain_text("row 2")
    page.keyboard.press("/")
    page.keyboard.type("jjd")
    expect(page.locator("[data-keys-search]")).to_have_value("jjd")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("[data-keys-help]")).to_contain_text("Dispatch")
    page.keyboard.press("Escape")
    expect(page.locator("[data-keys-help]")).to_be_hidden()
    page.keyboard.press("d")
    page.wait_for_url("**/sample/done?dispatch=2")
    page.go_back()
    expect(page.locator("html.is-started")).to_be_attached()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sample/done?row=1")


def test_a_dialog_opens_over_the_page_and_closes_by_keyboard(reader: Reader) -> None:
    page = opened(reader)
    expect(page.locator("#more")).to_be_hidden()
    page.get_by_role("link", name="More").click()
    expect(page.locator("#more")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#more")).to_be_hidden()


def test_leaflet_comes_only_when_the_map_is_opened_and_a_tap_fills_the_place(reader: Reader, sample: list[Any]) -> None:
    page = reader()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/sample", wait_until="networkidle")
    assert not any("leaflet" in url or "/sample/base" in url for url in asked)
    page.get_by_role("button", name="打开地图").click()
    expect(page.locator(".map-name")).to_have_text("Park")
    page.locator("#sample-map").click()
    expect(page.locator("[data-place-said]")).to_contain_text("地图上点的位置")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/sample/done")
    [taken] = sample
    assert float(taken["lon"]) == pytest.approx(113.5, abs=0.002)
    assert float(taken["lat"]) == pytest.approx(23.18, abs=0.002)
    assert (taken["system"], taken["place_sure"]) == ("cgcs2000", "map")


def test_the_maps_edge_converts_as_the_product_does(reader: Reader) -> None:
    page = opened(reader)
    for lon, lat in [(113.493, 23.181), (113.525, 23.192), (116.397, 39.908)]:
        there = page.evaluate("([x, y]) => import('/static/web/js/coords.js').then((m) => m.toMap(x, y, 'gcj02'))", [lon, lat])
        assert there == pytest.approx(from_canonical(lon, lat, "gcj02"), abs=2e-7)
        back = page.evaluate("([x, y]) => import('/static/web/js/coords.js').then((m) => m.fromMap(x, y, 'gcj02'))", there)
        assert back == pytest.approx([lon, lat], abs=1e-7)


PLATFORM_SCRIPT = "window.wx = { config() {}, ready(then) { then(); }, error() {} };"
WITH_WECHAT = """async () => {
  document.body.insertAdjacentHTML("beforeend", `<form><div data-wechat data-wechat-config="/signs"
    data-wechat-script="/first/jweixin.js /second/jweixin.js"><button data-wechat-camera hidden></button>
    <button data-wechat-scan hidden></button></div></form>`);
  (await import("/static/web/js/wechat.js")).start(document);
}"""


@pytest.mark.parametrize("first", ["has none", "hangs"])
def test_where_wechats_first_address_does_not_answer_its_second_one_is_asked(reader: Reader, first: str) -> None:
    page = opened(reader)
    page.route("**/first/jweixin.js", lambda route: route.abort() if first == "has none" else None)
    page.route("**/second/jweixin.js", lambda route: route.fulfill(body=PLATFORM_SCRIPT, content_type="text/javascript"))
    page.route("**/signs?*", lambda route: route.fulfill(json={"config": {}}))
    page.evaluate(WITH_WECHAT)
    expect(page.locator("[data-wechat-camera]")).to_be_visible()
