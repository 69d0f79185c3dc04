"""Timers of clocks: rows of the jobs table that fire in order, once, also after a down-time."""

from __future__ import annotations

from datetime import timedelta

from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.channels.models import Message
from jiequ.core import jobs
from tests.actors import NOW
from tests.casework import Casework


def work_all(at: object) -> None:
    while jobs.work_once(at=at, limit=100):  # type: ignore[arg-type]
        pass


def marks(case: Case) -> list[tuple[str, str]]:
    return [(e.facts["clock"], e.facts["mark"]) for e in case.events.filter(move="light")]


def test_after_a_down_time_the_marks_fire_in_order_and_once(work: Casework) -> None:
    case = work.handling()
    work_all(NOW + timedelta(days=30))
    assert marks(case) == [("handle", "yellow"), ("handle", "red"), ("handle", "leader")]
    work_all(NOW + timedelta(days=60))
    assert len(marks(case)) == 3


def test_a_red_light_urges_the_department_and_tells_the_reporter_once(work: Casework) -> None:
    case = work.handling()
    work_all(NOW + timedelta(days=3))
    case.refresh_from_db()
    assert case.is_late
    assert case.tasks.get(kind="urge").facts == {"cause": "clock"}
    assert Message.objects.filter(template="reporter_late").count() == 1
    assert Message.objects.filter(template="overdue", to_role="leader").count() == 1


def test_a_clock_that_was_stopped_says_nothing(work: Casework) -> None:
    case = work.closed()
    work_all(NOW + timedelta(days=30))
    assert marks(case) == []


def test_a_suspended_clock_fires_only_after_it_ran_on(work: Casework) -> None:
    case = work.handling()
    until = NOW + timedelta(days=9)
    services.ask_suspend(work.fresh(case, "wu"), until=until, text="等", by=work.actor("wu"), at=NOW)
    services.suspend(work.fresh(case, "liang"), by=work.actor("liang"), at=NOW)
    work_all(NOW + timedelta(days=8))
    assert [m for m in marks(case) if m[0] == "handle"] == []
    work_all(NOW + timedelta(days=9, hours=1))
    case.refresh_from_db()
    assert case.state == "handling"
    work_all(NOW + timedelta(days=30))
    assert next(m for m in marks(case) if m[0] == "handle") == ("handle", "yellow")


def test_reporters_are_told_at_the_steps_that_concern_them(work: Casework) -> None:
    work.closed()
    work_all(NOW + timedelta(seconds=30))
    told = list(Message.objects.filter(to_phone_sealed__gt="").order_by("id").values_list("template", flat=True))
    assert told == ["reporter_received", "reporter_accepted", "reporter_dispatched", "reporter_closed"]


def test_a_calendar_change_moves_open_clocks_and_stands_in_their_history(work: Casework) -> None:
    from jiequ.cases.jobs import calendar_changed
    from jiequ.core.models import CalendarDay

    case = work.handling()
    before = case.due_at
    day = (NOW + timedelta(hours=8)).date()
    CalendarDay.objects.update_or_create(day=day, defaults={"is_workday": False, "edition": 99, "source": "notice"})
    from jiequ.core import calendar

    calendar.forget()
    calendar_changed(day, day, 99, NOW)
    work_all(NOW)
    case.refresh_from_db()
    calendar.forget()
    assert before is not None
    assert case.due_at is not None
    assert case.due_at > before
    assert case.clocks["handle"]["entries"][-1]["what"] == "recompute"
    assert case.events.filter(move="recompute").count() == 1
    assert Message.objects.filter(template="reporter_promise_changed").count() == 1
