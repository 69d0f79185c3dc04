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
from datetime import date
from itertools import islice
from random import Random
from statistics import median
from typing import Any

from bench import filling
from bench.database import begin, machine_line, on_each
from bench.year import moment

CASES, ROUNDS = 1_000_000, 7
BATCH = 20_000
CASE = (
    "id number state closing title source street_id community_id event_type_id condition_id lead_id reported_at changed_at"
    " due_at yellow_at ended_at"
).split()
COUNT = (
    "case_id parts street_id community_id event_type_id department_id reported_on filed_on handled_on due_on closed_on"
).split()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    if given.database is None:
        raise SystemExit(on_each("bench.insight", ["--cases", str(given.cases)]))
    from tests import postgres

    postgres.OPTIONS |= {"shared_buffers": "512MB", "max_wal_size": "4GB", "work_mem": "16MB"}
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
    """Cases and what each counts for, by ``bench.filling``."""
    from jiequ.cases.models import Case
    from jiequ.insight.models import CaseCount
    from jiequ.web.cli.migrate import as_owner
    from tests.actors import make_world
    from tests.casework import Casework, make_condition

    work = Casework(make_world(), make_condition())
    made = pairs(work, count, Random(2026))
    with as_owner(), filling.bare(Case, CaseCount):
        into_cases, into_counts = filling.Loader(Case, *CASE), filling.Loader(CaseCount, *COUNT)
        while batch := list(islice(made, BATCH)):
            into_cases(case for case, _counted in batch)
            into_counts(counted for _case, counted in batch)
    return work


def pairs(work: Any, count: int, rng: Random) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """A case and what it counts for; the newest are open."""
    from tests.actors import NOW

    departments = [work.sanitation, work.water, work.world.enforcement.pk]
    street, community = work.world.street.pk, work.world.communities["east"].pk
    type_id, condition = work.condition.edition.event_type_id, work.condition.pk
    now = int(NOW.timestamp())
    for number in range(1, count + 1):
        at = now - 365 * 86_400 + 365 * 86_400 * (number - 1) // count
        is_open, is_late = rng.random() < 0.025, rng.random() < 0.1
        lead, due = rng.choice(departments), at + int(86_400 * rng.uniform(0.2, 3))
        reported, ended, day = moment(at), moment(due), moment(at)[:10]
        state, closing = ("handling", "") if is_open else ("closed", "normal")
        case = (
            *(number, f"LG-2026-{number:07d}", state, closing, "垃圾", "resident", street, community, type_id, condition, lead),
            *(reported, reported, ended if is_open else None, ended if is_open else None, None if is_open else ended),
        )
        parts = _parts(is_open=is_open, is_late=is_late, rng=rng)
        yield case, (number, parts, street, community, type_id, lead, day, day, day, day, day)


def _parts(*, is_open: bool, is_late: bool, rng: Random) -> int:
    from jiequ.insight.rules import BIT

    parts = BIT["reported"] | BIT["valid"] | BIT["filed"] | BIT["filed_kept"] | BIT["sent"]
    parts |= BIT["turned_late"] | BIT["close_due"] | BIT["close_timed"] if is_late else BIT["filed_ontime"]
    if not is_open:
        parts |= BIT["closed"] | BIT["close_due"] | BIT["close_done"] | BIT["close_timed"]
        parts |= BIT["asked"] | (BIT["rated"] | BIT["solved"] if rng.random() < 0.3 else 0)
        parts |= BIT["reworked"] if rng.random() < 0.001 else 0
    return parts


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
