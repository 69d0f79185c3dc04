"""The demonstration's history as jobs: each walks a few cases, and a page shows how far they are."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from jiequ.cases.models import Case
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.jobs import job as kind
from jiequ.core.models import Job, Street

from . import history
from .base import seed_base
from .progress import BATCH, CASES, JOB


def seed(at: datetime) -> int:
    """The base, at once, and the history's jobs, unless they were enqueued before. Returns how many jobs wait."""
    street = seed_base(at)
    if Case.objects.exists() or Job.objects.filter(kind=JOB).exists():
        return Job.objects.filter(kind=JOB).count()
    specs = [
        JobSpec(JOB, {"first": first, "street_id": street.pk}, run_at=at, key=f"demo:{first}")
        for first in range(0, CASES, BATCH)
    ]
    with writing():
        enqueue(*specs)
    return len(specs)


@kind(JOB, promise_seconds=3600)
def walk_some(*, first: int, street_id: int, at: datetime) -> None:
    """A batch of the history; the same numbers give the same cases."""
    if not settings.DEMO:
        return
    street = Street.objects.get(pk=street_id)
    for number in history.in_order(CASES, at)[first : first + BATCH]:
        history.walk(street, number, at)
