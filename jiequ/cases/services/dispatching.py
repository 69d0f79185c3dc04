"""分流: one lead department, any number of assisting ones; acknowledged, assigned, or returned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.channels.services import Notice
from jiequ.core.errors import Forbidden, Refusal
from jiequ.people.models import Department, Post
from jiequ.people.queries import is_on_leave
from jiequ.people.rules import DEPARTMENT_ROLES, Actor, Role

from .. import clocks as c
from ..access import Standing
from ..models import Case, CaseEvent, FilingCondition, Task, TaskKind
from ..policy import FIRST_RESPONSIBLE_REASONS, RETURN_REASONS
from ..queries.types import departments_for, duty_refusals
from ..when import Span
from . import moving
from .filing import acceptance, desk, limit_of, runs_from_dispatch
from .intake import Place
from .moving import Change, End

_RULING = frozenset({Role.DUTY_LEADER, Role.LEADER})
_MOST_ASSISTING = 10


def dispatch(
    case: Case,
    *,
    lead_id: int,
    assist_ids: Sequence[int] = (),
    by: Actor,
    at: datetime,
    version: int | None = None,
    text: str = "",
    send_now_reason: str = "",
) -> CaseEvent:
    """One lead department and 0..n assisting ones, in one step. The acknowledge and handle clocks start.

    Refused outside a department's duty list (with the clause), and, after the bounce limit, to all but the duty leader
    or a leader. ``send_now_reason``: outside working time, why it must ring now; it then goes out as urgent, and the
    reason stays in the event.
    """
    standing = Standing(by, case)
    standing.check("dispatch")
    policy = moving.policy_of(case)
    is_ruling = case.returns >= policy.bounce_limit
    if is_ruling and not by.has(*_RULING, street_id=case.street_id):
        raise Forbidden("bounced", _("已多次退回，请值班长或领导裁定主办部门。"), facts={"returns": case.returns})
    change = Change(text=text, facts={"ruling": True} if is_ruling else {})
    _send_out(case, change, case.condition, lead_id=lead_id, assist_ids=assist_ids, by=by, at=at, now=send_now_reason)
    return moving.make(case, "dispatch", change, by=by, at=at, version=version, standing=standing)


def accept_dispatch(
    case: Case,
    *,
    lead_id: int,
    assist_ids: Sequence[int] = (),
    condition_id: int | None = None,
    place: Place | None = None,
    happened: Span | None = None,
    by: Actor,
    at: datetime,
    version: int | None = None,
    text: str = "",
    send_now_reason: str = "",
) -> CaseEvent:
    """A leader's one tap: filed and sent to its departments in one step."""
    Standing(by, case).check("accept_dispatch")
    change = acceptance(case, condition_id=condition_id, place=place, happened=happened, by=by, at=at)
    change.text = text
    condition = change.fields.get("condition", case.condition)
    _send_out(case, change, condition, lead_id=lead_id, assist_ids=assist_ids, by=by, at=at, now=send_now_reason)
    return moving.make(case, "accept_dispatch", change, by=by, at=at, version=version)


def _send_out(
    case: Case,
    change: Change,
    condition: FilingCondition | None,
    *,
    lead_id: int,
    assist_ids: Sequence[int],
    by: Actor,
    at: datetime,
    now: str,
) -> None:
    assert condition is not None  # a constraint of the table: a filed case has one
    others = [i for i in dict.fromkeys(assist_ids) if i != lead_id]
    departments = _departments(case, [lead_id, *others], condition)
    clocks = change.clocks if change.clocks is not None else c.load(case.clocks)
    calendar = moving.calendar_for()
    policy = moving.policy_of(case)
    moving.stopped(clocks, [c.ClockKind.DISPATCH], at=at, calendar=calendar, by=by)
    moving.started(
        clocks,
        c.ClockKind.ACKNOWLEDGE,
        policy.desk_limit(is_urgent=case.is_urgent, source=case.source),
        at=at,
        calendar=calendar,
        by=by,
    )
    if runs_from_dispatch(condition):
        moving.started(clocks, c.ClockKind.HANDLE, limit_of(condition), at=at, calendar=calendar, by=by)
    due_at = moving.handle_due(clocks)
    change.clocks = clocks
    for name in ("promised_at", "is_promise_provisional"):
        change.fields.pop(name, None)
    change.fields |= {"lead_id": lead_id, "dispatched_at": at, "handler_id": None}
    if case.first_lead_id is None:
        change.fields["first_lead_id"] = lead_id
    change.facts |= {"lead": lead_id, "assist": others} | moving.named(departments)
    if now:
        change.facts["send_now_reason"] = now
    change.department_id, change.department_key = lead_id, departments[0].key
    rings = {"send_now": now} if now else {}
    change.tasks.append(Task(kind=TaskKind.LEAD, department_id=lead_id, due_at=due_at, facts=rings))
    change.tasks += [Task(kind=TaskKind.ASSIST, department_id=i, due_at=due_at) for i in others]
    change.notices += [
        _task_notice(case, i, "new_task" if i == lead_id else "assist_asked", due_at, is_urgent=case.is_urgent or bool(now))
        for i in (lead_id, *others)
    ]
    change.tell = "reporter_dispatched"


