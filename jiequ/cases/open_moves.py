"""Which of the moves open to a reader make sense now: an answer needs a question, an approval something asked for."""

from __future__ import annotations

from collections.abc import Callable

from jiequ.people.rules import Actor, Role

from .clocks import ClockKind
from .models import Case, Task, TaskKind
from .queries.page import CaseView

ANSWERS: dict[str, TaskKind] = {
    "assist_done": TaskKind.ASSIST,
    "answer_consult": TaskKind.CONSULT,
    "acknowledge_call": TaskKind.CALL,
    "answer_call": TaskKind.CALL,
    "answer_urge": TaskKind.URGE,
}
"""Moves that answer an open task of the reader's own department (or of the street's desk)."""

DECISIONS: dict[str, tuple[TaskKind, ...]] = {
    "verify": (TaskKind.VERIFY,),
    "suspend": (TaskKind.SUSPEND,),
    "extend": (TaskKind.EXTEND,),
    "refuse_ask": (TaskKind.SUSPEND, TaskKind.EXTEND),
    "review_appeal": (TaskKind.APPEAL,),
    "answer_hotline": (TaskKind.HOTLINE,),
    "sample": (TaskKind.SAMPLE,),
}
"""Moves that need an open task of the kind, whoever it is for."""


def waits_for_check(case: Case) -> bool:
    """True where the type asks for a check on the spot and it has not been passed: closing would be refused."""
    return case.condition is not None and case.condition.edition.needs_check and case.checked_at is None


def offered_moves(view: CaseView, actor: Actor) -> list[str]:
    """The open moves that have something to work on. The service behind each still checks for itself."""
    return [name for name in view.moves if _makes_sense(name, view, actor)]


def _makes_sense(name: str, view: CaseView, actor: Actor) -> bool:
    if name in ANSWERS:
        asked = [t for t in view.open_tasks if t.kind == ANSWERS[name] and _is_mine(t, actor)]
        if name == "acknowledge_call":
            return any(t.seen_at is None for t in asked)
        return bool(asked)
    if name in DECISIONS:
        return any(t.kind in DECISIONS[name] for t in view.open_tasks)
    if name == "decide_consult":
        return _has_undecided(view, actor)
    special = _SPECIAL.get(name)
    return special is None or special(view)


def _is_mine(task: Task, actor: Actor) -> bool:
    if task.department_id is not None:
        return task.department_id in actor.departments()
    return any(seat.role == task.role for seat in actor.seats)


def _is_late(view: CaseView) -> bool:
    return any(clock.kind == ClockKind.HANDLE and clock.is_overdue(view.at) for clock in view.clocks)


def _has_undecided(view: CaseView, actor: Actor) -> bool:
    """A consult of the reader's own without a decision yet; leaders may decide for others."""
    decided = {e.facts.get("group") for e in view.events if e.move == "decide_consult"}
    owners = {t.facts.get("owner") for t in view.tasks if t.kind == TaskKind.CONSULT and t.group not in decided}
    is_leader = actor.has(Role.LEADER, Role.DUTY_LEADER, street_id=view.case.street_id)
    return bool(owners) and (is_leader or actor.person_id in owners)


_SPECIAL: dict[str, Callable[[CaseView], bool]] = {
    "check_pass": lambda view: view.case.checked_at is None,
    "close": lambda view: not waits_for_check(view.case),
    "assess_call": lambda view: any(t.kind == TaskKind.CALL and t.state == Task.State.DONE for t in view.tasks),
    "ask_appeal": _is_late,
}
