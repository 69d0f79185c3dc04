"""处置 and 反馈: the work, its proof, the check on the spot, and the end of a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import Standing
from ..flow import Closing
from ..models import Case, CaseEvent, Source, Task, TaskKind
from ..policy import CANCEL_REASONS, FORCE_REASONS
from . import moving
from .filing import desk, spot_task
from .intake import is_sampled, sample_task
from .moving import Change, End
from .proving import Shown, need_proofs, proofs_of, said_and_filed


def handle(
    case: Case,
    *,
    shown: Sequence[Shown],
    by: Actor,
    at: datetime,
    version: int | None = None,
    text: str = "",
    document: str = "",
) -> CaseEvent:
    """处置 with every proof the closing condition asks for. The handling clock runs on until the department confirms.

    A department lead who did the work confirms it in the same step.
    """
    Standing(by, case).check("handle")
    proofs = proofs_of(case, [*shown, *said_and_filed(case, text=text, document=document)], by=by, at=at)
    need_proofs(case, proofs)
    fields: dict[str, Any] = {"handled_at": at}
    if case.handler_id is None:
        fields["handler_id"] = by.person_id
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.ACKNOWLEDGE], at=at, calendar=calendar, by=by)
    change = Change(fields=fields, clocks=clocks, text=text, proofs=proofs, department_id=case.lead_id)
    post = (Role.DEPARTMENT_LEAD, case.street_id, case.lead_id)
    if not by.has(Role.DEPARTMENT_LEAD, department_id=case.lead_id):
        change.notices.append(moving.notice(case, "handled", key=moving.move_key(case), post=post))
        return moving.make(case, "handle", change, by=by, at=at, version=version)
    with moving.writing():
        moving.make(case, "handle", change, by=by, at=at, version=version)
        return confirm(case, by=by, at=at)


def send_back(case: Case, *, text: str, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """The department lead asks the handler for more."""
    moving.need_text(text)
    change = Change(text=text, department_id=case.lead_id)
    if case.handler_id:
        change.notices.append(moving.notice(case, "assigned", key=moving.move_key(case), person_id=case.handler_id))
    return moving.make(case, "send_back", change, by=by, at=at, version=version)


def confirm(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """部门确认: the handling clock stops here, not when the handler submits.

    A check on the spot is asked for where the type wants one.
    """
    Standing(by, case).check("confirm")
    need_proofs(case, ())
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.HANDLE, c.ClockKind.ACKNOWLEDGE], at=at, calendar=calendar, by=by)
    change = Change(
        fields={"confirmed_at": at, "checked_at": None},
        clocks=clocks,
        text=text,
        department_id=case.lead_id,
        ends=[
            End({"kind": TaskKind.LEAD}, answer=text),
            End({"kind__in": [TaskKind.SUSPEND, TaskKind.EXTEND]}, Task.State.WITHDRAWN),
        ],
    )
    _ask_check(case, change, clocks, calendar, by=by, at=at)
    return moving.make(case, "confirm", change, by=by, at=at, version=version)


def _ask_check(case: Case, change: Change, clocks: c.Clocks, calendar: Any, *, by: Actor, at: datetime) -> None:
    assert case.condition is not None
    policy = moving.policy_of(case)
    limit = policy.spot_limit(is_urgent=case.is_urgent)
    moving.started(clocks, c.ClockKind.CHECK, limit, at=at, calendar=calendar, by=by)
    key = moving.move_key(case)
    if not case.condition.edition.needs_check:
        change.notices.append(moving.notice(case, "checked", key=key, post=desk(case, Role.ACCEPTOR)))
        return
    try:
        task = spot_task(case, TaskKind.CHECK, at=at)
    except Refusal:  # nobody on shift near by: the desk checks by phone
        task = Task(kind=TaskKind.CHECK, role=Role.ACCEPTOR, due_at=clocks[c.ClockKind.CHECK].due_at)
    change.tasks.append(task)
    if task.person_id:
        told = moving.notice(case, "check_asked", key=key, person_id=task.person_id, due_at=task.due_at)
    else:
        told = moving.notice(case, "check_asked", key=key, post=desk(case, Role.ACCEPTOR), due_at=task.due_at)
    change.notices.append(told)


def check_pass(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    version: int | None = None,
    text: str = "",
    shown: Sequence[Shown] = (),
) -> CaseEvent:
    """核查通过."""
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.CHECK], at=at, calendar=calendar, by=by)
    change = Change(
        fields={"checked_at": at},
        clocks=clocks,
        text=text,
        proofs=proofs_of(case, shown, by=by, at=at),
        ends=[End({"kind": TaskKind.CHECK}, outcome="passed", answer=text)],
        notices=[moving.notice(case, "checked", key=moving.move_key(case), post=desk(case, Role.ACCEPTOR))],
    )
    return moving.make(case, "check_pass", change, by=by, at=at, version=version)


def check_fail(
    case: Case,
    *,
    text: str,
    by: Actor,
    at: datetime,
    version: int | None = None,
    shown: Sequence[Shown] = (),
) -> CaseEvent:
    """返工 to the same department. Its handling clock counts on from what it had: the time of the check does not count."""
    moving.need_text(text)
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.CHECK], at=at, calendar=calendar, by=by)
    if c.ClockKind.HANDLE in clocks:
        clocks[c.ClockKind.HANDLE] = c.resume(clocks[c.ClockKind.HANDLE], at=at, calendar=calendar, by=by.name, reason="rework")
    due_at = moving.handle_due(clocks)
    post = (Role.DEPARTMENT_LEAD, case.street_id, case.lead_id)
    change = Change(
        fields={"reworks": case.reworks + 1, "checked_at": None, "confirmed_at": None, "handled_at": None},
        clocks=clocks,
        text=text,
        department_id=case.lead_id,
        proofs=proofs_of(case, shown, by=by, at=at),
        ends=[End({"kind": TaskKind.CHECK}, outcome="failed", answer=text)],
        tasks=[Task(kind=TaskKind.LEAD, department_id=case.lead_id, due_at=due_at, asked=text)],
        notices=[moving.notice(case, "rework", key=moving.move_key(case), post=post, due_at=due_at)],
        tell="reporter_rework",
    )
    return moving.make(case, "check_fail", change, by=by, at=at, version=version)


def close(case: Case, *, by: Actor, at: datetime, version: int | None = None, reply: str = "") -> CaseEvent:
    """结案, with the sentence the reporter reads. A hotline case is asked of the hotline first and closes on its yes."""
    grant = Standing(by, case).check("close")
    assert case.condition is not None
    if case.condition.edition.needs_check and case.checked_at is None:
        raise Refusal("check_missing", _("还没有核查通过，不能结案。"), facts={"missing": ["check"]})
    need_proofs(case, ())
    if case.source == Source.HOTLINE and grant.role != Role.SYSTEM:
        return moving.ask_hotline(case, "close", by=by, at=at, facts={"reply": reply})
    return moving.make(case, "close", ending(case, Closing.NORMAL, by=by, at=at, reply=reply), by=by, at=at, version=version)


def force_close(
    case: Case, *, reason_code: str, text: str, by: Actor, at: datetime, version: int | None = None, reply: str = ""
) -> CaseEvent:
    """强制结案 by a leader, always with a reason code and a text."""
    moving.need_reason(reason_code, text, FORCE_REASONS)
    change = ending(case, Closing.FORCED, by=by, at=at, reply=reply or FORCE_REASONS[reason_code][0])
    change.reason_code, change.text = reason_code, text
    change.fields["reason_code"] = reason_code
    change.notices += moving.tell_lead(case, "forced_close")
    return moving.make(case, "force_close", change, by=by, at=at, version=version)


def cancel(
    case: Case, *, reason_code: str, text: str, by: Actor, at: datetime, version: int | None = None, reply: str = ""
) -> CaseEvent:
    """作废, always with a reason code and a text; the reporter is told."""
    moving.need_reason(reason_code, text, CANCEL_REASONS)
    change = ending(case, "", by=by, at=at, reply=reply or CANCEL_REASONS[reason_code][0])
    change.reason_code, change.text = reason_code, text
    change.fields["reason_code"] = reason_code
    change.tell = "reporter_cancelled"
    change.notices += moving.tell_lead(case, "cancelled")
    return moving.make(case, "cancel", change, by=by, at=at, version=version)


def ending(case: Case, closing: str, *, by: Actor, at: datetime, reply: str) -> Change:
    """What the end of a case writes: every clock stops, every open task is withdrawn, the reporters are told.

    A share of what is closed is looked at afterwards (抽查): by its number, so that nobody can choose.
    """
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, moving.EVERY_CLOCK, at=at, calendar=calendar, by=by)
    fields: dict[str, Any] = {"closing": closing}
    if reply:
        fields["reply"] = reply
    return Change(
        fields=fields,
        clocks=clocks,
        facts={"closing": str(closing)} if closing else {},
        tasks=[sample_task()] if closing and is_sampled(case.number, moving.policy_of(case).closed_sample) else [],
        ends=[End({"kind__in": list(TaskKind)}, Task.State.WITHDRAWN)],
        tell="reporter_closed" if closing == Closing.NORMAL and case.checked_at else "reporter_ended",
    )
