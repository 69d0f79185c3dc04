"""What stops a clock or lengthens a limit, what is said against one, and the hotline's answer to either."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jiequ.core.worktime import ZONE

from .. import words
from ..models import Task, TaskKind
from ..move_form import MoveForm, Saying, text_field


class AskSuspend(MoveForm):
    move = service = "ask_suspend"
    has_version = False
    until = forms.DateField(label=_("挂到哪天"), widget=forms.DateInput(attrs={"type": "date"}))
    text = text_field(_("理由"))

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return cleaned | {"until": datetime.combine(cleaned["until"], time(9), tzinfo=ZONE)}


class AskExtend(MoveForm):
    move = service = "ask_extend"
    has_version = False
    share = forms.TypedChoiceField(
        label=_("延长多少"),
        coerce=float,
        choices=[("0.5", _("原时限的一半")), ("1", _("一个原时限"))],
        widget=forms.RadioSelect,
    )
    text = text_field(_("理由"))


class Suspend(MoveForm):
    move = service = "suspend"
    tone = "primary"


class Extend(MoveForm):
    move = service = "extend"
    tone = "primary"


class RefuseAsk(MoveForm):
    move = service = "refuse_ask"
    has_version = False
    kind = forms.ChoiceField(label=_("哪项申请"), choices=[], widget=forms.RadioSelect)
    text = text_field(_("理由"), rows=2)

    def prepare(self) -> None:
        asked = self.case.tasks.filter(kind__in=[TaskKind.SUSPEND, TaskKind.EXTEND], state=Task.State.OPEN)
        self.fields["kind"].choices = [(t.kind, words.TASKS[t.kind]) for t in asked]  # type: ignore[attr-defined]


class Resume(MoveForm):
    move = service = "resume"
    tone = "primary"


class AskAppeal(Saying):
    move = service = "ask_appeal"
    text = text_field(_("申诉理由"))


class ReviewAppeal(MoveForm):
    move = service = "review_appeal"
    granted = forms.TypedChoiceField(
        label=_("意见"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("同意，不计入统计")), ("no", _("不同意"))],
        widget=forms.RadioSelect,
    )
    text = text_field(_("说明"), rows=2)


class AnswerHotline(MoveForm):
    move = service = "answer_hotline"
    has_version = False
    granted = forms.TypedChoiceField(
        label=_("热线的答复"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("同意")), ("no", _("不同意"))],
        widget=forms.RadioSelect,
    )
    outer_due_at = forms.DateTimeField(
        label=_("新的工单时限"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )
    text = text_field(_("说明"), required=False, rows=2)
