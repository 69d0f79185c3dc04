"""Clerks at the same moment: of those who try one move on one case, one makes it (RELIABILITY row 4)."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import pytest
from django.db import OperationalError

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Report
from jiequ.cases.services import rollups
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor
from tests.actors import NOW, make_world
from tests.casework import Casework, make_condition
from tests.environment import ON_POSTGRESQL
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, CASES = 4, 150


@pytest.fixture
def work(db: None) -> Casework:
    return Casework(make_world(), make_condition())


def test_of_four_clerks_one_accepts_each_of_150_cases(work: Casework) -> None:
    numbers = [work.reported(words=f"第{i}件").case.number for i in range(CASES)]
    by = work.actor("lin")

    def clerk(_number: int) -> int:
        done = 0
        for number in numbers:
            case = work.fresh(Case(number=number), "lin")
            try:
                services.accept(case, condition_id=work.condition.pk, by=by, at=NOW)
                done += 1
            except Refusal:
                pass
        return done

    assert sum(at_once(PROCESSES, clerk)) == CASES
    assert CaseEvent.objects.filter(move="accept").count() == CASES


def test_the_broken_twin_that_reads_checks_and_saves_accepts_some_twice(work: Casework) -> None:
    ids = [work.reported(words=f"第{i}件").case.pk for i in range(CASES)]

    def clerk(_number: int) -> int:
        done = 0
        for pk in ids:
            case = Case.objects.get(pk=pk)
            if case.state == "reported":
                time.sleep(0.003)  # it shows its fault on any machine
                case.state = "verifying"
                case.save(update_fields=["state"])
                done += 1
        return done

    assert sum(at_once(PROCESSES, clerk)) > CASES


def test_one_tap_and_a_clerk_at_the_same_second_leave_one_lead(work: Casework) -> None:
    numbers = [work.reported(words=f"第{i}件").case.number for i in range(40)]

    def hand(which: int) -> int:
        done = 0
        name = ("he", "liang")[which % 2]
        lead = (work.sanitation, work.water)[which % 2]
        for number in numbers:
            case = work.fresh(Case(number=number), name)
            try:
                services.accept_dispatch(case, lead_id=lead, condition_id=work.condition.pk, by=work.actor(name), at=NOW)
                done += 1
            except Refusal:
                pass
        return done

    assert sum(at_once(PROCESSES, hand)) == len(numbers)
    for case in Case.objects.all():
        assert list(case.tasks.filter(kind="lead", state="open").values_list("department_id", flat=True)) == [case.lead_id]


def test_eight_writers_in_one_street_are_never_refused_on_different_cases(work: Casework) -> None:
    def writer(number: int) -> Any:
        refused = 0
        for i in range(12):
            try:
                case = work.fresh(work.reported(words=f"{number}-{i}").case, "lin")
                services.accept(case, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
                services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
            except Refusal:
                refused += 1
        return refused

    assert sum(at_once(8, writer)) == 0
    assert Case.objects.filter(state="dispatched").count() == 96
    assert Case.objects.values("number").distinct().count() == 96


@pytest.mark.parametrize("is_put_off", [True, False])
def test_eight_writers_on_one_tile_never_wait_for_each_other_and_the_rollup_is_right(
    work: Casework, monkeypatch: pytest.MonkeyPatch, is_put_off: bool
) -> None:
    """Four take a case out of one that four others dispatch in the same moment. The broken twin adds to the shared rows
    before the second case is taken: on PostgreSQL, where many write at a time, somebody is ended as a deadlock."""
    pairs = [[work.accepted(words=f"{i}-{j}").number for j in range(2)] for i in range(24)]
    for one, other in pairs:
        services.merge(work.fresh(Case(number=one), "lin"), into=other, by=work.actor("lin"), at=NOW)
    moved = rollups.moved

    def slowly(before: Any, after: Any) -> None:
        moved(before, after)
        time.sleep(0.01)  # the other comes in between on any machine

    monkeypatch.setattr(rollups, "moved", slowly)
    if not is_put_off:
        monkeypatch.setattr(rollups, "at_the_end", lambda write, *items: write(items))

    both = [multiprocessing.Barrier(2, timeout=60) for _ in range(4)]

    def writer(number: int) -> int:
        lost, by = 0, work.actor("lin")
        for one, other in pairs[number // 2 :: 4]:
            both[number // 2].wait()
            case = work.fresh(Case(number=(one, other)[number % 2]), "lin")
            try:
                if number % 2:
                    services.dispatch(case, lead_id=work.sanitation, by=by, at=NOW)
                else:
                    services.unmerge(case, by=by, at=NOW)
            except OperationalError:
                lost += 1
        return lost

    lost = sum(at_once(8, writer))
    if is_put_off:
        assert lost == 0
        assert sum(one.wrong for one in services.recount(repair=False)) == 0
        assert Case.objects.filter(state="accepted").count() == Case.objects.filter(state="dispatched").count() == len(pairs)
    elif ON_POSTGRESQL:
        assert lost > 0


def test_an_outside_reference_that_comes_from_eight_sides_makes_one_case(work: Casework) -> None:
    account = work.account(source="outside", system="gis", source_ref="A-1", contact=None)

    def send(_number: int) -> str:
        done = services.report_case(street_id=work.world.street.pk, account=account, by=Actor.system(), at=NOW)
        return done.case.number

    assert len(set(at_once(8, send))) == 1
    assert Case.objects.count() == Report.objects.count() == 1


def test_two_assisting_departments_answer_at_the_same_second(work: Casework) -> None:
    others = [work.water, work.world.enforcement.pk]
    case = work.dispatched(assist=tuple(others))

    def answer(which: int) -> int:
        name = ("zhao", "ding")[which]
        services.assist_done(work.fresh(case, name), text="好了", by=work.actor(name), at=NOW)
        return 1

    assert sum(at_once(2, answer)) == 2
    assert not case.tasks.filter(kind="assist", state="open").exists()
