"""The day table: filled, loaded from a notice, changed by hand, and how every process comes to know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jiequ.core import calendar, worktime
from jiequ.core.errors import Refusal, Stale
from jiequ.core.holidays import DayKind
from jiequ.core.models import AuditEntry, CalendarDay, District, Job
from jiequ.core.notice import parse_notice
from jiequ.core.worktime import ZONE, Limit, Unit

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
XI = SimpleNamespace(person_id=7)
NOTICE_2027 = """日期,安排
1月1日至1月3日,休
2月5日~2月11日,休
2027-02-14,班
2027/2/27，班
4月3日至4月5日,休
5月1日至5月5日,休
5月8日,班
6月9日,休
9月15日,休
10月1日至10月7日,休
9月26日,班
10月9日,班
"""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calendar.forget()
    yield
    calendar.forget()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def load_2027(**options: Any) -> int:
    return calendar.load_notice(year=2027, named=parse_notice(NOTICE_2027.encode(), 2027), by=XI, at=NOVEMBER, **options)


def now_known() -> worktime.WorkCalendar:
    calendar.forget()
    return calendar.calendar_for()


# --- filling from the library ------------------------------------------------------------------------------------
def test_filling_stores_the_years_the_library_knows_and_leaves_the_unknown_one_to_the_rule() -> None:
    assert calendar.fill(at=NOVEMBER) == [2025, 2026]
    assert CalendarDay.objects.count() == 365 * 2
    filled = now_known()
    assert not filled.is_workday(date(2026, 10, 5))
    assert filled.is_workday(date(2026, 10, 10)), "a make-up Saturday"
    assert filled.is_statutory_holiday(date(2026, 10, 3))
    assert not filled.is_statutory_holiday(date(2026, 10, 4)), "the library calls it National Day, the decree does not"
    assert filled.is_statutory_holiday(date(2027, 2, 6))
    assert filled.is_provisional(date(2027, 2, 6))


def test_the_last_week_of_the_last_published_year_is_provisional_too() -> None:
    calendar.fill(at=NOVEMBER)
    filled = now_known()
    assert not filled.is_provisional(date(2026, 1, 1), date(2026, 12, 24))
    assert filled.is_provisional(date(2026, 12, 25))
    assert not filled.is_provisional(date(2025, 12, 31)), "2026 is published"


def test_filling_twice_changes_nothing_and_tells_nobody() -> None:
    calendar.fill(at=NOVEMBER)
    before = (calendar.current_edition(), Job.objects.count(), AuditEntry.objects.count())
    calendar.fill(at=NOVEMBER + timedelta(days=1))
    assert (calendar.current_edition(), Job.objects.count(), AuditEntry.objects.count()) == before


def test_filling_keeps_what_a_person_set() -> None:
    calendar.change_days(changes=[calendar.DayChange(date(2026, 11, 24), DayKind.REST, "台风停工")], by=XI, at=NOVEMBER)
    calendar.fill(at=NOVEMBER)
    assert not now_known().is_workday(date(2026, 11, 24))


def test_an_empty_table_still_answers_by_rule_and_says_provisional() -> None:
    due = calendar.calendar_for().add(at("2026-11-23T09:00"), Limit(1, Unit.WORK_DAY))
    assert due == worktime.Due(at("2026-11-24T09:00"), True)


# --- the year's notice --------------------------------------------------------------------------------------------
def test_a_notice_settles_its_year_and_the_week_before_it() -> None:
    calendar.fill(at=NOVEMBER)
    assert now_known().add(at("2026-12-21T09:00"), Limit(15, Unit.WORK_DAY)).is_provisional
    load_2027()
    settled = now_known()
    due = settled.add(at("2026-12-21T09:00"), Limit(15, Unit.WORK_DAY))
    assert due == worktime.Due(at("2027-01-12T09:00"), False)
    assert settled.is_workday(date(2027, 2, 14))
    assert not settled.is_workday(date(2027, 2, 10))
    assert not settled.is_statutory_holiday(date(2027, 2, 10))
    assert settled.is_statutory_holiday(date(2027, 2, 5))
    assert settled.is_provisional(date(2027, 12, 28)), "the notice for 2028 may still move it"


def test_a_notice_may_move_the_last_days_of_the_year_before() -> None:
    calendar.fill(at=NOVEMBER)
    text = NOTICE_2027 + "2026-12-31,休\n2026-12-26,班\n"
    calendar.load_notice(year=2027, named=parse_notice(text.encode(), 2027), by=XI, at=NOVEMBER)
    settled = now_known()
    assert settled.is_workday(date(2026, 12, 26))
    assert not settled.is_workday(date(2026, 12, 31))


def test_a_day_set_by_hand_stays_unless_the_notice_names_it() -> None:
    set_by_hand = [
        calendar.DayChange(date(2027, 3, 3), DayKind.REST),
        calendar.DayChange(date(2027, 2, 10), DayKind.WORKDAY),
    ]
    calendar.change_days(changes=set_by_hand, by=XI, at=NOVEMBER)
    load_2027()
    assert not now_known().is_workday(date(2027, 3, 3))
    assert not now_known().is_workday(date(2027, 2, 10))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("2027-01-01,休\n2027-13-01,休", "2"),
        ("2027-01-01,休\n昨天,休", "2"),
        ("2027-01-01,班", "1"),
        ("2027-01-01,休\n2027-03-03,班", "2"),
        ("2027-01-01,休\n2028-01-01,休", "2"),
        ("2027-01-01,休\n2027-01-02,歇", "2"),
        ("2027-01-01,休\n2027-01-02", "2"),
        ("2027-01-02,休\n2027-01-02,班", "2"),
        ("2027-03-01~2027-01-01,休", "1"),
    ],
)
def test_a_line_that_cannot_be_read_or_cannot_be_true_is_named_and_nothing_is_stored(text: str, line: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_notice(text.encode(), 2027)
    assert f"第{line}行" in str(refused.value)
    assert CalendarDay.objects.count() == 0


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x81", "你好".encode(), b"x" * 70_000, b"2026-12-31,off\n"])
def test_a_file_that_is_no_notice_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(Refusal):
        parse_notice(data, 2027)


def test_a_notice_in_the_encoding_of_an_old_spreadsheet_is_read() -> None:
    assert len(parse_notice("2027年1月1日,放假\n".encode("gb18030"), 2027)) == 1


# --- changing, telling ---------------------------------------------------------------------------------------------
def test_a_change_is_audited_and_told_to_the_hooks_once_every_process_has_looked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[date, date, int]] = []
    monkeypatch.setattr(calendar, "_hooks", {"test": lambda first, last, edition, at: told.append((first, last, edition))})
    changes = [calendar.DayChange(date(2027, 2, 9), DayKind.REST), calendar.DayChange(date(2027, 2, 20), DayKind.WORKDAY)]
    edition = calendar.change_days(changes=changes, by=XI, at=NOVEMBER)
    job = Job.objects.get(kind="calendar.changed")
    assert job.run_at - NOVEMBER > timedelta(seconds=calendar.LOOK_AGAIN_SECONDS)
    calendar.tell_hooks(**job.args, at=job.run_at)
    assert told == [(date(2027, 2, 9), date(2027, 2, 20), edition)]
    entry = AuditEntry.objects.get(action="calendar.changed")
    assert entry.person_id == 7
    assert entry.facts == {"days": ["2027-02-09:rest", "2027-02-20:workday"]}


def test_only_the_days_that_differ_are_told() -> None:
    load_2027()
    Job.objects.all().delete()
    load_2027()
    assert Job.objects.count() == 0, "the same notice again"
    changed = parse_notice((NOTICE_2027 + "8月8日,班").encode(), 2027)
    calendar.load_notice(year=2027, named=changed, by=XI, at=NOVEMBER)
    assert Job.objects.get().args["first"] == Job.objects.get().args["last"] == "2027-08-08"


def test_two_administrators_cannot_overwrite_each_other() -> None:
    seen = calendar.current_edition()
    change = [calendar.DayChange(date(2027, 2, 9), DayKind.REST)]
    calendar.change_days(changes=change, by=XI, at=NOVEMBER, edition=seen)
    other = [calendar.DayChange(date(2027, 2, 9), DayKind.WORKDAY)]
    with pytest.raises(Stale):
        calendar.change_days(changes=other, by=XI, at=NOVEMBER, edition=seen)
    assert CalendarDay.objects.get().is_workday is False


def test_another_process_learns_of_a_change_when_it_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(calendar.time, "monotonic", lambda: now[0])
    assert calendar.calendar_for().is_workday(date(2027, 2, 9))
    calendar.change_days(changes=[calendar.DayChange(date(2027, 2, 9), DayKind.REST)], by=XI, at=NOVEMBER)
    assert calendar.calendar_for().is_workday(date(2027, 2, 9)), "this is the other process: it was not told"
    now[0] += calendar.LOOK_AGAIN_SECONDS
    assert not calendar.calendar_for().is_workday(date(2027, 2, 9))


def test_reading_costs_no_statement_when_it_was_looked_at_lately_and_one_when_not() -> None:
    calendar.calendar_for()
    with CaptureQueriesContext(
        connection,
    ) as lately:
        calendar.calendar_for()
    with CaptureQueriesContext(connection) as again:
        calendar.calendar_for(is_fresh=True)
    assert (len(lately), len(again)) == (0, 1)


def test_working_hours_are_the_districts_and_odd_ones_are_refused() -> None:
    District.objects.create(name_zh="榕江区", code6="990101")
    calendar.set_hours(spans=[["08:30", "12:00"], ["13:30", "17:00"]], by=XI, at=NOVEMBER)
    assert now_known().add(at("2026-11-23T08:30"), Limit(1, Unit.WORK_DAY)).at == at("2026-11-23T17:00")
    with pytest.raises(Refusal):
        calendar.set_hours(spans=[["12:00", "08:00"]], by=XI, at=NOVEMBER)
    with pytest.raises(Refusal):
        calendar.set_hours(spans=[["noon", "18:00"]], by=XI, at=NOVEMBER)
    assert now_known().hours[0][0].hour == 8


def test_an_odd_change_is_refused() -> None:
    for changes in ([], [calendar.DayChange(date(1999, 1, 1), DayKind.REST)]):
        with pytest.raises(Refusal):
            calendar.change_days(changes=changes, by=XI, at=NOVEMBER)
    with pytest.raises(Refusal, match="名称"):
        calendar.change_days(changes=[calendar.DayChange(date(2027, 3, 3), DayKind.HOLIDAY)], by=XI, at=NOVEMBER)
    with pytest.raises(Refusal, match="法定节假日"):
        calendar.change_days(changes=[calendar.DayChange(date(2027, 2, 8), DayKind.WORKDAY)], by=XI, at=NOVEMBER)


def test_a_warning_stands_from_the_first_of_november_until_the_next_year_is_known() -> None:
    calendar.fill(at=NOVEMBER)
    calendar.forget()
    assert [w.code for w in calendar.warnings(at("2026-10-31T23:00"))] == []
    assert [(w.code, w.year) for w in calendar.warnings(at("2026-11-01T00:30"))] == [("calendar.next_year_unknown", 2027)]
    load_2027()
    calendar.forget()
    assert calendar.warnings(at("2026-12-31T09:00")) == []


def test_a_table_never_filled_warns_at_any_time() -> None:
    assert [w.code for w in calendar.warnings(at("2026-03-01T09:00"))] == ["calendar.this_year_unknown"]
