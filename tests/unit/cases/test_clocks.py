"""Clocks: lights, pauses, extensions, a history, and marks that fire once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.cases import clocks as c
from jiequ.core.worktime import DayKind, Limit, Unit, WorkCalendar

KNOWN = {date(2026, 1, 1) + timedelta(days=i): (date(2026, 1, 1) + timedelta(days=i)).weekday() < 5 for i in range(365)}
CALENDAR = WorkCalendar(KNOWN)
MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai


def clock(value: int = 4, unit: Unit = Unit.WORK_HOUR, at: datetime = MONDAY) -> c.Clock:
    return c.start(c.ClockKind.HANDLE, Limit(value, unit), at=at, calendar=CALENDAR, by="林")


def test_lights_change_at_eighty_and_at_a_hundred_percent() -> None:
    ticking = clock(10, Unit.URGENT_HOUR)
    hours = {h: ticking.light(MONDAY + timedelta(hours=h)) for h in (7, 8, 8.01, 10, 10.01)}
    assert hours == {7: "green", 8: "green", 8.01: "yellow", 10: "yellow", 10.01: "red"}


def test_four_working_hours_from_a_friday_afternoon_end_on_monday() -> None:
    friday = datetime(2026, 3, 6, 8, 0, tzinfo=UTC)  # 16:00
    assert clock(at=friday).due_at == datetime(2026, 3, 9, 2, 0, tzinfo=UTC)  # Monday 10:00


def test_a_paused_clock_gives_back_the_time_that_did_not_count() -> None:
    ticking = clock(4, Unit.URGENT_HOUR)
    paused = c.pause(ticking, at=MONDAY + timedelta(hours=1), calendar=CALENDAR, by="梁", reason="等管线")
    resumed = c.resume(paused, at=MONDAY + timedelta(days=3), calendar=CALENDAR)
    assert paused.light(MONDAY + timedelta(days=2)) == "paused"
    assert resumed.due_at == MONDAY + timedelta(days=3, hours=3)
    assert [e.what for e in resumed.entries] == ["start", "pause", "resume"]
    assert resumed.entries[1].reason == "等管线"
    assert resumed.entries[1].counted == 3600


def test_an_extension_adds_at_most_one_original_limit_and_comes_at_most_twice() -> None:
    ticking = clock(2, Unit.URGENT_HOUR)
    with pytest.raises(c.ClockFault):
        c.extend(ticking, 7201, at=MONDAY, calendar=CALENDAR)
    twice = c.extend(c.extend(ticking, 7200, at=MONDAY, calendar=CALENDAR), 3600, at=MONDAY, calendar=CALENDAR)
    assert twice.due_at == MONDAY + timedelta(hours=5)
    with pytest.raises(c.ClockFault):
        c.extend(twice, 60, at=MONDAY, calendar=CALENDAR)


def test_a_late_clock_that_is_exempt_is_still_late() -> None:
    stopped = c.stop(clock(2, Unit.URGENT_HOUR), at=MONDAY + timedelta(hours=3), calendar=CALENDAR)
    exempted = c.exempt(stopped, at=MONDAY + timedelta(hours=4), reason="大雨")
    assert exempted.is_late
    assert exempted.is_exempt


def test_the_outer_clock_of_a_hotline_order_wins_when_it_is_stricter() -> None:
    inner = clock(10, Unit.URGENT_HOUR)
    outer = c.start_until(c.ClockKind.OUTER, MONDAY + timedelta(hours=6), at=MONDAY)
    assert c.leading([inner, outer]) == outer
    assert c.leading([inner, c.move_due(outer, MONDAY + timedelta(hours=20), at=MONDAY)]) == inner


def test_fifteen_work_days_set_in_december_run_into_a_year_not_yet_published() -> None:
    december = datetime(2026, 12, 21, 0, 0, tzinfo=UTC)
    ticking = clock(15, Unit.WORK_DAY, at=december)
    assert ticking.is_provisional
    notice = {date(2027, 1, 1): DayKind.HOLIDAY} | {date(2027, 1, d): DayKind.REST for d in (2, 3, 4)}
    ordinary = {
        day: (DayKind.WORKDAY if day.weekday() < 5 else DayKind.REST)
        for day in (date(2027, 1, 5) + timedelta(days=i) for i in range(40))
    }
    settled = WorkCalendar({**KNOWN, **notice, **ordinary})
    moved = c.recompute(ticking, at=december + timedelta(days=2), calendar=settled, reason="calendar 2")
    assert not moved.is_provisional
    assert moved.due_at > ticking.due_at
    assert moved.entries[-1].what == "recompute"


def test_a_six_month_wait_can_be_worked_out() -> None:
    assert clock(180, Unit.NATURAL_DAY).due_at == MONDAY + timedelta(days=180)


def test_a_clock_is_the_same_after_it_was_stored() -> None:
    ticking = c.pause(clock(), at=MONDAY + timedelta(hours=1), calendar=CALENDAR)
    assert c.load(c.dump({c.ClockKind.HANDLE: ticking})) == {c.ClockKind.HANDLE: ticking}


STEPS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "extend", "stop", "recompute"]), st.integers(0, 3 * 86_400)), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.sampled_from(list(Unit)))
def test_a_clock_never_runs_backwards_whatever_happens_to_it(steps: list[tuple[str, int]], unit: Unit) -> None:
    at, ticking = MONDAY, clock(3, unit)
    counted, entries = 0, 1
    for name, seconds in steps:
        at += timedelta(seconds=seconds)
        try:
            if name == "extend":
                ticking = c.extend(ticking, ticking.original, at=at, calendar=CALENDAR)
            else:
                ticking = getattr(c, name)(ticking, at=at, calendar=CALENDAR)
        except c.ClockFault:
            continue
        now = c.counted_by(ticking, at, CALENDAR)
        assert now >= counted
        assert len(ticking.entries) >= entries
        assert ticking.due_at >= ticking.yellow_at
        counted, entries = now, len(ticking.entries)
