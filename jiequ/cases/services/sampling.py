"""抽查: a share of what was handled on the spot, and of what was closed, is looked at afterwards by a supervisor."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from ..models import Case, CaseEvent, Task, TaskKind
from . import moving
from .moving import Change, End
from .voice import reopen


def review_sample(case: Case, *, is_sound: bool, by: Actor, at: datetime, text: str = "", do_again: bool = False) -> CaseEvent:
    """What the look found. Not sound needs a sentence; ``do_again`` then opens the case anew (重新办理) in the same step.

    Without it the finding stands in the record. Refusal, with nothing stored, where the case cannot be opened again.
    """
    task = case.tasks.filter(kind=TaskKind.SAMPLE, state=Task.State.OPEN).first()
    if task is None:
        raise Refusal("nothing_asked", _("这个案件没有待抽查的任务。"))
    if not is_sound:
        moving.need_text(text)
    outcome = "sound" if is_sound else "unsound"
    change = Change(text=text, facts={"sound": is_sound}, ends=[End({"pk": task.pk}, outcome=outcome, answer=text)])
    with moving.writing():
        event = moving.make(case, "sample", change, by=by, at=at)
        if do_again and not is_sound:
            reopen(case, text=text, by=by, at=at)
    return event
