"""Limits on reports: by device, address and area. Past them a report is stored and held for a look, never dropped."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q

from jiequ.core import secrets, throttle
from jiequ.core.errors import Throttled
from jiequ.grid.rules import q18
from jiequ.people.rules import Actor

from ..models import Case, CaseEvent, Report
from . import moving
from .intake import DEVICE_LOOKUP, Place, canonical

DAY_SECONDS = 24 * 3600
DEVICE_A_DAY, ADDRESS_A_DAY, AREA_AN_HOUR = 20, 60, 15
ADDRESS_AT_MOST = 600
"""All four are ours (P). Past the last one it is a machine, and it is refused with the time to come back."""


def is_suspect(*, device: str, address: str, place: Place, at: datetime) -> bool:
    """True if this device, address or spot has had its fill: the report is taken and looked at first.

    Two statements for an ordinary report. Raises Throttled far beyond any person's use. Call it before the report's own
    transaction, so that a refusal further down gives no try back.
    """
    return _address_is_busy(address, at) | _spot_or_device_is_busy(device, place, at)


def _address_is_busy(address: str, at: datetime) -> bool:
    if not address:
        return False
    try:
        bucket = throttle.bucket("report-address", address)
        throttle.take(bucket, capacity=ADDRESS_A_DAY, per_seconds=DAY_SECONDS, at=at)
    except Throttled:
        hard = throttle.bucket("report-address-hard", address)
        throttle.take(hard, capacity=ADDRESS_AT_MOST, per_seconds=DAY_SECONDS, at=at)
        return True
    return False


def _spot_or_device_is_busy(device: str, place: Place, at: datetime) -> bool:
    tile = q18(*canonical(place)) if place.x is not None and place.y is not None else None
    hour = Q(at__gte=at - timedelta(hours=1))
    counts = Report.objects.filter(at__gte=at - timedelta(days=1), source="resident").aggregate(
        of_device=Count("id", filter=Q(device_blind=secrets.blind(device, DEVICE_LOOKUP)) if device else Q(pk=None)),
        of_spot=Count("id", filter=hour & Q(case__q18=tile) if tile is not None else Q(pk=None)),
    )
    return bool(counts["of_device"] >= DEVICE_A_DAY or counts["of_spot"] >= AREA_AN_HOUR)


def clear_suspicion(case: Case, *, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """The desk looked: the report is an ordinary one."""
    change = moving.Change(fields={"is_suspect": False}, facts={"changed": ["is_suspect"]})
    return moving.make(case, "correct", change, by=by, at=at, version=version)
