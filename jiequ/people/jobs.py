"""The nightly chore: what has ended is forgotten."""

from __future__ import annotations

from datetime import datetime

from jiequ.core.db import writing
from jiequ.core.jobs import every

from .models import Device, ResetCode, Session


@every("people.sweep", daily_at="03:20")
def sweep(*, at: datetime) -> int:
    """Remove ended sessions, devices and reset codes; returns how many rows."""
    with writing():
        removed = Session.objects.filter(idle_end_at__lte=at).delete()[0]
        removed += Device.objects.filter(ends_at__lte=at).delete()[0]
        return removed + ResetCode.objects.filter(ends_at__lte=at).delete()[0]
