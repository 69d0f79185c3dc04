"""What a case counts for, walk by walk: the formulas as people would check them with a pencil."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Report
from jiequ.cases.queries.ledger import ledger_of
from jiequ.insight.catalogue import FAMILIES, INDICATORS
from jiequ.insight.rules import BASIS_OF, PARTS, Basis, Marks, local_day, marks_of, names_of
from jiequ.people.rules import Actor
from tests.actors import NOW
from tests.casework import Casework, run_marks

LATER = timedelta(days=3)


def marks(case: Case) -> Marks:
    (found,) = ledger_of([case.pk])
    return marks_of(found)


def parts(case: Case) -> set[str]:
    return set(names_of(marks(case).parts))


def rate(case: Case, *, is_solved: bool, satisfaction: int, at: datetime = NOW) -> None:
    report = Report.objects.filter(case=case).order_by("pk").first()
    assert report is not None
    by = Actor.resident(report.pk)
    services.rate(Case.objects.get(pk=case.pk), report=report, is_solved=is_solved, satisfaction=satisfaction, by=by, at=at)


def test_a_case_that_goes_well_counts_for_everything_good(work: Casework) -> None:
    case = work.closed()
    rate(case, is_solved=True, satisfaction=5)
    assert parts(case) == {
        *("reported", "valid", "filed", "filed_ontime", "filed_kept", "filed_public", "missed"),
        *("dispatch_due", "dispatch_ontime", "dispatch_clean", "sent", "sent_once"),
        *("handle_due", "handle_done", "handle_timed", "handle_ontime", "worked", "check_due", "check_ontime"),
        *("close_due", "close_done", "close_timed", "close_ontime", "close_plain", "close_plain_ontime"),
        *("closed", "closed_worked", "passed_once", "asked", "rated", "solved", "satisfied"),
    }
    assert set(marks(case).days) == set(Basis)


def test_a_limit_that_passed_counts_on_the_day_it_passed_as_soon_as_the_clock_says_so(work: Casework) -> None:
    case = work.handling()
    due = Case.objects.get(pk=case.pk).clocks["handle"]["due_at"]
    assert "handle_due" not in parts(case)
    run_marks(case, NOW + LATER)
    assert parts(case) >= {"handle_due", "handle_timed", "close_due", "turned_late"}
    assert not parts(case) & {"handle_ontime", "handle_done", "close_done", "close_ontime"}
    assert marks(case).days[Basis.HANDLED] == local_day(datetime.fromisoformat(due))


def test_an_appeal_that_was_granted_is_left_out_of_the_on_time_rates_and_stays_late(work: Casework) -> None:
    case = work.handling()
    run_marks(case, NOW + LATER)
    services.ask_appeal(work.fresh(case, "wu"), text="现场封路", by=work.actor("wu"), at=NOW + LATER)
    for name in ("du", "he"):
        services.review_appeal(work.fresh(case, name), granted=True, text="属实", by=work.actor(name), at=NOW + LATER)
    assert parts(case) >= {"handle_due", "close_due", "turned_late"}
    assert not parts(case) & {"handle_timed", "close_timed", "close_plain"}


def test_a_suspended_case_is_not_due_while_its_clock_stands(work: Casework) -> None:
    case = work.handling()
    until = NOW + timedelta(days=20)
    services.ask_suspend(work.fresh(case, "wu"), text="等材料", until=until, by=work.actor("wu"), at=NOW)
    services.suspend(work.fresh(case, "he"), by=work.actor("he"), at=NOW)
    run_marks(case, NOW + LATER)
    assert not parts(case) & {"handle_due", "close_due"}


def test_a_second_department_makes_the_dispatch_wrong_in_one_reading_only(work: Casework) -> None:
    case = work.dispatched()
    services.return_case(work.fresh(case, "wu"), reason_code="wrong_type", text="不是垃圾", by=work.actor("wu"), at=NOW)
    services.dispatch(work.fresh(case, "lin"), lead_id=work.water, by=work.actor("lin"), at=NOW)
    assert parts(case) >= {"sent", "dispatch_clean"}
    assert "sent_once" not in parts(case)


def test_a_rework_counts_against_the_department_and_the_first_pass(work: Casework) -> None:
    case = work.checking()
    services.check_fail(work.fresh(case, "chen"), text="没清完", by=work.actor("chen"), at=NOW)
    assert parts(case) >= {"worked", "reworked"} or "handle_due" not in parts(case)
    assert "dispatch_clean" not in parts(case)


def test_a_reopened_case_is_no_success_until_it_is_closed_again(work: Casework) -> None:
    case = work.closed()
    report = Report.objects.get(case=case)
    services.reopen(Case.objects.get(pk=case.pk), text="又堆上了", by=Actor.resident(report.pk), at=NOW)
    assert not parts(case) & {"closed", "close_done", "passed_once"}


def test_one_reporter_who_says_unsolved_decides(work: Casework) -> None:
    case = work.checked()
    second = services.me_too(work.fresh(case, "lin"), account=work.account(), by=Actor.resident(None), at=NOW).report
    services.close(work.fresh(case, "lin"), reply="好了", by=work.actor("lin"), at=NOW)
    rate(case, is_solved=True, satisfaction=5)
    assert parts(case) >= {"rated", "solved", "satisfied"}
    services.rate(
        Case.objects.get(pk=case.pk), report=second, is_solved=False, satisfaction=1, by=Actor.resident(second.pk), at=NOW
    )
    assert parts(case) >= {"rated", "unsolved"}
    assert not parts(case) & {"solved", "satisfied"}


@pytest.mark.parametrize(("first", "second", "is_ours"), [("staff", "resident", True), ("resident", "staff", False)])
def test_who_told_of_it_first_found_it(work: Casework, first: str, second: str, is_ours: bool) -> None:
    who = {"staff": "chen", "resident": "zhou"}
    case = work.reported(by=who[first], source=first).case
    later = NOW + timedelta(minutes=1)
    by = work.actor(who[second]) if second == "staff" else Actor.resident(None)
    services.me_too(work.fresh(case, "lin"), account=work.account(source=second), by=by, at=later)
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=later)
    assert ("found_first" in parts(case)) == is_ours
    assert "missed" not in parts(case), "the patrol did report it"


def test_what_was_handled_on_the_spot_is_filed_but_no_departments_success(work: Casework) -> None:
    case = work.sampled()
    assert parts(case) >= {"filed", "filed_ontime", "found_first", "closed"}
    assert not parts(case) & {"handle_due", "worked", "close_due", "closed_worked", "dispatch_due"}


def test_a_cancelled_case_was_filed_wrongly_and_is_due_nowhere(work: Casework) -> None:
    case = work.accepted()
    services.cancel(work.fresh(case, "he"), reason_code="mistake", text="误立", by=work.actor("he"), at=NOW)
    assert parts(case) >= {"reported", "valid", "filed"}
    assert not parts(case) & {"filed_kept", "close_due", "handle_due"}


def test_a_historic_order_counts_for_nothing(work: Casework) -> None:
    case = work.closed()
    CaseEvent.objects.create(case=case, move="imported", state="closed", at=NOW)
    assert marks(case).parts == 0
    assert marks(case).days == {}


def test_the_upper_part_of_every_indicator_is_true_only_where_the_lower_one_is(work: Casework) -> None:
    from tests.walks import Walk

    seen: set[str] = set()
    for seed in range(20, 28):
        walk = Walk(work, seed)
        for _ in range(40):
            walk.step()
            have = parts(walk.case)
            seen |= have
            for indicator in INDICATORS.values():
                for one in indicator.readings:
                    assert one.above not in have or one.below in have, (indicator.key, one.key, have)
    assert len(seen) > 20


def test_every_reading_stands_on_one_basis_and_every_part_is_used_or_counted() -> None:
    readings = [one for indicator in INDICATORS.values() for one in indicator.readings]
    assert all(BASIS_OF[one.above] == BASIS_OF[one.below] for one in readings)
    used = {one.above for one in readings} | {one.below for one in readings}
    assert set(PARTS) - used == {"closed", "turned_late"}, "parts for the brief and the board only"


def test_the_catalogue_has_the_indicators_of_the_table_that_need_no_other_module(shared: Any) -> None:
    import csv

    text = (shared / "data" / "metrics.csv").read_text(encoding="utf-8")
    rows = {row["key"]: row for row in csv.DictReader(text.splitlines())}
    wanted = rows.keys() - {"spot_precision", "sign_rate"}
    assert wanted <= INDICATORS.keys()
    assert INDICATORS.keys() - wanted == {"found_first", "unsolved", "solved", "satisfied", "rated_share"}
    for key in wanted:
        assert str(INDICATORS[key].name) == rows[key]["name_zh"].replace("(", "（").replace(")", "）"), key
        strength = INDICATORS[key].strength
        assert rows[key]["verified"].startswith("no") == (strength == "no"), key
    assert FAMILIES[0].key == "verdict", "residents speak before the clock"


def test_figures_about_posts_are_compared_by_area_only() -> None:
    by_area = {key for key, one in INDICATORS.items() if one.area_only}
    assert by_area >= {"miss_rate", "verify_ontime", "check_ontime", "found_first"}


def test_two_rates_of_the_source_have_two_readings_and_the_hotlines_can_be_chosen() -> None:
    assert len(INDICATORS["dispatch_accuracy"].readings) == 2
    for key in ("response_rate", "solve_rate", "satisfy_rate"):
        assert len(INDICATORS[key].readings) == 2
        assert INDICATORS[key].setting
