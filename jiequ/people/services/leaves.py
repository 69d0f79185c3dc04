"""Leave and deputy (A/B 角): one tap hands to-dos, approvals and notices to the deputy for a period, and takes them back."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal

from ..models import Leave, Person
from ..queries import colleagues
from ..rules import LONGEST_LEAVE, Account, Actor
from .common import hold, no_such_person, record
from .handover import leads_all_posts, may_manage


def set_leave(*, person_id: int, deputy_id: int, starts_at: datetime, ends_at: datetime, by: Actor, at: datetime) -> Leave:
    """The deputy stands in for the person during the period: by the person, or by whoever leads them.

    Refuses administrators (their power is not lent), another street's deputy, overlapping leave, a circle of deputies, and
    whoever would lend themselves a seat: only the lead of all of a person's posts may stand in for them unasked.
    """
    if person_id == deputy_id:
        raise Refusal("deputy_is_oneself", _("请选择另一个人代理。"))
    if not starts_at < ends_at or ends_at <= at:
        raise Refusal("leave_period", _("请假的结束时间要晚于开始时间，也要晚于现在。"))
    if ends_at - starts_at > LONGEST_LEAVE:
        raise Refusal("leave_too_long", _("一次请假最长一年。"))
    if not may_manage(by, person_id, at):
        raise Forbidden("not_your_person", _("只有本人、部门负责人、值班长、街道领导或系统管理员可以这样做。"))
    if deputy_id == by.person_id and not leads_all_posts(by, person_id, at):
        raise Forbidden("own_deputy", _("不能把别人的岗位交给自己代理，请本人设置，或另选一人。"))
    with writing():
        rows = {pk: hold(pk) for pk in sorted({person_id, deputy_id})}
        person, deputy = rows[person_id], rows[deputy_id]
        _check(person, deputy, starts_at, ends_at, at)
        leave = Leave.objects.create(person=person, deputy=deputy, starts_at=starts_at, ends_at=ends_at, set_by_id=by.person_id)
        record(by, at, "leave.set", person, deputy=deputy.pk, leave=leave.pk)
    return leave


def cancel_leave(*, leave_id: int, by: Actor, at: datetime) -> None:
    """The person is back, or does not go: from now on nobody stands in."""
    with writing():
        leave = Leave.objects.filter(pk=leave_id).select_related("person").first()
        if leave is None or not may_manage(by, leave.person_id, at):
            raise NotFound("no_such_leave", _("没有这次请假，或者它已经结束。"))
        if not Leave.objects.filter(pk=leave_id, cancelled_at=None, ends_at__gt=at).update(cancelled_at=at):
            raise NotFound("no_such_leave", _("没有这次请假，或者它已经结束。"))
        record(by, at, "leave.cancelled", leave.person, leave=leave_id)


def _check(person: Person, deputy: Person, starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    if person.account != Account.STAFF or deputy.account != Account.STAFF:
        raise Refusal("administrators_lend_nothing", _("管理员账号不能请人代理，也不能代理别人。"))
    touching = Leave.objects.touching(starts_at, ends_at)
    if touching.filter(person=person).exists():
        raise Refusal("leave_overlaps", _("%(name)s在这段时间已经有请假。") % {"name": person.name})
    if deputy.pk not in {colleague.pk for colleague in colleagues(person.pk, at)}:
        raise no_such_person()
    found = dict(touching.values_list("person_id", "deputy_id"))
    step, seen = deputy.pk, {person.pk}
    while step in found and step not in seen:
        seen.add(step)
        step = found[step]
    if step == person.pk:
        raise Refusal("deputies_in_a_circle", _("%(name)s在这段时间也请您代理，请换一个人。") % {"name": deputy.name})
