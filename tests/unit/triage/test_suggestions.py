"""Suggestions at the desk: taken with a key, learnt at once, within the duty lists, forgotten with the words."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, DutyList, EventType, TypeEdition
from jiequ.cases.queries import advice
from jiequ.cases.queries import types as type_queries
from jiequ.cases.services.voice import erase_reports
from jiequ.cases.views import suggesting, why
from jiequ.core.jobs import work_once
from jiequ.triage import running
from jiequ.triage.models import Lesson
from jiequ.triage.services import Ask, Level, suggest_type
from tests.actors import NOW, World
from tests.casework import Casework, make_condition
from tests.statements import statements_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(world: World) -> Casework:
    running.forget()
    make_condition("0401", name="流动摊贩占道经营", lead_key="zf")
    return Casework(world, make_condition("0110", name="暴露生活垃圾", lead_key="hw"))


@pytest.fixture
def lin(work: Casework) -> Client:
    return work.world.client("lin")


def learn_at_once() -> None:
    """The jobs of the moves are done and this process looks again."""
    while work_once(at=NOW + timedelta(seconds=1), outside=False):
        pass
    running.forget()


def page(client: Client, case: Case, move: str, **query: Any) -> str:
    answer = client.get(f"/cases/{case.number}/do/{move}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_report_in_the_words_of_a_type_is_offered_that_type_first_with_its_reason(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    shown = page(lin, case, "accept")
    offer = shown[shown.index('data-offer="condition_id"') :]
    first = offer[: offer.index("</li>")]
    assert f'data-offer-value="{work.condition.pk}"' in first
    assert "暴露生活垃圾" in first
    assert "垃圾" in first[first.index("<small>") :]


def test_a_suggestion_is_taken_without_scripts_by_its_link(work: Casework, lin: Client) -> None:
    other = make_condition("0502", name="路灯不亮")
    case = work.just_reported()
    shown = page(lin, case, "accept", condition_id=other.pk)
    assert (
        f'<option value="{other.pk}" selected' in shown.replace("  ", " ").replace("\n", " ") or f'value="{other.pk}"' in shown
    )
    assert Case.objects.get(pk=case.pk).state == "reported"


def test_a_confirmed_case_is_used_at_once_for_the_next_like_it(work: Casework) -> None:
    stall = make_condition("0777", name="其他事项")
    words = "巷口那家又把桌椅摆到盲道上了"
    before = suggest_type(Ask(words)).first
    assert before is None or before.code != "event:0777"
    case = work.fresh(work.reported(words=words).case, "lin")
    services.accept(case, condition_id=stall.pk, by=work.actor("lin"), at=NOW)
    learn_at_once()
    now = suggest_type(Ask("巷口那家又把桌椅摆到盲道上"))
    assert now.first is not None
    assert now.first.code == "event:0777"
    assert now.first.reasons[0].kind == "corrected"


def test_an_undone_move_teaches_nothing(work: Casework) -> None:
    case = work.fresh(work.just_reported(), "lin")
    event = services.accept(case, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    learn_at_once()
    assert Lesson.objects.filter(case_ref=case.pk, type_code="event:0110", is_type_taught=True).count() == 1
    services.undo(event.pk, by=work.actor("lin"), at=NOW)
    assert not Lesson.objects.filter(case_ref=case.pk).exists()


def test_erased_words_are_used_no_more(work: Casework) -> None:
    stall = make_condition("0777", name="其他事项")
    words = "巷口那家又把桌椅摆到盲道上了"
    case = work.fresh(work.reported(words=words).case, "lin")
    services.accept(case, condition_id=stall.pk, by=work.actor("lin"), at=NOW)
    learn_at_once()
    assert suggest_type(Ask(words)).choices[0].code == "event:0777"
    erase_reports(list(case.reports.select_related("reporter")), at=NOW)
    found = suggest_type(Ask(words)).first
    assert found is None or found.code != "event:0777"


def test_nothing_is_suggested_outside_the_duty_list(work: Casework, lin: Client) -> None:
    case = work.accepted()
    assert f'data-offer-value="{work.sanitation}"' in page(lin, case, "dispatch")
    elsewhere = EventType.objects.get(code="0401")
    refused = DutyList.objects.create(
        street=work.world.street, department=work.world.sanitation, clause="只管市容", changed_at=NOW
    )
    refused.types.set([elsewhere])
    type_queries.forget()
    shown = page(lin, case, "dispatch")
    assert f'data-offer-value="{work.sanitation}"' not in shown
    assert f'value="{work.sanitation}" selected' not in shown


def test_where_such_cases_went_is_offered_with_the_count(work: Casework, lin: Client) -> None:
    for _n in range(4):
        case = work.accepted()
        services.dispatch(work.fresh(case, "lin"), lead_id=work.water, by=work.actor("lin"), at=NOW)
    learn_at_once()
    shown = page(lin, work.accepted(), "dispatch")
    offer = shown[shown.index('data-offer="lead_id"') :]
    first = offer[: offer.index("</li>")]
    assert f'data-offer-value="{work.water}"' in first
    assert "4" in first[first.index("<small>") :]


def test_a_return_for_the_wrong_department_is_a_correction_and_another_is_not(work: Casework) -> None:
    case = work.fresh(work.dispatched(), "wu")
    services.return_case(case, reason_code="outside_duty_list", text="不是我们的", by=work.actor("wu"), at=NOW)
    learn_at_once()
    assert Lesson.objects.filter(case_ref=case.pk, is_return=True, department="hw").count() == 1
    second = work.fresh(work.dispatched(), "wu")
    services.return_case(second, reason_code="not_found", text="现场没有", by=work.actor("wu"), at=NOW)
    learn_at_once()
    assert not Lesson.objects.filter(case_ref=second.pk, is_return=True).exists()


def test_the_desk_beside_the_tray_stays_within_eight_statements(work: Casework, lin: Client) -> None:
    for case in (work.just_reported(), work.accepted()):
        ask = lambda case=case: lin.get(f"/desk/{case.number}/", headers={"HX-Request": "true"})  # noqa: E731
        ask()
        assert len(statements_of(ask)) <= 8


def test_the_reason_page_marks_the_words_and_shows_closed_cases_like_it(work: Casework, lin: Client) -> None:
    closed = work.closed(words="小区门口一堆生活垃圾没人收")
    case = work.reported(words="小区门口一堆生活垃圾发臭").case
    shown = lin.get(f"/cases/{case.number}/why/").content.decode()
    assert "<mark" in shown
    assert closed.number in shown
    assert re.search(r"像 \d+ %", shown)
    lin.cookies["django_language"] = "en"
    assert re.search(r"\d+ % alike", lin.get(f"/cases/{case.number}/why/").content.decode())


def test_what_a_resident_writes_is_heard_without_being_stored(work: Casework) -> None:
    browser = Client()
    shown = browser.post("/report/suggest", {"words": "楼下暴露生活垃圾堆了三天"}).content.decode()
    assert f'name="condition" value="{work.condition.pk}"' in shown
    assert "119" in browser.post("/report/suggest", {"words": "厨房煤气泄漏，味道很大"}).content.decode()
    without_scripts = browser.post("/report/", {"words": "楼下暴露生活垃圾堆了三天", "suggest": "1"}).content.decode()
    assert f'name="condition" value="{work.condition.pk}"' in without_scripts
    assert not Case.objects.exists()


def test_what_is_not_likely_enough_is_not_said_but_what_is_urgent_is(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    told = suggest_type(Ask("楼下暴露生活垃圾堆了三天"))
    assert advice.offer_of(told) is not None
    assert advice.offer_of(replace(told, level=Level.NONE)) is None
    urgent = advice.offer_of(replace(told, level=Level.NONE, urgent=("着火",)))
    assert urgent is not None
    assert urgent.choices == ()


def test_both_doors_to_what_is_heard_are_throttled_together(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "ASKS_AN_HOUR", 2)
    browser = Client()
    assert browser.post("/report/suggest", {"words": "垃圾"}).status_code == 200
    assert browser.post("/report/", {"words": "垃圾", "suggest": "1"}).status_code == 200
    for address in ("/report/suggest", "/report/"):
        assert browser.post(address, {"words": "垃圾", "suggest": "1"}).status_code == 429


def test_a_reply_is_drafted_from_what_was_done_on_the_streets_days_and_from_no_word_among_staff(work: Casework) -> None:
    case = work.dispatched()
    at = NOW.replace(hour=17, minute=0)  # one in the morning of the next day on the street
    for move, text in (("dispatch", "老赖，盯紧点"), ("handle", "已清运")):
        CaseEvent.objects.filter(case=case, move=move).update(at=at, text=text)
    assert CaseEvent.objects.filter(case=case, move="dispatch", text="老赖，盯紧点").exists()
    facts = why._facts(case)
    assert not [fact for fact in facts if "盯紧" in fact]
    assert [fact for fact in facts if fact.startswith(f"{NOW + timedelta(days=1):%Y-%m-%d}")]


def test_the_leader_s_one_tap_goes_where_such_cases_went_and_never_outside_a_duty_list(work: Casework) -> None:
    for _n in range(6):
        services.dispatch(work.accepted(), lead_id=work.water, assist_ids=(), by=work.actor("lin"), at=NOW)
    learn_at_once()
    work.accepted()
    leader = work.world.client("he")
    card = leader.get("/leader/").content.decode()
    assert "派给 水务（河长制）办公室" in card
    assert 'class="pending-why"' in card
    DutyList.objects.create(
        street=work.world.street, department_id=work.water, clause="职责清单第三条：只管水务", changed_at=NOW
    )
    assert "派给 环卫站（所）" in leader.get("/leader/").content.decode()


def test_a_reader_of_english_is_told_the_types_in_english_and_learning_keeps_its_own_names(work: Casework, lin: Client) -> None:
    TypeEdition.objects.filter(event_type__code="0110").update(name_en="Household waste left lying")
    type_queries.forget()
    tried = {}
    for language in ("en", "zh-hans"):
        lin.cookies["django_language"] = language
        tried[language] = lin.post("/triage/try/", {"words": "暴露生活垃圾"}).content.decode()
    assert "Household waste left lying" in tried["en"]
    assert "<strong>暴露生活垃圾" in tried["zh-hans"]
    assert "<strong>暴露生活垃圾" not in tried["en"]
    with translation.override("en"):
        assert "暴露生活垃圾" in [one.name for one in running.types_in_force()], "the model learns by the district's names"


def test_a_type_made_while_the_process_runs_is_suggested_within_seconds(work: Casework) -> None:
    words = "广场上放风筝线缠在树上"
    before = suggest_type(Ask(words))
    make_condition("0888", name="风筝线缠树")
    type_queries.forget()  # five seconds, or at once in the process that made it
    running.current(time.monotonic() + running.LOOK_AGAIN_SECONDS)
    assert "event:0888" not in [one.code for one in before.choices]
    assert "event:0888" in [one.code for one in suggest_type(Ask(words)).choices]
