"""Several processes at the same moment (PostgreSQL): each guard beside the twin that has it not, which must fail."""

from __future__ import annotations

import time
from collections import Counter as Tally
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from jiequ.core import audit, clock, ids, jobs, lease
from jiequ.core.chain import GENESIS, link
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.idempotency import Reply, once
from jiequ.core.jobs import JobSpec
from jiequ.core.models import AuditEntry, AuditSeal, Counter, IdempotencyKey, Job
from jiequ.core.verdict import content_of_entry
from tests.actors import NOW
from tests.support.processes import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_kinds")]


class TestOneJobOneWorker:
    """Two workers never do one job at the same time."""

    JOBS, WORKERS = 150, 4

    def enqueue(self) -> None:
        jobs.enqueue(*(JobSpec("send", {"number": number}, NOW) for number in range(self.JOBS)))

    def test_each_job_is_done_by_one_of_four_workers(self) -> None:
        self.enqueue()

        def work(_: int) -> list[int]:
            done: list[int] = []
            jobs.job("send", outside=True)(lambda *, number, at: done.append(number) or time.sleep(0.001))
            while lease.work_once(at=NOW, limit=5):
                pass
            return done

        results = at_once(self.WORKERS, work)
        assert sorted(chain.from_iterable(results)) == list(range(self.JOBS))
        assert sum(1 for done in results if done) > 1

    def test_each_effect_in_the_database_happens_once_with_four_workers(self) -> None:
        self.enqueue()

        def work(_: int) -> int:
            jobs.job("send")(lambda *, number, at: ids.next_value(f"effect-{number}"))
            done = 0
            while tried := lease.work_once(at=NOW, limit=5):
                done += tried
            return done

        assert sum(at_once(self.WORKERS, work)) == self.JOBS
        assert set(Counter.objects.values_list("value", flat=True)) == {1}

    def test_a_slow_worker_and_the_one_that_takes_over_do_the_effect_once(self) -> None:
        jobs.enqueue(JobSpec("slow", {}, NOW))

        def work(number: int) -> int:
            @jobs.job("slow")
            def slow(*, at: Any) -> None:
                ids.next_value("effect")
                time.sleep(0.5)

            time.sleep(number * 0.2)
            return lease.work_once(at=NOW + number * jobs.LEASE)  # for the second, the lease of the first has run out

        assert sum(at_once(2, work)) == 1
        assert Counter.objects.get(name="effect").value == 1

    def test_the_broken_twin_that_reads_and_then_marks_does_some_twice(self) -> None:
        self.enqueue()

        def work(_: int) -> list[int]:
            done = []
            while job := Job.objects.filter(lease_until=None).order_by("run_at", "id").first():
                time.sleep(0.002)
                job.lease_until = NOW
                job.save()
                done.append(job.args["number"])
            return done

        tally = Tally(list(chain.from_iterable(at_once(self.WORKERS, work))))
        assert max(tally.values()) > 1

    def test_jobs_of_one_lane_keep_their_order_over_four_workers(self) -> None:
        jobs.enqueue(*(JobSpec("step", {"n": n}, NOW + timedelta(seconds=n), lane="case:1") for n in range(30)))

        def work(_: int) -> int:
            @jobs.job("step")
            def step(*, n: int, at: Any) -> None:
                Counter.objects.create(name=f"{n}", value=ids.next_value("order"))

            while Job.objects.exists():
                lease.work_once(at=NOW + timedelta(hours=1))
            return 0

        assert at_once(self.WORKERS, work) == [0] * self.WORKERS
        order = Counter.objects.exclude(name="order").order_by("value").values_list("name", flat=True)
        assert list(order) == [str(n) for n in range(30)]


class TestTwoClerks:
    """Four processes try to accept the same 150 things: each may be accepted once."""

    THINGS, CLERKS = 150, 4

    def race(self, accept: Any) -> int:
        """How often something was accepted once more than it may be."""
        Counter.objects.bulk_create(Counter(name=f"{n}") for n in range(self.THINGS))
        names = [f"{n}" for n in range(self.THINGS)]
        results = at_once(self.CLERKS, lambda _: sum(accept(name) for name in names))
        return sum(results) - self.THINGS

    def test_a_conditional_update_lets_one_through(self) -> None:
        def accept(name: str) -> int:
            with writing():
                return Counter.objects.filter(name=name, value=0).update(value=1)

        assert self.race(accept) == 0

    def test_the_broken_twin_read_check_save_lets_several_through(self) -> None:
        def accept(name: str) -> int:
            with writing():
                row = Counter.objects.get(name=name)
                if row.value:
                    return 0
                time.sleep(0.002)
                row.value = 1
                row.save()
                return 1

        assert self.race(accept) > 0


