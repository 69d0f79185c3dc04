"""What is asked of others and answered: consultations, calls of district bureaus, urgings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from jiequ.people.queries import departments_of

from ..models import TaskKind
from ..move_form import MoveForm, Saying, department_choices, text_field
from ..offers import words_of


class AskConsult(MoveForm):
    move = service = "ask_consult"
    has_version = False
    takes_photos = True
    photo_phase = "process"
    question = text_field(_("要商量的问题"), rows=2)
    department_ids = forms.TypedMultipleChoiceField(
        label=_("问哪些部门（最多 5 个）"), coerce=int, choices=[], widget=forms.CheckboxSelectMultiple
    )
    answer_by = forms.DateTimeField(
        label=_("什么时候前答复"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )

    def prepare(self) -> None:
        self.fields["department_ids"].choices = department_choices(self.case)  # type: ignore[attr-defined]


class AnswerConsult(Saying):
    move = service = "answer_consult"
    tone = "primary"
    text = text_field(_("答复"))


class DecideConsult(Saying):
    move = service = "decide_consult"
    group = forms.ChoiceField(label=_("哪次会商"), choices=[])
    text = text_field(_("决定"))

    def prepare(self) -> None:
        asked = {t.group: t.asked[:30] for t in self.case.tasks.filter(kind=TaskKind.CONSULT)}
        self.fields["group"].choices = list(asked.items())  # type: ignore[attr-defined]


class CallBureau(MoveForm):
    move, service = "call", "call_bureau"
    has_version = False
    department_id = forms.TypedChoiceField(label=_("区级部门"), coerce=int, choices=[])
    question = text_field(_("请他们解决什么"))

    def prepare(self) -> None:
        bureaus = departments_of(None)
        self.fields["department_id"].choices = [(d.pk, words_of(d)) for d in bureaus]  # type: ignore[attr-defined]


class AcknowledgeCall(MoveForm):
    move = service = "acknowledge_call"
    has_version = False
    tone = "primary"


class AnswerCall(Saying):
    move = service = "answer_call"
    tone = "primary"
    text = text_field(_("答复"))


SCORES = [(5, _("5 很好")), (4, _("4 较好")), (3, _("3 一般")), (2, _("2 较差")), (1, _("1 很差"))]


class AssessCall(MoveForm):
    move = service = "assess_call"
    has_version = False
    score = forms.TypedChoiceField(label=_("协同得怎样"), coerce=int, choices=SCORES, widget=forms.RadioSelect)
    text = text_field(_("说明"), required=False, rows=2)


class Urge(Saying):
    move = service = "urge"
    text = text_field(_("督办的话"), required=False, rows=2)


class AnswerUrge(Saying):
    move = service = "answer_urge"
    tone = "primary"
    text = text_field(_("回复"))
