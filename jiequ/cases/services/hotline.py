"""The hotline's answer (DOMAIN §8): return, extension and closing stay asked until it comes."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from .. import clocks as c
from ..flow import Closing, State
from ..models import Case, CaseEvent, Task, TaskKind
from . import moving
from .filing import reject
from .handling import ending
from .intake import check_outer_due
from .moving import Change, End


def answer_hotline(
    case: Case, *, granted: bool, by: Actor, at: datetime, text: str = "", outer_due_at: datetime | None = None
) -> CaseEvent:
    """What the hotline answered. Only now does the outer clock move, the case close, or the order go back."""
    task = case.tasks.filter(kind=TaskKind.HOTLINE, state=Task.State.OPEN).first()
    if task is None:
        raise Refusal("nothing_asked", _("没有等待热线答复的请求。"))
    question = task.facts["question"]
    change = Change(
        text=text,
        facts={"question": question, "granted": granted},
        ends=[End({"pk": task.pk}, Task.State.DONE if granted else Task.State.DECLINED, "yes" if granted else "no", text)],
    )
    if granted and question == "extend":
        change.clocks = _moved(case, outer_due_at, by=by, at=at)
    with moving.writing():
        event = moving.make(case, "answer_hotline", change, by=by, at=at)
        if granted and question == "close" and case.state == State.CHECKING:
            final = ending(case, Closing.NORMAL, by=by, at=at, reply=task.facts.get("reply", ""))
            moving.make(case, "close", final, by=Actor.system(), at=at)
        if granted and question == "return" and case.state == State.REPORTED:
            reject(case, reason_code=task.facts["reason_code"], reply=task.facts["reply"], by=Actor.system(), at=at)
    return event


def move_outer_due(case: Case, *, outer_due_at: datetime, by: Actor, at: datetime, text: str = "") -> CaseEvent:
    """The hotline itself printed another limit on the order: the outer clock follows, unasked."""
    change = Change(text=text, facts={"question": "due", "granted": True}, clocks=_moved(case, outer_due_at, by=by, at=at))
    return moving.make(case, "answer_hotline", change, by=by, at=at)


def _moved(case: Case, outer_due_at: datetime | None, *, by: Actor, at: datetime) -> c.Clocks:
    clocks, _calendar = moving.ticking(case)
    if outer_due_at is None or c.ClockKind.OUTER not in clocks:
        raise Refusal("outer_due_missing", _("请填写热线同意的新时限。"), facts={"field": "outer_due_at"})
    check_outer_due(outer_due_at, at)
    outer = c.move_due(clocks[c.ClockKind.OUTER], outer_due_at, at=at, by=by.name, reason="hotline")
    return clocks | {c.ClockKind.OUTER: outer}
