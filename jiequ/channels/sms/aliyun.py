"""The port ``aliyun``: SendSms of Alibaba Cloud's SMS API (RPC form, version 2017-05-25, HMAC-SHA1), by POST.

Sources: the provider's pages on SendSms, QuerySendDetails and on the signature; never tried against the real service. The
provider takes no idempotency key: before a second try it is asked whether a text with our ``OutId`` has gone to that number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from jiequ.core import clock
from jiequ.core.worktime import ZONE

from ..client import Api, ApiError
from ..ports import Limit, Outcome, Outgoing, Result
from .forms import Forms, forms

NAME = "aliyun"
NUMBER_MAX = 120
PASSING = ("isp.", "Throttling", "ServiceUnavailable", "InternalError", "SignatureNonceUsed")
"""Beginnings of codes that pass; every other code stays until somebody changes something."""
LIMITED = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"})
"""So many to this number, or so much money: said in one word, tried again."""
BAD_NUMBER = frozenset({"isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.BLACK_KEY_CONTROL_LIMIT"})


@dataclass(frozen=True, slots=True)
class Key:
    """Our access to the provider."""

    id: str
    secret: str


class AliyunPort:
    """Text messages by Alibaba Cloud."""

    name = NAME
    is_remote = True

    def __init__(self, api: Api, key: Key, found: Forms) -> None:
        self.api = api
        self.key = key
        self.forms = found
        self.limits = (Limit(settings.SMS_A_MINUTE, 60),)

    def can_carry(self, message: Outgoing) -> bool:
        """Whether the file of templates has a form for it."""
        return self.forms.filled(message) is not None

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """One text to one number."""
        filled = self.forms.filled(message)
        if filled is None:
            return Outcome(Result.REFUSED_PERMANENT, error="no_form")
        try:
            if message.is_again and (shown := self._shown(address, key)):
                return Outcome(Result.ACCEPTED, shown)
            code, values = filled
            given = {"PhoneNumbers": address, "SignName": self.forms.sign, "TemplateCode": code, "OutId": key}
            answer = self._ask("SendSms", given | {"TemplateParam": json.dumps(values, ensure_ascii=False)})
        except ApiError as fault:
            return Outcome(Result.TRY_LATER if fault.is_passing else Result.REFUSED_PERMANENT, error=fault.code)
        return _outcome(answer)

    def _shown(self, address: str, key: str) -> str:
        """The provider's number of a text of this ``key`` that it took today or yesterday (the tries take less than a day)."""
        today = clock.now().astimezone(ZONE)
        return self._shown_on(today, address, key) or self._shown_on(today - timedelta(days=1), address, key)

    def _shown_on(self, day: datetime, address: str, key: str) -> str:
        given = {"PhoneNumber": address, "SendDate": day.strftime("%Y%m%d"), "PageSize": "50", "CurrentPage": "1"}
        found = self._ask("QuerySendDetails", given).get("SmsSendDetailDTOs")
        rows: Any = found.get("SmsSendDetailDTO") if isinstance(found, dict) else None
        mine = [row for row in rows or [] if isinstance(row, dict) and row.get("OutId") == key and row.get("SendStatus") != 2]
        return (str(mine[0].get("BizId") or "") or key)[:NUMBER_MAX] if mine else ""

    def _ask(self, action: str, given: Mapping[str, str]) -> dict[str, Any]:
        return self.api.form("/", signed({"Action": action, **given}, self.key, at=clock.now()))


def make() -> AliyunPort:
    """The configured port; ImproperlyConfigured names what is missing."""
    names = ("JIEQU_SMS_KEY_ID", "JIEQU_SMS_KEY_SECRET", "JIEQU_SMS_TEMPLATES")
    values = (settings.SMS_KEY_ID, settings.SMS_KEY_SECRET, settings.SMS_TEMPLATES)
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        raise ImproperlyConfigured(f"the port aliyun needs {', '.join(missing)}.")
    return AliyunPort(Api(settings.SMS_API), Key(*values[:2]), forms(settings.SMS_TEMPLATES))


def signed(given: Mapping[str, str], key: Key, *, at: datetime) -> dict[str, str]:
    """The fields of a call with its signature."""
    fields = {
        **given,
        "AccessKeyId": key.id,
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": uuid4().hex,
        "SignatureVersion": "1.0",
        "Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Version": "2017-05-25",
    }
    line = "&".join(f"{_quoted(name)}={_quoted(fields[name])}" for name in sorted(fields))
    text = f"POST&%2F&{_quoted(line)}"
    digest = hmac.new(f"{key.secret}&".encode(), text.encode(), hashlib.sha1).digest()
    return fields | {"Signature": base64.b64encode(digest).decode()}


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    code = str(answer.get("Code", ""))
    if code == "OK" and isinstance(answer.get("BizId"), str) and answer["BizId"]:
        return Outcome(Result.ACCEPTED, answer["BizId"][:NUMBER_MAX])
    if code in BAD_NUMBER:
        return Outcome(Result.REFUSED_PERMANENT, error="bad_number")
    if code in LIMITED:
        return Outcome(Result.TRY_LATER, error="limited")
    if not code or code == "OK" or code.startswith(PASSING):
        return Outcome(Result.TRY_LATER, error=code[:60] if code not in {"", "OK"} else "bad_answer")
    return Outcome(Result.REFUSED_PERMANENT, error=code[:60])
