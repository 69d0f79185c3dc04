"""上报 and 我的上报 with scripts off: what a resident, a grid worker and the desk send, and what comes back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Proof, Rating, Report
from jiequ.core.models import Picture
from jiequ.grid.models import MonitoringPoint, Place
from jiequ.grid.rules import q18
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework
from tests.photos import heic, upload
from tests.statements import statements_of


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def here(world: World, grid: str = "a") -> dict[str, Any]:
    lon, lat = world.point_in(grid)
    return {"lon": lon, "lat": lat, "accuracy_m": "12", "system": "cgcs2000", "located_at": NOW.isoformat()}


def text_of(answer: Any) -> str:
    return answer.content.decode()


def key_in(page: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert found
    return found[1]


def on_the_map(world: World) -> dict[str, Any]:
    lon, lat = world.point_in("a")
    return {"street": world.street, "lon": lon, "lat": lat, "q18": q18(lon, lat), "raw_x": lon, "raw_y": lat}


def road(world: World) -> Place:
    return Place.objects.create(
        **on_the_map(world), community=world.communities["east"], kind="road", name="荔香路", words="荔香路"
    )


# -- a resident ------------------------------------------------------------------------------------------------------


def test_a_resident_reports_with_a_photo_and_is_led_to_a_private_page_with_the_number(work: Casework) -> None:
    browser = Client()
    page = text_of(browser.get("/report/"))
    data = here(work.world) | {"photos": upload(), "words": "河边有垃圾", "idempotency_key": key_in(page)}
    answer = browser.post("/report/", data)
    assert answer.status_code == 303
    mine = browser.get(answer["Location"])
    case = Case.objects.get()
    assert case.unit_grid_id == work.world.grid_a.pk
    assert case.number in text_of(mine)
    assert "收到了，谢谢您" in text_of(mine)
    assert "工作人员正在核对" in text_of(mine)
    assert mine["Cache-Control"] == "private, no-store"
    assert mine["Referrer-Policy"] == "same-origin"  # no-referrer would send Origin: null with its forms
    assert Proof.objects.filter(case=case, phase="report", picture__isnull=False).count() == 1


def test_the_same_form_sent_twice_makes_one_case(work: Casework) -> None:
    browser = Client()
    data = here(work.world) | {"words": "井盖坏了", "idempotency_key": key_in(text_of(browser.get("/report/")))}
    answers = [browser.post("/report/", data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Case.objects.count() == 1


def test_nothing_said_is_refused_with_a_sentence_and_what_was_typed_stays(work: Casework) -> None:
    answer = Client().post("/report/", here(work.world) | {"place_words": "桥头", "photos": []})
    assert answer.status_code == 422
    assert "请拍一张照片或写一句话" in text_of(answer)
    assert 'value="桥头"' in text_of(answer)
    assert not Case.objects.exists()
    assert not Report.objects.exists()


def test_a_heic_photo_gets_an_answer_and_nothing_is_stored(work: Casework) -> None:
    answer = Client().post("/report/", here(work.world) | {"photos": heic(), "words": "树倒了"})
    assert answer.status_code == 422
    assert "HEIC" in text_of(answer)
    assert "树倒了" in text_of(answer)
    assert not Case.objects.exists()
    assert not Picture.objects.exists()


def test_a_machine_or_the_queue_gets_the_same_refusal_as_json(work: Casework) -> None:
    answer = Client().post("/report/", here(work.world), headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "nothing_said"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"words": "x", "phone": "123"}, "手机号不对"),
        ({"wants_call": "on"}, "请留下手机号"),
        ({"words": "x", "phone": "13912345678", "is_minor": "on"}, "监护人"),
        ({"words": "x", "plate": "000000000000000", "lon": "", "lat": ""}, "没有这块点位牌"),
        ({"words": "x", "community": "999999", "lon": "", "lat": ""}, "没有这个社区"),
        ({"words": "x", "lon": "不是数", "lat": "1"}, "不是数字"),
        ({"words": "x" * 2001}, "2000"),
    ],
)
def test_wrong_input_is_refused_in_the_reader_s_language_and_nothing_is_half_stored(
    work: Casework, more: dict[str, str], sentence: str
) -> None:
    answer = Client().post("/report/", here(work.world) | more)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not Case.objects.exists()
    assert not Report.objects.exists()


def test_an_english_reader_is_refused_in_english(work: Casework) -> None:
    answer = Client().post("/report/", here(work.world), headers={"Accept-Language": "en"})
    assert "Please take a photo" in text_of(answer) or "photo" in text_of(answer).split('data-refusal="nothing_said"')[1][:300]


def test_a_scanned_plate_gives_the_place_without_a_position(work: Casework) -> None:
    code = work.world.grid_a.code15
    page = text_of(Client().get(f"/report/?plate={code}"))
    assert "位置来自您扫的点位牌" in page
    assert Client().post("/report/", {"plate": code, "words": "垃圾没收"}).status_code == 303
    assert Case.objects.get().unit_grid_id == work.world.grid_a.pk


def test_a_monitoring_point_s_plate_names_the_place(work: Casework) -> None:
    MonitoringPoint.objects.create(**on_the_map(work.world), code="K01", name="东涌桥", kind="foot", risk_class="low")
    plate = f"{work.world.street.code9}-K01"
    assert "东涌桥" in text_of(Client().get(f"/report/?plate={plate}"))
    Client().post("/report/", {"plate": plate, "words": "垃圾没收"})
    assert Case.objects.get().address == "东涌桥"


def test_community_then_road_can_be_chosen_with_scripts_off(work: Casework) -> None:
    chosen = road(work.world)
    east = work.world.communities["east"].pk
    assert f"?community={east}" in text_of(Client().get("/report/"))
    page = text_of(Client().get(f"/report/?community={east}"))
    assert f'<option value="{chosen.pk}">荔香路</option>' in page
    Client().post("/report/", {"community": east, "place": chosen.pk, "words": "路灯不亮"})
    case = Case.objects.get()
    assert (case.address, case.unit_grid_id) == ("荔香路", work.world.grid_a.pk)


def test_a_rough_position_gives_way_to_the_road_that_was_chosen_and_an_exact_one_does_not(work: Casework) -> None:
    chosen = road(work.world)
    rough = here(work.world, "b") | {"accuracy_m": "400", "place": chosen.pk, "words": "路灯不亮"}
    Client().post("/report/", rough)
    exact = here(work.world, "b") | {"accuracy_m": "9", "place": chosen.pk, "words": "树枝断了"}
    Client().post("/report/", exact)
    by_road, by_phone = Case.objects.order_by("pk")
    assert by_road.unit_grid_id == work.world.grid_a.pk
    assert by_phone.unit_grid_id == work.world.grid_b.pk
    assert by_phone.address == "荔香路"


def test_words_alone_and_a_wish_to_be_called_are_enough(work: Casework) -> None:
    east = work.world.communities["east"].pk
    answer = Client().post("/report/", {"community": east, "wants_call": "on", "phone": "13912345678"})
    assert answer.status_code == 303
    report = Report.objects.get()
    assert report.wants_call
    assert report.street_id == work.world.street.pk


def test_the_privacy_notice_says_who_what_for_how_long_and_how_to_delete(work: Casework) -> None:
    page = text_of(Client().get("/report/"))
    for words in ("谁在收", "做什么用", "365 天后自动删除", "怎么看、怎么删", "未满 14 岁", "监护人"):
        assert words in page


# -- "me too" --------------------------------------------------------------------------------------------------------


def near(world: World, browser: Client, **more: Any) -> Any:
    return browser.post("/report/suggest", here(world) | more)


def test_an_open_case_near_by_is_shown_first_and_saying_me_too_joins_it(work: Casework) -> None:
    case = work.accepted()
    browser = Client()
    part = text_of(near(work.world, browser))
    assert "附近已经有人报过" in part
    assert "周女士" not in part
    assert case.number not in part
    offer = re.search(r'name="me_too" value="([^"]+)"', part)
    assert offer
    answer = browser.post("/report/", here(work.world) | {"me_too": offer[1], "words": "我也看到了"})
    assert answer.status_code == 303
    case.refresh_from_db()
    assert case.voices == 2
    assert Case.objects.count() == 1
    assert case.number in text_of(browser.get(answer["Location"]))


def test_a_guessed_case_cannot_be_joined(work: Casework) -> None:
    case = work.accepted()
    answer = Client().post("/report/", here(work.world) | {"me_too": str(case.pk), "words": "x"})
    assert answer.status_code == 404
    assert case.reports.count() == 1


def test_a_handler_sees_what_is_near_but_cannot_add_a_voice(work: Casework) -> None:
    work.accepted()
    part = text_of(near(work.world, work.world.client("huang")))
    assert "附近已经有人报过" in part
    assert 'name="me_too"' not in part


def test_a_scanned_plate_shows_what_is_near_with_scripts_off(work: Casework) -> None:
    work.accepted()
    assert 'name="me_too"' in text_of(Client().get(f"/report/?plate={work.world.grid_a.code15}"))


# -- staff -----------------------------------------------------------------------------------------------------------


def test_staff_find_the_types_with_the_last_used_on_top(work: Casework) -> None:
    browser = work.world.client("chen")
    assert "最近用过" not in text_of(browser.get("/report/"))
    work.reported(by="chen", source="staff", condition_id=work.condition.pk, contact=None)
    page = text_of(browser.get("/report/"))
    assert page.index("最近用过") < page.index("全部类型")
    assert page.count(f'name="condition" value="{work.condition.pk}"') == 2


def test_a_grid_worker_closes_what_was_put_right_on_the_spot_in_one_form(work: Casework) -> None:
    data = here(work.world) | {"photos": upload(), "condition": work.condition.pk, "self_handled": "on"}
    answer = work.world.client("chen").post("/report/", data)
    case = Case.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/cases/{case.number}/"
    assert (case.state, case.closing) == ("closed", "self_handled")


def test_self_handled_without_a_type_is_refused_with_a_sentence(work: Casework) -> None:
    answer = work.world.client("chen").post("/report/", here(work.world) | {"photos": upload(), "self_handled": "on"})
    assert answer.status_code == 422
    assert "自处理需要类型和位置" in text_of(answer)
    assert not Case.objects.exists()


def test_a_resident_cannot_claim_to_have_put_it_right(work: Casework) -> None:
    data = here(work.world) | {"photos": upload(), "condition": work.condition.pk, "self_handled": "on"}
    assert Client().post("/report/", data).status_code == 403
    assert "已当场处理好" not in text_of(Client().get("/report/"))
    assert not Case.objects.exists()


def test_the_desk_records_a_hotline_s_order_once_with_its_own_limit(work: Casework) -> None:
    data = here(work.world) | {
        "words": "噪音", "source": "hotline", "source_ref": "GD-77", "outer_due_at": "2026-03-20T18:00", "phone": "13900000000",
    }  # fmt: skip
    browser = work.world.client("lin")
    assert browser.post("/report/", data).status_code == 303
    assert browser.post("/report/", data).status_code == 303
    case = Case.objects.get()
    assert case.source == "hotline"
    assert "outer" in case.clocks


def test_a_resident_s_source_is_never_taken_from_the_form(work: Casework) -> None:
    Client().post("/report/", here(work.world) | {"words": "x", "source": "leader", "is_urgent": "on"})
    case = Case.objects.get()
    assert (case.source, case.is_urgent) == ("resident", False)


def test_a_report_takes_fourteen_statements_at_most_with_sign_in(work: Casework) -> None:
    browser = work.world.client("chen")
    warm = here(work.world) | {"words": "先热一热", "condition": work.condition.pk}
    browser.post("/report/", warm)
    given = here(work.world) | {"words": "垃圾", "condition": work.condition.pk, "photos": upload()}
    made = statements_of(lambda: browser.post("/report/", given))
    assert Case.objects.count() == 2
    assert len(made) <= 14, "\n".join(made)


# -- my report -------------------------------------------------------------------------------------------------------


def link(work: Casework, case: Case) -> str:
    """A fresh private link to the case's first report."""
    report = case.reports.select_related("street").order_by("pk").first()
    assert report is not None
    return f"/r/{services.renew_link(report, at=NOW)}/"


