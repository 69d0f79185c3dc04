"""Whose turn it is: rounds of the clock and a backlog of jobs hold each other up no longer than one short batch."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jiequ.core import jobs, lease
from jiequ.core.jobs import JobSpec, enqueue, job, work_once
from jiequ.core.models import Job
from tests.actors import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_kinds")]

BACKLOG = 100
LONG_AGO = NOW - timedelta(days=300)


@pytest.fixture
def done(own_kinds: None) -> list[str]:
    """What was done, in order: the kind ``note`` with its name, and three rounds, ``tick`` the quickest."""
    seen: list[str] = []
    job("note")(lambda *, name, at: seen.append(name))
    for kind, seconds in (("tick", 1), ("sweep", 30), ("follow", 5)):
        jobs.every(kind, seconds=seconds)(lambda *, at, kind=kind: seen.append(kind))
    jobs.schedule_periodic(NOW)
    enqueue(*(JobSpec("note", {"name": str(n)}, LONG_AGO + timedelta(seconds=n)) for n in range(BACKLOG)))
    return seen


def test_rounds_do_not_wait_behind_a_backlog_that_is_dated_back(done: list[str]) -> None:
    work_once(at=NOW, limit=10)
    assert sorted(done[:3]) == ["follow", "sweep", "tick"]
    assert done[3:] == [str(n) for n in range(7)]


def test_in_the_order_of_run_at_alone_they_would(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: no kind is known as periodic, as it was."""
    monkeypatch.setattr(lease, "_is_periodic", lambda _kind: False)
    for _n in range(BACKLOG // 10):
        work_once(at=NOW, limit=10)
    assert done == [str(n) for n in range(BACKLOG)]


@pytest.mark.parametrize("limit", [2, 3, 4, 20])
def test_rounds_that_are_always_due_take_at_most_half(done: list[str], limit: int) -> None:
    for second in range(5):
        work_once(at=NOW + timedelta(minutes=second), limit=limit)
    rounds = [name for name in done if not name.isdigit()]
    assert "tick" in rounds
    assert len(rounds) <= 5 * ((limit + 1) // 2)
    assert [name for name in done if name.isdigit()] == [str(n) for n in range(len(done) - len(rounds))]
    assert len(done) == 5 * limit


def test_a_claim_with_rounds_and_others_is_one_statement_and_takes_as_many_as_asked(done: list[str]) -> None:
    with CaptureQueriesContext(connection) as asked:
        taken = lease.claim(["follow", "note", "sweep", "tick"], at=NOW, limit=5)
    assert [one["sql"].split()[0] for one in asked if "core_job" in one["sql"]] == ["WITH"]
    assert [one.kind for one in taken] == ["follow", "sweep", "tick", "note", "note"]
    again = lease.claim(["follow", "note", "sweep", "tick"], at=NOW, limit=200)
    assert len(again) == BACKLOG - 2


def test_a_batch_that_takes_long_is_given_back_so_that_rounds_come(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job takes 0.4 s here: three of the twenty are done, the others are free for whoever comes, without a failure."""
    Job.objects.exclude(kind="note").delete()
    ticks = count()
    monkeypatch.setattr(lease.time, "perf_counter", lambda: next(ticks) * 0.2)
    assert work_once(at=NOW, limit=20, seconds=1.0) < 20
    early = len(done)
    assert 1 <= early < 20
    assert not Job.objects.exclude(lease_until=None).exists()
    assert not Job.objects.exclude(failures=0, lost_workers=0).exists()
    jobs.schedule_periodic(NOW)
    work_once(at=NOW, limit=20, seconds=1.0)
    assert {"follow", "sweep", "tick"} & set(done[early : early + 3])
    monkeypatch.undo()
    while work_once(at=NOW, limit=20):
        pass
    assert [name for name in done if name.isdigit()] == [str(n) for n in range(BACKLOG)]


def test_a_batch_that_lost_its_lease_gives_back_nothing_of_anothers(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker took the rest over while the first job hung: its lease is left alone."""
    held = lease.claim(["note"], at=NOW, limit=3)
    later = NOW + jobs.LEASE
    others = lease.claim(["note"], at=later, limit=3, abandoned=True)
    assert {one.pk for one in others} == {one.pk for one in held}
    ticks = count()
    monkeypatch.setattr(lease.time, "perf_counter", lambda: next(ticks) * 2.0)
    lease._do_all(held, at=NOW, run=lease.call_at_once, seconds=1.0)
    leases = Job.objects.filter(pk__in=[one.pk for one in held]).values_list("lease_until", flat=True)
    assert set(leases) == {later + jobs.LEASE}


def test_lanes_are_kept(own_kinds: None) -> None:
    seen: list[tuple[str, datetime]] = []
    job("note")(lambda *, name, at: seen.append((name, at)))
    enqueue(*(JobSpec("note", {"name": name}, LONG_AGO, lane="one") for name in "abc"))
    for _n in range(3):
        assert work_once(at=NOW, limit=5) == 1
    assert [name for name, _at in seen] == ["a", "b", "c"]
