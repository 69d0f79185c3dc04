"""Legal but odd: moves in an order nobody meant, by somebody with a seat. What is left must still be true."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from jiequ.cases import services
from jiequ.cases.jobs import clock_mark, resume_case, tell_reporters
from jiequ.cases.models import Case, CaseEvent, Task
from jiequ.cases.services import moving
from jiequ.channels.models import Message
from jiequ.core.errors import Forbidden, Refusal, Stale
from jiequ.core.http import refusal_of
from jiequ.core.models import Job
from jiequ.people.models import Post
from tests.actors import NOW, MovableClock
from tests.casework import Casework

SOON = NOW + timedelta(seconds=5)


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def last(case: Case, move: str) -> CaseEvent:
    return case.events.filter(move=move).order_by("-pk")[0]


# -- undo ------------------------------------------------------------------------------------------------------------


def test_an_undo_does_not_swallow_what_another_answered_meanwhile(work: Casework) -> None:
    case = work.dispatched(assist=(work.water,))
    services.assist_done(work.fresh(case, "zhao"), text="已派人", by=work.actor("zhao"), at=SOON)
    with pytest.raises(Stale):
        services.undo(last(case, "dispatch").pk, by=work.actor("lin"), at=SOON)
    case.refresh_from_db()
    assert case.state == "dispatched"
    task = case.tasks.get(kind="assist")
    assert (task.state, task.answer) == (Task.State.DONE, "已派人")


def test_an_undo_does_not_withdraw_what_another_asked_meanwhile(work: Casework) -> None:
    case = work.handling()
    until = NOW + timedelta(days=9)
    services.ask_suspend(work.fresh(case, "wu"), until=until, text="等材料", by=work.actor("wu"), at=SOON)
    with pytest.raises(Stale):
        services.undo(last(case, "acknowledge").pk, by=work.actor("huang"), at=SOON)
    assert case.tasks.get(kind="suspend").state == Task.State.OPEN


def test_an_undo_leaves_no_rating_on_a_case_that_is_open_again(work: Casework) -> None:
    case = work.closed()
    report = case.reports.get()
    by = services_resident(report.pk)
    services.rate(case, report=report, is_solved=True, satisfaction=5, by=by, at=SOON)
    with pytest.raises(Stale):
        services.undo(last(case, "close").pk, by=work.actor("lin"), at=SOON)
    case.refresh_from_db()
    assert case.state == "closed"


def services_resident(report_id: int) -> Any:
    from jiequ.people.rules import Actor

    return Actor.resident(report_id)


def test_another_voice_or_a_note_does_not_stop_an_undo(work: Casework) -> None:
    case = work.dispatched()
    services.me_too(work.fresh(case, "lin"), account=work.account(words="我也"), by=work.actor("zhou"), at=SOON)
    services.note(work.fresh(case, "he"), text="看到了", by=work.actor("he"), at=SOON)
    services.undo(last(case, "dispatch").pk, by=work.actor("lin"), at=SOON)
    case.refresh_from_db()
    assert case.state == "accepted"


def test_a_suspension_still_ends_by_itself_when_a_resumption_was_undone(work: Casework) -> None:
    case = work.fresh(work.handling(), "wu")
    until = NOW + timedelta(days=9)
    services.ask_suspend(case, until=until, text="等材料", by=work.actor("wu"), at=NOW)
    services.suspend(work.fresh(case, "liang"), by=work.actor("liang"), at=NOW)
    args = Job.objects.get(kind="cases.resume").args
    services.resume(work.fresh(case, "wu"), by=work.actor("wu"), at=NOW)
    services.undo(last(case, "resume").pk, by=work.actor("wu"), at=SOON)
    case.refresh_from_db()
    assert case.state == "suspended"
    resume_case(**args, at=until)
    case.refresh_from_db()
    assert case.state == "handling"


# -- merging ---------------------------------------------------------------------------------------------------------


def test_reports_come_home_from_a_case_that_was_merged_on(work: Casework) -> None:
    first, second, third = (work.reported(words=words).case for words in ("一", "二", "三"))
    lin = work.actor("lin")
    services.merge(work.fresh(first, "lin"), into=second.number, by=lin, at=NOW)
    services.merge(work.fresh(second, "lin"), into=third.number, by=lin, at=NOW)
    services.unmerge(work.fresh(first, "lin"), by=lin, at=NOW)
    assert [r.words for r in first.reports.all()] == ["一"]
    services.unmerge(work.fresh(second, "lin"), by=lin, at=NOW)
    voices = {case.number: list(case.reports.values_list("words", flat=True)) for case in (first, second, third)}
    assert voices == {first.number: ["一"], second.number: ["二"], third.number: ["三"]}
    assert set(Case.objects.values_list("voices", flat=True)) == {1}


def test_what_is_told_of_a_case_does_not_go_to_the_reporters_of_the_case_it_was_merged_into(work: Casework) -> None:
    other = work.reported(words="别的", contact=services.Contact(phone="13800009999")).case
    case = work.accepted()
    told = Job.objects.get(kind="cases.tell_reporters", args__template="reporter_accepted").args
    services.merge(work.fresh(case, "lin"), into=other.number, by=work.actor("lin"), at=SOON)
    tell_reporters(**told, at=NOW + timedelta(seconds=10))
    assert Message.objects.filter(template="reporter_accepted").count() == 1


# -- calls -----------------------------------------------------------------------------------------------------------


def test_a_bureau_called_before_does_not_assess_the_next_one_in_the_streets_name(work: Casework) -> None:
    from jiequ.people.models import Department, Person

    world = work.world
    second = Department.objects.create(key="zj", name_zh="区住建局", name_en="Housing", kind="bureau", street=None)
    clerk = Person.objects.create(username="zhu", name="朱", phone="13800000099", account="staff", created_at=NOW)
    Post.objects.create(
        person=clerk, account="staff", role="bureau", street=None, department=second, starts_on=NOW.date() - timedelta(days=9)
    )
    world.people["zhu"] = clerk
    case, lin = work.accepted(), work.actor("lin")
    for name, bureau in (("qu", world.traffic.pk), ("zhu", second.pk)):
        services.call_bureau(work.fresh(case, "lin"), department_id=bureau, question="请协调", by=lin, at=NOW)
        services.answer_call(work.fresh(case, name), text="已办", by=work.actor(name), at=NOW)
    services.assess_call(work.fresh(case, "qu"), score=1, text="", by=work.actor("qu"), at=NOW)
    said = last(case, "assess_call")
    assert said.facts["side"] == "bureau"
    assert said.department_id == world.traffic.pk
    services.assess_call(work.fresh(case, "liang"), score=5, text="", by=work.actor("liang"), at=NOW)
    assert last(case, "assess_call").facts["side"] == "street"
    with pytest.raises((Forbidden, Refusal)):
        services.assess_call(work.fresh(case, "zhao"), score=5, text="", by=work.actor("zhao"), at=NOW)


# -- addresses and numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["²", "٣", "9" * 40, "-1", "1e3"])
def test_a_number_that_is_none_is_no_fault_of_ours(work: Casework, number: str) -> None:
    case = work.accepted()
    client = work.world.client("lin")
    assert client.get("/todo/", {"done": number}).status_code == 200
    assert client.get(f"/cases/{case.number}/", {"done": number}).status_code == 200
    assert client.get("/desk/", {"after": f"2026-01-01T00:00:00+08:00~{number}"}).status_code == 200
    sent = {"version": number, "text": "记"}
    assert client.post(f"/cases/{case.number}/do/note", sent).status_code == 303


@pytest.mark.parametrize(
    "when", ["2026-02-30T10:00:00+08:00", "2026-13-04T10:00:00Z", "2026-03-04T10:00:00+99:99", "9999-12-31T23:59:59-12:00"]
)
def test_a_day_that_is_on_no_calendar_is_no_fault_of_ours(work: Casework, when: str) -> None:
    lon, lat = work.world.point_in("a")
    here = {"lon": lon, "lat": lat, "system": "cgcs2000", "words": "x"}
    assert Client().post("/report/", here | {"located_at": when}).status_code == 303
    order = {"source": "hotline", "source_ref": "R1", "outer_due_at": when}
    assert work.world.client("lin").post("/report/", here | order).status_code == 422
    for after in (when, "0001-01-01T00:00:00+14:00"):
        assert work.world.client("lin").get("/desk/", {"after": f"{after}~1"}).status_code == 200


def test_what_is_asked_for_cannot_lie_beyond_all_clocks(work: Casework) -> None:
    case = work.fresh(work.accepted(), "liang")
    far = datetime(9999, 12, 31, tzinfo=NOW.tzinfo)
    with pytest.raises(Refusal):
        services.ask_consult(case, question="?", department_ids=[work.water], answer_by=far, by=work.actor("liang"), at=NOW)
    for due in (far, NOW + timedelta(days=4000)):
        with pytest.raises(Refusal):
            work.reported(by="lin", source="hotline", system="12345", source_ref="R1", outer_due_at=due)


@pytest.mark.parametrize(
    "target", ["/todo/\nSet-Cookie: a=b", "/todo/?q=街区", "//evil.example/", "https://evil.example/", "/\\evil"]
)
def test_where_to_go_next_stays_here_and_is_no_header_of_its_own(work: Casework, target: str) -> None:
    case = work.accepted()
    client = work.world.client("lin")
    for headers, name in (({}, "Location"), ({"HX-Request": "true"}, "HX-Redirect")):
        answer = client.post(f"/cases/{case.number}/do/note", {"text": "记", "next": target}, headers=headers)
        assert answer.status_code in {204, 303}
        assert answer[name].startswith(("/todo/", f"/cases/{case.number}/"))
        assert answer[name].isascii()
        assert "\n" not in answer[name]
        assert "a" not in answer.cookies


# -- two at once -----------------------------------------------------------------------------------------------------


def test_two_who_ask_or_rate_at_once_get_a_sentence_not_a_fault(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    case = work.handling()
    real = moving.writing

    def rival() -> Any:
        if not Task.objects.filter(case=case, kind="suspend").exists():
            wanted = {"street_id": case.street_id, "role": "duty_leader", "opened_at": NOW, "opened_version": 1}
            Task.objects.create(case=case, kind="suspend", **wanted)
        return real()

    monkeypatch.setattr(moving, "writing", rival)
    sent = {"until": "2026-03-20", "text": "等材料"}
    answer = work.world.client("wu").post(f"/cases/{case.number}/do/ask_suspend", sent, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "done_meanwhile")


def test_any_other_broken_rule_of_the_database_stays_a_fault(work: Casework) -> None:
    case = work.accepted()
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state="closed", closing="")
    assert refusal_of(broken.value) is None


# -- who reads what --------------------------------------------------------------------------------------------------


def test_a_handler_learns_no_reporter_from_the_timeline_or_a_rating(work: Casework) -> None:
    case = work.closed()
    report = case.reports.get()
    services.reveal_reporter(report.pk, reason="给周女士13912345678回电", by=work.actor("lin"), at=NOW)
    resident = services_resident(report.pk)
    services.rate(case, report=report, is_solved=False, satisfaction=1, text="打我13912345678", by=resident, at=NOW)
    services.reopen(Case.objects.get(pk=case.pk), text="还在，打13912345678", by=resident, at=NOW)
    for name in ("huang", "wu", "chen"):
        page = work.world.client(name).get(f"/cases/{case.number}/").content.decode()
        assert "还在" in page
        assert "周女士" not in page
        assert "13912345678" not in page
    assert "周女士" in work.world.client("lin").get(f"/cases/{case.number}/").content.decode()


# -- late stays late -------------------------------------------------------------------------------------------------


def test_a_late_case_is_not_made_punctual_by_the_next_move(work: Casework) -> None:
    case = work.dispatched()
    mark = Job.objects.get(kind="cases.clock_mark", args__clock="handle", args__mark="red")
    clock_mark(**mark.args, at=mark.run_at)
    case.refresh_from_db()
    assert case.is_late
    later = mark.run_at + timedelta(minutes=30)
    services.acknowledge(work.fresh(case, "huang"), by=work.actor("huang"), at=later)
    case.refresh_from_db()
    assert case.is_late
    services.ask_suspend(work.fresh(case, "wu"), until=later + timedelta(days=9), text="等材料", by=work.actor("wu"), at=later)
    services.suspend(work.fresh(case, "liang"), by=work.actor("liang"), at=later)
    case.refresh_from_db()
    assert case.is_late
