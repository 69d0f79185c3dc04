"""The work calendar's arithmetic, checked against a slow twin that walks second by second or day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.core.holidays import DayKind, rule_kind, statutory_holidays
from jiequ.core.worktime import FIELD_UNITS, ZONE, Limit, Unit, WorkCalendar


def known(*years: int) -> dict[date, bool]:
    days = {}
    for year in years:
        day = date(year, 1, 1)
        while day.year == year:
            days[day] = bool(chinese_calendar.is_workday(day))
            day += timedelta(days=1)
    return days


CALENDAR = WorkCalendar(known(2025, 2026))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


# --- examples a person can check ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-11-20T17:00", Limit(2, Unit.URGENT_HOUR), "2026-11-20T19:00"),
        ("2026-11-21T03:00", Limit(2, Unit.URGENT_HOUR), "2026-11-21T05:00"),
        ("2026-11-20T17:00", Limit(4, Unit.WORK_HOUR), "2026-11-23T11:00"),
        ("2026-11-20T10:00", Limit(4, Unit.WORK_HOUR), "2026-11-20T16:00"),
        ("2026-11-20T08:00", Limit(4, Unit.WORK_HOUR), "2026-11-20T12:00"),
        ("2026-11-19T15:00", Limit(1, Unit.WORK_DAY), "2026-11-20T15:00"),
        ("2026-11-20T15:00", Limit(1, Unit.WORK_DAY), "2026-11-23T15:00"),
        ("2026-11-21T15:00", Limit(1, Unit.WORK_DAY), "2026-11-23T18:00"),
        ("2026-11-20T15:00", Limit(3, Unit.NATURAL_DAY), "2026-11-23T15:00"),
        ("2026-11-20T11:50", Limit(30, Unit.WORK_MINUTE), "2026-11-20T14:20"),
        ("2026-11-20T23:50", Limit(10, Unit.URGENT_MINUTE), "2026-11-21T00:00"),
        ("2026-11-20T14:00", Limit(Decimal("0.5"), Unit.WORK_HOUR), "2026-11-20T14:30"),
        # National Day 2026: off 1–7 October; Sunday 20 September and Saturday 10 October are make-up workdays.
        ("2026-09-30T17:00", Limit(1, Unit.WORK_DAY), "2026-10-08T17:00"),
        ("2026-10-09T17:00", Limit(2, Unit.WORK_HOUR), "2026-10-10T09:00"),
        ("2026-09-19T17:00", Limit(2, Unit.WORK_HOUR), "2026-09-20T10:00"),
    ],
)
def test_a_limit_is_due_where_a_person_with_the_wall_calendar_would_say(start: str, limit: Limit, due: str) -> None:
    assert CALENDAR.add(at(start), limit) == CALENDAR.add(at(start).astimezone(UTC), limit)
    assert CALENDAR.add(at(start), limit).at == at(due)
    assert not CALENDAR.add(at(start), limit).is_provisional


def test_fifteen_work_days_set_in_december_cross_into_a_year_nobody_has_published() -> None:
    limit = Limit(15, Unit.WORK_DAY)
    due = CALENDAR.add(at("2026-12-21T09:00"), limit)
    assert due.is_provisional
    # 21–31 December are nine workdays, 1 January is New Year by decree, then 4–11 January.
    assert due.at == at("2027-01-12T09:00")
    assert not CALENDAR.add(at("2026-12-01T09:00"), limit).is_provisional
    assert not CALENDAR.add(at("2026-12-21T09:00"), Limit(30, Unit.NATURAL_DAY)).is_provisional, "needs no calendar"


def test_the_same_limit_is_settled_once_the_days_are_known() -> None:
    days = known(2026) | {date(2027, 1, 1) + timedelta(days=n): n not in (0, 1, 2) for n in range(31)}
    assert not WorkCalendar(days).add(at("2026-12-21T09:00"), Limit(15, Unit.WORK_DAY)).is_provisional
    marked = WorkCalendar(days, provisional={date(2027, 1, 8)})
    assert marked.add(at("2026-12-21T09:00"), Limit(15, Unit.WORK_DAY)).is_provisional


def test_half_a_year_of_waiting_leaves_the_clock_where_it_was() -> None:
    limit = CALENDAR.seconds_of(Limit(15, Unit.WORK_DAY))
    start, paused, resumed = at("2026-03-02T09:00"), at("2026-03-10T16:30"), at("2026-09-10T10:15")
    used = CALENDAR.counted_seconds(Unit.WORK_DAY, start, paused)
    due = CALENDAR.due(Unit.WORK_DAY, limit - used, resumed).at
    wait = [(paused, resumed)]
    assert CALENDAR.counted_seconds(Unit.WORK_DAY, start, resumed, wait) == used
    assert CALENDAR.counted_seconds(Unit.WORK_DAY, start, due, wait) == limit


def test_lunch_nights_weekends_and_holidays_are_no_working_time_and_make_up_saturdays_are() -> None:
    working = ["2026-11-20T08:00", "2026-11-20T11:59:59", "2026-11-20T14:00", "2026-10-10T09:00"]
    quiet = ["2026-11-20T07:59:59", "2026-11-20T12:00", "2026-11-20T18:00", "2026-11-21T10:00", "2026-10-05T10:00"]
    assert [CALENDAR.is_working_time(at(t)) for t in working] == [True] * 4
    assert [CALENDAR.is_working_time(at(t)) for t in quiet] == [False] * 5


def test_a_quiet_message_waits_for_the_next_span_and_a_daytime_one_not_at_all() -> None:
    assert CALENDAR.next_working_moment(at("2026-11-20T18:00")) == at("2026-11-23T08:00")
    assert CALENDAR.next_working_moment(at("2026-11-20T12:30")) == at("2026-11-20T14:00")
    assert CALENDAR.next_working_moment(at("2026-09-30T23:59")) == at("2026-10-08T08:00")
    assert CALENDAR.next_working_moment(at("2026-11-20T09:12:13")) == at("2026-11-20T09:12:13")
    assert CALENDAR.next_workday(date(2026, 9, 30)) == date(2026, 10, 8)


def test_what_is_left_turns_negative_by_what_it_is_late() -> None:
    due = at("2026-11-20T17:00")
    assert CALENDAR.remaining_seconds(Unit.WORK_HOUR, at("2026-11-20T16:00"), due) == 3600
    assert CALENDAR.remaining_seconds(Unit.WORK_HOUR, at("2026-11-23T09:00"), due) == -7200
    assert CALENDAR.remaining_seconds(Unit.URGENT_HOUR, at("2026-11-20T18:00"), due) == -3600


def test_nothing_left_is_due_at_once() -> None:
    assert CALENDAR.due(Unit.WORK_DAY, 0, at("2026-11-21T10:00")).at == at("2026-11-21T10:00")
    assert CALENDAR.due(Unit.WORK_DAY, -5, at("2026-11-21T10:00")).at == at("2026-11-21T10:00")


# --- statutory holidays are a set of their own -------------------------------------------------------------------
def test_the_decree_names_thirteen_days_and_the_library_is_not_asked() -> None:
    for year in range(2025, 2041):
        expected = 12 if year in (2028, 2031, 2039) else 13  # then Mid-Autumn falls on 1, 2 or 3 October
        assert len(statutory_holidays(year)) == expected
    assert {day for day in statutory_holidays(2026) if day.month == 10} == {date(2026, 10, n) for n in (1, 2, 3)}
    assert chinese_calendar.is_holiday(date(2026, 10, 7)), "the library calls all of 1–7 October National Day"
    assert rule_kind(date(2026, 10, 7)) is DayKind.WORKDAY
    assert chinese_calendar.is_holiday(date(2026, 11, 21)), "and every Saturday a holiday"
    assert rule_kind(date(2026, 11, 21)) is DayKind.REST


def test_no_statutory_holiday_of_a_published_year_is_a_workday() -> None:
    days = known(2025, 2026)
    assert [day for year in (2025, 2026) for day in statutory_holidays(year) if days[day]] == []


def test_a_saturday_is_rest_and_new_year_is_a_statutory_holiday() -> None:
    calendar = WorkCalendar()
    assert calendar.is_statutory_holiday(date(2027, 2, 6))
    assert not calendar.is_statutory_holiday(date(2027, 2, 13))
    assert not calendar.is_workday(date(2027, 2, 13))
    assert calendar.is_provisional(date(2027, 2, 13))


# --- hostile input -----------------------------------------------------------------------------------------------
def test_a_naive_moment_a_negative_limit_and_odd_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.add(datetime(2026, 1, 1), Limit(1, Unit.WORK_DAY))  # noqa: DTZ001
    with pytest.raises(ValueError, match="negative"):
        Limit(-1, Unit.WORK_DAY)
    for hours in ([], [(time(12), time(8))], [(time(8), time(12)), (time(11), time(18))]):
        with pytest.raises(ValueError, match="working hours"):
            WorkCalendar(hours=hours)


def test_a_limit_that_leaves_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="calendar"):
        CALENDAR.add(at("2100-12-30T09:00"), Limit(40, Unit.WORK_DAY))
    with pytest.raises(ValueError, match="calendar"):
        CALENDAR.counted_seconds(Unit.WORK_DAY, at("1999-12-30T09:00"), at("2000-02-01T09:00"))


# --- properties --------------------------------------------------------------------------------------------------
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(ZONE))  # noqa: DTZ001
UNITS = st.sampled_from(list(Unit))
SECONDS = st.integers(1, 60 * 8 * 3600)
DAYS_OF_WORK = [((time(8), time(12)), (time(14), time(18))), ((time(8, 30), time(17, 45)),)]
HOURS = st.sampled_from(DAYS_OF_WORK)
CALENDARS = {hours: WorkCalendar(known(2025, 2026), hours=hours) for hours in DAYS_OF_WORK}


@given(HOURS, UNITS, MOMENTS, SECONDS)
@settings(deadline=None)
def test_adding_and_counting_are_inverse(hours: tuple, unit: Unit, start: datetime, seconds: int) -> None:
    calendar = CALENDARS[hours]
    due = calendar.due(unit, seconds, start).at
    assert calendar.counted_seconds(unit, start, due) == seconds
    assert calendar.counted_seconds(unit, start, due - timedelta(seconds=1)) == seconds - 1, "due is the first moment"


@given(HOURS, UNITS, st.lists(MOMENTS, min_size=3, max_size=6))
@settings(deadline=None)
def test_counting_is_additive_over_splits(hours: tuple, unit: Unit, moments: list[datetime]) -> None:
    calendar, ordered = CALENDARS[hours], sorted(moments)
    parts = [calendar.counted_seconds(unit, a, b) for a, b in pairwise(ordered)]
    assert sum(parts) == calendar.counted_seconds(unit, ordered[0], ordered[-1])
    assert all(part >= 0 for part in parts)


@given(UNITS, MOMENTS, MOMENTS, SECONDS, SECONDS)
@settings(deadline=None)
def test_a_later_start_or_a_longer_limit_is_never_due_earlier(
    unit: Unit, one: datetime, other: datetime, less: int, more: int
) -> None:
    (early, late), (few, many) = sorted([one, other]), sorted([less, more])
    assert CALENDAR.due(unit, few, early).at <= CALENDAR.due(unit, few, late).at
    assert CALENDAR.due(unit, few, early).at <= CALENDAR.due(unit, many, early).at


@given(UNITS, st.lists(MOMENTS, min_size=2, max_size=9), st.data())
@settings(deadline=None)
def test_pauses_never_make_a_clock_run_backwards(unit: Unit, moments: list[datetime], data: st.DataObject) -> None:
    start, *rest = sorted(moments)
    pauses = [tuple(sorted(data.draw(st.tuples(MOMENTS, MOMENTS)))) for _ in range(data.draw(st.integers(0, 4)))]
    shown = [CALENDAR.counted_seconds(unit, start, moment, pauses) for moment in rest]
    assert shown == sorted(shown)
    assert all(0 <= n <= CALENDAR.counted_seconds(unit, start, m) for n, m in zip(shown, rest, strict=True))


@given(UNITS, MOMENTS, MOMENTS, SECONDS)
@settings(deadline=None)
def test_an_open_pause_stops_the_clock_for_good(unit: Unit, start: datetime, other: datetime, later: int) -> None:
    start, paused = sorted([start, other])
    end = paused + timedelta(seconds=later)
    counted = CALENDAR.counted_seconds(unit, start, end, [(paused, None)])
    assert counted == CALENDAR.counted_seconds(unit, start, paused)


@given(MOMENTS)
@settings(deadline=None)
def test_the_next_working_moment_is_working_time_and_no_work_is_lost_before_it(moment: datetime) -> None:
    then = CALENDAR.next_working_moment(moment)
    assert then >= moment
    assert CALENDAR.is_working_time(then)
    assert CALENDAR.counted_seconds(Unit.WORK_HOUR, moment, then) == 0


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(ZONE)), st.integers(0, 9 * 86400))  # noqa: DTZ001
@settings(max_examples=30, deadline=None)
def test_counting_agrees_with_a_twin_that_walks_minute_by_minute(start: datetime, seconds: int) -> None:
    start = start.replace(second=0, microsecond=0)
    minutes = seconds // 60
    walked = sum(_works(start + timedelta(minutes=n)) for n in range(minutes))
    assert CALENDAR.counted_seconds(Unit.WORK_DAY, start, start + timedelta(minutes=minutes)) == walked * 60


@given(MOMENTS, st.sampled_from(FIELD_UNITS), st.integers(1, 20))
@settings(deadline=None)
def test_a_due_is_provisional_exactly_when_an_unpublished_day_lies_on_the_way(start: datetime, unit: Unit, value: int) -> None:
    due = CALENDAR.add(start, Limit(value, unit))
    assert due.is_provisional == (not unit.runs_always and due.at.year > 2026)


def _works(moment: datetime) -> bool:
    morning, afternoon = time(8) <= moment.time() < time(12), time(14) <= moment.time() < time(18)
    return bool(chinese_calendar.is_workday(moment.date())) and (morning or afternoon)
