"""``./run test --costs FILE.csv``: the processor's seconds of each test, whatever else the machine does meanwhile.

A row is a test, written when it ends: seconds of pytest and of every process below it (servers, browsers, PostgreSQL) since
the test before it, and of these pytest's own in set-up, call and teardown. Rows of fixtures follow, with how often each was
set up. ``sort -t, -k3,3 -rg FILE.csv | head`` shows the dearest.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

HEAD = ("what", "name", "all", "setup", "call", "teardown", "times")


class Costs:
    """A pytest plugin; writes its rows at the end of the run."""

    def __init__(self, file: Path) -> None:
        self.file = file.open("w", newline="", encoding="utf-8", buffering=1)
        self.rows = csv.writer(self.file)
        self.rows.writerow(HEAD)
        self.fixtures: dict[str, list[float]] = defaultdict(list)
        self.own: dict[str, float] = {}
        self.begun = tree_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """One row a test; what ran between two tests (collection, module fixtures' ends) falls to the later one."""
        self.own = {}
        result = yield
        now = tree_seconds()
        parts = [round(self.own.get(when, 0), 3) for when in ("setup", "call", "teardown")]
        self.rows.writerow(["test", item.nodeid, round(now - self.begun, 3), *parts, 1])
        self.begun = now
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        """Pytest's own seconds before the test."""
        return (yield from self._own("setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Pytest's own seconds in the test."""
        return (yield from self._own("call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Pytest's own seconds after the test."""
        return (yield from self._own("teardown"))

    def _own(self, when: str) -> Any:
        began = time.process_time()
        result = yield
        self.own[when] = time.process_time() - began
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Pytest's own seconds in making a fixture; those it asks for by argument are counted by themselves."""
        began = time.process_time()
        result = yield
        self.fixtures[f"{fixturedef.baseid}::{fixturedef.argname}"].append(time.process_time() - began)
        return result

    def pytest_sessionfinish(self) -> None:
        """The fixtures, dearest first."""
        for name, times in sorted(self.fixtures.items(), key=lambda entry: -sum(entry[1])):
            self.rows.writerow(["fixture", name, round(sum(times), 3), "", "", "", len(times)])
        self.file.close()


def tree_seconds() -> float:
    """The processor's seconds (user and system) of this process and all below it, ended ones included."""
    mine = psutil.Process()
    total = 0.0
    for process in (mine, *mine.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total
