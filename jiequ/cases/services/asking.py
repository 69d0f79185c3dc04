"""挂账, 延期 and 申诉: asked for with a reason, decided by a named role."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import Standing
from ..models import Case, CaseEvent, Source, Task, TaskKind
from . import moving
from .filing import desk
from .moving import Change, End

LONGEST_SUSPENSION = timedelta(days=365)
RESUME = "cases.resume"


def ask_suspend(case: Case, *, until: datetime, text: str, by: Actor, at: datetime) -> CaseEvent:
    """申请挂账: once a case, at most one year (DOMAIN §3)."""
    Standing(by, case).check("ask_suspend")
    moving.need_text(text)
    if not at < until <= at + LONGEST_SUSPENSION:
        raise Refusal("bad_until", _("挂账到期日须在今天之后、一年之内。"), facts={"field": "until"})
    if _handle_clock(case).suspensions:
        raise Refusal("suspended_before", _("该案已挂过账，只能挂账一次。"))
    return _ask(case, "ask_suspend", TaskKind.SUSPEND, {"until": until.isoformat()}, text, by=by, at=at)


def ask_extend(case: Case, *, share: float, text: str, by: Actor, at: datetime) -> CaseEvent:
    """申请延期 by ``share`` (0–1] of the original limit, fewer than two approvals so far (DOMAIN §3)."""
    Standing(by, case).check("ask_extend")
    moving.need_text(text)
    if not 0 < share <= 1:
        raise Refusal("bad_share", _("延期最多为一个原定时限。"), facts={"field": "share"})
    clock = _handle_clock(case)
    if clock.extensions >= c.MOST_EXTENSIONS:
        raise Refusal("extended_twice", _("该案已延期两次，不能再延。"), facts={"extensions": clock.extensions})
    seconds = max(1, round(clock.original * share))
    return _ask(case, "ask_extend", TaskKind.EXTEND, {"seconds": seconds, "share": share}, text, by=by, at=at)


def _ask(case: Case, move: str, kind: TaskKind, facts: dict[str, object], text: str, *, by: Actor, at: datetime) -> CaseEvent:
    if case.tasks.filter(kind=kind, state=Task.State.OPEN).exists():
        raise Refusal("asked_already", _("已经提出申请，请等待审批。"))
    policy = moving.policy_of(case)
    due = moving.calendar_for().add(at, policy.desk_limit(is_urgent=case.is_urgent, source=case.source)).at
    task = Task(kind=kind, role=Role.DUTY_LEADER, asked=text, facts=facts, due_at=due)
    key = f"case:{case.pk}:ask:{move}:{int(at.timestamp())}"
    change = Change(
        text=text,
        facts=dict(facts),
        department_id=case.lead_id,
        tasks=[task],
        notices=[moving.notice(case, "approval_asked", key=key, post=desk(case, Role.DUTY_LEADER), due_at=due)],
    )
    return moving.make(case, move, change, by=by, at=at)


def suspend(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """同意挂账: the handling clock pauses; a timer resumes the case when the time is over."""
    task = _open_ask(case, TaskKind.SUSPEND)
    clocks, calendar = moving.ticking(case)
    for kind in (c.ClockKind.HANDLE, c.ClockKind.ACKNOWLEDGE):
        if kind in clocks and clocks[kind].is_running:
            clocks[kind] = c.pause(clocks[kind], at=at, calendar=calendar, by=by.name, reason=task.asked, is_suspension=True)
    until = datetime.fromisoformat(task.facts["until"])
    change = Change(
        clocks=clocks,
        text=text,
        facts={"until": task.facts["until"], "asked": task.asked},
        department_id=case.lead_id,
        ends=[End({"pk": task.pk}, outcome="granted", answer=text)],
        notices=moving.tell_lead(case, "suspended"),
        tell="reporter_suspended",
    )
    with moving.writing():
        event = moving.make(case, "suspend", change, by=by, at=at, version=version)
        key = f"resume:{case.pk}:{case.version}"
        args = {"case_id": case.pk, "version": case.version}
        enqueue(JobSpec(RESUME, args, run_at=until, key=key, street_id=case.street_id))
    return event


def resume(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """恢复: the clock counts on from what it had."""
    clocks, calendar = moving.ticking(case)
    for kind, clock in clocks.items():
        if clock.condition == "paused":
            clocks[kind] = c.resume(clock, at=at, calendar=calendar, by=by.name)
    change = Change(clocks=clocks, text=text, department_id=case.lead_id, notices=moving.tell_lead(case, "resumed"))
    return moving.make(case, "resume", change, by=by, at=at, version=version)


def extend(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """同意延期. On a hotline case only our inner clock moves; the outer one is asked of the hotline."""
    task = _open_ask(case, TaskKind.EXTEND)
    clocks, calendar = moving.ticking(case)
    seconds = int(task.facts["seconds"])
    try:
        longer = c.extend(clocks[c.ClockKind.HANDLE], seconds, at=at, calendar=calendar, by=by.name, reason=task.asked)
    except c.ClockFault as fault:
        raise Refusal("cannot_extend", _("这个时限不能再延长。"), facts={"why": str(fault)}) from fault
    clocks[c.ClockKind.HANDLE] = longer
    change = Change(
        clocks=clocks,
        text=text,
        facts={"seconds": seconds, "asked": task.asked},
        department_id=case.lead_id,
        ends=[End({"pk": task.pk}, outcome="granted", answer=text)],
        notices=moving.tell_lead(case, "approval_given"),
    )
    with moving.writing():
        event = moving.make(case, "extend", change, by=by, at=at, version=version)
        if case.source == Source.HOTLINE and c.ClockKind.OUTER in clocks:
            moving.ask_hotline(case, "extend", by=Actor.system(), at=at, facts={"seconds": seconds})
    return event


def refuse_ask(case: Case, *, kind: str, text: str, by: Actor, at: datetime) -> CaseEvent:
    """不同意 a request for 挂账 or 延期, with a reason."""
    moving.need_text(text)
    if kind not in {TaskKind.SUSPEND, TaskKind.EXTEND}:
        raise Refusal("bad_kind", _("没有这种申请。"), facts={"field": "kind"})
    task = _open_ask(case, TaskKind(kind))
    change = Change(
        text=text,
        facts={"kind": kind},
        department_id=case.lead_id,
        ends=[End({"pk": task.pk}, Task.State.DECLINED, "refused", text)],
        notices=moving.tell_lead(case, "approval_refused", key=f"case:{case.pk}:refused:{task.pk}"),
    )
    return moving.make(case, "refuse_ask", change, by=by, at=at)


def ask_appeal(case: Case, *, text: str, by: Actor, at: datetime) -> CaseEvent:
    """申诉: the handling clock is late and the department says why it should not count."""
    Standing(by, case).check("ask_appeal")
    moving.need_text(text)
    clock = _handle_clock(case)
    if clock.is_exempt or not clock.is_overdue(at):
        raise Refusal("not_late", _("该案没有超期，或已经申诉成功。"))
    if case.tasks.filter(kind=TaskKind.APPEAL).exclude(state=Task.State.WITHDRAWN).exists():
        raise Refusal("asked_already", _("该案已经申诉过。"))
    key = f"case:{case.pk}:appeal"
    change = Change(
        text=text,
        department_id=case.lead_id,
        tasks=[Task(kind=TaskKind.APPEAL, role=Role.SUPERVISOR, asked=text, facts={"review": 1})],
        notices=[moving.notice(case, "appealed", key=key, post=desk(case, Role.SUPERVISOR))],
    )
    return moving.make(case, "ask_appeal", change, by=by, at=at)


def review_appeal(case: Case, *, granted: bool, text: str, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """Double review by two persons: first a supervisor, then the duty leader or a leader.

    Granted: late it stays, it does not count in the figures.
    """
    moving.need_text(text)
    task = _open_ask(case, TaskKind.APPEAL)
    review = int(task.facts["review"])
    roles = (Role.SUPERVISOR,) if review == 1 else (Role.DUTY_LEADER, Role.LEADER)
    if not by.has(*roles, street_id=case.street_id):
        raise Forbidden("other_reviewer", _("这一轮审核由其他岗位办理。"), facts={"review": review})
    if review == 2 and task.facts.get("first_reviewer") == by.person_id:
        raise Forbidden("same_reviewer", _("两轮审核须由不同的人办理。"), facts={"review": review})
    change = Change(
        text=text,
        facts={"review": review, "granted": granted},
        ends=[End({"pk": task.pk}, Task.State.DONE if granted else Task.State.DECLINED, "yes" if granted else "no", text)],
    )
    if granted and review == 1:
        facts = {"review": 2, "first_reviewer": by.person_id}
        change.tasks = [Task(kind=TaskKind.APPEAL, role=Role.DUTY_LEADER, asked=task.asked, facts=facts)]
        change.notices = [moving.notice(case, "appealed", key=moving.move_key(case), post=desk(case, Role.DUTY_LEADER))]
    elif granted:
        clocks, _calendar = moving.ticking(case)
        clocks[c.ClockKind.HANDLE] = c.exempt(clocks[c.ClockKind.HANDLE], at=at, by=by.name, reason=text)
        change.clocks = clocks
    if not granted or review == 2:
        change.notices = moving.tell_lead(case, "appeal_decided")
    return moving.make(case, "review_appeal", change, by=by, at=at, version=version)


def _handle_clock(case: Case) -> c.Clock:
    clocks = c.load(case.clocks)
    if c.ClockKind.HANDLE not in clocks:
        raise Refusal("no_clock", _("该案没有处置时限。"))
    return clocks[c.ClockKind.HANDLE]


def _open_ask(case: Case, kind: TaskKind) -> Task:
    task = case.tasks.filter(kind=kind, state=Task.State.OPEN).order_by("pk").first()
    if task is None:
        raise Refusal("nothing_asked", _("没有待审批的申请，可能已经办理。"), facts={"kind": str(kind)})
    return task
