"""The board, the indicators, the cases behind a figure and the brief, with a million cases of one street over a year.

Cases are stored as rows (states, lights and departments invented; every 40th is open), counted for as if walked. Before the
time counts, the days must equal a recount and a total must equal a count of the rows. CPU is the process's, SQLite's work
included; PostgreSQL's server is not. Run: ``./run bench insight [--cases 1000000] [--database sqlite|postgresql]``.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random
from statistics import median
from typing import Any

from bench.database import begin, machine_line, on_each

CASES, ROUNDS = 1_000_000, 7
BATCH = 5_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    if given.database is None:
        raise SystemExit(on_each("bench.insight", ["--cases", str(given.cases)]))
    begin(given.database)
    print(machine_line())
    began = time.perf_counter()
    work = fill(given.cases)
    print(f"{given.cases:,} cases stored in {time.perf_counter() - began:.0f} s", flush=True)
    began, cpu = time.perf_counter(), time.process_time()
    add_up(work)
    print(f"days added up in {time.perf_counter() - began:.0f} s, CPU {time.process_time() - cpu:.0f} s", flush=True)
    look(work)


def fill(count: int) -> Any:
    from jiequ.cases.models import Case
    from jiequ.insight.models import CaseCount
    from tests.actors import make_world
    from tests.casework import Casework, make_condition

    work = Casework(make_world(), make_condition())
    rng = Random(2026)
    rows = pairs(work, count, rng)
    while batch := list(islice(rows, BATCH)):
        Case.objects.bulk_create([case for case, _count in batch])
        for case, counted in batch:
            counted.case_id = case.pk
        CaseCount.objects.bulk_create([counted for _case, counted in batch])
    return work


def pairs(work: Any, count: int, rng: Random) -> Iterator[tuple[Any, Any]]:
    """A case and what it counts for; the newest are open."""
    from jiequ.cases.models import Case
    from jiequ.insight.models import CaseCount
    from jiequ.insight.rules import BIT
    from tests.actors import NOW

    departments = [work.sanitation, work.water, work.world.enforcement.pk]
    common = {"street_id": work.world.street.pk, "community_id": work.world.communities["east"].pk}
    kind = {"event_type_id": work.condition.edition.event_type_id}
    for number in range(count):
        at = NOW - timedelta(days=365) * (1 - number / count)
        is_open, is_late = rng.random() < 0.025, rng.random() < 0.1
        lead = rng.choice(departments)
        due = at + timedelta(days=rng.uniform(0.2, 3))
        case = Case(
            number=f"LG-2026-{number:07d}",
            state="handling" if is_open else "closed",
            closing="" if is_open else "normal",
            title="垃圾",
            source="resident",
            condition_id=work.condition.pk,
            lead_id=lead,
            reported_at=at,
            changed_at=at,
            due_at=due if is_open else None,
            yellow_at=due if is_open else None,
            ended_at=None if is_open else due,
            **common,
            **kind,
        )
        parts = BIT["reported"] | BIT["valid"] | BIT["filed"] | BIT["filed_kept"] | BIT["sent"]
        parts |= BIT["turned_late"] | BIT["close_due"] | BIT["close_timed"] if is_late else BIT["filed_ontime"]
        if not is_open:
            parts |= BIT["closed"] | BIT["close_due"] | BIT["close_done"] | BIT["close_timed"]
            parts |= BIT["asked"] | (BIT["rated"] | BIT["solved"] if rng.random() < 0.3 else 0)
            parts |= BIT["reworked"] if rng.random() < 0.001 else 0
        day = at.date()
        counted = CaseCount(
            parts=parts,
            department_id=lead,
            reported_on=day,
            filed_on=day,
            handled_on=day,
            due_on=day,
            closed_on=day,
            **common,
            **kind,
        )
        yield case, counted


def add_up(work: Any) -> None:
    from jiequ.insight.services import counting
    from tests.actors import NOW

    span = counting.span_of(work.world.street.pk)
    assert span is not None
    day, last = span
    while day <= last:
        counting.check_days(work.world.street.pk, day, at=NOW)
        day += counting.SPAN
    assert counting.check_days(work.world.street.pk, span[0], at=NOW) == 0


def look(work: Any) -> None:
    from django.db import connection

    from jiequ.core import clock
    from jiequ.insight.models import CaseCount
    from jiequ.insight.periods import Period
    from jiequ.insight.queries import figures
    from jiequ.insight.rules import BIT
    from tests.actors import NOW

    class Still:
        @staticmethod
        def now() -> Any:
            return NOW

    clock.timezone = Still  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    year = Period("any", date(2025, 3, 1), date(2026, 3, 4))
    rare = figures.Behind((work.world.street.pk,), year, "reworked")
    assert figures.total(rare) == sum(
        1 for p in CaseCount.objects.values_list("parts", flat=True).iterator() if p & BIT["reworked"]
    )
    client = work.world.client("he")
    any_year = "period=any&since=2025-03-01&last=2026-03-04"
    for name, address in (
        ("indicators, a month", "/indicators/"),
        ("indicators, a year", f"/indicators/?{any_year}"),
        ("one indicator, a year, by department", f"/indicators/close_rate/?{any_year}"),
        ("cases behind a figure, a month", "/indicators/cases/?part=filed"),
        ("cases behind a rare figure, a year", f"/indicators/cases/?part=reworked&{any_year}"),
        ("the board", "/board/"),
        ("late cases of the board", "/board/light_red/"),
        ("the brief", "/brief/"),
    ):
        tell(name, lambda address=address: client.get(address))


def tell(name: str, ask: Callable[[], Any]) -> None:
    from tests.statements import statements_of

    answer = ask()
    assert answer.status_code == 200, answer.status_code
    statements = len(statements_of(ask))
    cpu, wall = [], []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        ask()
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    size = len(gzip.compress(answer.content)) / 1024
    print(
        f"{name:40} {statements:3} statements  CPU {median(cpu):7.1f} ms  wall {median(wall):7.1f} ms  {size:5.1f} KB gzip",
        flush=True,
    )


if __name__ == "__main__":
    main()
