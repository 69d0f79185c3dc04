"""What arrives from WeCom and is our own: taps on cards and changes of the contacts. Other handlers may listen beside it."""

from __future__ import annotations

from datetime import datetime

from jiequ.channels.arrivals.services import Incoming

from . import rules, services

TAP, CHANGE = "template_card_event", "change_contact"


def handle(incoming: Incoming, *, at: datetime) -> None:
    """In the transaction that marks the arrival as handled."""
    fields = incoming.fields
    if incoming.event == TAP:
        services.tap(
            userid=incoming.sender,
            task_id=_text(fields.get("TaskId"))[: rules.LONGEST_TASK_ID],
            key=_text(fields.get("EventKey")),
            chosen=rules.chosen_of(fields),
            code=_text(fields.get("ResponseCode"))[:200],
            at=at,
        )
    elif incoming.event == CHANGE and (change := rules.change_of(fields)) is not None:
        services.apply_change(change, at=at)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
