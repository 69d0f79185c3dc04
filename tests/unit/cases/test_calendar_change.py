"""From a year's notice to the promise on a case: the job tells the hook, the hook works the clocks out again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from jiequ.cases.models import Case, CaseEvent
from jiequ.core import calendar
from jiequ.core.jobs import work_once
from jiequ.core.notice import parse_notice
from tests.actors import World
from tests.casework import Casework, make_condition

DECEMBER = datetime(2026, 12, 22, 1, 0, tzinfo=UTC)  # Tuesday, 09:00 in Shanghai
NOTICE = "1月1日至1月5日,休\n1月9日,班\n".encode()
XI = SimpleNamespace(person_id=1)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calendar.forget()
    yield
    calendar.forget()


def run_jobs(at: datetime) -> None:
    while work_once(at=at, limit=50):
        pass


def test_a_promise_into_an_unpublished_year_is_provisional_and_settles_with_the_notice(world: World) -> None:
    calendar.fill(at=DECEMBER)
    work = Casework(world, make_condition(limit=15, unit="work_day"))
    case = Case.objects.get(pk=work.dispatched(at=DECEMBER).pk)
    assert case.is_promise_provisional
    promised = case.promised_at
    assert promised is not None
    run_jobs(DECEMBER + timedelta(minutes=1))
    later = DECEMBER + timedelta(minutes=2)
    calendar.load_notice(year=2027, named=parse_notice(NOTICE, 2027), by=XI, at=later)
    run_jobs(later + timedelta(seconds=1))
    case.refresh_from_db()
    assert case.promised_at == promised, "not before every process has looked at the table again"
    run_jobs(later + calendar.TELL_AFTER + timedelta(seconds=1))
    case.refresh_from_db()
    # 4 and 5 January became days off; Saturday the 9th a workday: one work day later in all.
    assert case.promised_at == promised + timedelta(days=1)
    assert not case.is_promise_provisional
    line = CaseEvent.objects.get(case=case, move="recompute")
    assert line.facts["edition"] == calendar.current_edition()


def test_a_case_with_a_limit_that_needs_no_calendar_keeps_its_promise(world: World) -> None:
    calendar.fill(at=DECEMBER)
    work = Casework(world, make_condition(limit=20, unit="natural_day"))
    case = Case.objects.get(pk=work.dispatched(at=DECEMBER).pk)
    assert not case.is_promise_provisional
    promised = case.promised_at
    calendar.load_notice(year=2027, named=parse_notice(NOTICE, 2027), by=XI, at=DECEMBER)
    run_jobs(DECEMBER + timedelta(minutes=1))
    case.refresh_from_db()
    assert case.promised_at == promised
