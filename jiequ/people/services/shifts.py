"""The duty rota: who is on duty, where, from when to when."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal

from ..models import Post, Shift
from ..rules import ROSTER_ROLES, Actor, Role
from .common import hold, record, require

LONGEST_SHIFT = timedelta(days=7)


def set_shift(
    *,
    person_id: int,
    role: Role,
    street_id: int,
    department_id: int | None = None,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    at: datetime,
) -> Shift:
    """One turn on duty of somebody who holds the post. By the administrator, the street's duty leader or leader, or the
    department's lead. Refuses two turns at once."""
    _may_edit(by, street_id, department_id)
    if role not in ROSTER_ROLES:
        raise Refusal("role_without_rota", _("这个角色不排班。"))
    if not starts_at < ends_at or ends_at - starts_at > LONGEST_SHIFT:
        raise Refusal("shift_period", _("值班的结束时间要晚于开始时间，一班最长七天。"))
    with writing():
        person = hold(person_id)
        posts = Post.objects.held_on(timezone.localtime(starts_at).date()).filter(
            Q(street_id=street_id) | Q(street_id=None), person=person, role=role.value
        )
        if department_id is not None:
            posts = posts.filter(department_id=department_id)
        if not posts.exists():
            raise Refusal("not_their_post", _("%(name)s在这一天没有这个岗位。") % {"name": person.name})
        if Shift.objects.filter(person=person, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
            raise Refusal("shift_overlaps", _("%(name)s在这段时间已经有班。") % {"name": person.name})
        shift = Shift.objects.create(
            person=person,
            role=role.value,
            street_id=street_id,
            department_id=department_id,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        record(by, at, "shift.set", person, shift=shift.pk, role=role.value)
    return shift


def remove_shift(*, shift_id: int, by: Actor, at: datetime) -> None:
    """Takes a turn off the rota."""
    with writing():
        shift = Shift.objects.filter(pk=shift_id).select_related("person").first()
        if shift is None or not by.roles_in(shift.street_id):  # another street's is told like none
            raise NotFound("no_such_shift", _("没有这个班次。"))
        _may_edit(by, shift.street_id, shift.department_id)
        Shift.objects.filter(pk=shift_id).delete()
        record(by, at, "shift.removed", shift.person, shift=shift_id, role=shift.role)


def may_edit_rota(by: Actor, street_id: int, department_id: int | None) -> bool:
    """True for the administrator, the street's duty leader and leader, and the lead of the shift's department."""
    if by.has(Role.SYSTEM, Role.SYSTEM_ADMIN) or by.has(Role.DUTY_LEADER, Role.LEADER, street_id=street_id):
        return True
    return department_id is not None and by.has(Role.DEPARTMENT_LEAD, street_id=street_id, department_id=department_id)


def _may_edit(by: Actor, street_id: int, department_id: int | None) -> None:
    if not may_edit_rota(by, street_id, department_id):
        require(by, Role.SYSTEM_ADMIN)
