"""The triage's drift alarm reaches the duty desks: it knows the week, they know the street."""

from __future__ import annotations

from datetime import datetime

from jiequ.channels.services import Notice, send
from jiequ.core.models import Street
from jiequ.people.rules import Role
from jiequ.triage.services import Alarm

ABOUT = "triage"


def tell_desks(alarm: Alarm, *, at: datetime) -> None:
    """One notice to each street's duty leader, in the transaction that stores the week."""
    streets = Street.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    send([_notice(alarm, street_id) for street_id in streets], at=at)


def _notice(alarm: Alarm, street_id: int) -> Notice:
    return Notice(
        template="triage_drift",
        facts={},
        about=f"{ABOUT}:{alarm.kind}",
        key=f"triage:{alarm.kind}:{alarm.monday}:{street_id}",
        to_post=(Role.DUTY_LEADER, street_id, None),
        street_id=street_id,
    )
