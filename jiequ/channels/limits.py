"""What a provider lets us send in a minute, an hour, a day: kept here, so that nothing is dropped there in silence."""

from __future__ import annotations

from datetime import datetime, timedelta

from jiequ.core.errors import Throttled
from jiequ.core.throttle import bucket, take

from .chain import Hop


def free_at(hop: Hop, *, at: datetime) -> datetime:
    """When this message may be handed to the way: now (and then it is counted), or later. One statement a limit."""
    for limit in hop.way.limits:
        whose = hop.address if limit.per == "address" else ""
        try:
            take(bucket(f"way-{hop.way.name}-{limit.seconds}", whose), capacity=limit.count, per_seconds=limit.seconds, at=at)
        except Throttled as full:
            return at + timedelta(seconds=full.facts["retry_after_seconds"])
    return at
