"""The phone's pages as hands use them: taps are counted, the network goes away, gloves hit what they aim at."""

from __future__ import annotations

import io
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.core import clock
from jiequ.core.decode import develop
from jiequ.grid.models import MapVersion, Place
from jiequ.grid.queries import forget
from jiequ.triage.engine.pairs import LIKE_PHOTO_BITS, SAME_PHOTO_BITS, hamming
from tests.actors import World
from tests.casework import Casework, make_condition, make_place
from tests.e2e.conftest import Reader
from tests.e2e.measure import small_targets, too_wide
from tests.photos import jpeg

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def work(world: World, settings: Any, tmp_path: Path) -> Casework:
    """The small world and a type; photos in a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    return Casework(world, make_condition())


class Hand:
    """One thumb: counts what it taps."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def tap(self, target: Any) -> None:
        self.taps += 1
        target.click()

    def shoot(self, label: Any) -> None:
        """One tap opens the camera; it hands back a photo."""
        self.taps += 1
        label.locator("input[type=file]").set_input_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": jpeg()})
        expect(self.page.locator("figure.photo")).to_have_count(1)


def stand_in(page: Page, world: World, grid: str = "a", accuracy: float = 9) -> None:
    """The phone knows where it is and may say so."""
    lon, lat = world.point_in(grid)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": accuracy})


def opened(reader: Reader, person: Any, address: str, **how: Any) -> Page:
    page = reader(person=person, **how)
    page.goto(address)
    page.wait_for_selector("html.is-started")
    return page


def test_a_resident_reports_with_a_photo_in_at_most_four_taps_and_comes_to_the_private_page(
    reader: Reader, work: Casework
) -> None:
    page = reader()
    stand_in(page, work.world)
    page.goto("/")
    hand = Hand(page)
    hand.tap(page.get_by_role("link", name="我要上报").first)
    page.wait_for_selector("html.is-started")
    hand.shoot(page.locator(".photo-add-camera"))
    expect(page.get_by_text("已带上位置")).to_be_visible()
    hand.tap(page.get_by_role("button", name="提交"))
    page.wait_for_url("**/r/*/?new=1")
    case = Case.objects.get()
    expect(page.get_by_role("heading", name=case.number)).to_be_visible()
    expect(page.get_by_text("存好这个链接")).to_be_visible()
    assert hand.taps <= 4
    assert case.unit_grid_id == work.world.grid_a.pk
    assert case.proofs.filter(picture__isnull=False).count() == 1


def test_a_rough_position_asks_one_question_and_elsewhere_leads_to_the_typed_place(reader: Reader, work: Casework) -> None:
    page = reader()
    stand_in(page, work.world, accuracy=300)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    page.get_by_role("button", name="带上我现在的位置").click()
    expect(page.get_by_text("事情就在您身边吗")).to_be_visible()
    page.get_by_text("不在，我来说地点").click()
    expect(page.locator("#place-words")).to_be_focused()
    assert page.locator("input[name=lon]").input_value() == ""


def test_what_was_reported_near_by_is_asked_about_before_sending_and_me_too_joins_it(reader: Reader, work: Casework) -> None:
    case = work.accepted(at=clock.now())
    page = reader()
    stand_in(page, work.world)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    page.get_by_role("button", name="带上我现在的位置").click()
    expect(page.get_by_text("是同一件事吗")).to_be_visible()
    page.locator("#report-words").press_sequentially(case.reports.get().words)
    expect(page.locator("#near .badge", has_text="可能有关")).to_be_visible()
    page.locator("#near label.choice", has_text="暴露生活垃圾").click()
    with page.expect_response("**/report/suggest"):
        page.locator("#report-words").press_sequentially("，很臭")
    expect(page.locator("#near label.choice", has_text="暴露生活垃圾").get_by_role("radio")).to_be_checked()
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*/?new=1")
    case.refresh_from_db()
    assert case.voices == 2
    assert Case.objects.count() == 1


