"""What arrives from the account and is its own: who follows, which windows are open, what became of what was sent.

Everything else (words, photos, places, menu taps) is for whoever registered after this: ``on_arrival("wechat", …)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jiequ.channels import services as channels
from jiequ.channels.arrivals.services import Incoming
from jiequ.channels.xml import many

from . import rules
from .services import followers, forgetting, grants
from .way import TemplateWay

TEMPLATE_STATUS, SUBSCRIPTION_STATUS = "templatesendjobfinish", "subscribe_msg_sent_event"


def handle(incoming: Incoming, *, at: datetime) -> None:
    """In the transaction that marks the arrival as handled."""
    if incoming.event in rules.NOBODY:
        return
    if incoming.event in forgetting.EVENTS:
        forgetting.drop(incoming.sender, at=at)
        return
    who = followers.note_deed(incoming.sender, kind=incoming.kind, event=incoming.event, sent_at=incoming.at, at=at)
    if incoming.event == TEMPLATE_STATUS:
        _told(_word(incoming.fields, "MsgID"), _word(incoming.fields, "Status"), at=at)
    elif incoming.event == SUBSCRIPTION_STATUS:
        part = incoming.fields.get("SubscribeMsgSentEvent")
        for one in many(part.get("List")) if isinstance(part, Mapping) else []:
            if isinstance(one, Mapping):
                _told_of_subscription(who.pk, one, at=at)
    elif incoming.event in {grants.POPUP, grants.CHANGE}:
        grants.hear(who, incoming.event, incoming.fields, at=at)


def _told(number: str, status: str, *, at: datetime) -> None:
    is_delivered = rules.is_success(status)
    if not number or is_delivered is None:
        return
    error = "" if is_delivered else rules.failure_of(status)
    channels.record_receipt(port=TemplateWay.name, provider_id=number, is_delivered=is_delivered, error=error, at=at)


def _told_of_subscription(follower_id: int, part: Mapping[str, Any], *, at: datetime) -> None:
    number = grants.receipt_of(follower_id, _word(part, "TemplateId"))
    is_delivered, error = grants.outcome_of(part)
    channels.record_receipt(port=grants.PORT, provider_id=number, is_delivered=is_delivered, error=error, at=at)


def _word(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value.strip() if isinstance(value, str) else ""
