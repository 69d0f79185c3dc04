"""The fair lock of jiequ.core.sqlite3: shares and waits of 8 writers, beside the same without the lock.

Each writer commits small moves (an UPSERT, an INSERT, an UPDATE) as fast as it can. Told per setting: commits, the share
of the busiest and of the idlest writer, waits p50 / p99 / longest, refusals. The answer is checked first: every commit counted
by a writer is in the database. Run: ``./run bench sqlite_writers [--writers 8] [--seconds 10]``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.database import begin, machine_line


@dataclass
class Share:
    """What one writer got done."""

    commits: int
    waits_ms: list[float]
    refused: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    database = begin("sqlite")
    print(machine_line())
    for name, prepare in SETTINGS.items():
        report(name, measure(prepare, options.writers, options.seconds))
        database.reset()
    return 0


def with_lock() -> None:
    """The product's setting."""


def without_lock() -> None:
    """The same connection, IMMEDIATE and with a busy time-out, but without the file lock."""
    from django.db import connection

    connection.ensure_connection()
    connection.fair_lock = None  # type: ignore[attr-defined]


def one_bypasses() -> None:
    """Everybody queues but the first writer."""


SETTINGS: dict[str, Callable[[], None]] = {
    "fair lock": with_lock,
    "no lock": without_lock,
    "one of them bypasses it": one_bypasses,
}


def measure(prepare: Callable[[], None], writers: int, seconds: float) -> list[Share]:
    """All writers begin together; their commits are counted again in the database."""
    from jiequ.core.models import Counter
    from tests.support.processes import at_once

    start = time.time() + 0.5

    def work(number: int) -> Share:
        (without_lock if prepare is one_bypasses and number == 0 else prepare)()
        return write(number, start, start + seconds)

    shares = at_once(writers, work)
    stored = sum(Counter.objects.filter(name__startswith="writer-").values_list("value", flat=True))
    counted = sum(share.commits for share in shares)
    if stored != counted:
        raise SystemExit(f"wrong: the writers counted {counted} commits, the database holds {stored}")
    return shares


def write(number: int, start: float, stop: float) -> Share:
    """Commit until ``stop``."""
    from django.db import OperationalError

    from jiequ.core import ids, jobs
    from jiequ.core.clock import now
    from jiequ.core.db import writing
    from jiequ.core.models import Counter

    share = Share(0, [], 0)
    Counter.objects.filter(name="warm").update(value=1)
    time.sleep(max(0.0, start - time.time()))
    while time.time() < stop:
        began = time.perf_counter()
        try:
            with writing():
                ids.next_value(f"writer-{number}")
                jobs.enqueue(jobs.JobSpec("bench", {"n": share.commits}, now()))
                Counter.objects.filter(name="warm").update(value=number)
            share.commits += 1
        except OperationalError:
            share.refused += 1
        share.waits_ms.append((time.perf_counter() - began) * 1000)
    return share


def report(name: str, shares: list[Share]) -> None:
    """One line a setting."""
    total = sum(share.commits for share in shares)
    waits = sorted(wait for share in shares for wait in share.waits_ms)
    busiest, idlest = max(s.commits for s in shares), min(s.commits for s in shares)
    print(
        f"{name:<26} {total:6d} commits; busiest {busiest / total:5.1%}, idlest {idlest / total:5.1%} of them; "
        f"p50 {waits[len(waits) // 2]:6.1f} ms, p99 {waits[int(len(waits) * 0.99)]:7.1f} ms, longest {waits[-1]:7.1f} ms; "
        f"refused {sum(share.refused for share in shares)}"
    )


if __name__ == "__main__":
    from bench import sqlite_writers  # by its own name: what the writers tell comes back pickled

    sys.exit(sqlite_writers.main())
