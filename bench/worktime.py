"""Clocks: the time from a limit to its due moment, and from two moments to the seconds between them.

Before a time counts, the answers are compared with a walk minute by minute; that walk is the anchor.
Run: ``./run bench worktime``.
"""

from __future__ import annotations

import platform
import sys
import time as timer
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import chinese_calendar

from jiequ.core.worktime import ZONE, Limit, Unit, WorkCalendar

CASES, COMPARED, ROUNDS = 10_000, 20, 5


def best(do: Callable[[], Any], n: int) -> tuple[float, float]:
    """(wall, CPU) seconds for one of ``n``, the best of ROUNDS."""
    found = []
    for _ in range(ROUNDS):
        wall, cpu = timer.perf_counter(), timer.process_time()
        do()
        found.append(((timer.perf_counter() - wall) / n, (timer.process_time() - cpu) / n))
    return min(found)


def line(what: str, seconds: tuple[float, float], unit: str = "µs") -> None:
    factor = {"µs": 1e6, "ms": 1e3}[unit]
    print(f"{what:<58} {seconds[0] * factor:9.2f} {unit} wall {seconds[1] * factor:9.2f} {unit} CPU")


def known() -> dict[date, bool]:
    first = date(2025, 1, 1)
    days = [first + timedelta(days=n) for n in range(730)]
    return {day: bool(chinese_calendar.is_workday(day)) for day in days}


def walked(start: datetime, end: datetime) -> int:
    """Working seconds between two full minutes, asked of the library minute by minute."""
    minutes = int((end - start).total_seconds() // 60)
    moments = (start + timedelta(minutes=n) for n in range(minutes))
    return 60 * sum((8 <= m.hour < 12 or 14 <= m.hour < 18) and bool(chinese_calendar.is_workday(m)) for m in moments)


def refuse_wrong_answers(calendar: WorkCalendar, starts: list[datetime]) -> None:
    for start in starts[:COMPARED]:
        due = calendar.add(start, Limit(15, Unit.WORK_DAY)).at
        if walked(start, due) != 15 * 8 * 3600 or calendar.counted_seconds(Unit.WORK_DAY, start, due) != 15 * 8 * 3600:
            sys.exit(f"wrong answer for {start}")


def main() -> None:
    print(f"{platform.platform()} · Python {platform.python_version()}")
    days = known()
    calendar = WorkCalendar(days)
    rng = Random(7)
    base = datetime(2025, 1, 6, 8, 0, tzinfo=ZONE)
    starts = [base + timedelta(minutes=rng.randrange(300 * 1440)) for _ in range(CASES)]
    refuse_wrong_answers(calendar, starts)
    print(f"{CASES} clocks, {COMPARED} answers compared with a walk minute by minute: none wrong")
    fifteen, half_year = Limit(15, Unit.WORK_DAY), timedelta(days=180)
    count = calendar.counted_seconds
    line("due moment of 15 work days", best(lambda: [calendar.add(s, fifteen) for s in starts], CASES))
    line(
        "seconds counted over a wait of half a year",
        best(lambda: [count(Unit.WORK_DAY, s, s + half_year) for s in starts], CASES),
    )
    line("next working moment (quiet hours)", best(lambda: [calendar.next_working_moment(s) for s in starts], CASES))
    line("a calendar of a hundred years built from its day table", best(lambda: WorkCalendar(days), 1), "ms")
    few = starts[:3]
    line("anchor: 15 work days walked minute by minute", best(lambda: [walked(s, s + timedelta(days=21)) for s in few], 3))


if __name__ == "__main__":
    main()
