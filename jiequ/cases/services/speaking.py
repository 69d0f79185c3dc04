"""会商, 呼, 督办 and notes: words that move people rather than the case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext as _

from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.worktime import Limit, Unit
from jiequ.people.models import Department
from jiequ.people.rules import Actor, Role

from ..access import Standing
from ..flow import Scope, State
from ..models import Case, CaseEvent, Task, TaskKind
from . import moving
from .filing import desk
from .moving import Change, End
from .proving import Shown, proofs_of

MOST_CONSULTED = 5
LONGEST_QUESTION = timedelta(days=366)
ANSWER_LIMIT = Limit(4, Unit.WORK_HOUR)  # (P) to answer an urge or acknowledge a call
_DESK_STATES = frozenset({State.REPORTED, State.VERIFYING})


def ask_consult(
    case: Case,
    *,
    question: str,
    department_ids: Sequence[int],
    answer_by: datetime,
    by: Actor,
    at: datetime,
    shown: Sequence[Shown] = (),
) -> CaseEvent:
    """会商: up to five departments are asked one question; each answers on the phone; silence is shown."""
    moving.need_text(question)
    ids = list(dict.fromkeys(department_ids))
    if not 1 <= len(ids) <= MOST_CONSULTED:
        raise Refusal("bad_departments", _("会商请选择 1 至 5 个部门。"), facts={"limit": MOST_CONSULTED})
    if not at < answer_by <= at + LONGEST_QUESTION:
        raise Refusal("bad_until", _("答复时间须在现在之后、一年之内。"), facts={"field": "answer_by"})
    departments = _of_street(case, ids)
    group = f"c{int(at.timestamp() * 1000)}"
    facts = {"owner": by.person_id}
    change = Change(
        text=question,
        facts={"group": group, "asked": ids, "until": answer_by.isoformat()} | moving.named(departments),
        tasks=[
            Task(kind=TaskKind.CONSULT, group=group, department_id=i, asked=question, due_at=answer_by, facts=facts)
            for i in ids
        ],
        proofs=proofs_of(case, shown, by=by, at=at),
        notices=[
            moving.notice(
                case,
                "consult_asked",
                key=f"case:{case.pk}:{group}",
                post=(Role.DEPARTMENT_LEAD, case.street_id, i),
                due_at=answer_by,
            )
            for i in ids
        ],
    )
    return moving.make(case, "ask_consult", change, by=by, at=at)


def answer_consult(case: Case, *, text: str, by: Actor, at: datetime) -> CaseEvent:
    """One department's answer; whoever asked is told."""
    moving.need_text(text)
    task = moving.asked_task(case, TaskKind.CONSULT, by=by)
    change = Change(
        text=text,
        facts={"group": task.group, "task": task.pk},
        department_id=task.department_id,
        ends=[End({"pk": task.pk}, answer=text)],
    )
    if owner := task.facts.get("owner"):
        key = f"case:{case.pk}:{task.group}:{task.pk}"
        change.notices.append(moving.notice(case, "consult_answered", key=key, person_id=owner))
    return moving.make(case, "answer_consult", change, by=by, at=at)


def decide_consult(case: Case, *, group: str, text: str, by: Actor, at: datetime) -> CaseEvent:
    """The owner decides; who was silent is in the record. The seconds from finding to decision are kept with it."""
    moving.need_text(text)
    asked = list(case.tasks.filter(kind=TaskKind.CONSULT, group=group).select_related("department"))
    if not asked:
        raise Refusal("nothing_asked", _("没有这次会商。"), facts={"group": group})
    is_owner = asked[0].facts.get("owner") == by.person_id
    if not is_owner and not by.has(Role.LEADER, Role.DUTY_LEADER, street_id=case.street_id):
        raise Forbidden("not_owner", _("由发起会商的人或领导作决定。"))
    if case.events.filter(move="decide_consult", facts__group=group).exists():
        raise Refusal("decided_already", _("这次会商已经作出决定。"))
    silent = moving.named(t.department for t in asked if t.state == Task.State.OPEN and t.department)
    change = Change(
        text=text,
        facts={
            "group": group,
            "silent": silent["names"],
            "silent_en": silent["names_en"],
            "seconds": int((at - case.reported_at).total_seconds()),
        },
        ends=[End({"kind": TaskKind.CONSULT, "group": group}, Task.State.WITHDRAWN, "silent")],
    )
    return moving.make(case, "decide_consult", change, by=by, at=at)


def call_bureau(case: Case, *, department_id: int, question: str, by: Actor, at: datetime) -> CaseEvent:
    """呼: what the street cannot solve goes to one district bureau, with an acknowledge clock."""
    moving.need_text(question)
    bureau = Department.objects.filter(pk=department_id, street__isnull=True, is_active=True).first()
    if bureau is None:
        raise Refusal("not_a_bureau", _("请选择区级部门。"), facts={"field": "department"})
    if case.tasks.filter(kind=TaskKind.CALL, state=Task.State.OPEN).exists():
        raise Refusal("called_already", _("已经呼叫区级部门，请等待答复。"))
    due = moving.calendar_for().add(at, ANSWER_LIMIT).at
    key = f"case:{case.pk}:call:{int(at.timestamp())}"
    change = Change(
        text=question,
        facts={"bureau": bureau.pk} | moving.named([bureau]),
        department_id=bureau.pk,
        tasks=[Task(kind=TaskKind.CALL, department_id=bureau.pk, asked=question, due_at=due)],
        notices=[moving.notice(case, "call_asked", key=key, post=(Role.BUREAU, None, bureau.pk), due_at=due)],
    )
    return moving.make(case, "call", change, by=by, at=at)


