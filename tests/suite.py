"""``./run test``: the suite in three runs side by side, with lint and types; one closing line for all of it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import browser, lint, office

ROOT = Path(__file__).resolve().parents[1]
NO_TEST_CHOSEN = 5
RUNS = {"sqlite": ("sqlite", "without"), "browser": ("sqlite", "only"), "postgresql": ("postgresql", "")}
"""By name: the database, and whether the browser's tests are left out or alone. They wait more than they work."""


def main(options: argparse.Namespace) -> int:
    """0 if everything passed. Words after the options go to pytest as they are."""
    began = time.monotonic()
    if options.fast or options.database:
        return _one(options.database or "sqlite", options.rest, fast=options.fast)
    browser.install_if_possible()
    office.install_if_possible()
    with tempfile.TemporaryDirectory() as folder:
        return _whole(Path(folder), options.rest, began)


def _one(database: str, words: list[str], fast: bool) -> int:
    status = _pytest(database, words, browser="without" if fast else "").wait()
    if status == NO_TEST_CHOSEN and database == "sqlite":
        print("No test was chosen: race tests and the browser's run with --database postgresql or without --fast.")
    return status


def _whole(folder: Path, words: list[str], began: float) -> int:
    """SQLite in front; beside it the browser's tests, and lint with PostgreSQL, whose words are shown when SQLite is done."""
    beside = {name: _beside(name, folder, words) for name in ("browser", "postgresql")}
    try:
        statuses = [run("sqlite", folder, words)]
        statuses += [process.wait() for process in beside.values()]
    finally:
        for process in beside.values():
            process.terminate()
    for name in beside:
        sys.stdout.write((folder / f"{name}.txt").read_text(errors="replace"))
    lines = json.loads((folder / "lint").read_text()) if (folder / "lint").exists() else ["lint did not run"]
    return _close(statuses, lines, _count(folder), time.monotonic() - began)


def _beside(name: str, folder: Path, words: list[str]) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.txt").open("wb") as file:
        command = [sys.executable, "-m", "tests.suite", name, str(folder), *words]
        return subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)


def run(name: str, folder: Path, words: list[str]) -> int:
    """One of the three; lint goes before PostgreSQL, in the same process's time."""
    if name == "postgresql":
        (folder / "lint").write_text(json.dumps(lint.failures()))
    database, browser = RUNS[name]
    return _pytest(database, words, counts=folder / name, browser=browser).wait()


def _pytest(database: str, words: list[str], *, counts: Path | None = None, browser: str = "") -> subprocess.Popen[bytes]:
    env = os.environ | {"JIEQU_TEST_DATABASE": database, "JIEQU_TEST_BROWSER": browser}
    if counts:
        env["JIEQU_TEST_COUNTS"] = str(counts)
    sys.stdout.flush()
    return subprocess.Popen([sys.executable, "-m", "pytest", "-q", *words], cwd=ROOT, env=env)


def _count(folder: Path) -> Counter[str]:
    total: Counter[str] = Counter()
    for name in RUNS:
        if (folder / name).exists():
            total.update(json.loads((folder / name).read_text()))
    return total


def _close(statuses: list[int], lint_found: list[str], counts: Counter[str], seconds: float) -> int:
    """The closing line: ``N passed, N failed, N skipped`` over all runs; a tool that found something is a failure."""
    failed = counts["failed"] + counts["error"] + len(lint_found)
    crashed = [status for status in statuses if status not in (0, 1, NO_TEST_CHOSEN)]
    failed += len(crashed)
    print(f"\nSQLite and PostgreSQL together in {seconds:.0f} s" + _found(lint_found))
    print(f"{counts['passed'] + counts['xfailed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 1 if failed or not counts["passed"] or any(status == 1 for status in statuses) else 0


def _found(lint_found: list[str]) -> str:
    return "; found by " + ", ".join(lint_found) if lint_found else "; lint, types and floors clean"


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
