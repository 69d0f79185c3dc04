"""``./run test``: the suite in parts on both databases, with lint and types; one closing line for all of it.

The parts wait in a queue and as many run side by side as keep the cores busy: whatever a part turns out to cost, no core stands
idle before the queue is empty. Their order is the one in which three at a time end together. ``environment.PARTS`` says which
folder is in which part.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import browser, lint, office, postgres

ROOT = Path(__file__).resolve().parents[1]
NO_TEST_CHOSEN = 5
AT_ONCE = (os.cpu_count() or 2) + 1
"""Tests wait for browsers and servers now and then: one more than cores."""
PARTS = {
    "browser": ("sqlite", "only", ""),
    "postgresql unit": ("postgresql", "without", "unit"),
    "postgresql web": ("postgresql", "without", "web"),
    "postgresql rest": ("postgresql", "without", "rest"),
    "sqlite unit": ("sqlite", "without", "unit"),
    "sqlite web": ("sqlite", "without", "web"),
    "sqlite rest": ("sqlite", "without", "rest"),
    "lint": (),
}
"""By name: the database, whether the browser's tests are left out or alone, and which folders; in the order of starting."""
WHOLE = {
    "sqlite": ("sqlite", "without", ""),
    "browser": ("sqlite", "only", ""),
    "postgresql": ("postgresql", "", ""),
    "lint": (),
}
"""The same where the caller chose tests: too few to share out."""


@dataclass
class Run:
    """One call of ``./run test``: where its parts leave their words and counts, the folder of their PostgreSQL, and what it
    has started."""

    folder: Path
    words: list[str]
    costs: str | None
    server: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def part(self, name: str, database: str = "", browser: str = "", folders: str = "") -> int:
        """The exit status of one part; its words stand in a file of its own."""
        if not database:
            self.found = lint.failures()
            return 0
        env = {"JIEQU_TEST_COUNTS": str(self.folder / f"{name}.json"), "JIEQU_TEST_TEMPLATES": str(self.folder)}
        env |= {"JIEQU_TEST_PART": folders, "JIEQU_TEST_SERVER": self.server}
        with self.said(name).open("wb") as out:
            process = _pytest(name, database, browser, self.words, self.costs, env, out)
            self.processes.append(process)
            return process.wait()

    def said(self, name: str) -> Path:
        """Where a part's words are."""
        return self.folder / f"{name}.txt"

    def counts(self) -> Counter[str]:
        """Outcomes over all parts."""
        total: Counter[str] = Counter()
        for file in self.folder.glob("*.json"):
            total.update(json.loads(file.read_text()))
        return total


def main(options: argparse.Namespace) -> int:
    """0 if everything passed. Words after the options go to pytest as they are."""
    costs = str(options.costs or "")
    if costs:
        Path(costs).mkdir(parents=True, exist_ok=True)
    if options.fast or options.database:
        return _one(options.database or "sqlite", options.rest, options.fast, costs)
    browser.install_if_possible()
    office.install_if_possible()
    with tempfile.TemporaryDirectory() as folder:
        return _whole(Run(Path(folder), options.rest, costs))


def _one(database: str, words: list[str], fast: bool, costs: str | None) -> int:
    status = _pytest(database, database, "without" if fast else "", words, costs).wait()
    if status == NO_TEST_CHOSEN and database == "sqlite":
        print("No test was chosen: race tests and the browser's run with --database postgresql or without --fast.")
    return status


def _whole(run: Run) -> int:
    """Every part, its words shown when it has ended."""
    began, statuses = time.monotonic(), []
    with _server(run), _queue(run) as waiting:
        for future in as_completed(waiting):
            name = waiting[future]
            statuses.append(future.result())
            if run.said(name).exists():
                print(f"\n--- {name}\n{run.said(name).read_text(errors='replace').rstrip()}", flush=True)
    return _close(statuses, run.found, run.counts(), time.monotonic() - began)


@contextmanager
def _server(run: Run) -> Iterator[None]:
    """One PostgreSQL for every part: it is made, and the tables in it, once."""
    server = postgres.start(run.folder / "postgresql")
    run.server = str(server.folder)
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _queue(run: Run) -> Iterator[dict[Future[int], str]]:
    """The parts as they wait and run; none is left behind if this process is interrupted."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        parts = WHOLE if run.words else PARTS
        yield {pool.submit(run.part, name, *what): name for name, what in parts.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in run.processes:
            process.terminate()
        pool.shutdown()


def _pytest(
    name: str,
    database: str,
    browser: str,
    words: list[str],
    costs: str | None,
    env: dict[str, str] | None = None,
    out: object = None,
) -> subprocess.Popen[bytes]:
    given = {"JIEQU_TEST_DATABASE": database, "JIEQU_TEST_BROWSER": browser, **(env or {})}
    if costs:
        given["JIEQU_TEST_COSTS"] = str(Path(costs) / f"{name}.csv")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", "-q", *words]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | given, stdout=out, stderr=out and subprocess.STDOUT)


def _close(statuses: list[int], lint_found: list[str], counts: Counter[str], seconds: float) -> int:
    """The closing line: ``N passed, N failed, N skipped`` over all parts; a tool that found something is a failure."""
    failed = counts["failed"] + counts["error"] + len(lint_found)
    failed += sum(status not in (0, 1, NO_TEST_CHOSEN) for status in statuses)  # crashed
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\nSQLite and PostgreSQL together in {seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of a processor", end="")
    print(_found(lint_found))
    print(f"{counts['passed'] + counts['xfailed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 1 if failed or not counts["passed"] or any(status == 1 for status in statuses) else 0


def _found(lint_found: list[str]) -> str:
    return "; found by " + ", ".join(lint_found) if lint_found else "; lint, types and floors clean"