def _departments(case: Case, ids: Sequence[int], condition: FilingCondition) -> list[Department]:
    """The departments, in the order asked for; Refusal for one of another street, too many, or outside a duty list."""
    if len(ids) > _MOST_ASSISTING + 1:
        raise Refusal("too_many_departments", _("协办部门最多 10 个。"), facts={"limit": _MOST_ASSISTING})
    event_type_id = condition.edition.event_type_id
    found, is_refused = departments_for(
        ids, street_id=case.street_id, community_id=case.community_id, event_type_id=event_type_id
    )
    unknown = [i for i in ids if i not in found]
    if unknown:
        raise Refusal("unknown_department", _("没有这个部门，或不属于本街道。"), facts={"departments": unknown})
    if is_refused:
        refused = duty_refusals(department_ids=ids, community_id=case.community_id, event_type_id=event_type_id)
        first = refused[0]
        raise Refusal(
            "outside_duty_list",
            _("“%(name)s”的职责清单不含此类事项：%(clause)s") % {"name": first.holder, "clause": first.clause},
            facts={"clauses": [{"holder": r.holder, "clause": r.clause} for r in refused]},
        )
    return [found[i] for i in ids]


def _task_notice(case: Case, department_id: int, template: str, due_at: datetime | None, *, is_urgent: bool) -> Notice:
    post = (Role.DEPARTMENT_LEAD, case.street_id, department_id)
    told = moving.notice(case, template, key=moving.move_key(case), post=post, due_at=due_at)
    return moving.replace(told, is_urgent=is_urgent)


def bring_in(
    case: Case, *, department_ids: Sequence[int], by: Actor, at: datetime, version: int | None = None, text: str = ""
) -> CaseEvent:
    """The lead department coordinates: others are asked to assist and report back to it (首接负责制)."""
    Standing(by, case).check("bring_in")
    assert case.condition is not None
    asked = set(case.tasks.filter(kind=TaskKind.ASSIST, state=Task.State.OPEN).values_list("department_id", flat=True))
    new = [i for i in dict.fromkeys(department_ids) if i not in asked and i != case.lead_id]
    if not new:
        raise Refusal("nobody_new", _("请选择还没有参与的部门。"), facts={"field": "departments"})
    departments = _departments(case, new, case.condition)
    due_at = moving.handle_due(c.load(case.clocks))
    change = Change(
        text=text,
        facts={"assist": new} | moving.named(departments),
        tasks=[Task(kind=TaskKind.ASSIST, department_id=i, due_at=due_at, asked=text) for i in new],
        notices=[_task_notice(case, i, "assist_asked", due_at, is_urgent=case.is_urgent) for i in new],
    )
    return moving.make(case, "bring_in", change, by=by, at=at, version=version)