def test_the_page_says_what_comes_next_until_when_and_who(work: Casework) -> None:
    page = text_of(Client().get(link(work, work.handling())))
    assert "负责部门正在处理" in page
    assert "环卫站（所）" in page
    assert "最晚办到" in page
    for verb in ("发现", "受理", "分流", "处置", "跟踪", "督办", "反馈", "评价"):
        assert verb in page
    assert "黄海" not in page
    assert "林晓" not in page


def test_before_the_date_is_kept_the_clock_s_history_can_be_read(work: Casework) -> None:
    page = text_of(Client().get(link(work, work.handling())))
    assert "时间是怎么算的" in page
    assert "开始计时" in page


def test_a_closed_case_is_rated_with_scripts_off(work: Casework) -> None:
    address = link(work, work.closed())
    browser = Client()
    page = text_of(browser.get(address))
    assert "请您评价" in page
    data = {"is_solved": "yes", "satisfaction": "5", "text": "很快", "idempotency_key": key_in(page)}
    assert browser.post(f"{address}rate", data).status_code == 303
    assert Rating.objects.get().satisfaction == 5
    assert "请您评价" not in text_of(browser.get(address))


def test_a_rating_without_a_verdict_is_refused_on_the_same_page(work: Casework) -> None:
    address = link(work, work.closed())
    answer = Client().post(f"{address}rate", {"satisfaction": "4", "text": "还行"})
    assert answer.status_code == 422
    assert "请选择问题解决了没有" in text_of(answer)
    assert "还行" in text_of(answer)
    assert not Rating.objects.exists()


