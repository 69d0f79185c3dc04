"""The worker's loops: short latency, graceful stop, and a hanging channel that delays no timer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from jiequ.core import clock, jobs, worker
from jiequ.core.jobs import JobSpec, enqueue, job
from jiequ.core.models import Counter, Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_kinds")]

PATIENCE_SECONDS = 20


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; a test that waits in vain fails."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)


@contextmanager
def working() -> Iterator[threading.Thread]:
    """A worker in a thread, stopped at the end of the block."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            worker.run_worker(stop)
        except RuntimeError as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.errors = errors  # type: ignore[attr-defined]
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def register_note() -> None:
    job("note")(lambda *, name, at: Counter.objects.create(name=name))


def noted() -> set[str]:
    return set(Counter.objects.values_list("name", flat=True))


def test_a_worker_does_what_is_due_and_what_comes_later() -> None:
    register_note()
    enqueue(JobSpec("note", {"name": "before"}, clock.now()))
    with working():
        until(lambda: noted() == {"before"})
        enqueue(JobSpec("note", {"name": "after"}, clock.now()))
        until(lambda: noted() == {"before", "after"})
    assert not Job.objects.exists()


def test_a_worker_schedules_the_periodic_jobs_and_does_them() -> None:
    done = threading.Event()
    jobs.every("tick", seconds=3600)(lambda *, at: done.set())
    with working():
        assert done.wait(PATIENCE_SECONDS)


def test_a_stopped_worker_finishes_the_job_in_hand() -> None:
    begun, go_on = threading.Event(), threading.Event()

    @job("slow")
    def slow(*, at: Any) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        Counter.objects.create(name="done")

    enqueue(JobSpec("slow", {}, clock.now()))
    with working():
        assert begun.wait(PATIENCE_SECONDS)
        threading.Timer(0.2, go_on.set).start()
    assert noted() == {"done"}
    assert not Job.objects.exists()


def test_a_hanging_channel_delays_neither_timers_nor_other_messages() -> None:
    release = threading.Event()
    sent = []
    register_note()
    job("hang", outside=True, timeout_seconds=0.2)(lambda *, at: release.wait(PATIENCE_SECONDS) and None)
    job("send", outside=True)(lambda *, at: sent.append(1))
    now = clock.now()
    enqueue(JobSpec("hang", {}, now), JobSpec("note", {"name": "timer"}, now), JobSpec("send", {}, now))
    with working():
        until(lambda: noted() == {"timer"})
        until(lambda: sent == [1])
        hung = Job.objects.get(kind="hang")
    release.set()
    assert (hung.failures, hung.last_error) == (1, "TookTooLong: no answer within 0.2 s")


def test_addresses_that_are_slow_hold_up_no_job_of_another_line() -> None:
    release, begun, sent = threading.Event(), threading.Event(), list[int]()

    @job("slow", outside=True, timeout_seconds=PATIENCE_SECONDS, line="webhooks")
    def slow(*, at: Any) -> None:
        begun.set()
        release.wait(PATIENCE_SECONDS)

    job("send", outside=True)(lambda *, at: sent.append(1))
    now = clock.now()
    enqueue(JobSpec("slow", {}, now), JobSpec("slow", {}, now))
    with working():
        assert begun.wait(PATIENCE_SECONDS)
        enqueue(JobSpec("send", {}, clock.now()))
        until(lambda: sent == [1])
        assert Job.objects.filter(kind="slow").count() == 2
        release.set()
        until(lambda: not Job.objects.exists())


def test_an_error_of_an_outside_job_comes_back_from_its_thread() -> None:
    @job("break", outside=True)
    def break_(*, at: Any) -> None:
        raise ConnectionRefusedError("refused")

    enqueue(JobSpec("break", {}, clock.now()))
    with working():
        until(lambda: Job.objects.get().failures == 1)
    assert Job.objects.get().last_error == "ConnectionRefusedError: refused"


def test_a_worker_with_too_many_hanging_jobs_ends_so_that_a_fresh_one_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_STUCK", 2)
    release = threading.Event()
    job("hang", outside=True, timeout_seconds=0.05)(lambda *, at: release.wait(PATIENCE_SECONDS) and None)
    enqueue(*(JobSpec("hang", {}, clock.now()) for _ in range(3)))
    with working() as thread:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        release.set()
    (error,) = thread.errors  # type: ignore[attr-defined]
    assert "3 outside jobs hang" in str(error)


def test_a_database_that_does_not_answer_for_a_while_does_not_end_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    register_note()
    failures = iter([OperationalError("gone"), OperationalError("gone")])
    real = worker.work_once

    def flaky(**options: Any) -> int:
        for error in failures:
            raise error
        return real(**options)

    monkeypatch.setattr(worker, "work_once", flaky)
    enqueue(JobSpec("note", {"name": "a"}, clock.now()))
    with working():
        until(lambda: noted() == {"a"})