def assign(case: Case, *, person_id: int, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """指派 one person of the lead department who is not on leave."""
    Standing(by, case).check("assign")
    held = Post.objects.held_on(moving.local_day(at)).filter(
        person_id=person_id, person__is_active=True, department=case.lead, role__in=list(DEPARTMENT_ROLES)
    )
    post = held.select_related("person").first()
    if post is None:
        raise Refusal("not_of_department", _("这个人不在主办部门。"), facts={"field": "person"})
    if is_on_leave(person_id, at):
        raise Refusal("on_leave", _("%(name)s正在休假，请指派其他人。") % {"name": post.person.name}, facts={"field": "person"})
    change = Change(
        fields={"handler_id": person_id},
        facts={"handler": person_id, "name": post.person.name},
        department_id=case.lead_id,
        notices=[moving.notice(case, "assigned", key=moving.move_key(case), person_id=person_id)],
    )
    return moving.make(case, "assign", change, by=by, at=at, version=version)


def acknowledge(case: Case, *, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """接单: the acknowledge clock stops. Who takes it without being assigned becomes the handler."""
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.ACKNOWLEDGE], at=at, calendar=calendar, by=by)
    change = Change(clocks=clocks, department_id=case.lead_id)
    if case.acknowledged_at is None:
        change.fields["acknowledged_at"] = at
    if case.handler_id is None and by.has(Role.HANDLER, Role.OFFICER, department_id=case.lead_id):
        change.fields["handler_id"] = by.person_id
    return moving.make(case, "acknowledge", change, by=by, at=at, version=version)


def return_case(case: Case, *, reason_code: str, text: str, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """退单, with a reason code and a text.

    The department first sent to may return only what was sent by mistake (首接负责制 (T), Beijing regulation §14): otherwise it
    coordinates and brings others in. After the bounce limit the case stays where the duty leader put it.
    """
    Standing(by, case).check("return")
    policy = moving.policy_of(case)
    if reason_code not in RETURN_REASONS or not text.strip():
        raise Refusal("reason_missing", _("退单请选择原因并写明情况。"), facts={"field": "reason_code"})
    if case.returns >= policy.bounce_limit:
        raise Refusal("bounce_limit", _("该案已由值班长裁定，不能再退单，请主办并协调。"), facts={"returns": case.returns})
    is_first = policy.first_responsible and case.lead_id == case.first_lead_id
    if is_first and reason_code not in FIRST_RESPONSIBLE_REASONS:
        raise Refusal(
            "first_responsible",
            _("%(term)s：首接部门不能以此理由退单，请牵头办理，可请其他部门协办。") % {"term": policy.first_responsible_term},
            facts={"reason_code": reason_code},
        )
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.ACKNOWLEDGE, c.ClockKind.HANDLE], at=at, calendar=calendar, by=by, reason=reason_code)
    limit = policy.desk_limit(is_urgent=case.is_urgent, source=case.source)
    moving.started(clocks, c.ClockKind.DISPATCH, limit, at=at, calendar=calendar, by=by, reason=reason_code)
    bounced = case.returns + 1 >= policy.bounce_limit
    template, role = ("bounced", Role.DUTY_LEADER) if bounced else ("returned", Role.DISPATCHER)
    change = Change(
        fields={"returns": case.returns + 1, "lead_id": None, "handler_id": None},
        clocks=clocks,
        reason_code=reason_code,
        text=text,
        facts={"lead": case.lead_id},
        department_id=case.lead_id,
        department_key=case.lead.key if case.lead else "",
        ends=[
            End({"kind": TaskKind.LEAD}, Task.State.DECLINED, reason_code, text),
            End({"kind__in": [TaskKind.ASSIST, TaskKind.SUSPEND, TaskKind.EXTEND, TaskKind.URGE]}, Task.State.WITHDRAWN),
        ],
        notices=[moving.notice(case, template, key=moving.move_key(case), post=desk(case, role))],
    )
    return moving.make(case, "return", change, by=by, at=at, version=version)


def assist_done(case: Case, *, text: str, by: Actor, at: datetime) -> CaseEvent:
    """An assisting department reports back to the lead one."""
    task = moving.asked_task(case, TaskKind.ASSIST, by=by)
    if not text.strip():
        raise Refusal("text_missing", _("请写一句协办情况。"), facts={"field": "text"})
    change = Change(
        text=text,
        facts={"task": task.pk},
        department_id=task.department_id,
        ends=[End({"pk": task.pk}, answer=text)],
    )
    return moving.make(case, "assist_done", change, by=by, at=at)
