"""One template message: the form that fits is filled, checked by our own rules, and sent under a key that shows it once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from jiequ.channels import texts
from jiequ.channels.client import ApiError
from jiequ.channels.ports import Outgoing

from .. import config, platform_words, rules
from ..models import Follower, TemplateForm
from ..rules import FormKind, Group
from . import followers

TEMPLATE_GONE, FIELD_REFUSED = 40037, 47003


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its fields, ready to be sent."""

    form_id: int
    template_id: str
    data: dict[str, dict[str, str]]


def filled_for(
    message: Outgoing, *, at: datetime, kind: FormKind = FormKind.TEMPLATE, of: Collection[str] | None = None
) -> Filled | None:
    """The first form that this message fills (``of``: of these templates only); None if there is none. One query."""
    known = texts.TEMPLATES.get(message.template)
    group = Group.STAFF if known is None or known.for_staff else Group.RESIDENT
    values = values_of(message, at=at)
    usable = TemplateForm.objects.filter(kind=kind, group=group, notice__in=["", message.template], is_active=True, fault="")
    forms = list(usable if of is None else usable.filter(template_id__in=list(of)))
    for form in sorted(forms, key=lambda one: (one.notice == "", one.turn, one.pk)):
        if data := rules.filled(form.fields, values):
            return Filled(form.pk, form.template_id, data)
    return None


def values_of(message: Outgoing, *, at: datetime) -> dict[str, str]:
    """What a field can be filled from. Times as the platform writes them; a type without a name is 类型待定."""
    kind: Any = message.facts.get("type")
    if isinstance(kind, Mapping):
        kind = kind.get("zh-hans") or next(iter(kind.values()), "")
    due = message.facts.get("due")
    return {
        "number": str(message.facts.get("number", "")),
        "type": str(kind or texts.NO_TYPE),
        "grid": str(message.facts.get("grid", "")),
        "due": _moment(datetime.fromisoformat(str(due))) if due else "",
        "title": message.title,
        "sent": _moment(at),
    }


def _moment(at: datetime) -> str:
    return platform_words.moment(timezone.localtime(at))


def send_template(follower: Follower, message: Filled, *, url: str, key: str) -> str:
    """Send it; the platform's message id. The same follower and key are shown once (ten minutes). Outside a transaction.

    ApiError; a form that the platform refuses is marked, and not used until somebody mends it.
    """
    body = {
        "touser": followers.openid_of(follower),
        "template_id": message.template_id,
        "url": url,
        "client_msg_id": rules.client_msg_id(key),
        "data": message.data,
    }
    try:
        return str(config.api().post("/cgi-bin/message/template/send", body).get("msgid", ""))
    except ApiError as fault:
        mark_form(fault, message)
        raise


def mark_form(fault: ApiError, message: Filled) -> None:
    """A template that is gone, or a field that was refused, stands beside the form on 渠道."""
    form = TemplateForm.objects.filter(pk=message.form_id)
    if fault.errcode == TEMPLATE_GONE:
        kinds = form.values("kind")
        TemplateForm.objects.filter(template_id=message.template_id, kind__in=kinds).update(fault="template_gone")
    elif fault.errcode == FIELD_REFUSED:
        form.update(fault=f"field_refused {_field_named(fault, message)}"[:120])


def _field_named(fault: ApiError, message: Filled) -> str:
    """The field that the platform's words name, if it is one of ours."""
    return next((name for name in message.data if name in fault.detail), "")
