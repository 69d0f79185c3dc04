"""One case goes round the whole loop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jiequ.cases import services
from jiequ.cases.models import Case, Report, Task
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from tests.actors import NOW
from tests.casework import Casework, make_picture

LATER = NOW + timedelta(minutes=20)


def test_a_case_goes_round_the_whole_loop(work: Casework) -> None:
    case = work.closed()
    rater = work.actor("zhou").resident(Report.objects.get(case=case).pk)
    report = Report.objects.get(case=case)
    services.rate(case, report=report, is_solved=True, satisfaction=5, by=rater, at=LATER)
    moves = list(case.events.values_list("move", flat=True))
    assert moves == [
        "report",
        "accept",
        "dispatch",
        "acknowledge",
        "handle",
        "confirm",
        "check_pass",
        "close",
        "rate",
    ]
    case.refresh_from_db()
    assert case.state == "closed"
    assert case.closing == "normal"
    assert case.due_at is None
    assert not case.is_late
    assert not case.tasks.filter(state="open").exists()
    assert case.number == "LG-2026-000001"


def test_a_case_cannot_close_before_its_check(work: Casework) -> None:
    case = work.fresh(work.checking(), "lin")
    with pytest.raises(Refusal) as refused:
        services.close(case, by=work.actor("lin"), at=NOW)
    assert refused.value.code == "check_missing"


def test_a_handler_without_the_asked_for_photo_is_told_what_is_missing(work: Casework) -> None:
    case = work.handling()
    with pytest.raises(Refusal) as refused:
        services.handle(case, shown=[services.Shown(text="好了")], by=work.actor("huang"), at=NOW)
    assert refused.value.code == "proof_missing"
    assert refused.value.facts["missing"][0]["phase"] == "after"
    case.refresh_from_db()
    assert case.state == "handling"
    assert not case.proofs.filter(phase="after").exists()


def test_a_handler_of_another_department_does_not_see_the_case(work: Casework) -> None:
    case = work.dispatched()
    for name in ("zhao", "wai", "wai_handler", "qu", "xi", "an", "shen", "liu"):
        with pytest.raises(NotFound):
            work.fresh(case, name)


def test_a_handler_cannot_close_the_case(work: Casework) -> None:
    case = work.fresh(work.checked(), "huang")
    with pytest.raises(Forbidden):
        services.close(case, by=work.actor("huang"), at=NOW)


def test_the_second_of_two_clerks_with_the_same_page_is_told_so(work: Casework) -> None:
    reported = work.reported().case
    mine, theirs = work.fresh(reported, "lin"), work.fresh(reported, "liang")
    services.accept(mine, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    with pytest.raises(Refusal) as refused:
        services.accept(theirs, condition_id=work.condition.pk, by=work.actor("liang"), at=NOW)
    assert refused.value.code == "wrong_state"
    with pytest.raises(Stale):
        services.correct(work.fresh(reported, "lin"), is_urgent=True, version=1, by=work.actor("lin"), at=NOW)


def test_one_step_sends_a_case_to_one_lead_and_two_assisting_departments(work: Casework) -> None:
    enforcement = work.world.enforcement.pk
    case = work.dispatched(assist=(work.water, enforcement))
    tasks = {(t.department_id, t.kind) for t in case.tasks.filter(state="open")}
    assert tasks == {(work.sanitation, "lead"), (work.water, "assist"), (enforcement, "assist")}
    water = work.fresh(case, "zhao")
    services.assist_done(water, text="已放水冲洗", by=work.actor("zhao"), at=NOW)
    assert case.tasks.get(department_id=work.water).state == Task.State.DONE


def test_a_leader_files_and_dispatches_with_one_tap(work: Casework) -> None:
    case = work.fresh(work.reported().case, "he")
    services.accept_dispatch(
        case, lead_id=work.water, assist_ids=[work.sanitation], condition_id=work.condition.pk, by=work.actor("he"), at=NOW
    )
    case.refresh_from_db()
    assert case.state == "dispatched"
    assert case.accepted_at == case.dispatched_at == NOW
    assert {t.department_id for t in case.tasks.all()} == {work.water, work.sanitation}


def test_the_first_department_cannot_simply_refuse(work: Casework) -> None:
    case = work.fresh(work.dispatched(), "wu")
    with pytest.raises(Refusal) as refused:
        services.return_case(case, reason_code="other_authority", text="不归我们", by=work.actor("wu"), at=NOW)
    assert refused.value.code == "first_responsible"
    services.return_case(case, reason_code="wrong_type", text="是建筑垃圾", by=work.actor("wu"), at=NOW)
    case.refresh_from_db()
    assert case.state == "returned"
    assert case.lead_id is None
    assert case.returns == 1


def test_after_two_returns_the_duty_leader_decides_and_it_stays(work: Casework) -> None:
    case = work.fresh(work.dispatched(), "wu")
    services.return_case(case, reason_code="wrong_type", text="一", by=work.actor("wu"), at=NOW)
    case = work.fresh(case, "lin")
    services.dispatch(case, lead_id=work.water, by=work.actor("lin"), at=NOW)
    case = work.fresh(case, "qian")
    services.return_case(case, reason_code="other_authority", text="二", by=work.actor("qian"), at=NOW)
    case = work.fresh(case, "lin")
    with pytest.raises(Forbidden):
        services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    services.dispatch(case, lead_id=work.sanitation, by=work.actor("liang"), at=NOW)
    case = work.fresh(case, "wu")
    with pytest.raises(Refusal) as refused:
        services.return_case(case, reason_code="wrong_type", text="三", by=work.actor("wu"), at=NOW)
    assert refused.value.code == "bounce_limit"


def test_a_failed_check_goes_back_to_the_same_department_with_its_old_clock(work: Casework) -> None:
    case = work.fresh(work.checking(), "chen")
    counted = case.clocks["handle"]["counted"]
    services.check_fail(case, text="还有一半", by=work.actor("chen"), at=LATER)
    case = work.fresh(case, "huang")
    assert (case.state, case.lead_id, case.reworks) == ("rework", work.sanitation, 1)
    assert case.clocks["handle"]["condition"] == "running"
    assert case.clocks["handle"]["counted"] == counted
    with pytest.raises(Refusal):  # the photo of the first round does not count again
        services.handle(case, shown=[], by=work.actor("huang"), at=LATER)
    shown = [services.Shown(picture=make_picture(case.street_id, "second"))]
    services.handle(case, shown=shown, by=work.actor("huang"), at=LATER)


def test_a_suspended_case_does_not_count_and_is_suspended_only_once(work: Casework) -> None:
    case = work.handling()
    until = NOW + timedelta(days=10)
    services.ask_suspend(work.fresh(case, "wu"), until=until, text="等管线单位", by=work.actor("wu"), at=NOW)
    services.suspend(work.fresh(case, "liang"), by=work.actor("liang"), at=NOW)
    case = work.fresh(case, "wu")
    before = case.clocks["handle"]["counted"]
    services.resume(case, by=work.actor("wu"), at=NOW + timedelta(days=7))
    assert case.state == "handling"
    assert case.clocks["handle"]["counted"] == before
    with pytest.raises(Refusal) as refused:
        services.ask_suspend(case, until=NOW + timedelta(days=30), text="再挂", by=work.actor("wu"), at=NOW + timedelta(days=8))
    assert refused.value.code == "suspended_before"


def test_merged_reporters_follow_the_other_case_and_come_home(work: Casework) -> None:
    first, second = work.accepted(), work.reported(words="同一堆垃圾").case
    second = work.fresh(second, "lin")
    services.merge(second, into=first.number, by=work.actor("lin"), at=NOW)
    first.refresh_from_db()
    assert Report.objects.filter(case=first).count() == 2
    assert first.voices == 2
    second = work.fresh(second, "lin")
    services.unmerge(second, by=work.actor("lin"), at=LATER)
    second.refresh_from_db()
    first.refresh_from_db()
    assert second.state == "reported"
    assert second.clocks["accept"]["condition"] == "running"
    assert Report.objects.filter(case=second).count() == 1
    assert first.voices == 1


def test_two_matters_become_two_cases(work: Casework) -> None:
    case = work.accepted()
    second = services.split(case, words="路灯也不亮", by=work.actor("lin"), at=NOW).case
    assert second.split_from_id == case.pk
    assert second.number != case.number
    assert second.unit_grid_id == case.unit_grid_id
    assert Report.objects.get(case=second).reporter_id == Report.objects.get(case=case).reporter_id


def test_a_resident_reopens_once_within_the_window(work: Casework) -> None:
    case = work.closed()
    resident = work.actor("zhou").resident(Report.objects.get(case=case).pk)
    with pytest.raises(Refusal):
        services.reopen(case, text="又有了", by=resident, at=NOW + timedelta(days=40))
    services.reopen(case, text="又有了", by=resident, at=LATER)
    case.refresh_from_db()
    assert case.state == "reopened"
    assert case.reopens == 1
    assert case.ended_at is None


def test_undo_puts_a_case_back_and_its_notices_never_leave(work: Casework) -> None:
    from jiequ.channels.models import Message
    from jiequ.core.models import Job

    case = work.accepted()
    event = services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    with pytest.raises(NotFound):
        services.undo(event.pk, by=work.actor("liang"), at=NOW)
    services.undo(event.pk, by=work.actor("lin"), at=NOW + timedelta(seconds=9))
    case.refresh_from_db()
    assert (case.state, case.lead_id, case.dispatched_at) == ("accepted", None, None)
    assert not case.tasks.filter(state="open").exists()
    assert Message.objects.filter(template="new_task").get().state == "withdrawn"
    assert not Job.objects.filter(key=f"tell:{event.pk}").exists()
    services.dispatch(case, lead_id=work.water, by=work.actor("lin"), at=LATER)


def test_undo_comes_too_late_after_ten_seconds(work: Casework) -> None:
    case = work.accepted()
    event = services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    with pytest.raises(Refusal):
        services.undo(event.pk, by=work.actor("lin"), at=NOW + timedelta(seconds=11))


def test_a_consultation_shows_who_was_silent(work: Casework) -> None:
    case = work.fresh(work.accepted(), "he")
    ids = [work.sanitation, work.water]
    services.ask_consult(
        case, question="怎么办？", department_ids=ids, answer_by=NOW + timedelta(hours=2), by=work.actor("he"), at=NOW
    )
    services.answer_consult(work.fresh(case, "zhao"), text="可以开闸", by=work.actor("zhao"), at=LATER)
    group = case.tasks.filter(kind="consult").first().group
    event = services.decide_consult(case, group=group, text="今晚开闸", by=work.actor("he"), at=LATER)
    assert event.facts["silent"] == [work.world.sanitation.name_zh]


def test_a_bureau_acknowledges_answers_and_both_sides_assess(work: Casework) -> None:
    case = work.fresh(work.accepted(), "he")
    services.call_bureau(case, department_id=work.world.traffic.pk, question="区管道路", by=work.actor("he"), at=NOW)
    theirs = work.fresh(case, "qu")
    services.acknowledge_call(theirs, by=work.actor("qu"), at=NOW)
    services.answer_call(theirs, text="明日到场", by=work.actor("qu"), at=NOW)
    services.assess_call(theirs, score=4, text="", by=work.actor("qu"), at=NOW)
    services.assess_call(case, score=5, text="", by=work.actor("he"), at=NOW)
    with pytest.raises(Refusal):
        services.assess_call(case, score=5, text="", by=work.actor("he"), at=NOW)


def test_an_urge_is_answered_by_whoever_has_the_case(work: Casework) -> None:
    case = work.dispatched()
    services.urge(work.fresh(case, "du"), text="快些", by=work.actor("du"), at=NOW)
    services.answer_urge(work.fresh(case, "huang"), text="今天完成", by=work.actor("huang"), at=LATER)
    case.refresh_from_db()
    assert case.urges == 1
    assert not case.tasks.filter(kind="urge", state="open").exists()


def test_an_appeal_keeps_the_fact_and_exempts_the_figure(work: Casework) -> None:
    at = NOW + timedelta(days=5)
    case = work.handling()
    late = work.fresh(case, "wu")
    with pytest.raises(Refusal):
        services.ask_appeal(late, text="大雨", by=work.actor("wu"), at=NOW)
    services.ask_appeal(late, text="大雨", by=work.actor("wu"), at=at)
    services.review_appeal(work.fresh(case, "du"), granted=True, text="属实", by=work.actor("du"), at=at)
    services.review_appeal(work.fresh(case, "liang"), granted=True, text="同意", by=work.actor("liang"), at=at)
    case.refresh_from_db()
    assert case.is_exempt
    assert case.clocks["handle"]["is_exempt"]


def test_self_handled_is_reported_and_closed_in_one_step(work: Casework) -> None:
    picture = make_picture(work.world.street.pk)
    account = work.account(source="staff", contact=None, condition_id=work.condition.pk, pictures=[picture])
    done = services.self_handle(street_id=None, account=account, by=work.actor("chen"), at=NOW)
    assert (done.case.state, done.case.closing) == ("closed", "self_handled")
    with pytest.raises(Forbidden):
        services.self_handle(street_id=None, account=account, by=work.actor("huang"), at=NOW)


def test_an_outside_reference_makes_one_case_however_often_it_comes(work: Casework) -> None:
    account = work.account(source="outside", system="gis", source_ref="A-1", contact=None)
    system = work.actor("zhou").system()
    numbers = {
        services.report_case(street_id=work.world.street.pk, account=account, by=system, at=NOW).case.number for _ in range(3)
    }
    assert len(numbers) == 1
    assert Case.objects.count() == 1


def test_a_hotline_case_closes_only_on_the_hotlines_yes(work: Casework) -> None:
    outer = NOW + timedelta(days=2)
    case = work.checked(source="hotline", outer_due_at=outer, by="lin")
    case = work.fresh(case, "lin")
    services.close(case, reply="已清", by=work.actor("lin"), at=LATER)
    case = work.fresh(case, "lin")
    assert case.state == "checking"
    assert case.tasks.get(kind="hotline").state == "open"
    services.answer_hotline(case, granted=True, by=work.actor("lin"), at=LATER)
    case.refresh_from_db()
    assert case.state == "closed"
    assert case.reply == "已清"


def test_a_sample_of_the_self_handled_is_looked_at_by_a_supervisor(work: Casework) -> None:
    case = work.sampled()
    with pytest.raises(Forbidden):
        services.review_sample(work.fresh(case, "he"), is_sound=True, by=work.actor("he"), at=NOW)
    theirs = work.fresh(case, "du")
    with pytest.raises(Refusal):
        services.review_sample(theirs, is_sound=False, by=work.actor("du"), at=NOW)
    services.review_sample(theirs, is_sound=False, text="没清干净", by=work.actor("du"), at=NOW)
    assert case.tasks.get(kind="sample").outcome == "unsound"
    with pytest.raises(Refusal):
        services.review_sample(theirs, is_sound=True, by=work.actor("du"), at=NOW)


def test_about_one_in_ten_is_sampled_and_nobody_can_choose(work: Casework) -> None:
    from jiequ.cases.services.intake import is_sampled

    numbers = [f"LG-2026-{n:06d}" for n in range(2000)]
    assert 120 < sum(is_sampled(number, 0.1) for number in numbers) < 280
    assert not any(is_sampled(number, 0.0) for number in numbers)


def test_a_type_that_is_verified_before_filing_waits_for_the_look(work: Casework) -> None:
    type(work.condition.edition).objects.update(needs_verify=True)
    case = work.fresh(work.reported().case, "lin")
    with pytest.raises(Refusal) as refused:
        services.accept(case, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    assert refused.value.code == "verify_missing"
    services.ask_verify(case, by=work.actor("lin"), at=NOW)
    services.verify(work.fresh(case, "chen"), finding="true", by=work.actor("chen"), at=LATER)
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=LATER)
    found = work.reported(by="chen", source="staff", contact=None, words="自己看见的").case
    services.accept(work.fresh(found, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)


def test_limits_of_the_desk_differ_by_source_and_urgency(work: Casework) -> None:
    work.world.street.settings = {"hotline_desk_minutes": 15}
    work.world.street.save(update_fields=["settings"])
    outer = NOW + timedelta(days=2)
    order = work.reported(source="hotline", by="lin", outer_due_at=outer).case
    urgent = work.reported(by="lin", source="staff", is_urgent=True, contact=None).case
    minutes = {case.clocks["accept"]["limit"] // 60 for case in (order, urgent, work.reported().case)}
    assert minutes == {15, 10, 30}
