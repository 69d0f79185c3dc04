"""What is handed in with a key: a request, an update."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.errors import Refusal

from .. import keys
from ..queries import offers
from ..services import posting
from ..speech import answer

_ATTRIBUTE = re.compile(r"attribute\[(?P<code>[A-Za-z0-9_.-]{1,60})\](?:\[\])?")
FORM_TYPE = "application/x-www-form-urlencoded"


def report(request: HttpRequest, form: str) -> HttpResponse:
    """POST service request: its number at once, or (``respond_with=token``) a token that leads to it."""
    at = clock.now()
    caller = keys.writer(request, at=at)
    given = given_in(request)
    street = offers.street_of(given.text("jurisdiction_id"))
    posting.may_report(caller.actor, street.pk)
    if not given.text("service_code"):
        raise Refusal("service_missing", _("请给出 service_code。"), facts={"field": "service_code"})
    choice = offers.service_named(given.text("service_code"))
    case, stored = posting.report(given, choice, street_id=street.pk, token_id=caller.token_id, by=caller.actor, at=at)
    if given.text("respond_with") == "token":
        told: dict[str, Any] = {"token": posting.token_of(stored)}
    else:
        told = {"service_request_id": stored.origin.number if stored.origin_id != case.pk else case.number}
    told |= {"service_notice": _("已收到，街道会按类型的时限办理。"), "account_id": given.text("account_id") or None}
    return answer(form, "service_requests", [told], is_public=False)


def update(request: HttpRequest, form: str) -> HttpResponse:
    """POST service request update (an extension)."""
    at = clock.now()
    caller = keys.writer(request, at=at)
    given = given_in(request)
    street = offers.street_of(given.text("jurisdiction_id"))
    posting.may_report(caller.actor, street.pk)
    update_id = posting.update(given, street_id=street.pk, token_id=caller.token_id, by=caller.actor, at=at)
    return answer(form, "service_request_updates", [{"update_id": update_id}], is_public=False)


def given_in(request: HttpRequest) -> posting.Given:
    """The form. Refusal for a body that is none."""
    if request.content_type not in (FORM_TYPE, "multipart/form-data"):
        raise Refusal("wrong_type", _("请用 application/x-www-form-urlencoded 发送。"))
    fields: dict[str, str] = {}
    attributes: dict[str, list[str]] = {}
    for name, values in request.POST.lists():
        found = _ATTRIBUTE.fullmatch(name)
        if found:
            attributes.setdefault(found["code"], []).extend(str(value) for value in values)
        else:
            fields[name] = str(values[-1])
    reference = request.headers.get("Idempotency-Key", "") or fields.pop("idempotency_key", "")
    return posting.Given(fields, attributes, reference.strip())
