"""What makes an alert: an urgent notice, a job that was given up, an outbox that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from jiequ.channels.models import Message
from jiequ.core.jobs import DeadJob

from .models import Alert

URGENT, DEAD, STALLED = "urgent", "dead", "stalled"
TELLING = frozenset({"reporter_received", "new_report", "to_dispatch", "new_task"})
"""The notices by which an urgent case first becomes known, also to its reporter; what follows is not told again."""


def is_on() -> bool:
    """True if a robot is set."""
    return bool(settings.DINGTALK_TOKEN)


def alert(
    kind: str, key: str, facts: dict[str, Any], *, at: datetime, due_at: datetime | None = None, follows: str = ""
) -> None:
    """Put an alert down, in the caller's transaction; the same key is said once. Nothing where no robot is set."""
    if is_on():
        row = Alert(key=f"{kind}:{key}"[:160], kind=kind, facts=facts, made_at=at, due_at=due_at or at, message_key=follows)
        Alert.objects.bulk_create([row], ignore_conflicts=True)


def hear_urgent(messages: Sequence[Message], *, at: datetime) -> None:
    """An urgent case, once: with the first notice about it, when that one can no longer be taken back."""
    if not is_on():
        return
    for message in messages:
        if message.is_urgent and message.about and message.template in TELLING:
            alert(URGENT, message.about, dict(message.facts), at=at, due_at=message.due_at, follows=message.key)
            return


def hear_dead(dead: DeadJob, *, at: datetime) -> None:
    """A job was given up: its kind only, for its arguments may name somebody. Once an hour for a kind."""
    alert(DEAD, f"{dead.kind}:{at:%Y%m%d%H}", {"job": dead.kind}, at=at)


def hear_stalled(*, seconds: float, at: datetime) -> None:
    """Notices stand still; once an hour while they do."""
    alert(STALLED, f"{at:%Y%m%d%H}", {"minutes": int(seconds // 60)}, at=at)
