"""受理: verify, correct, accept or refuse what was reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.grid.queries import nearest_workers
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import Standing
from ..models import STREET_FOUND, Case, CaseEvent, FilingCondition, Source, Task, TaskKind
from ..policy import REJECT_REASONS, SIX_ANSWERS
from ..type_rules import Starts
from ..when import Span
from ..when import check as check_span
from . import moving
from .intake import Place, condition_in_force, site_of
from .moving import Change, End
from .proving import Shown, proofs_of

FINDINGS = ("true", "untrue", "cannot_tell")


def ask_verify(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """核实: the nearest grid worker on shift is asked to look before filing; the accept clock waits for the answer."""
    Standing(by, case).check("ask_verify")
    clocks, calendar = moving.ticking(case)
    if c.ClockKind.ACCEPT in clocks:  # an imported case has none
        clocks[c.ClockKind.ACCEPT] = c.pause(clocks[c.ClockKind.ACCEPT], at=at, calendar=calendar, by=by.name, reason="verify")
    limit = moving.policy_of(case).spot_limit(is_urgent=case.is_urgent)
    moving.started(clocks, c.ClockKind.VERIFY, limit, at=at, calendar=calendar, by=by)
    change = Change(text=text, clocks=clocks, tasks=[spot_task(case, TaskKind.VERIFY, at=at)])
    _tell_worker(case, change, "verify_asked")
    return moving.make(case, "ask_verify", change, by=by, at=at, version=version)


def verify(
    case: Case,
    *,
    finding: str,
    by: Actor,
    at: datetime,
    version: int | None = None,
    text: str = "",
    shown: Sequence[Shown] = (),
) -> CaseEvent:
    """What the grid worker found: true, untrue, or cannot tell."""
    if finding not in FINDINGS:
        raise Refusal("bad_finding", _("请选择核实结果。"), facts={"field": "finding"})
    Standing(by, case).check("verify")
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.VERIFY], at=at, calendar=calendar, by=by)
    if c.ClockKind.ACCEPT in clocks:
        clocks[c.ClockKind.ACCEPT] = c.resume(clocks[c.ClockKind.ACCEPT], at=at, calendar=calendar, by=by.name)
    change = Change(
        clocks=clocks,
        text=text,
        facts={"finding": finding},
        ends=[End({"kind": TaskKind.VERIFY}, outcome=finding, answer=text)],
        proofs=proofs_of(case, shown, by=by, at=at),
        notices=[moving.notice(case, "verified", key=moving.move_key(case), post=desk(case, Role.ACCEPTOR))],
    )
    return moving.make(case, "verify", change, by=by, at=at, version=version)


def correct(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    version: int | None = None,
    condition_id: int | None = None,
    place: Place | None = None,
    is_urgent: bool | None = None,
    title: str | None = None,
    happened: Span | None = None,
    text: str = "",
) -> CaseEvent:
    """更正 type, place, urgency or title before the case is at work; what was before stays in the event."""
    fields: dict[str, Any] = {}
    if condition_id is not None and condition_id != case.condition_id:
        fields |= _filed_as(case, condition_in_force(condition_id))
    if place is not None:
        fields |= _placed_at(case, place)
    if is_urgent is not None and is_urgent != case.is_urgent:
        fields["is_urgent"] = is_urgent
    if title and title != case.title:
        fields["title"] = title[:80]
    if happened is not None:
        fields |= _happened(happened, at)
    if not fields:
        raise Refusal("nothing_changed", _("没有需要更正的内容。"))
    facts = {"changed": sorted(fields)}  # what was before, ``moving.make`` keeps
    return moving.make(case, "correct", Change(fields=fields, text=text, facts=facts), by=by, at=at, version=version)


def accept(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    version: int | None = None,
    condition_id: int | None = None,
    place: Place | None = None,
    happened: Span | None = None,
    text: str = "",
) -> CaseEvent:
    """立案: type, filing condition, place and grid are set; the dispatch clock starts."""
    change = acceptance(case, condition_id=condition_id, place=place, happened=happened, by=by, at=at)
    _need_verification(case, change.fields.get("condition", case.condition))
    change.text = text
    change.tell = "reporter_accepted"
    change.notices = [moving.notice(case, "to_dispatch", key=moving.move_key(case), post=desk(case, Role.DISPATCHER))]
    return moving.make(case, "accept", change, by=by, at=at, version=version)


def _need_verification(case: Case, condition: FilingCondition | None) -> None:
    """A type that is verified before filing is, unless the street's own people found it. A leader's tap decides itself."""
    if condition is None or not condition.edition.needs_verify or case.source in STREET_FOUND:
        return
    if not case.events.filter(move="verify", facts__finding="true").exists():
        raise Refusal("verify_missing", _("这类事项立案前要先到现场核实，请先发核实。"), facts={"missing": ["verify"]})


def acceptance(
    case: Case, *, condition_id: int | None, place: Place | None, by: Actor, at: datetime, happened: Span | None = None
) -> Change:
    """What accepting writes; dispatching in one step writes it too. Refusal if type, place or grid is missing."""
    fields: dict[str, Any] = {"accepted_at": at, "is_suspect": False}
    if place is not None:
        fields |= _placed_at(case, place)
    if happened is not None:
        fields |= _happened(happened, at)
    if condition_id is not None:
        fields |= _filed_as(case, condition_in_force(condition_id))
    missing = [
        name
        for name in ("condition", "unit_grid_id")
        if not fields.get(name, getattr(case, name if name != "condition" else "condition_id"))
    ]
    if missing:
        raise Refusal(
            "incomplete", _("立案需要类型、立案条件和所在网格。"), facts={"missing": [m.removesuffix("_id") for m in missing]}
        )
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, [c.ClockKind.ACCEPT, c.ClockKind.VERIFY], at=at, calendar=calendar, by=by)
    limit = moving.policy_of(case).desk_limit(is_urgent=case.is_urgent, source=case.source)
    moving.started(clocks, c.ClockKind.DISPATCH, limit, at=at, calendar=calendar, by=by)
    condition = fields.get("condition", case.condition)
    assert condition is not None
    if runs_from_dispatch(condition):
        promised = calendar.add(clocks[c.ClockKind.DISPATCH].due_at, limit_of(condition))
        fields |= {"promised_at": promised.at, "is_promise_provisional": promised.is_provisional}
    return Change(fields=fields, clocks=clocks)


def runs_from_dispatch(condition: FilingCondition) -> bool:
    """False for planned work (legacy buildings) whose time runs from its release to a round and lights no lamp."""
    return bool(condition.has_light) and condition.starts == Starts.DISPATCH


def limit_of(condition: FilingCondition) -> Any:
    """The handling limit of a filing condition."""
    return c.Limit(condition.limit_value, c.Unit(condition.limit_unit))


def reject(case: Case, *, reason_code: str, by: Actor, at: datetime, version: int | None = None, reply: str = "") -> CaseEvent:
    """不予受理 with one of the six answers (or two of our own) and the sentence the reporter reads.

    A hotline's order is given back to the hotline: asked for within its return window, done when the hotline says yes.
    """
    grant = Standing(by, case).check("reject")
    if reason_code not in REJECT_REASONS:
        raise Refusal("bad_reason", _("请选择不予受理的理由。"), facts={"field": "reason_code"})
    if case.source == Source.HOTLINE and grant.role != Role.SYSTEM:
        return _give_back(case, reason_code, reply, by=by, at=at)
    clocks, calendar = moving.ticking(case)
    moving.stopped(clocks, moving.EVERY_CLOCK, at=at, calendar=calendar, by=by, reason=reason_code)
    change = Change(
        fields={"reason_code": reason_code, "reply": reply or REJECT_REASONS[reason_code][0]},
        clocks=clocks,
        reason_code=reason_code,
        text=reply,
        ends=[End({"kind__in": list(TaskKind)}, Task.State.WITHDRAWN)],
        tell=rejection_template(reason_code),
    )
    return moving.make(case, "reject", change, by=by, at=at, version=version)


def _give_back(case: Case, reason_code: str, reply: str, *, by: Actor, at: datetime) -> CaseEvent:
    if return_minutes_left(case, at) <= 0:
        raise Refusal("return_window_over", _("热线工单的退回时限已过，请受理。"), facts={"minutes_left": 0})
    return moving.ask_hotline(case, "return", by=by, at=at, facts={"reason_code": reason_code, "reply": reply})


_windows: list[Callable[[Case], int | None]] = []


def on_return_window(window: Callable[[Case], int | None]) -> None:
    """Who knows a hotline's own return window, in minutes; None where it is not theirs. A door of orders registers itself."""
    if window not in _windows:
        _windows.append(window)


