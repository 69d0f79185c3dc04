"""The story 河道堵塞 on the emulator's phones, against the demonstration as a newcomer starts it; one start for the module."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from emulator import scene
from tests.e2e import phone_chain as chain
from tests.e2e import phone_script as script
from tests.e2e.phone_story import WITHIN_MS, Camera, Story, leader_waits, open_phones, play, resident_reports
from tests.support.demo import Demo, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
USUAL_MS = 5_000


@pytest.fixture(scope="module")
def demo(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The page of phones; it says nothing on its own console, and nor do the pages in its frames."""
    expect.set_options(timeout=WITHIN_MS)
    found, said = open_phones(browser, demo.phones), []
    found.on("console", lambda message: said.append(message.text) if is_complaint(message) else None)
    found.on("pageerror", lambda fault: said.append(str(fault)))
    yield found
    found.context.close()
    expect.set_options(timeout=USUAL_MS)
    assert said == []


def is_complaint(message: ConsoleMessage) -> bool:
    """Errors; but a test may keep the platform's script away, scan what is no plate, or go on while a page still asks."""
    is_cut_off = message.text.startswith(("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort"))
    is_excused = re.search(r"/jweixin-[\d.]+\.js$|/wechat/plate\?", message.location["url"])
    return message.type == "error" and not is_cut_off and not is_excused


@pytest.fixture
def story(page: Page, demo: Demo) -> Story:
    return Story(page, Camera(page, None), demo.product)


def test_the_blocked_river_goes_all_the_way_round_on_the_phones(story: Story) -> None:
    play(story)


def test_the_report_page_uses_wechats_location_camera_roll_and_scanner(story: Story) -> None:
    said = script.verdicts(story.page)
    web = script.report_page(story)
    expect(web.locator("[data-wechat]")).to_be_visible()
    script.expect_verdicts(story.page, said, [f"{scene.APPID}: config:ok"])
    script.chooses_a_photo(story, web)
    script.is_placed(story, web)
    script.scans_a_plate(story, web, "https://example.org/")
    expect(web.locator("[data-wechat-said]")).to_contain_text("不是本街道的点位牌")
    code, text = script.plate_near(story.product)
    script.scans_a_plate(story, web, text)
    expect(web.locator("[data-wechat-said]")).to_be_hidden()
    expect(web.locator("#report input[name=plate]")).to_have_value(code)


def test_a_shot_before_wechats_script_has_come_waits_for_its_place(story: Story) -> None:
    held: list[Route] = []
    story.page.context.route(script.SCRIPT, lambda route: held.append(route))
    web = script.report_page(story)
    script.takes_a_file(web)
    expect(web.locator("[data-place-said]")).to_contain_text("正在找您的位置")
    held[0].continue_()
    expect(web.locator("[data-place-lon]")).to_have_value(re.compile(r"113\.\d+"))
    expect(web.locator("[data-place-system]")).to_have_value("gcj02")


def test_without_wechats_script_the_plain_file_field_takes_the_photo(story: Story) -> None:
    story.page.context.route(script.SCRIPT, lambda route: route.abort())
    with story.page.expect_event("requestfailed"):
        web = script.report_page(story)
    script.takes_a_file(web)


def test_where_the_platform_refuses_the_signature_the_plain_file_field_takes_the_photo(story: Story) -> None:
    said = script.verdicts(story.page)
    story.page.context.route(script.CHECK, script.forge)
    with story.page.expect_response(script.CHECK):
        web = script.report_page(story)
    script.takes_a_file(web)
    script.expect_verdicts(story.page, said, [f"{scene.APPID}: config:invalid signature"])


def test_in_wecom_the_page_is_signed_for_the_corporation_and_for_our_application(story: Story) -> None:
    said = script.verdicts(story.page)
    with story.page.expect_response(lambda answer: script.is_agents(answer)):
        web = script.report_page_in_wecom(story)
    expect(web.locator("[data-wechat]")).to_be_visible()
    script.expect_verdicts(story.page, said, [f"{scene.CORPID}: config:ok", f"{scene.AGENTID}: config:ok"])


def test_what_wecom_and_wechat_refuse_arrives_as_a_text_message_where_it_is_urgent(story: Story, demo: Demo) -> None:
    leader_waits(story)
    chain.worker_reports_urgently(story)
    chain.asks(story, "钱江")
    with chain.refusing(demo.phones) as strings:
        chain.leader_sends(story)
        chain.arrived(story, "钱江", "短信")
        assert chain.tried(strings) == set(chain.REFUSED)


def test_what_wecom_and_wechat_refuse_arrives_as_a_letter_where_it_can_wait(story: Story, demo: Demo) -> None:
    leader_waits(story)
    resident_reports(story)
    story.show("周敏", "钱江", "何志远")
    with chain.refusing(demo.phones) as strings:
        chain.leader_sends(story)
        chain.arrived(story, "钱江", "邮件")
        assert chain.tried(strings) >= set(list(chain.REFUSED)[:2])
