"""What happened to the published cases, step by step, in a reporter's words: never what staff wrote to one another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from jiequ.cases import words
from jiequ.cases.flow import ENDED
from jiequ.cases.models import Case, CaseEvent

from ..rules import CLOSED, MOST, OPEN, told

TOLD = tuple(sorted(set(words.FOR_REPORTER) - {"rate", "recompute"}))


def updates(
    cases: QuerySet[Case],
    start: datetime,
    end: datetime,
    *,
    numbers: list[str] | None = None,
    skip: int = 0,
    most: int = MOST,
) -> list[dict[str, Any]]:
    """The steps in that span, the oldest first: ``most`` of them after the first ``skip``. One SELECT."""
    found = CaseEvent.objects.filter(case__in=cases.values("pk"), move__in=TOLD, at__gte=start, at__lte=end)
    if numbers is not None:
        found = found.filter(case__number__in=numbers)
    rows = found.order_by("at", "pk").values_list("pk", "case__number", "move", "state", "at")[skip : skip + most]
    zone = timezone.get_default_timezone()
    return [
        {
            "update_id": str(pk),
            "service_request_id": number,
            "status": CLOSED if state in ENDED else OPEN,
            "updated_datetime": told(at.astimezone(zone)),
            "description": str(words.FOR_REPORTER[move]),
            "media_url": None,
        }
        for pk, number, move, state, at in rows
    ]
