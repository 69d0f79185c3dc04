"""Holes in the numbers of events: on PostgreSQL a transaction takes its number early and may be stored after later ones.

A hole is a transaction that is still open, or one that was rolled back and leaves it for ever. Whoever follows the events by
number remembers the holes passed and looks into them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import BigIntegerField, F, Q, Value, Window
from django.db.models.functions import Coalesce, Lag

from ..models import CaseEvent

Gap = list[int]
"""First and last missing number, and when it was passed (epoch seconds): as JSON keeps it."""

KEPT = timedelta(hours=1)
"""A transaction that stays open longer is not waited for: ours take seconds."""
MOST = 200
"""Holes that are looked into; of more the newest."""


def new_gaps(after: int, up_to: int, *, at: datetime) -> list[Gap]:
    """The holes among the events' numbers in (after, up_to], oldest first. One SELECT over these numbers, if there are any.

    To be asked before the events themselves: what is stored in between is found twice rather than never.
    """
    if up_to <= after:
        return []
    before = Coalesce(Window(Lag("pk"), order_by=F("pk").asc()), Value(after, BigIntegerField()))
    rows = CaseEvent.objects.filter(pk__gt=after, pk__lte=up_to).annotate(before=before).filter(pk__gt=F("before") + 1)
    moment = int(at.timestamp())
    return [[low + 1, high - 1, moment] for low, high in rows.order_by("pk").values_list("before", "pk")]


def gaps_in_hand(gaps: Sequence[Gap], *, at: datetime) -> list[Gap]:
    """Those that are looked into still."""
    return [gap for gap in gaps if gap[2] > (at - KEPT).timestamp()]


def in_gaps(gaps: Sequence[Gap]) -> Q:
    """Events whose number lies in one of the holes."""
    return reduce(or_, (Q(pk__gte=low, pk__lte=high) for low, high, _at in gaps), Q(pk__in=()))
