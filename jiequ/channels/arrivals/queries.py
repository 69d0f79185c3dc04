"""What the operator sees of the inbox: how long it waits, what was given up. Never words or senders."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, QuerySet

from .models import Arrival, State


def oldest_waiting_seconds(at: datetime) -> float:
    """How long the oldest arrival has been waiting for its handlers; 0 if none is."""
    oldest = Arrival.objects.filter(state=State.WAITING).aggregate(oldest=Min("arrived_at"))["oldest"]
    return (at - oldest).total_seconds() if oldest else 0.0


def dead(channel: str = "") -> QuerySet[Arrival]:
    """What was given up, the newest first."""
    rows = Arrival.objects.filter(state=State.DEAD).order_by("-id").defer("body_sealed")
    return rows.filter(channel=channel) if channel else rows


def counts(channel: str, *, since: timedelta, at: datetime) -> dict[str, int]:
    """How many arrived within ``since``, by state."""
    rows = Arrival.objects.filter(channel=channel, arrived_at__gt=at - since).order_by()
    return dict(rows.values_list("state").annotate(n=Count("id")))


def last_arrival_at(channel: str) -> datetime | None:
    """When the platform last pushed something; None if it never did, or not within what is kept."""
    last: datetime | None = Arrival.objects.filter(channel=channel).aggregate(last=Max("arrived_at"))["last"]
    return last
