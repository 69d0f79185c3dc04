"""Jobs: there exactly when their cause is, done at least once, tried again, given up in sight of everybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from jiequ.core import jobs, lease
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue, job, work_once
from jiequ.core.models import Counter, Job
from tests.actors import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_kinds")]

LATER = NOW + timedelta(days=30)


def note(name: str) -> None:
    Counter.objects.create(name=name)


def notes() -> list[str]:
    return list(Counter.objects.order_by("id").values_list("name", flat=True))


@pytest.fixture
def noting(own_kinds: None) -> None:
    """The kind ``note``, whose effect is a row."""
    job("note")(lambda *, name, at: note(name))


@pytest.fixture
def failing(own_kinds: None) -> None:
    """The kind ``fail``, which always fails, after writing something."""

    @job("fail")
    def fail(*, at: datetime, **args: Any) -> None:
        note("half")
        raise RuntimeError("no route to 13800138000 of 周大明 (see 'file')\nsecond line")


def specs(*names: str, run_at: datetime = NOW) -> list[JobSpec]:
    return [JobSpec("note", {"name": name}, run_at) for name in names]


def test_many_jobs_are_enqueued_by_one_insert(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        enqueue(*specs(*map(str, range(40))))
    assert Job.objects.count() == 40


def test_nothing_to_enqueue_costs_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        enqueue()


def test_a_job_is_there_only_if_its_cause_is() -> None:
    def cause() -> None:
        with writing():
            enqueue(*specs("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cause()
    assert not Job.objects.exists()


def test_the_same_key_is_enqueued_once_and_the_first_stays() -> None:
    enqueue(JobSpec("note", {"name": "first"}, NOW, key="case:1:yellow"))
    enqueue(JobSpec("note", {"name": "second"}, NOW, key="case:1:yellow"), JobSpec("note", {"name": "third"}, NOW))
    assert [row.args["name"] for row in Job.objects.order_by("id")] == ["first", "third"]


@pytest.mark.usefixtures("noting")
def test_a_job_is_done_when_due_and_then_gone() -> None:
    enqueue(*specs("a", run_at=NOW + timedelta(seconds=1)))
    assert (work_once(at=NOW), notes()) == (0, [])
    assert (work_once(at=NOW + timedelta(seconds=1)), notes()) == (1, ["a"])
    assert (work_once(at=LATER), Job.objects.count()) == (0, 0)


@pytest.mark.usefixtures("noting")
def test_after_a_down_time_timers_fire_in_their_order_and_once() -> None:
    enqueue(*(JobSpec("note", {"name": f"{n}"}, NOW + timedelta(hours=n), key=f"timer:{n}") for n in (5, 1, 4, 2, 3)))
    while work_once(at=LATER, limit=2):
        pass
    assert notes() == ["1", "2", "3", "4", "5"]


@pytest.mark.usefixtures("failing")
def test_a_failed_job_is_tried_again_after_1_5_30_minutes_2_and_12_hours_and_then_given_up() -> None:
    told = []
    jobs.on_dead(lambda dead, *, at: told.append((dead, at)))
    enqueue(JobSpec("fail", {"a": 1}, NOW, key="k", street_id=7))
    moment, waits = NOW, []
    for _ in range(6):
        assert work_once(at=moment - timedelta(seconds=1)) == 0
        assert work_once(at=moment) == 1
        row = Job.objects.get()
        waits.append(row.run_at - moment)
        moment = row.run_at
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [1, 5, 30, 120, 720, 0]
    assert (row.failures, row.dead_at, row.due_at) == (6, moment, NOW)
    assert list(jobs.dead_jobs(street_id=7)) == [row]
    assert [(dead.kind, dead.key, dead.street_id, dead.args, at) for dead, at in told] == [("fail", "k", 7, {"a": 1}, moment)]
    assert work_once(at=LATER) == 0
    assert notes() == []


@pytest.mark.usefixtures("failing")
def test_the_last_error_is_shown_without_anything_personal() -> None:
    enqueue(JobSpec("fail", {}, NOW))
    work_once(at=NOW)
    assert Job.objects.get().last_error == "RuntimeError: no route to … of … …"


@pytest.mark.usefixtures("failing")
def test_a_hook_that_fails_does_not_bring_the_dead_job_back(caplog: pytest.LogCaptureFixture) -> None:
    def broken_hook(dead: jobs.DeadJob, *, at: datetime) -> None:
        note("half")
        raise RuntimeError

    jobs.on_dead(broken_hook)
    enqueue(JobSpec("fail", {}, NOW))
    Job.objects.update(failures=5, claims=5)
    work_once(at=NOW)
    assert jobs.dead_jobs().count() == 1
    assert notes() == []
    assert "on_dead hook failed" in caplog.text


@pytest.mark.usefixtures("failing")
def test_a_dead_job_can_be_revived() -> None:
    enqueue(JobSpec("fail", {}, NOW))
    Job.objects.update(failures=5, claims=5)
    work_once(at=NOW)
    dead = jobs.dead_jobs().get()
    assert jobs.revive(dead.pk, at=LATER)
    assert not jobs.revive(dead.pk, at=LATER)
    job("mended")(lambda *, at: note("mended"))
    Job.objects.update(kind="mended")
    assert (work_once(at=LATER), notes()) == (1, ["mended"])


@pytest.mark.usefixtures("noting", "failing")
def test_one_poison_row_in_a_thousand_stops_none_of_the_others() -> None:
    enqueue(*(JobSpec("fail" if n == 1 else "note", {"name": str(n)}, NOW) for n in range(1000)))
    while work_once(at=NOW, limit=100):
        pass
    assert (Counter.objects.count(), Job.objects.count()) == (999, 1)
    assert Job.objects.get().last_error


@pytest.mark.usefixtures("noting")
def test_jobs_of_one_lane_run_one_after_the_other() -> None:
    enqueue(
        JobSpec("note", {"name": "red"}, NOW + timedelta(hours=2), lane="case:1"),
        JobSpec("note", {"name": "yellow"}, NOW + timedelta(hours=1), lane="case:1"),
        JobSpec("note", {"name": "other"}, NOW + timedelta(hours=3), lane="case:2"),
    )
    held = lease.claim(["note"], at=LATER, limit=10)
    assert [one.args["name"] for one in held] == ["yellow", "other"]
    assert lease.claim(["note"], at=LATER, limit=10) == []


@pytest.mark.usefixtures("noting")
def test_a_job_dated_before_the_one_of_its_lane_that_is_in_hand_waits_for_it() -> None:
    enqueue(JobSpec("note", {"name": "in hand"}, NOW, lane="case:1"))
    (held,) = lease.claim(["note"], at=NOW, limit=10)
    enqueue(JobSpec("note", {"name": "dated before"}, NOW - timedelta(seconds=1), lane="case:1"))
    assert lease.claim(["note"], at=NOW, limit=10) == []
    lease.end(held, jobs.KINDS["note"], None, None, at=NOW, began=0.0)
    assert [one.args["name"] for one in lease.claim(["note"], at=NOW, limit=10)] == ["dated before"]


@pytest.mark.usefixtures("noting")
def test_one_whose_worker_was_killed_holds_up_no_job_dated_before_it() -> None:
    enqueue(JobSpec("note", {"name": "abandoned"}, NOW, lane="case:1"))
    lease.claim(["note"], at=NOW, limit=10)
    enqueue(JobSpec("note", {"name": "dated before"}, NOW - timedelta(seconds=1), lane="case:1"))
    while work_once(at=NOW + lease.LEASE):
        pass
    assert notes() == ["dated before", "abandoned"]


@pytest.mark.usefixtures("noting", "failing")
def test_a_failing_job_does_not_block_its_lane() -> None:
    enqueue(JobSpec("fail", {}, NOW, lane="case:1"), JobSpec("note", {"name": "next"}, NOW, lane="case:1"))
    while work_once(at=NOW):
        pass
    assert notes() == ["next"]


@pytest.mark.usefixtures("noting")
def test_an_unknown_kind_is_left_alone_seen_as_late_and_blocks_no_lane() -> None:
    enqueue(JobSpec("from_the_future", {}, NOW, lane="case:1"), JobSpec("note", {"name": "a"}, NOW, lane="case:1"))
    assert (work_once(at=NOW + timedelta(hours=1)), notes()) == (1, ["a"])
    (late,) = jobs.late_jobs(NOW + timedelta(hours=1))
    assert (late.kind, late.count, late.oldest_seconds, late.is_known) == ("from_the_future", 1, 3600, False)


@pytest.mark.usefixtures("noting")
def test_a_leased_job_is_taken_by_nobody_else_until_the_lease_runs_out() -> None:
    enqueue(*specs("a"))
    (held,) = lease.claim(["note"], at=NOW, limit=1)
    almost = NOW + jobs.LEASE - timedelta(seconds=1)
    assert work_once(at=almost) == 0
    assert work_once(at=NOW + jobs.LEASE) == 1
    assert notes() == ["a"]
    assert lease._do(held, at=NOW, run=lease.call_at_once) == 0
    assert notes() == ["a"]


def test_the_worker_whose_lease_ran_out_cannot_finish_the_others_job() -> None:
    job("note")(lambda *, name, at: note(name))
    enqueue(*specs("a"))
    (slow,) = lease.claim(["note"], at=NOW, limit=1)
    (quick,) = lease.claim(["note"], at=NOW + jobs.LEASE, limit=1, abandoned=True)
    assert lease._do(slow, at=NOW, run=lease.call_at_once) == 0
    assert (notes(), Job.objects.count()) == ([], 1)
    assert lease._do(quick, at=NOW, run=lease.call_at_once) == 1
    assert (notes(), Job.objects.count()) == (["a"], 0)


@pytest.mark.usefixtures("noting")
def test_a_job_that_kills_its_workers_is_given_up_after_five_and_others_are_done_before_it() -> None:
    enqueue(*specs("killer", "innocent"))
    moment = NOW
    lease.claim(["note"], at=moment, limit=10)  # and the worker is killed
    for _ in range(5):
        moment += jobs.LEASE
        (killer,) = lease.claim(["note"], at=moment, limit=1, abandoned=True)
        assert killer.args["name"] == "killer"
    moment += jobs.LEASE
    while work_once(at=moment):
        pass
    assert notes() == ["innocent"]
    assert "killed 6 times" in jobs.dead_jobs().get().last_error


class TestTakingBack:
    """cancel and reschedule."""

    @pytest.mark.usefixtures("noting")
    def test_a_waiting_job_can_be_cancelled_once(self) -> None:
        enqueue(JobSpec("note", {"name": "a"}, NOW, key="a"), JobSpec("note", {"name": "b"}, NOW, key="b"))
        assert (jobs.cancel("a", "nobody"), jobs.cancel("a")) == (1, 0)
        work_once(at=NOW)
        assert notes() == ["b"]

    @pytest.mark.usefixtures("noting")
    def test_a_claimed_inside_job_can_still_be_cancelled_because_its_effect_has_not_happened(self) -> None:
        enqueue(JobSpec("note", {"name": "a"}, NOW, key="a"))
        (held,) = lease.claim(["note"], at=NOW, limit=1)
        assert jobs.cancel("a") == 1
        assert lease._do(held, at=NOW, run=lease.call_at_once) == 0
        assert notes() == []

    def test_an_outside_job_that_is_going_out_cannot_be_taken_back(self) -> None:
        job("send", outside=True)(lambda *, at: None)
        enqueue(JobSpec("send", {}, NOW, key="a"))
        lease.claim(["send"], at=NOW, limit=1)
        assert (jobs.cancel("a"), jobs.reschedule("a", LATER)) == (0, False)

    @pytest.mark.usefixtures("noting")
    def test_a_rescheduled_job_runs_at_its_new_time_only_even_if_a_worker_held_it(self) -> None:
        enqueue(JobSpec("note", {"name": "a"}, NOW, key="a"))
        (held,) = lease.claim(["note"], at=NOW, limit=1)
        assert jobs.reschedule("a", LATER)
        assert lease._do(held, at=NOW, run=lease.call_at_once) == 0
        assert (work_once(at=NOW), notes()) == (0, [])
        assert (work_once(at=LATER), notes()) == (1, ["a"])
        assert not jobs.reschedule("a", LATER)


class TestOutside:
    """Jobs whose effect is not in the database."""

    @pytest.mark.django_db(transaction=True)
    def test_an_outside_job_runs_in_no_transaction_and_its_follow_up_in_the_one_that_removes_the_row(self) -> None:
        seen = []

        @job("send", outside=True)
        def send(*, text: str, at: datetime) -> Any:
            seen.append((text, connection.in_atomic_block, Job.objects.count()))
            return lambda: seen.append(("sent", connection.in_atomic_block, Job.objects.count()))

        enqueue(JobSpec("send", {"text": "hello"}, NOW))
        assert work_once(at=NOW) == 1
        assert seen == [("hello", False, 1), ("sent", True, 0)]

    def test_a_follow_up_that_fails_leaves_the_job_to_be_tried_again(self) -> None:
        @job("send", outside=True)
        def send(*, at: datetime) -> Any:
            def follow_up() -> None:
                note("half")
                raise RuntimeError

            return follow_up

        enqueue(JobSpec("send", {}, NOW))
        work_once(at=NOW)
        assert (Job.objects.get().failures, notes()) == (1, [])

    def test_workers_for_inside_jobs_leave_outside_jobs_alone(self) -> None:
        job("send", outside=True)(lambda *, at: None)
        enqueue(JobSpec("send", {}, NOW))
        assert work_once(at=NOW, outside=False) == 0
        assert work_once(at=NOW, outside=True) == 1


class TestPeriodic:
    """@every."""

    def test_missed_rounds_collapse_to_one(self) -> None:
        jobs.every("tick", seconds=60)(lambda *, at: note(at.isoformat()))
        jobs.schedule_periodic(NOW)
        jobs.schedule_periodic(NOW)
        assert work_once(at=NOW) == 1
        assert work_once(at=NOW + timedelta(seconds=59)) == 0
        assert work_once(at=LATER) == 1
        assert work_once(at=LATER) == 0
        assert len(notes()) == 2

    def test_a_daily_job_comes_round_at_its_time_in_shanghai(self) -> None:
        jobs.every("nightly", daily_at="02:30")(lambda *, at: note(at.isoformat()))
        jobs.schedule_periodic(NOW)  # 10:00 on the 4th in Shanghai
        first = Job.objects.get().run_at
        assert first.isoformat() == "2026-03-04T18:30:00+00:00"
        work_once(at=first)
        assert Job.objects.get().run_at == first + timedelta(days=1)

    def test_a_failing_periodic_job_goes_on_and_is_told_of_at_the_sixth_failure_in_a_row(self) -> None:
        told = []
        jobs.on_dead(lambda dead, *, at: told.append(dead.kind))

        @jobs.every("tick", seconds=60)
        def tick(*, at: datetime) -> None:
            raise RuntimeError

        jobs.schedule_periodic(NOW)
        for n in range(10):
            assert work_once(at=NOW + timedelta(minutes=n)) == 1
        assert told == ["tick"]
        assert not jobs.dead_jobs().exists()
        jobs.KINDS.clear()
        jobs.every("tick", seconds=60)(lambda *, at: None)
        work_once(at=NOW + timedelta(minutes=10))
        assert (Job.objects.get().failures, Job.objects.get().last_error) == (0, "")

    def test_a_shortened_round_takes_effect_when_the_worker_starts(self) -> None:
        jobs.every("tick", seconds=3600)(lambda *, at: None)
        jobs.schedule_periodic(NOW)
        work_once(at=NOW)
        jobs.KINDS.clear()
        jobs.every("tick", seconds=60)(lambda *, at: None)
        jobs.schedule_periodic(NOW)
        assert Job.objects.get().run_at == NOW + timedelta(seconds=60)


def test_the_age_of_the_oldest_due_job_counts_its_retries_too(failing: None) -> None:
    assert jobs.oldest_age_seconds(NOW) == 0
    enqueue(JobSpec("fail", {}, NOW))
    work_once(at=NOW)
    assert jobs.oldest_age_seconds(NOW + timedelta(minutes=10)) == 600


def test_the_sweep_alarms_in_20_of_20_planted_stalls_and_not_before(caplog: pytest.LogCaptureFixture) -> None:
    from jiequ.core.chores import sweep

    job("slow", promise_seconds=300)(lambda *, at: None)
    for _ in range(20):
        caplog.clear()
        Job.objects.all().delete()
        enqueue(JobSpec("slow", {}, NOW))
        sweep(at=NOW + timedelta(seconds=300))
        assert not caplog.records
        sweep(at=NOW + timedelta(seconds=301))
        assert "late jobs: 1 of kind slow, oldest 301 s, promised 300 s" in caplog.text


def test_two_handlers_for_one_kind_are_a_mistake() -> None:
    job("note")(test_nothing_to_enqueue_costs_nothing)
    with pytest.raises(ValueError, match="two handlers"):
        job("note")(test_two_handlers_for_one_kind_are_a_mistake)
