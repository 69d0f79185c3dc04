"""What the services of this app share: who may, the row that is held while a rule is judged, the audit row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.errors import Forbidden, NotFound

from ..models import Person
from ..rules import Actor, Role


def require(by: Actor, *roles: Role) -> None:
    """Refuses whoever holds none of ``roles``; the command line and the jobs (Role.SYSTEM) always may."""
    if not by.has(Role.SYSTEM, *roles):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def hold(person_id: int, *, active: bool = True) -> Person:
    """Takes the person's row for this transaction by an UPDATE that changes nothing, so that rules about one person are
    judged one after the other; refuses an unknown (or disabled) one."""
    rows = Person.objects.filter(pk=person_id)
    if active:
        rows = rows.filter(is_active=True)
    if not rows.update(session_epoch=F("session_epoch")):
        raise no_such_person()
    return rows.get()


def no_such_person() -> NotFound:
    """Said alike of nobody, of a disabled account, and of somebody who is not the reader's to know of."""
    return NotFound("no_such_person", _("没有这个人，或者账号已停用。"))


def record(by: Actor, at: datetime, action: str, person: Person | None, **facts: Any) -> None:
    """The audit row of a change to a person, in the same transaction."""
    audit.record(
        street_id=person.street_id if person else None,
        person_id=by.person_id,
        action=action,
        object_kind="person",
        object_id=str(person.pk) if person else "",
        at=at,
        facts=facts,
    )