def acknowledge_call(case: Case, *, by: Actor, at: datetime) -> CaseEvent:
    """应答: the bureau has it."""
    task = moving.asked_task(case, TaskKind.CALL, by=by)
    if task.seen_at:
        raise Refusal("acknowledged_already", _("已经应答。"))
    with moving.writing():
        Task.objects.filter(pk=task.pk, seen_at=None).update(seen_at=at)
        change = Change(facts={"task": task.pk}, department_id=task.department_id)
        return moving.make(case, "acknowledge_call", change, by=by, at=at)


def answer_call(case: Case, *, text: str, by: Actor, at: datetime) -> CaseEvent:
    """The bureau's answer; the street's duty desk is told."""
    moving.need_text(text)
    task = moving.asked_task(case, TaskKind.CALL, by=by)
    change = Change(
        text=text,
        facts={"task": task.pk},
        department_id=task.department_id,
        ends=[End({"pk": task.pk}, answer=text)],
        notices=[moving.notice(case, "call_answered", key=f"case:{case.pk}:call:{task.pk}", post=desk(case, Role.DUTY_LEADER))],
    )
    return moving.make(case, "answer_call", change, by=by, at=at)


def assess_call(case: Case, *, score: int, text: str, by: Actor, at: datetime) -> CaseEvent:
    """双向评价 of an answered call: the street and the bureau each assess the other once (T, Beijing regulation §33)."""
    if not 1 <= score <= 5:
        raise Refusal("bad_score", _("请打 1 至 5 分。"), facts={"field": "score"})
    calls = case.tasks.filter(kind=TaskKind.CALL, state=Task.State.DONE).order_by("-pk")
    side = "street" if by.has(Role.DUTY_LEADER, Role.LEADER, street_id=case.street_id) else "bureau"
    if side == "bureau":  # a bureau speaks for itself, of its own call, whoever was called after it
        calls = calls.filter(department_id__in=by.departments(Role.BUREAU))
    call = calls.first()
    if call is None:
        raise Refusal("nothing_answered", _("还没有已答复的呼叫。"))
    done = case.events.filter(move="assess_call", facts__task=call.pk, facts__side=side).exists()
    if done:
        raise Refusal("assessed_already", _("已经评价过。"))
    facts = {"task": call.pk, "side": side, "score": score}
    change = Change(text=text, facts=facts, department_id=call.department_id)
    return moving.make(case, "assess_call", change, by=by, at=at)


def urge(case: Case, *, by: Actor, at: datetime, text: str = "", cause: str = "person") -> CaseEvent:
    """督办 by a leader, the clock or a repeated report; whoever has the case answers it."""
    Standing(by, case).check("urge")
    due = moving.calendar_for().add(at, ANSWER_LIMIT).at
    role = "" if case.lead_id else (Role.ACCEPTOR if case.state in _DESK_STATES else Role.DISPATCHER)
    task = Task(kind=TaskKind.URGE, department_id=case.lead_id, role=role, asked=text, due_at=due, facts={"cause": cause})
    post = (Role.DEPARTMENT_LEAD, case.street_id, case.lead_id) if case.lead_id else desk(case, Role(role))
    key = f"case:{case.pk}:urge:{int(at.timestamp() * 1000)}"
    change = Change(
        fields={"urges": F("urges") + 1},
        text=text,
        facts={"cause": cause},
        department_id=case.lead_id,
        tasks=[task],
        notices=[moving.notice(case, "urged", key=key, post=post, due_at=due)],
    )
    return moving.make(case, "urge", change, by=by, at=at)


def answer_urge(case: Case, *, text: str, by: Actor, at: datetime) -> CaseEvent:
    """督办回复: every open urge of the department (or the desk) is answered; who urged is told."""
    moving.need_text(text)
    grant = Standing(by, case).check("answer_urge")
    is_desk = grant.scope == Scope.STREET
    addressed = Q(role__in=by.roles_in(case.street_id)) if is_desk else Q(department_id__in=by.departments())
    open_urges = list(case.tasks.filter(addressed, kind=TaskKind.URGE, state=Task.State.OPEN))
    if not open_urges:
        raise Refusal("nothing_asked", _("没有待回复的督办。"))
    askers = {t.opened_by_id for t in open_urges if t.opened_by_id}
    key = f"case:{case.pk}:urge-answer:{open_urges[-1].pk}"
    change = Change(
        text=text,
        facts={"urges": len(open_urges)},
        department_id=open_urges[0].department_id,
        ends=[End({"pk__in": [t.pk for t in open_urges]}, answer=text)],
        notices=[moving.notice(case, "urge_answered", key=key, person_id=i) for i in sorted(askers)],
    )
    return moving.make(case, "answer_urge", change, by=by, at=at)


def note(case: Case, *, text: str, by: Actor, at: datetime, shown: Sequence[Shown] = ()) -> CaseEvent:
    """记录: a line in the timeline for those at work on the case; never shown to the reporter."""
    moving.need_text(text)
    return moving.make(case, "note", Change(text=text, proofs=proofs_of(case, shown, by=by, at=at)), by=by, at=at)


def _of_street(case: Case, ids: Sequence[int]) -> list[Department]:
    found = {d.pk: d for d in Department.objects.filter(pk__in=ids, street_id=case.street_id, is_active=True)}
    if unknown := [i for i in ids if i not in found]:
        raise Refusal("unknown_department", _("没有这个部门，或不属于本街道。"), facts={"departments": unknown})
    return [found[i] for i in ids]
