"""Reading the audit, page by page, for whoever may: nothing here writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from .models import AuditEntry, AuditSeal

PAGE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to. ``action`` may be the beginning of one; street 0 is the district's own chain."""

    action: str = ""
    person_ids: Collection[int] | None = None
    street_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page, newest first; ``next_before`` is the id to go on from, None at the end."""

    rows: list[AuditEntry]
    next_before: int | None


def entries(asked: Asked) -> QuerySet[AuditEntry]:
    """Every entry that fits, newest first, with its place in the chain."""
    found = AuditEntry.objects.select_related("auditseal").order_by("-id")
    if asked.action:
        found = found.filter(action__startswith=asked.action)
    if asked.person_ids is not None:
        found = found.filter(person_id__in=list(asked.person_ids))
    if asked.street_id is not None:
        found = found.filter(street_id=asked.street_id) if asked.street_id else found.filter(street_id=None)
    if asked.since:
        found = found.filter(at__gte=asked.since)
    if asked.until:
        found = found.filter(at__lt=asked.until)
    return found


def page(asked: Asked, *, before: int | None = None, size: int = PAGE) -> Page:
    """One page. One SELECT."""
    found = entries(asked)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: size + 1])
    return Page(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def sealed_count() -> int:
    """How many entries are in all chains together. One SELECT."""
    return AuditSeal.objects.count()
