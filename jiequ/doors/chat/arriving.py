"""What arrives from the official account, handed to the conversation."""

from __future__ import annotations

from datetime import datetime

from jiequ.channels.arrivals.services import Incoming
from jiequ.channels.wechat.services import follower_of

from . import reading, services


def handle(incoming: Incoming, *, at: datetime) -> None:
    """One message or event, in the transaction that marks it as handled."""
    thing = reading.thing_of(incoming)
    follower = follower_of(incoming.sender, at=at)
    services.take(thing, follower_id=follower.pk, person_id=follower.person_id, at=at)
