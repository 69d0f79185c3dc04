"""Numbers for Prometheus, read from the database at each scrape: they are right whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models import Count, Min, Q

from jiequ.channels.queries import oldest_unsent_seconds
from jiequ.core import jobs
from jiequ.core.models import AuditEntry, Job

Sample = tuple[str, float]


def text(at: datetime) -> str:
    """The exposition format, version 0.0.4."""
    return "".join(
        _family(name, words, samples)
        for name, words, samples in (
            ("jiequ_up", "1 while the database answers.", [(_labels(database=connection.vendor), 1.0)]),
            ("jiequ_jobs", "Jobs by kind and state: waiting for their moment, due, dead (given up).", _counts(at)),
            ("jiequ_job_oldest_due_seconds", "Age of the oldest due job of a kind, retries included.", _ages(at)),
            ("jiequ_jobs_late", "Jobs of a kind that are later than the kind's promise.", _late(at)),
            ("jiequ_message_oldest_late_seconds", "How late the oldest unsent message is.", [("", oldest_unsent_seconds(at))]),
            ("jiequ_audit_unsealed", "Audit entries not yet in the chain; more than a few means no sealer.", _unsealed()),
        )
    )


def _family(name: str, words: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    lines += [f"{name}{labels} {value:g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(**labels: str) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    return "{" + ",".join(f'{name}="{quoted(value)}"' for name, value in labels.items()) + "}"


def _counts(at: datetime) -> list[Sample]:
    states = {
        "waiting": Q(dead_at=None, due_at__gt=at),
        "due": Q(dead_at=None, due_at__lte=at),
        "dead": Q(dead_at__isnull=False),
    }
    columns = {state: Count("id", filter=condition) for state, condition in states.items()}
    rows = Job.objects.order_by("kind").values_list("kind").annotate(**columns)
    return [(_labels(kind=row[0], state=state), row[place]) for row in rows for place, state in enumerate(states, 1)]


def _ages(at: datetime) -> list[Sample]:
    due = Job.objects.filter(dead_at=None, due_at__lte=at).order_by("kind")
    rows = due.values_list("kind").annotate(oldest=Min("due_at"))
    return [(_labels(kind=kind), (at - oldest).total_seconds()) for kind, oldest in rows]


def _late(at: datetime) -> list[Sample]:
    return [(_labels(kind=late.kind), late.count) for late in jobs.late_jobs(at)]


def _unsealed() -> list[Sample]:
    return [("", AuditEntry.objects.filter(auditseal=None).count())]
