"""What sense does later: files are taken in, uploads that nobody went on with are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from jiequ.core.jobs import DeadJob, every, job, on_dead

from .services import taking, uploading

UPLOADS_KEPT = timedelta(days=7)
SLICE_TIMEOUT = 30.0  # so that with LEASE / 2 a killed worker is missed within a minute


@job(taking.JOB, outside=True, promise_seconds=12 * 3600, timeout_seconds=SLICE_TIMEOUT, line="sense.take")
def take(*, asset_id: int, file: str, keep: bool, part: int, at: datetime) -> Any:
    """A slice of taking in a file."""
    return taking.look(asset_id, file, keep, part, at)


@every("sense.sweep", daily_at="03:40", outside=True)
def sweep(*, at: datetime) -> None:
    """Forget uploads that nobody went on with for a week."""
    uploading.sweep(before=at - UPLOADS_KEPT)


def _given_up(dead: DeadJob, *, at: datetime) -> None:
    taking.given_up(dead.args["asset_id"], at)


on_dead(_given_up, kind=taking.JOB)
