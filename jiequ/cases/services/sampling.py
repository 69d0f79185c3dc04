"""抽查: a share of what was handled on the spot is looked at afterwards, by a supervisor or the duty leader."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from ..models import Case, CaseEvent, Task, TaskKind
from . import moving
from .moving import Change, End


def review_sample(case: Case, *, is_sound: bool, by: Actor, at: datetime, text: str = "") -> CaseEvent:
    """What the look found. Not sound needs a sentence; whether the case is done again is for the duty leader (重新办理)."""
    task = case.tasks.filter(kind=TaskKind.SAMPLE, state=Task.State.OPEN).first()
    if task is None:
        raise Refusal("nothing_asked", _("这个案件没有待抽查的任务。"))
    if not is_sound:
        moving.need_text(text)
    outcome = "sound" if is_sound else "unsound"
    change = Change(text=text, facts={"sound": is_sound}, ends=[End({"pk": task.pk}, outcome=outcome, answer=text)])
    return moving.make(case, "sample", change, by=by, at=at)
