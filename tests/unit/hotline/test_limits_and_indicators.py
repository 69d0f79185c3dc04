"""Limits by the kind of an order, and call-backs in the indicators of the same names as the hotline's rates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases.models import Case
from jiequ.cases.queries import ledger
from jiequ.core import calendar
from jiequ.core.worktime import Limit, Unit
from jiequ.doors.hotline import rules
from jiequ.doors.hotline.models import Order, Source
from jiequ.insight import jobs
from jiequ.insight.models import DayFigure, Group
from jiequ.insight.rules import marks_of, names_of
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.support.hotline import MAP, Hotline
from tests.unit.hotline.test_letters_out import asked_to_close, carry_all

pytestmark = pytest.mark.django_db
KINDS = (
    MAP.replace('type = "问题类别"', 'type = "问题类别"\nkind = "工单种类"')
    + """
[limits]
"咨询" = 2
"投诉" = 15
"""
)
CALLED = datetime.fromisoformat("2026-03-04T10:00:00+08:00")


@pytest.fixture
def by_kind(there: Hotline) -> Hotline:
    Source.objects.update(map_text=KINDS)
    return there


def outer_due(case: Case) -> datetime | None:
    clock = Case.objects.get(pk=case.pk).clocks.get("outer")
    return datetime.fromisoformat(clock["due_at"]) if clock else None


def work_days(days: int, start: datetime = CALLED) -> datetime:
    return calendar.calendar_for(start).add(start, Limit(days, Unit.WORK_DAY)).at


@pytest.mark.parametrize(
    ("kind", "printed", "due"),
    [
        ("咨询", "", 2),
        ("投诉", "", 15),
        ("咨询", "2026-03-09 10:00:00", datetime.fromisoformat("2026-03-09T10:00:00+08:00")),
        ("表扬", "", None),
        ("", "", None),
    ],
)
def test_an_order_without_a_printed_limit_has_the_days_of_its_kind(
    work: Casework, by_kind: Hotline, kind: str, printed: str, due: datetime | int | None
) -> None:
    answer = by_kind.send("orders", by_kind.order(work.world, 工单种类=kind, 办理时限=printed))
    assert answer.status_code == 201, answer.content
    wanted = work_days(due) if isinstance(due, int) else due
    assert outer_due(Case.objects.get()) == wanted
    assert Order.objects.get().due_at == wanted


def test_one_that_comes_when_its_days_are_over_counts_from_its_coming(work: Casework, by_kind: Hotline) -> None:
    late = by_kind.order(work.world, 工单种类="咨询", 办理时限="", 来电时间="2026-02-10 10:00:00")
    assert by_kind.send("orders", late).status_code == 201
    assert outer_due(Case.objects.get()) == work_days(2, NOW)


def test_another_kind_for_a_number_moves_the_limit_once_the_desk_takes_it(work: Casework, by_kind: Hotline) -> None:
    order = by_kind.order(work.world, 工单种类="咨询", 办理时限="")
    by_kind.send("orders", order)
    assert by_kind.send("orders", order | {"工单种类": "投诉"}).status_code == 409
    row = Order.objects.get(state="update")
    work.world.client("lin").post(f"/hotline/orders/{row.pk}/decide", {"act": "take", "taken": "yes", "text": ""})
    assert row.due_at == work_days(15)


@pytest.mark.parametrize(
    ("limits", "said"), [('"咨询" = 0', "工作日数"), ('"咨询" = "两天"', "工作日数"), ('"咨询" = true', "工作日数")]
)
def test_a_limit_that_is_none_is_refused_with_its_line(work: Casework, there: Hotline, limits: str, said: str) -> None:
    text = KINDS.split("[limits]")[0] + "[limits]\n" + limits + "\n"
    page = work.world.client("xi").post(f"/hotline/sources/{Source.objects.get().pk}/map", {"act": "save", "map_text": text})
    assert page.status_code == 422
    assert said in page.content.decode()
    without = MAP + '\n[limits]\n"咨询" = 2\n'
    page = work.world.client("xi").post(f"/hotline/sources/{Source.objects.get().pk}/map", {"act": "save", "map_text": without})
    assert "kind" in page.content.decode()
    assert page.status_code == 422


# -- call-backs in the indicators -----------------------------------------------------------------------------------------


def closed(work: Casework, there: Hotline) -> Case:
    case = asked_to_close(work, there)
    carry_all(NOW)
    there.send("answers", {"ask": next(iter(there.letters)), "granted": "yes"})
    return Case.objects.get(pk=case.pk)


def parts(case: Case) -> set[str]:
    [seen] = ledger.ledger_of([case.pk])
    return set(names_of(marks_of(seen).parts))


def figures() -> dict[str, int]:
    row = DayFigure.objects.filter(group=Group.ALL, visited__gt=0).first()
    names = ("visited", "visited_solved", "visited_satisfied", "called", "rated")
    return {name: getattr(row, name) for name in names} if row else {}


def test_a_call_back_enters_the_rates_of_the_same_names_at_once(work: Casework, there: Hotline, clock: MovableClock) -> None:
    case = closed(work, there)
    jobs.follow(at=NOW)
    assert figures() == {}
    there.send("visits", {"visit": "V-1", "number": "GZ-1", "solved": "是", "satisfaction": "4"})
    jobs.count_anew(case_id=case.pk, at=NOW)
    assert figures() == {"visited": 1, "visited_solved": 1, "visited_satisfied": 1, "called": 1, "rated": 0}
    there.send("visits", {"visit": "V-2", "number": "GZ-1", "solved": "否", "at": (NOW + timedelta(seconds=1)).isoformat()})
    jobs.count_anew(case_id=case.pk, at=NOW)
    assert figures() == {"visited": 1, "visited_solved": 0, "visited_satisfied": 0, "called": 1, "rated": 0}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"solved": "是", "satisfaction": "5"}, {"visited", "visited_solved", "visited_satisfied"}),
        ({"solved": "是"}, {"visited", "visited_solved"}),
        ({"satisfaction": "3"}, {"visited"}),
        ({"contacted": "否"}, set()),
    ],
)
def test_both_pages_count_a_call_back_alike(work: Casework, there: Hotline, said: dict[str, Any], wanted: set[str]) -> None:
    case = closed(work, there)
    there.send("visits", {"visit": "V-1", "number": "GZ-1"} | said)
    assert parts(case) & {"visited", "visited_solved", "visited_satisfied"} == wanted
    assert not parts(case) & {"rated", "solved", "satisfied"}, "a hotline's call-back is no rating of ours"
    heard = rules.heard_of(
        rules.yes_or_no(said.get("solved")), rules.score_of(said.get("satisfaction")), satisfied_from=rules.SATISFIED_FROM
    )
    assert heard == ("visited" in wanted, "visited_solved" in wanted, "visited_satisfied" in wanted)


def test_from_where_a_caller_is_satisfied_the_source_says(work: Casework, there: Hotline) -> None:
    case = closed(work, there)
    there.send("visits", {"visit": "V-1", "number": "GZ-1", "satisfaction": "4"})
    assert "visited_satisfied" in parts(case)
    Source.objects.update(satisfied_from=5)
    assert "visited_satisfied" not in parts(case)


def test_without_the_hotlines_word_nothing_is_counted(work: Casework, there: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: nobody tells the ledger of call-backs."""
    monkeypatch.setattr(ledger, "_call_backs", {})
    case = closed(work, there)
    there.send("visits", {"visit": "V-1", "number": "GZ-1", "solved": "是"})
    assert not parts(case) & {"visited", "called"}
