"""``./run test``: the suite on SQLite, then on PostgreSQL, with lint and types beside; one closing line for all of it."""

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
    status = _pytest(database, words, fast=fast).wait()
    if status == NO_TEST_CHOSEN and database == "sqlite":
        print("No test was chosen: race tests and the browser's run with --database postgresql or without --fast.")
    return status


def _whole(folder: Path, words: list[str], began: float) -> int:
    """SQLite in front; on the second core lint, types and PostgreSQL, whose words are shown when SQLite is done."""
    behind = folder / "behind"
    with behind.open("wb") as file:
        second = subprocess.Popen(
            [sys.executable, "-m", "tests.suite", str(folder), *words], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            first = _pytest("sqlite", words, counts=folder / "sqlite").wait()
            status = second.wait()
        finally:
            second.terminate()
    sys.stdout.write(behind.read_text(errors="replace"))
    lines = json.loads((folder / "lint").read_text()) if (folder / "lint").exists() else ["lint did not run"]
    return _close([first, status], lines, _count(folder), time.monotonic() - began)


def behind(folder: Path, words: list[str]) -> int:
    """The second half of the whole suite, in a process of its own."""
    (folder / "lint").write_text(json.dumps(lint.failures()))
    return _pytest("postgresql", words, counts=folder / "postgresql").wait()


def _pytest(database: str, words: list[str], *, counts: Path | None = None, fast: bool = False) -> subprocess.Popen[bytes]:
    env = os.environ | {"JIEQU_TEST_DATABASE": database}
    if counts:
        env["JIEQU_TEST_COUNTS"] = str(counts)
    if fast:
        env["JIEQU_TEST_FAST"] = "1"
    sys.stdout.flush()
    return subprocess.Popen([sys.executable, "-m", "pytest", "-q", *words], cwd=ROOT, env=env)


def _count(folder: Path) -> Counter[str]:
    total: Counter[str] = Counter()
    for name in ("sqlite", "postgresql"):
        if (folder / name).exists():
            total.update(json.loads((folder / name).read_text()))
    return total


def _close(statuses: list[int], lint_found: list[str], counts: Counter[str], seconds: float) -> int:
    """The closing line: ``N passed, N failed, N skipped`` over both databases; a tool that found something is a failure."""
    failed = counts["failed"] + counts["error"] + len(lint_found)
    crashed = [status for status in statuses if status not in (0, 1, NO_TEST_CHOSEN)]
    failed += len(crashed)
    print(f"\nSQLite and PostgreSQL together in {seconds:.0f} s" + _found(lint_found))
    print(f"{counts['passed'] + counts['xfailed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 1 if failed or not counts["passed"] or any(status == 1 for status in statuses) else 0


def _found(lint_found: list[str]) -> str:
    return "; found by " + ", ".join(lint_found) if lint_found else "; lint, types and floors clean"


if __name__ == "__main__":
    sys.exit(behind(Path(sys.argv[1]), sys.argv[2:]))
