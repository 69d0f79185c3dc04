"""What arrives from the official account, handed to the conversation."""

from __future__ import annotations

from datetime import datetime

from jiequ.channels.arrivals.services import Incoming
from jiequ.channels.wechat.services import follower_of

from . import reading, services
from .flow import Kind


def forget(*, account: str, follower_id: int, person_id: int | None, at: datetime) -> int:
    """A follower has taken their consent back: as if they had left; what they had confirmed is reported."""
    services.leave(follower_id, at=at)
    return 1


def handle(incoming: Incoming, *, at: datetime) -> None:
    """One message or event, in the transaction that marks it as handled."""
    thing = reading.thing_of(incoming)
    if thing.kind == Kind.OTHER:
        return
    follower = follower_of(incoming.sender, at=at)
    services.take(thing, follower_id=follower.pk, person_id=follower.person_id, at=at)