def test_a_pause_while_writing_asks_once_for_all_and_a_photo_goes_out_as_its_likeness_alone(
    reader: Reader, work: Casework
) -> None:
    kept = [make_scene(1), make_scene(2)]
    looks = [develop(each, 40_000_000)[0]["dhash"] for each in kept]
    page = reader()
    stand_in(page, work.world)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    with page.expect_response("**/report/suggest"):
        page.get_by_role("button", name="带上我现在的位置").click()
    file = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": kept[0]}
    with page.expect_response("**/report/suggest") as shot:
        page.locator("[data-photos-album]").set_input_files(file)
    asked: list[str] = []
    page.on("request", lambda one: one.method == "POST" and asked.append(one.url))
    with page.expect_response("**/report/suggest"):
        page.locator("#report-words").fill("楼下暴露生活垃圾堆了三天")
    expect(page.locator("#heard [name=condition]")).not_to_have_count(0)
    assert [one.rpartition("/")[2] for one in asked] == ["suggest"]
    sent = shot.value.request.post_data_buffer or b""
    assert len(sent) < 3_000, "no picture"
    [look] = re.findall(rb'name="looks"\r\n\r\n([0-9a-f]{16})\r\n', sent)
    apart = [hamming(int(look, 16), one) for one in looks]
    assert apart[0] <= SAME_PHOTO_BITS < LIKE_PHOTO_BITS < apart[1], "another picture is told apart"


def make_scene(seed: int) -> bytes:
    """A picture as a camera makes it: 4,000 × 3,000, soft shapes, on its side by EXIF where the seed is odd."""
    chance = Random(seed)
    small = Image.frombytes("RGB", (12, 9), bytes(chance.randrange(256) for _ in range(12 * 9 * 3)))
    out, turned = io.BytesIO(), Image.Exif()
    turned[0x0112] = 6 if seed % 2 else 1
    small.resize((4000, 3000), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85, exif=turned)
    return out.getvalue()


def test_a_place_written_far_from_the_pin_is_asked_about_and_one_tap_takes_it(reader: Reader, work: Casework) -> None:
    estate = make_place(work.world, "听橹花园", grid="b")
    Place.objects.filter(pk=estate.pk).update(lon=estate.lon + 0.01)
    MapVersion.objects.update(token="moved")
    forget()
    page = reader()
    stand_in(page, work.world)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    page.get_by_role("button", name="带上我现在的位置").click()
    expect(page.get_by_text("已带上位置")).to_be_visible()
    page.locator("#report-words").fill("听橹花园门口垃圾没人收")
    expect(page.get_by_text("您写的地点和地图上的位置不一样")).to_be_visible()
    expect(page.locator("[name=told_place]:checked")).to_have_count(0)
    Hand(page).tap(page.locator("label.choice", has_text="听橹花园"))
    page.locator("#report-words").press_sequentially("。")  # asked again: what was tapped stays
    page.wait_for_timeout(700)
    expect(page.locator("[name=told_place]:checked")).to_have_value(f"p{estate.pk}")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*/?new=1")
    assert Case.objects.get().address == "听橹花园"


def test_without_network_a_report_waits_on_the_phone_and_is_sent_once_when_it_is_back(reader: Reader, work: Casework) -> None:
    page = reader()
    stand_in(page, work.world)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    Hand(page).shoot(page.locator(".photo-add-camera"))
    page.locator("#report-words").fill("河堤塌了一块")
    expect(page.get_by_text("已带上位置")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("1 件还没发出去")).to_be_visible()
    assert Case.objects.count() == 0
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="查看")).to_be_visible()
    expect(page.get_by_text("1 件还没发出去")).to_be_hidden()
    case = Case.objects.get()
    assert case.reports.get().words == "河堤塌了一块"
    assert case.proofs.filter(picture__isnull=False).count() == 1


def test_a_grid_worker_has_it_done_and_told_in_three_taps(reader: Reader, work: Casework) -> None:
    work.reported(by="chen", source="staff", condition_id=work.condition.pk, contact=None, at=clock.now())
    page = reader(person=work.world.chen)
    stand_in(page, work.world)
    page.goto("/report/")
    page.wait_for_selector("html.is-started")
    hand = Hand(page)
    hand.shoot(page.locator(".photo-add-camera"))
    expect(page.get_by_text("已带上位置")).to_be_visible()
    hand.tap(page.locator("label.choice", has_text="暴露生活垃圾").first)
    hand.tap(page.get_by_role("button", name="已当场处理好"))
    page.wait_for_url("**/cases/*/")
    assert hand.taps == 3
    assert Case.objects.filter(closing="self_handled").count() == 1


def test_the_list_of_types_narrows_to_a_word(reader: Reader, work: Casework) -> None:
    make_condition("0301", name="井盖缺失")
    page = opened(reader, work.world.chen, "/report/")
    page.get_by_label("查找类型").fill("井盖")
    expect(page.locator("[data-type]:visible")).to_have_count(1)
    page.get_by_label("查找类型").fill("没有的东西")
    expect(page.get_by_text("没有这个名称的类型")).to_be_visible()