class TestNumbers:
    def test_eight_processes_are_never_given_the_same_number(self) -> None:
        results = at_once(8, lambda _: [ids.next_number("LG", 2026) for _ in range(50)])
        assert len(set(chain.from_iterable(results))) == 400

    def test_the_broken_twin_that_reads_and_adds_gives_some_twice(self) -> None:
        Counter.objects.create(name="LG-2026")

        def next_number() -> int:
            with writing():
                row = Counter.objects.get(name="LG-2026")
                time.sleep(0.002)
                row.value += 1
                row.save()
                return row.value

        results = at_once(8, lambda _: [next_number() for _ in range(50)])
        assert len(set(chain.from_iterable(results))) < 400


class TestAuditOfOneStreet:
    """Eight writers record acts in one street: nobody is refused, nobody waits for a common head."""

    WRITERS, ENTRIES = 8, 25

    def test_nobody_is_refused_and_the_chain_is_whole(self) -> None:
        def act(number: int) -> int:
            for n in range(self.ENTRIES):
                with writing():
                    audit.record(street_id=7, person_id=number, action="a", object_kind="case", object_id=n, at=NOW)
                    time.sleep(0.001)
                if number == 0:
                    audit.seal_pending(at=NOW)  # while the others write
            return self.ENTRIES

        assert at_once(self.WRITERS, act) == [self.ENTRIES] * self.WRITERS
        audit.seal_pending(at=NOW)
        verdict = audit.verify(7)
        assert (verdict.ok, verdict.sealed, verdict.unsealed_tail) == (True, self.WRITERS * self.ENTRIES, 0)

    def test_the_broken_twin_that_chains_in_the_act_refuses_some(self) -> None:
        def act(number: int) -> int:
            done = 0
            for n in range(self.ENTRIES):
                try:
                    with transaction.atomic():
                        audit.record(street_id=7, person_id=number, action="a", object_kind="case", object_id=n, at=NOW)
                        entry = AuditEntry.objects.filter(person_id=number).latest("id")
                        head = AuditSeal.objects.filter(chain=7).order_by("-seq").first()
                        seq, previous = (head.seq, head.hash) if head else (0, GENESIS)
                        time.sleep(0.001)
                        digest = link(previous, chain=7, seq=seq + 1, content=content_of_entry(entry))
                        AuditSeal.objects.create(entry_id=entry.pk, chain=7, seq=seq + 1, hash=digest, sealed_at=NOW)
                    done += 1
                except IntegrityError:
                    continue
            return done

        assert sum(at_once(self.WRITERS, act)) < self.WRITERS * self.ENTRIES

    def test_two_sealers_at_once_leave_a_whole_chain(self) -> None:
        for n in range(200):
            audit.record(street_id=7, person_id=1, action="a", object_kind="case", object_id=n, at=NOW)
        results = at_once(4, lambda _: audit.seal_pending(at=NOW))
        assert all(isinstance(result, int | IntegrityError) for result in results)
        audit.seal_pending(at=NOW)
        verdict = audit.verify(7)
        assert (verdict.ok, verdict.sealed, verdict.unsealed_tail) == (True, 200, 0)


class TestOneRequestTenTimes:
    """The same POST from ten tabs at once."""

    def test_it_is_done_once_and_all_get_the_same_bytes(self) -> None:
        def ask(_: int) -> Reply:
            def do() -> Reply:
                time.sleep(0.05)
                return Reply(201, ids.next_number("LG", 2026).encode())

            return once(scope="person:1 POST /cases", key="k" * 16, fingerprint="f", at=clock.now(), do=do)

        replies = at_once(10, ask)
        assert replies == [Reply(201, b"LG-2026-000001")] * 10
        assert Counter.objects.get().value == 1

    def test_when_the_first_is_refused_the_next_one_may_try(self) -> None:
        def ask(number: int) -> Any:
            def do() -> Reply:
                time.sleep(0.05)
                if ids.next_value("tries") and number % 2 == 0:
                    raise Refusal("no", "no")
                return Reply(200, b"ok")

            try:
                return once(scope="s", key="k" * 16, fingerprint="f", at=clock.now(), do=do).body
            except Refusal as refusal:
                return refusal.code

        assert set(at_once(4, ask)) <= {b"ok", "no"}
        assert IdempotencyKey.objects.get().body == b"ok"
        assert Counter.objects.get(name="tries").value == 1

    def test_the_broken_twin_that_looks_first_and_stores_afterwards_does_it_several_times(self) -> None:
        def ask(_: int) -> Any:
            try:
                with writing():
                    if not IdempotencyKey.objects.filter(key="k").exists():
                        ids.next_value("effect")
                        time.sleep(0.1)
                with writing():
                    IdempotencyKey.objects.create(scope="s", key="k", fingerprint="f", status=201, stored_at=NOW)
            except IntegrityError:
                return None
            return None

        at_once(10, ask)
        assert Counter.objects.get(name="effect").value > 1


def test_the_races_run_on_postgresql() -> None:
    assert connection.vendor == "postgresql"
