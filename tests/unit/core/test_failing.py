"""The harness that fails each statement in turn: it finds a service that stores by half, and passes one that does not."""

from __future__ import annotations

import pytest

from jiequ.core import audit, ids, jobs
from jiequ.core.db import writing
from jiequ.core.models import AuditEntry, Counter, Job
from tests.actors import NOW
from tests.support.failing import fail_each_statement


def whole_service() -> None:
    with writing():
        ids.next_number("LG", 2026)
        jobs.enqueue(jobs.JobSpec("test.kind", {}, NOW))
        audit.record(street_id=1, person_id=None, action="case.accept", object_kind="case", object_id=1, at=NOW)


def service_without_a_transaction() -> None:
    ids.next_number("LG", 2026)
    jobs.enqueue(jobs.JobSpec("test.kind", {}, NOW))


def service_that_swallows_errors() -> None:
    ids.next_number("LG", 2026)
    try:
        with writing():
            Job.objects.create(kind="x", due_at=NOW, run_at=NOW)
    except Exception:
        return


@pytest.mark.django_db(transaction=True)
def test_a_service_in_one_transaction_stores_all_or_nothing() -> None:
    tried = fail_each_statement(whole_service)
    assert (tried.partial, tried.swallowed) == ([], [])
    assert (tried.statements, tried.commits) == (3, 1)
    assert (Counter.objects.count(), Job.objects.count(), AuditEntry.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_it_works_inside_the_transaction_of_an_ordinary_test() -> None:
    tried = fail_each_statement(whole_service)
    assert (tried.partial, tried.statements, tried.commits) == ([], 3, 0)


@pytest.mark.django_db(transaction=True)
def test_the_broken_twin_without_a_transaction_is_found() -> None:
    tried = fail_each_statement(service_without_a_transaction)
    assert any("core_job" in sql for sql in tried.partial)


@pytest.mark.django_db(transaction=True)
def test_the_broken_twin_that_swallows_errors_is_found() -> None:
    tried = fail_each_statement(service_that_swallows_errors)
    assert tried.swallowed
    assert tried.partial
