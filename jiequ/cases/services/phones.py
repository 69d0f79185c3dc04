"""Cases found by a reporter's phone: by its last four digits only, through the blind index."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core import audit, secrets
from jiequ.core.errors import Forbidden
from jiequ.core.throttle import bucket, take
from jiequ.people.rules import DESK_ROLES, Actor

from .intake import LAST4_LOOKUP

PHONES_AN_HOUR = 40


def phone_mark(last4: str, *, by: Actor, at: datetime) -> str:
    """What a phone's last four digits are looked up by; for the desk only, throttled, and said in the audit (never the digits).

    The look-up shows cases, not whose they are: only ``reveal_reporter`` opens a name.
    """
    if not by.has(*DESK_ROLES):
        raise Forbidden("not_for_you", _("您的岗位不能按手机号查找。"))
    take(bucket("find-phone", by.person_id), capacity=PHONES_AN_HOUR, per_seconds=3600, at=at)
    audit.record(
        street_id=by.street_id, person_id=by.person_id, action="case.find_by_phone", object_kind="case", object_id="", at=at
    )
    return secrets.blind(last4, LAST4_LOOKUP)
