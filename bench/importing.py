"""Orders into cases: rows a second, CPU and memory of ``./run import orders`` on generated rows, on both databases.

The rows are invented here: moments of two years, 42 words for types of which two mean nothing to us, 30 units of which three do
not, words, a point for half of them. Before the time counts the counts must add up and a sample is read back. A second run over
the same file must store nothing. Run: ``./run bench importing [--rows 200000] [--database sqlite|postgresql] [--contacts]``.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bench.database import begin, machine_line, on_each

ROWS = 200_000
HEADINGS = (
    "单号",
    "上报时间",
    "办结时间",
    "按时",
    "小类",
    "街道",
    "社区",
    "单位",
    "来源",
    "内容",
    "经度",
    "纬度",
    "联系人",
    "电话",
)
WORDS = (
    "路边有一堆垃圾没人清",
    "下水道堵了，污水往外冒",
    "店铺占了人行道，轮椅过不去",
    "路灯不亮，晚上看不见",
    "树倒了挡住半条路",
)
UNIT_KEYS = ("hw", "sw", "zf", "zhzx")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--contacts", action="store_true", help="with a reporter's name and phone in every row")
    options = parser.parse_args()
    if options.database is None:
        rest = ["--rows", str(options.rows), *(["--contacts"] if options.contacts else [])]
        sys.exit(on_each("bench.importing", rest))
    begin(options.database)
    print(machine_line())
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.rows, has_contacts=options.contacts)


def measure(folder: Path, count: int, *, has_contacts: bool) -> None:
    """One import, checked, and the same again."""
    from jiequ.cases.services.types import load_catalogue
    from jiequ.core import clock
    from jiequ.people.rules import Actor
    from tests.actors import make_world

    make_world()
    load_catalogue(by=Actor.system(), at=clock.now())
    file, codes = folder / "orders.csv", _codes()
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        writer.writerows(rows(count, codes, has_contacts=has_contacts))
    print(f"{count:,} rows, {file.stat().st_size / 1e6:.1f} MB{', with contacts' if has_contacts else ''}")
    first = _timed("import", folder, file, codes)
    if (first.sum.new, first.sum.known, first.refused) != (count, 0, 0):
        sys.exit(f"wrong counts: {first.sum}, {first.refused}")
    _refuse_wrong_cases(count, codes)
    again = _timed("the same again", folder, file, codes)
    if (again.sum.new, again.sum.known) != (0, count):
        sys.exit(f"a second run stored something: {again.sum}")


def rows(count: int, codes: list[str], *, has_contacts: bool) -> Iterator[list[str]]:
    """Invented orders; the same seed, the same rows."""
    rng, begin_at = Random(11), datetime(2024, 1, 1, 6, tzinfo=UTC)
    for number in range(count):
        created = begin_at + timedelta(seconds=int(number * 730 * 86_400 / count))
        closed = created + timedelta(minutes=rng.randrange(30, 9000))
        has_point = number % 2 == 0
        yield [
            f"W{number:08d}",
            f"{created:%Y-%m-%d %H:%M:%S}",
            f"{closed:%Y-%m-%d %H:%M:%S}",
            "1" if rng.random() < 0.908 else "0",
            f"小类{rng.randrange(40) if number % 50 else 40 + number % 2}",
            "龙涧街道",
            "东涌社区",
            f"单位{rng.randrange(27)}" if number % 40 else f"外单位{rng.randrange(3)}",
            rng.choice(("热线", "公众号", "巡查")),
            rng.choice(WORDS),
            f"{113.5 + rng.random() * 0.002:.6f}" if has_point else "",
            f"{23.18 + rng.random() * 0.001:.6f}" if has_point else "",
            "周女士" if has_contacts else "",
            f"1380{number % 10_000_000:07d}" if has_contacts else "",
        ]


def _codes() -> list[str]:
    from jiequ.cases import catalogue

    return [entry.code for entry in catalogue.entries() if entry.kind == "event" and entry.is_active][:40]


def _map(codes: list[str]) -> str:
    columns = ("number", "created", "closed", "on_time", "sub_type", "street", "community", "unit", "source", "words", "x", "y")
    names = (*columns, "contact_name", "contact_phone")
    lines = ['source = "bench"', 'coordinates = "cgcs2000"', "[columns]"]
    lines += [f'{name} = "{heading}"' for name, heading in zip(names, HEADINGS, strict=True)]
    lines += ["[types]", *(f'"小类{n}" = "{code}"' for n, code in enumerate(codes))]
    lines += ["[units]", *(f'"单位{n}" = "{UNIT_KEYS[n % len(UNIT_KEYS)]}"' for n in range(27))]
    lines += ["[sources]", '"热线" = "hotline"', '"公众号" = "resident"', '"巡查" = "staff"']
    return "\n".join([*lines, "[on_time]", '"1" = true', '"0" = false'])


def _timed(what: str, folder: Path, file: Path, codes: list[str]) -> Any:
    from jiequ.cases.import_map import read_map
    from jiequ.cases.order_files import open_orders
    from jiequ.cases.services.importing import Importer
    from jiequ.core import clock
    from jiequ.web.cli.orders import Rejects, Run

    wall, cpu = time.perf_counter(), _cpu()
    found = open_orders(file)
    importer = Importer(read_map(_map(codes)), at=clock.now(), sha256=found.sha256)
    run = Run(found, importer, Rejects(folder / "rejects.csv", found.headings))
    run.go()
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:<16} {run.read / wall:8,.0f} rows/s  wall {wall:7.1f} s  CPU {cpu:7.1f} s "
        f"({cpu / run.read * 1e6:,.0f} µs a row)  most memory {rss:.0f} MB  load {os.getloadavg()[0]:.1f}"
    )
    return run


def _cpu() -> float:
    return time.process_time()


def _refuse_wrong_cases(count: int, codes: list[str]) -> None:
    """What is in the tables is what was in the file."""
    from jiequ.cases.models import Case, CaseEvent, IssueCase, Report
    from jiequ.core.models import AuditEntry

    tables = [model.objects.count() for model in (Case, Report, CaseEvent)]
    waiting, audited = IssueCase.objects.count(), AuditEntry.objects.filter(action="case.imported").count()
    if tables != [count] * 3 or audited != count or not waiting:
        sys.exit(f"wrong tables: {tables}, waiting {waiting}, audited {audited}")
    for number, row in enumerate(islice(rows(count, codes, has_contacts=False), 2000)):
        if number % 97:
            continue
        case = Report.objects.select_related("case__event_type", "case__unit_grid").get(system="bench", source_ref=row[0]).case
        assert case.event_type is not None
        told = (case.is_late, f"{case.reported_at:%M:%S}", bool(case.unit_grid))
        if told != (row[3] == "0", row[1][14:19], bool(row[10])):
            sys.exit(f"wrong case for {row[0]}: {told}")


if __name__ == "__main__":
    main()
