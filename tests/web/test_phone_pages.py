"""待办, 待处理 and one case with scripts off: what each sees, what one tap does, what is refused, what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Task
from jiequ.core.models import AuditEntry
from jiequ.grid.models import Place
from jiequ.grid.rules import q18
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.photos import upload
from tests.statements import statements_of

EVENING = NOW.replace(hour=13)  # 21:00 in Shanghai


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def text_of(answer: Any) -> str:
    return answer.content.decode()


def form_to(page: str, action: str) -> dict[str, Any]:
    """The fields a browser without scripts would send for the form with this address: hidden ones and first choices."""
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        if f'action="{action}"' in form:
            found: dict[str, list[str]] = {}
            for tag in re.findall(r"<input\b[^>]*>", form):
                kind = re.search(r'type="(\w+)"', tag)
                name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
                if name and kind and (kind[1] == "hidden" or "checked" in tag):
                    found.setdefault(name[1], []).append(value[1] if value else "")
            return found
    raise AssertionError(f"no form to {action}")


def do(case: Case, move: str) -> str:
    return f"/cases/{case.number}/do/{move}"


def send(browser: Client, page: str, action: str, **more: Any) -> Any:
    return browser.post(action, form_to(page, action) | more)


def state(case: Case) -> str:
    case.refresh_from_db()
    return str(case.state)


# -- 待办 --------------------------------------------------------------------------------------------------------------


def test_a_handler_takes_a_case_up_with_one_tap_and_may_undo_it(work: Casework) -> None:
    case = work.dispatched()
    browser = work.world.client("huang")
    page = text_of(browser.get("/todo/"))
    answer = send(browser, page, do(case, "acknowledge"))
    assert answer.status_code == 303
    assert answer["Location"].startswith("/todo/?done=")
    assert state(case) == "handling"
    after = text_of(browser.get(answer["Location"]))
    undo = re.search(r'action="(/undo/\d+)"', after)
    assert undo
    assert send(browser, after, undo[1]).status_code == 303
    assert state(case) == "dispatched"


def test_a_grid_worker_passes_a_check_with_the_second_tap(work: Casework) -> None:
    case = work.checking()
    browser = work.world.client("chen")
    page = text_of(browser.get("/todo/"))
    assert "<details" in page.split("todo-acts")[1]
    assert send(browser, page, do(case, "check_pass")).status_code == 303
    case.refresh_from_db()
    assert case.checked_at == NOW


def test_a_failed_check_needs_a_word_and_sends_it_back(work: Casework) -> None:
    case = work.checking()
    browser = work.world.client("chen")
    page = text_of(browser.get("/todo/"))
    refused = send(browser, page, do(case, "check_fail"), text="")
    assert refused.status_code == 422
    assert state(case) == "checking"
    assert send(browser, page, do(case, "check_fail"), text="还有一袋没拿走").status_code == 303
    assert state(case) == "rework"


@pytest.mark.parametrize("finding", ["true", "untrue", "cannot_tell"])
def test_a_verification_is_answered_with_the_second_tap(work: Casework, finding: str) -> None:
    case = work.fresh(work.just_reported(), "lin")
    services.ask_verify(case, by=work.actor("lin"), at=NOW)
    browser = work.world.client("chen")
    page = text_of(browser.get("/todo/"))
    assert f'name="finding" value="{finding}"' in page
    assert send(browser, page, do(case, "verify"), finding=finding).status_code == 303
    assert state(case) == "reported"
    assert Task.objects.get(kind="verify").outcome == finding


def test_a_leader_decides_on_a_suspension_from_the_to_do_line(work: Casework) -> None:
    case = work.fresh(work.handling(), "wu")
    services.ask_suspend(case, until=NOW + timedelta(days=20), text="等材料", by=work.actor("wu"), at=NOW)
    browser = work.world.client("liang")
    page = text_of(browser.get("/todo/"))
    assert "等材料" in page
    assert 'name="kind" value="suspend"' in page
    assert send(browser, page, do(case, "suspend")).status_code == 303
    assert state(case) == "suspended"


def test_the_light_is_said_in_words_and_a_red_one_stands_first(work: Casework, clock: MovableClock) -> None:
    late = work.dispatched(at=NOW - timedelta(days=3))
    work.dispatched()
    page = text_of(work.world.client("huang").get("/todo/"))
    assert "已超期" in page
    assert page.index(late.number) == min(m.start() for m in re.finditer("LG-2026-", page))


def test_an_empty_list_says_so(work: Casework) -> None:
    assert "都办完了" in text_of(work.world.client("huang").get("/todo/"))


def test_the_to_do_list_takes_six_statements_at_most(work: Casework) -> None:
    for _ in range(4):
        work.dispatched()
    browser = work.world.client("huang")
    browser.get("/todo/")
    made = statements_of(lambda: browser.get("/todo/"))
    assert len(made) <= 6, "\n".join(made)


# -- 待处理 ------------------------------------------------------------------------------------------------------------


def test_a_leader_sends_a_case_to_its_departments_with_one_tap(work: Casework) -> None:
    known = make_condition("0210", name="河道阻塞", lead_key="sw")
    known.edition.assist_department_keys = ["hw"]
    known.edition.save()
    case = work.reported(condition_id=known.pk).case
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/"))
    assert "派给 水务（河长制）办公室" in page
    assert "协办：环卫站（所）" in page
    answer = send(browser, page, do(case, "accept_dispatch"))
    assert answer.status_code == 303
    assert answer["Location"].startswith("/leader/?done=")
    assert state(case) == "dispatched"
    assert case.lead_id == work.water
    assert set(case.tasks.filter(kind="assist").values_list("department_id", flat=True)) == {work.sanitation}
    after = text_of(browser.get(answer["Location"]))
    assert "已经派出" in after
    assert 'action="/undo/' in after


def test_where_the_type_is_unknown_the_leader_chooses_it_and_the_catalogue_knows_the_departments(work: Casework) -> None:
    case = work.just_reported()
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/"))
    assert "暴露生活垃圾 → 环卫站（所）" in page
    answer = send(browser, page, do(case, "accept_dispatch"), condition_id=work.condition.pk)
    assert answer.status_code == 303
    assert state(case) == "dispatched"
    assert case.lead_id == work.sanitation


def test_a_tap_without_a_type_shows_the_form_with_the_sentence(work: Casework) -> None:
    case = work.just_reported()
    browser = work.world.client("he")
    answer = send(browser, text_of(browser.get("/leader/")), do(case, "accept_dispatch"), condition_id="")
    assert answer.status_code == 422
    assert "field-error" in text_of(answer)
    assert 'name="next" value="/leader/"' in text_of(answer)
    assert state(case) == "reported"


def test_a_department_may_be_changed_and_others_added(work: Casework) -> None:
    case = work.accepted()
    browser = work.world.client("he")
    fields = form_to(text_of(browser.get("/leader/")), do(case, "dispatch"))
    changed = fields | {"lead_id": work.water, "assist_ids": [work.sanitation], "text": "今天看一眼"}
    assert browser.post(do(case, "dispatch"), changed).status_code == 303
    case.refresh_from_db()
    assert case.lead_id == work.water


def test_a_tap_on_a_page_somebody_else_was_faster_on_is_refused_with_the_sentence(work: Casework) -> None:
    case = work.accepted()
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/"))
    services.dispatch(work.fresh(case, "liang"), lead_id=work.water, by=work.actor("liang"), at=NOW)
    answer = send(browser, page, do(case, "dispatch"))
    assert answer.status_code in (409, 422)
    assert "案件" in text_of(answer)
    case.refresh_from_db()
    assert case.lead_id == work.water


def test_outside_working_time_the_leader_reads_when_it_arrives_and_may_give_a_reason(
    work: Casework, clock: MovableClock
) -> None:
    case, second = work.accepted(), work.accepted()
    clock.at = EVENING
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/"))
    assert "现在不是工作时间" in page
    assert "3月5日 08:00" in page
    assert send(browser, page, do(case, "dispatch"), send_now_reason="河水上涨").status_code == 303
    assert send(browser, page, do(second, "dispatch")).status_code == 303
    sent = text_of(browser.get("/leader/")).split("已经派出")[1]
    assert sent.count("不在班的人收到") == 1
    assert "河水上涨" in case.events.get(move="dispatch").facts["send_now_reason"]


def test_in_working_time_no_reason_is_asked(work: Casework) -> None:
    work.accepted()
    page = text_of(work.world.client("he").get("/leader/"))
    assert "send_now_reason" not in page
    assert "现在不是工作时间" not in page


def test_what_is_already_sent_says_to_whom_and_when_and_can_be_urged(work: Casework) -> None:
    case = work.dispatched(assist=(work.water,))
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/")).split("已经派出")[1]
    assert "派给 环卫站（所）、水务（河长制）办公室" in page
    assert "3月4日 10:00" in page
    assert send(browser, page, do(case, "urge")).status_code == 303
    assert "已督办 1 次" in text_of(browser.get("/leader/"))


def test_a_report_whose_place_is_not_known_is_not_offered_for_one_tap(work: Casework) -> None:
    case = work.reported(place=services.Place(words="桥那边")).case
    browser = work.world.client("he")
    page = text_of(browser.get("/leader/"))
    assert "补上位置再派" in page
    assert f'action="{do(case, "accept_dispatch")}"' not in page
    address = f"{do(case, 'accept_dispatch')}?next=/leader/"
    form = text_of(browser.get(address))
    wrong = send(browser, form, do(case, "accept_dispatch"), condition_id=work.condition.pk, plate_code="123")
    assert wrong.status_code == 422
    assert "没有这个编号" in text_of(wrong)
    code = work.world.grid_a.code15
    assert send(browser, form, do(case, "accept_dispatch"), condition_id=work.condition.pk, plate_code=code).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.unit_grid_id, case.lead_id) == ("dispatched", work.world.grid_a.pk, work.sanitation)


def test_an_acceptor_puts_a_report_in_words_on_the_map_by_a_road(work: Casework) -> None:
    lon, lat = work.world.point_in("b")
    chosen = Place.objects.create(
        street=work.world.street, community=work.world.communities["east"], kind="road", name="荔香路", words="荔香路",
        lon=lon, lat=lat, q18=q18(lon, lat), raw_x=lon, raw_y=lat,
    )  # fmt: skip
    case = work.reported(place=services.Place(words="桥那边")).case
    browser = work.world.client("lin")
    form = text_of(browser.get(do(case, "accept")))
    assert f'<option value="{chosen.pk}">荔香路</option>' in form
    nowhere = send(browser, form, do(case, "accept"), condition_id=work.condition.pk)
    assert nowhere.status_code == 422
    assert "立案需要类型、立案条件和所在网格" in text_of(nowhere)
    assert send(browser, form, do(case, "accept"), condition_id=work.condition.pk, place_id=chosen.pk).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.unit_grid_id, case.address) == ("accepted", work.world.grid_b.pk, "荔香路 桥那边")


def test_the_leader_s_page_takes_eight_statements_at_most(work: Casework) -> None:
    for _ in range(3):
        work.accepted()
        work.just_reported()
        work.dispatched()
    browser = work.world.client("he")
    browser.get("/leader/")
    made = statements_of(lambda: browser.get("/leader/"))
    assert len(made) <= 8, "\n".join(made)


# -- one case --------------------------------------------------------------------------------------------------------


def test_a_handler_hands_in_the_proof_from_the_case_s_page(work: Casework) -> None:
    case = work.handling()
    browser = work.world.client("huang")
    page = text_of(browser.get(f"/cases/{case.number}/"))
    assert "结案条件还要" in page
    assert "处置后照片" in page
    refused = send(browser, page, do(case, "handle"), text="清完了")
    assert refused.status_code == 422
    assert "还缺结案条件要求的凭证" in text_of(refused)
    assert "清完了" in text_of(refused)
    assert state(case) == "handling"
    assert not case.proofs.filter(phase="after").exists()
    assert send(browser, page, do(case, "handle"), text="清完了", photos=upload()).status_code == 303
    assert state(case) == "handled"


def test_the_same_tap_sent_twice_is_one_move(work: Casework) -> None:
    case = work.dispatched()
    browser = work.world.client("huang")
    fields = form_to(text_of(browser.get(f"/cases/{case.number}/")), do(case, "acknowledge"))
    answers = [browser.post(do(case, "acknowledge"), fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert case.events.filter(move="acknowledge").count() == 1


def test_the_queue_gets_a_refusal_it_can_show(work: Casework) -> None:
    case = work.checking()
    answer = work.world.client("chen").post(do(case, "check_fail"), {"text": ""}, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_form"


def test_only_moves_that_have_something_to_answer_are_offered(work: Casework) -> None:
    case = work.handling()
    page = text_of(work.world.client("huang").get(f"/cases/{case.number}/"))
    for move in ("assist_done", "answer_consult", "answer_urge", "answer_call"):
        assert do(case, move) not in page
    services.urge(work.fresh(case, "he"), text="快一点", by=work.actor("he"), at=NOW)
    page = text_of(work.world.client("huang").get(f"/cases/{case.number}/"))
    assert do(case, "answer_urge") in page
    assert do(case, "assist_done") not in page


def test_a_consult_shows_answers_and_silence(work: Casework, clock: MovableClock) -> None:
    case = work.fresh(work.handling(), "wu")
    by = NOW + timedelta(hours=2)
    asked = [work.water, work.world.enforcement.pk]
    services.ask_consult(case, question="谁来拆？", department_ids=asked, answer_by=by, by=work.actor("wu"), at=NOW)
    services.answer_consult(work.fresh(case, "zhao"), text="我们来拆", by=work.actor("zhao"), at=NOW)
    clock.move(hours=3)
    page = text_of(work.world.client("wu").get(f"/cases/{case.number}/"))
    assert "谁来拆？" in page
    assert "我们来拆" in page
    assert "到时没有答复" in page


def test_a_handler_reads_words_and_photos_but_never_a_phone_or_a_name(work: Casework) -> None:
    case = work.handling(words="桥边垃圾，我电话 13912345678")
    page = text_of(work.world.client("huang").get(f"/cases/{case.number}/"))
    assert "桥边垃圾" in page
    assert "13912345678" not in page
    assert "周女士" not in page
    assert "reveal" not in page


def test_the_desk_sees_the_reporter_once_with_a_reason_that_stays(work: Casework) -> None:
    case = work.accepted()
    report = case.reports.get()
    browser = work.world.client("lin")
    assert f"/reveal/{report.pk}" in text_of(browser.get(f"/cases/{case.number}/"))
    refused = browser.post(f"/cases/{case.number}/reveal/{report.pk}", {"reason": " "})
    assert refused.status_code == 422
    assert not AuditEntry.objects.filter(action="reporter.reveal").exists()
    answer = browser.post(f"/cases/{case.number}/reveal/{report.pk}", {"reason": "地点不清，需要电话核对"})
    assert "周女士" in text_of(answer)
    assert "13912345678" in text_of(answer)
    assert answer["Cache-Control"] == "no-store"
    assert AuditEntry.objects.filter(action="reporter.reveal", person_id=work.world.lin.pk).count() == 1
    assert work.world.client("huang").post(f"/cases/{case.number}/reveal/{report.pk}", {"reason": "x"}).status_code in (
        403,
        404,
    )


def test_a_rating_is_taken_by_phone(work: Casework) -> None:
    case = work.closed()
    report = case.reports.get()
    browser = work.world.client("lin")
    address = f"/cases/{case.number}/rate/{report.pk}"
    assert address in text_of(browser.get(f"/cases/{case.number}/"))
    page = text_of(browser.get(address))
    assert "请这样问" in page
    refused = send(browser, page, address, satisfaction="4")
    assert refused.status_code == 422
    assert "请选择问题解决了没有" in text_of(refused)
    assert send(browser, page, address, is_solved="yes", satisfaction="4").status_code == 302
    assert "解决了 · 4 分" in text_of(browser.get(f"/cases/{case.number}/"))


def test_the_desk_works_in_its_own_frame_and_the_handler_in_the_phone_s(work: Casework) -> None:
    case = work.handling()
    assert 'class="desk"' in text_of(work.world.client("lin").get(f"/cases/{case.number}/"))
    page = text_of(work.world.client("huang").get(f"/cases/{case.number}/"))
    assert 'class="phone"' in page
    assert 'class="actions case-bar"' in page


def test_the_notices_of_a_case_say_how_far_they_got_and_never_whether_they_were_read(work: Casework) -> None:
    case = work.dispatched()
    page = text_of(work.world.client("lin").get(f"/cases/{case.number}/messages"))
    assert "发出的通知" in page
    assert "已读" not in page


def test_a_case_of_another_street_is_not_there(work: Casework) -> None:
    case = work.handling()
    assert work.world.client("wai").get(f"/cases/{case.number}/").status_code == 404
    assert work.world.client("wai").post(do(case, "urge"), {"text": "x"}).status_code == 404


@pytest.mark.parametrize("name", ["huang", "lin", "he", "chen"])
def test_one_case_takes_eight_statements_at_most(work: Casework, name: str) -> None:
    case = work.checking()
    browser = work.world.client(name)
    browser.get(f"/cases/{case.number}/")
    made = statements_of(lambda: browser.get(f"/cases/{case.number}/"))
    assert len(made) <= 8, "\n".join(made)


@pytest.mark.parametrize("move", ["dispatch", "accept_dispatch"])
def test_a_leader_s_tap_takes_fourteen_statements_at_most(work: Casework, move: str) -> None:
    case = work.accepted() if move == "dispatch" else work.reported(condition_id=work.condition.pk).case
    browser = work.world.client("he")
    fields = form_to(text_of(browser.get("/leader/")), do(case, move))
    made = statements_of(lambda: browser.post(do(case, move), fields))
    assert state(case) == "dispatched"
    assert len(made) <= 14, "\n".join(made)
