"""The inbox forgets: nonces once their requests are too old, what is done after three days, what was given up after thirty."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from jiequ.core.kinds import every

from . import queries
from .models import Arrival, Mark, Nonce, State

log = logging.getLogger("jiequ.arrivals")

NONCES_KEPT_SECONDS = 900
"""At least: never less than a request of this nonce would be good for, which may be dated ahead as far as back."""
DONE_KEPT = timedelta(days=3)
DEAD_KEPT = timedelta(days=30)
MARKS_KEPT = timedelta(days=60)
LATE_SECONDS = 60


@every("arrivals.sweep", seconds=60, outside=True)
def sweep(*, at: datetime) -> None:
    """Forget, and alarm on arrivals that nobody hands on. A mark outlives its arrival, dead and revived ones too."""
    kept = timedelta(seconds=max(NONCES_KEPT_SECONDS, 2 * settings.CALLBACK_SECONDS))
    Nonce.objects.filter(at__lt=at - kept).delete()
    Arrival.objects.filter(state=State.DONE, ended_at__lt=at - DONE_KEPT).delete()
    Arrival.objects.filter(state=State.DEAD, ended_at__lt=at - DEAD_KEPT).delete()
    Mark.objects.filter(at__lt=at - MARKS_KEPT).delete()
    if (waiting := queries.oldest_waiting_seconds(at)) > LATE_SECONDS:
        log.error("the oldest arrival has been waiting for %.0f s", waiting)