def return_minutes_left(case: Case, at: datetime) -> int:
    """Minutes in which a hotline's order may still be given back (C): the source's own window, else the street's."""
    told = next((minutes for window in _windows if (minutes := window(case)) is not None), None)
    window = moving.policy_of(case).hotline_return_minutes if told is None else told
    return max(0, window - int((at - case.reported_at).total_seconds() // 60))


def rejection_template(reason_code: str) -> str:
    """Each of the six answers has a notice of its own; the others share one."""
    return f"reporter_rejected_{reason_code}" if reason_code in SIX_ANSWERS else "reporter_rejected"


def spot_task(case: Case, kind: TaskKind, *, at: datetime) -> Task:
    """A look on the spot for the nearest worker: the one on shift in that responsibility grid, then the neighbours'."""
    if case.unit_grid_id is None:
        raise Refusal("place_missing", _("还不知道在哪个网格，请先补充位置。"), facts={"missing": ["unit_grid"]})
    workers = nearest_workers(case.unit_grid_id, at)
    if not workers:
        raise Refusal("no_worker", _("该网格及相邻网格此时没有当班的网格员，请由受理员电话核对。"))
    policy = moving.policy_of(case)
    due = moving.calendar_for().add(at, policy.spot_limit(is_urgent=case.is_urgent))
    return Task(kind=kind, person_id=workers[0], due_at=due.at)


def _tell_worker(case: Case, change: Change, template: str) -> None:
    task = change.tasks[0]
    change.notices.append(
        moving.notice(case, template, key=moving.move_key(case), person_id=task.person_id, due_at=task.due_at)
    )


def desk(case: Case, role: Role) -> tuple[str, int | None, int | None]:
    """The duty post of a desk role in the case's street."""
    return (role, case.street_id, None)


def _filed_as(case: Case, condition: FilingCondition) -> dict[str, Any]:
    edition = condition.edition
    is_confidential = case.is_confidential or edition.is_confidential  # a type adds protection, it never takes it away
    return {"condition": condition, "event_type": edition.event_type, "is_confidential": is_confidential}


def _happened(span: Span, at: datetime) -> dict[str, Any]:
    check_span(*span, at)
    return {"happened_from": span[0], "happened_until": span[1]}


def _placed_at(case: Case, place: Place) -> dict[str, Any]:
    site = site_of(place, case.street_id)
    if site.street_id != case.street_id:
        raise Refusal("other_street", _("这个位置在别的街道，请用“不予受理”转告，或核对位置。"), facts={"field": "place"})
    return {
        "community_id": site.community_id,
        "unit_grid_id": site.unit_grid_id,
        "address": place.words[:200] or case.address,
        "lon": site.lon,
        "lat": site.lat,
        "q18": site.q18,
        "raw_x": place.x,
        "raw_y": place.y,
        "raw_system": place.system if place.x is not None else "",
        "accuracy_m": place.accuracy_m,
    }