def test_asking_again_opens_the_case_once(work: Casework) -> None:
    case = work.closed()
    address = link(work, case)
    assert Client().post(f"{address}reopen", {"text": "又堵了"}).status_code == 303
    case.refresh_from_db()
    assert case.state == "reopened"
    assert "重新办理" in text_of(Client().get(address))
    assert 'id="reopen"' not in text_of(Client().get(address))


def test_asking_again_without_words_is_refused_on_the_same_page(work: Casework) -> None:
    case = work.closed()
    answer = Client().post(f"{link(work, case)}reopen", {"text": " "})
    assert answer.status_code == 422
    assert "请写明情况" in text_of(answer)
    case.refresh_from_db()
    assert case.state == "closed"


def test_a_suspended_case_shows_no_date_that_has_passed(work: Casework, clock: MovableClock) -> None:
    case = work.fresh(work.handling(), "wu")
    until = clock.at.replace(month=6)
    services.ask_suspend(case, until=until, text="等水位下降", by=work.actor("wu"), at=NOW)
    services.suspend(work.fresh(case, "he"), by=work.actor("he"), at=NOW)
    address = link(work, case)
    clock.move(days=30)
    page = text_of(Client().get(address))
    assert "预计恢复" in page
    assert "6月4日" in page
    assert "比说好的时间晚了" not in page
    assert "等水位下降" not in page