def test_a_leader_sends_a_case_out_with_one_tap_and_takes_it_back_with_another(reader: Reader, work: Casework) -> None:
    case = work.accepted(at=clock.now())
    page = opened(reader, work.world.he, "/leader/")
    hand = Hand(page)
    hand.tap(page.get_by_role("button", name="派给 环卫站"))
    expect(page.get_by_role("heading", name="已经派出")).to_be_visible()
    assert hand.taps == 1
    case.refresh_from_db()
    assert case.state == "dispatched"
    hand.tap(page.get_by_role("button", name="撤销"))
    expect(page.get_by_role("heading", name="已经派出")).to_be_hidden()
    case.refresh_from_db()
    assert case.state == "accepted"


def test_a_handler_proves_the_work_on_the_spot(reader: Reader, work: Casework) -> None:
    case = work.handling(at=clock.now())
    page = opened(reader, work.world.huang, f"/cases/{case.number}/")
    expect(page.get_by_text("处置后照片")).to_be_visible()
    hand = Hand(page)
    hand.tap(page.locator(".case-bar").get_by_text("提交处置"))
    hand.shoot(page.locator("#do-handle .photo-add-camera"))
    hand.tap(page.locator("#do-handle").get_by_role("button", name="提交处置"))
    page.wait_for_url("**/cases/*/?done=*")
    case.refresh_from_db()
    assert case.state == "handled"
    assert hand.taps == 3


def test_without_network_a_proof_waits_and_arrives(reader: Reader, work: Casework) -> None:
    case = work.handling(at=clock.now())
    page = opened(reader, work.world.huang, f"/cases/{case.number}/")
    Hand(page).shoot(page.locator("#do-handle .photo-add-camera"))
    page.context.set_offline(True)
    page.locator("#do-handle").get_by_role("button", name="提交处置").click()
    expect(page.get_by_text("1 件还没发出去")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="查看")).to_be_visible()
    case.refresh_from_db()
    assert case.state == "handled"


def test_a_check_is_passed_with_two_taps(reader: Reader, work: Casework) -> None:
    case = work.checking(at=clock.now())
    page = opened(reader, work.world.chen, "/todo/")
    hand = Hand(page)
    hand.tap(page.get_by_text("我在现场，填核查结果"))
    hand.tap(page.get_by_role("button", name="核查通过"))
    page.wait_for_url("**/todo/?done=*")
    assert hand.taps == 2
    case.refresh_from_db()
    assert case.checked_at is not None


def test_a_verification_is_given_with_two_taps(reader: Reader, work: Casework) -> None:
    case = work.fresh(work.reported(at=clock.now()).case, "lin")
    services.ask_verify(case, by=work.actor("lin"), at=clock.now())
    page = opened(reader, work.world.chen, "/todo/")
    hand = Hand(page)
    hand.tap(page.get_by_text("我在现场，填核实结果"))
    hand.tap(page.get_by_role("button", name="属实", exact=True))
    page.wait_for_url("**/todo/?done=*")
    assert hand.taps == 2
    assert case.events.filter(move="verify").exists()


def test_a_case_stands_in_one_column_on_the_phone_and_in_three_at_the_desk(reader: Reader, work: Casework) -> None:
    case = work.handling(at=clock.now())
    lefts = "[...document.querySelector('.case-page').children].map((one) => Math.round(one.getBoundingClientRect().left))"
    columns = f"new Set({lefts}).size"
    phone = opened(reader, work.world.huang, f"/cases/{case.number}/")
    assert phone.evaluate(columns) == 1
    expect(phone.locator(".case-bar")).to_be_visible()
    for person in (work.world.huang, work.world.lin):
        desk = opened(reader, person, f"/cases/{case.number}/", size="desk")
        assert desk.evaluate(columns) == 3
        expect(desk.locator(".case-bar")).to_be_hidden()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("care", [False, True], ids=["standard", "care"])
def test_staff_pages_fit_a_narrow_phone_and_a_gloved_thumb(reader: Reader, work: Casework, language: str, care: bool) -> None:
    now = clock.now()
    closed = work.closed(at=now)
    mine = services.renew_link(closed.reports.select_related("street").get(), at=now)
    working, checking = work.handling(at=now), work.checking(at=now)
    work.accepted(at=now)
    pages = [
        (None, f"/r/{mine}/"),
        (work.world.chen, "/report/"),
        (work.world.chen, "/todo/"),
        (work.world.huang, "/todo/"),
        (work.world.he, "/leader/"),
        (work.world.huang, f"/cases/{working.number}/"),
        (work.world.lin, f"/cases/{checking.number}/"),
    ]
    wrong = {}
    for person, address in pages:
        page = opened(reader, person, address, size="narrow", language=language, care=care)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        if found := [*too_wide(page), *small_targets(page)]:
            wrong[address] = found
    assert wrong == {}
