"""kill -9 in the middle of learning anew: what is in use stays whole, and the run is finished by the next worker.

The kills wait for the run's own progress: while the child process fits, and when its file has its name but no row yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jiequ.core.lease import work_once
from jiequ.triage import feed, files, running
from jiequ.triage.models import Cause, Kind, Learning, Progress, Standing, Version
from jiequ.triage.services import learning
from tests.actors import NOW, World
from tests.support.processes import Tell, fork
from tests.unit.triage.test_learning_runs import SmallLedger, learn

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=20)
"""Longer than the lease of a run."""


@pytest.fixture
def ledger(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> SmallLedger:
    settings.TRIAGE = str(tmp_path / "triage")
    small = SmallLedger()
    monkeypatch.setattr(feed, "_feeds", [small])
    monkeypatch.setattr(learning, "TELL_EVERY_SECONDS", 0.0)
    running.forget()
    learn(at=NOW - timedelta(hours=1))
    work_once(at=NOW, outside=True, line="triage")  # clears away after it
    return small


def champion() -> tuple[int, bool]:
    """Its number, and whether its file is the one that was stored."""
    used = Version.objects.get(kind=Kind.TYPE, standing=Standing.CHAMPION)
    return used.number, files.digest(files.folder("990101") / used.name)[0] == used.sha256


def telling(stage: str, tell: Tell) -> None:
    """In the worker to be killed: it tells when the run has come to ``stage``, and waits there for its end."""
    plain, put = learning._tell, files.put

    def at_stage(name: str) -> None:
        if name == stage:
            tell(b".")
            os.read(os.pipe()[0], 1)

    def told(learning_id: int, name: str, share: float) -> None:
        plain(learning_id, name, share)
        at_stage(name)

    def put_and_told(half: Path, target: Path) -> None:
        put(half, target)
        at_stage("put")

    learning._tell, files.put = told, put_and_told  # type: ignore[assignment]


def work_until(stage: str, at: Any) -> None:
    """A worker takes the run, comes to the stage, and is killed there."""

    def worker(tell: Tell) -> None:
        telling(stage, tell)
        work_once(at=at, limit=1, outside=True, line="triage")

    killed_when_told(worker)


def killed_when_told(act: Callable[[Tell], None]) -> None:
    child = fork(act)
    assert os.read(child.pipe, 1) == b"."
    child.kill()
    os.close(child.pipe)


def test_kills_in_the_middle_leave_the_champion_whole_and_the_run_goes_on(ledger: SmallLedger) -> None:
    run = learning.ask(cause=Cause.BY_HAND, at=NOW)
    at = NOW
    for stage in ("types", "folds", "put"):
        work_until(stage, at)
        assert champion() == (1, True)
        assert Learning.objects.get(pk=run.pk).progress == Progress.WORKING
        at += LATER
    assert work_once(at=at, limit=1, outside=True, line="triage") == 1
    done = Learning.objects.get(pk=run.pk)
    assert (done.progress, done.tries) == (Progress.DONE, 4)
    assert champion() == (2, True)


def test_the_broken_twin_that_writes_over_the_file_in_use_leaves_half_of_it(ledger: SmallLedger) -> None:
    used = Version.objects.get(kind=Kind.TYPE, standing=Standing.CHAMPION)
    path = files.folder("990101") / used.name
    data = path.read_bytes()

    def over_it(tell: Tell) -> None:
        with path.open("wb", buffering=0) as file:
            file.write(data[: len(data) // 2])
            tell(b".")
            os.read(os.pipe()[0], 1)
            file.write(data[len(data) // 2 :])

    killed_when_told(over_it)
    assert champion() == (1, False)
