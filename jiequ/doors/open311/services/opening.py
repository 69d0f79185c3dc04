"""The system administrator's: which streets are open to everybody, and which types are not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.cases.models import EventType
from jiequ.cases.queries.types import current_types
from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.models import Street
from jiequ.people.rules import Actor, Role

from ..models import HiddenType, Opening

CONTACT_MAX = 200


def open_street(*, street_id: int, contact: str, by: Actor, at: datetime) -> Opening:
    """From now on everybody may read of the street's public cases. Again: another contact."""
    require(by)
    contact = " ".join(contact.split())
    if not 1 <= len(contact) <= CONTACT_MAX:
        raise Refusal("bad_contact", _("请填写联系方式，不超过 200 字：别人接入时问谁。"), facts={"field": "contact"})
    if not Street.objects.filter(pk=street_id, is_active=True).exists():
        raise NotFound("no_such_street", _("没有这个街道。"))
    with writing():
        opening, _is_new = Opening.objects.update_or_create(
            street_id=street_id, defaults={"contact": contact, "changed_at": at, "changed_by": by.person_id}
        )
        _record(by, at, "open311.opened", street_id)
    return opening


def close_street(*, street_id: int, by: Actor, at: datetime) -> None:
    """Nobody may read of the street any more, and no key may report to it. What was published stays for the next opening."""
    require(by)
    with writing():
        if not Opening.objects.filter(street_id=street_id).delete()[0]:
            raise NotFound("not_open", _("这个街道没有开放。"))
        _record(by, at, "open311.closed", street_id)


def hide_types(*, hidden: Collection[int], by: Actor, at: datetime) -> int:
    """Of the types in use exactly these are not public; how many were named. Confidential types never are, whatever is chosen.

    A type that is out of use stays as it was: nobody was asked about it, and its old cases are still there.
    """
    require(by)
    with writing():
        known = set(EventType.objects.filter(pk__in=list(hidden)).values_list("pk", flat=True))
        before = set(HiddenType.objects.values_list("event_type_id", flat=True))
        in_use = {one.id for major in current_types() for one in major.types if not one.is_confidential}
        HiddenType.objects.filter(event_type_id__in=(before - known) & in_use).delete()
        HiddenType.objects.bulk_create([HiddenType(event_type_id=one, changed_at=at) for one in sorted(known - before)])
        if known != before:
            _record(by, at, "open311.types", None, hidden=len(known))
    return len(known)


def require(by: Actor) -> None:
    """Forbidden for anybody but the system administrator."""
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def _record(by: Actor, at: datetime, action: str, street_id: int | None, **facts: object) -> None:
    audit.record(
        street_id=street_id,
        person_id=by.person_id,
        action=action,
        object_kind="open311",
        object_id=str(street_id or ""),
        at=at,
        facts=facts,
    )
