"""Subscription notices (订阅通知): each is admitted by its reader beforehand, once or until taken back, and used up by sending.

A reader taps ``<wx-open-subscribe>`` on a page of ours; what they answered comes as ``subscribe_msg_popup_event``, a change in
the account's settings as ``subscribe_msg_change_event``. The platform's own count decides: 43101 empties ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from jiequ.channels.client import ApiError
from jiequ.channels.xml import many
from jiequ.core.db import writing

from .. import config, rules
from ..models import Follower, Grant, TemplateForm
from ..rules import FormKind, Group
from . import followers
from .sending import FIELD_REFUSED, TEMPLATE_GONE, Filled, mark_form

POPUP, CHANGE = "subscribe_msg_popup_event", "subscribe_msg_change_event"
NOT_GRANTED = 43101
MOST_AT_ONCE = 5
"""So many templates may one ``<wx-open-subscribe>`` ask for, all once or all lasting (WECHAT.md)."""
MOST_LEFT = 99
PORT = "wechat_subscription"


class NotGranted(Exception):
    """Its reader has admitted none, or has used them up."""


def hear(follower: Follower, event: str, fields: Mapping[str, Any], *, at: datetime) -> None:
    """What a reader answered to a popup or changed in the settings. In the arrival's transaction."""
    part = fields.get({POPUP: "SubscribeMsgPopupEvent", CHANGE: "SubscribeMsgChangeEvent"}[event])
    for one in many(part.get("List")) if isinstance(part, Mapping) else []:
        if isinstance(one, Mapping):
            template_id, answer = str(one.get("TemplateId") or "")[:64], str(one.get("SubscribeStatusString") or "")
            form = TemplateForm.objects.filter(kind=FormKind.SUBSCRIPTION, template_id=template_id).first()
            if answer.strip().lower() == "accept" and form is not None:
                _admit(follower, form, at=at)
            elif answer.strip().lower() == "reject" and (event == CHANGE or form is None or form.is_lasting):
                take_back(follower.pk, template_id)


def _admit(follower: Follower, form: TemplateForm, *, at: datetime) -> None:
    """One more, or from now on each."""
    with writing():
        row, _is_new = Grant.objects.get_or_create(follower=follower, template_id=form.template_id, defaults={"changed_at": at})
        same = Grant.objects.filter(pk=row.pk)
        if form.is_lasting:
            same.update(is_lasting=True, changed_at=at)
        else:
            same.filter(left__lt=MOST_LEFT).update(left=F("left") + 1, changed_at=at)


def take_back(follower_id: int, template_id: str) -> None:
    """None is left."""
    Grant.objects.filter(follower=follower_id, template_id=template_id).delete()


def usable() -> QuerySet[Grant]:
    """Grants of which one is left."""
    return Grant.objects.filter(Q(left__gt=0) | Q(is_lasting=True))


def granted_to(follower: Follower) -> set[str]:
    """The templates of which this reader still admits one."""
    return set(usable().filter(follower=follower).values_list("template_id", flat=True))


def offered() -> list[str]:
    """The templates that residents are asked to admit on a page: those for one notice each, else the lasting ones."""
    usable = TemplateForm.objects.filter(kind=FormKind.SUBSCRIPTION, group=Group.RESIDENT, is_active=True, fault="")
    rows = list(usable.order_by("turn", "pk").values_list("template_id", "is_lasting"))
    once = list(dict.fromkeys(one for one, is_lasting in rows if not is_lasting))
    return (once or list(dict.fromkeys(one for one, _lasting in rows)))[:MOST_AT_ONCE]


def receipt_of(follower_id: int, template_id: str) -> str:
    """Sending returns no number, and the later word names reader and template only: by these it finds its message."""
    return f"{follower_id}:{template_id}"


def send(follower: Follower, message: Filled, *, url: str) -> str:
    """Use one grant up and send; what the later word will be found by. Outside a transaction. NotGranted, ApiError.

    What surely was not sent uses none up.
    """
    once = Grant.objects.filter(follower=follower, template_id=message.template_id, is_lasting=False, left__gt=0)
    lasting = Grant.objects.filter(follower=follower, template_id=message.template_id, is_lasting=True)
    is_once = not lasting.exists()
    if is_once and not once.update(left=F("left") - 1):
        raise NotGranted
    body = {"touser": followers.openid_of(follower), "template_id": message.template_id, "page": url, "data": message.data}
    try:
        config.api().post("/cgi-bin/message/subscribe/bizsend", body)
    except ApiError as fault:
        if fault.errcode == NOT_GRANTED:
            take_back(follower.pk, message.template_id)
            raise NotGranted from None
        if is_once and not fault.may_have_happened:
            Grant.objects.filter(follower=follower, template_id=message.template_id).update(left=F("left") + 1)
        if fault.errcode in {TEMPLATE_GONE, FIELD_REFUSED}:
            mark_form(fault, message)
        raise
    return receipt_of(follower.pk, message.template_id)


def outcome_of(part: Mapping[str, Any]) -> tuple[bool, str]:
    """SubscribeMsgSentEvent: whether it arrived, and a short class of why not."""
    if str(part.get("ErrorCode") or "").strip() == "0":
        return True, ""
    return False, rules.failure_of(f"failed: {part.get('ErrorStatus') or ''}")
