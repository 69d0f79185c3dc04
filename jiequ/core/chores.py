"""Core's own periodic jobs: importing their modules registers them; the sweep is here."""

from __future__ import annotations

import logging
from datetime import datetime

from . import audit, calendar, idempotency, picture_files, secrets, throttle
from .jobs import late_jobs
from .kinds import every

__all__ = ["audit", "calendar", "idempotency", "picture_files", "secrets", "sweep", "throttle"]

log = logging.getLogger("jiequ.jobs")


@every("core.sweep", seconds=30)
def sweep(*, at: datetime) -> None:
    """Alarm on anything older than its promise, one line a kind. Metrics tell the same, also when no worker lives."""
    for late in late_jobs(at):
        unknown = "" if late.is_known else " (no app knows this kind)"
        log.error(
            "late jobs: %d of kind %s%s, oldest %.0f s, promised %d s",
            late.count,
            late.kind,
            unknown,
            late.oldest_seconds,
            late.promise_seconds,
        )