def test_a_revoked_link_opens_nothing_and_the_number_with_the_last_four_still_does(work: Casework) -> None:
    case = work.handling()
    address = link(work, case)
    assert "原来的链接谁也打不开了" in text_of(Client().post(f"{address}revoke"))
    assert Client().get(address).status_code == 404
    answer = Client().post("/query/", {"number": case.number, "last4": "5678"})
    assert answer.status_code == 200
    assert "负责部门正在处理" in text_of(answer)
    assert "/photos/" not in text_of(answer)


def test_a_wrong_pair_of_number_and_last_four_is_told_alike(work: Casework) -> None:
    case = work.handling()
    wrong = [{"number": case.number, "last4": "0000"}, {"number": "LG-2026-999999", "last4": "5678"}]
    answers = [Client().post("/query/", pair) for pair in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"LG-2026-\d+|0000|5678|value=\"[^\"]*\"", "", text_of(a)) for a in answers}) == 1


def test_guessing_last_fours_of_a_number_is_stopped(work: Casework) -> None:
    case = work.handling()
    codes = [Client().post("/query/", {"number": case.number, "last4": f"{n:04d}"}).status_code for n in range(22)]
    assert codes[:20] == [404] * 20
    assert codes[-1] == 429


def test_the_holder_of_the_link_downloads_and_deletes_what_names_them(work: Casework) -> None:
    case = work.closed(device="the-browser-it-was-made-in")
    address = link(work, case)
    browser = Client()
    assert browser.get(f"{address}export").json()["phone"] == ""
    browser.cookies["device"] = "the-browser-it-was-made-in"
    assert browser.get(f"{address}export").json()["phone"] == "13912345678"
    assert "找不回来" in text_of(browser.get(f"{address}erase"))
    assert "您的信息已经删除" in text_of(browser.post(f"{address}erase"))
    assert browser.get(address).status_code == 404
    assert not Report.objects.get().words


def test_photos_of_the_work_are_shown_to_the_reporter_only_after_the_end(work: Casework) -> None:
    working, done = work.handled(), work.closed()
    proof = working.proofs.filter(phase="after").get()
    assert Client().get(f"{link(work, working)}photos/{proof.pk}/thumb").status_code == 404
    page = text_of(Client().get(link(work, done)))
    shown = done.proofs.filter(phase="after").get()
    assert f"photos/{shown.pk}/thumb" in page
