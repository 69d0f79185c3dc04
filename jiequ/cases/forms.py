"""The form of every move: its fields, and the service it calls. Phone, desk and scripts-off pages use the same ones."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _

from jiequ.channels.queries import staff_hears_at
from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE
from jiequ.people.models import Department
from jiequ.people.queries import departments_of, members

from . import policy, words
from .models import Task, TaskKind
from .move_form import Chosen, ChosenMany, MoveForm, department_choices, offer_conditions, text_field
from .offers import (
    ConditionSelect,
    in_order,
    named_keys,
    own_departments,
    suggested,
    words_of,
)
from .placing import ask_place, place_of
from .queries import advice
from .queries.types import current_types, own_with_duty


class _WithCondition(MoveForm):
    asks_place = True
    condition_id = Chosen(label=_("类型与立案条件"), coerce=int, choices=[], widget=ConditionSelect)

    def prepare(self) -> None:
        offer_conditions(self)
        if self.case.unit_grid_id is None:
            ask_place(self, self.case)

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Types, where nobody has chosen one yet."""
        return None if self.case.condition_id else advice.type_offer(self.case, self.said)

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return place_of(cleaned, self.case)


class AskVerify(MoveForm):
    move = service = "ask_verify"
    text = text_field(_("要看什么"), required=False, rows=2)


class Verify(MoveForm):
    move = service = "verify"
    tone = "primary"
    takes_photos = True
    photo_phase = "before"
    finding = forms.ChoiceField(label=_("核实结果"), choices=list(words.FINDINGS.items()), widget=forms.RadioSelect)
    text = text_field(_("说明"), required=False, rows=2)


class Correct(_WithCondition):
    move = service = "correct"
    optional = frozenset({"condition_id"})
    keeps = ("title", "is_urgent")
    title = forms.CharField(label=_("标题"), max_length=80, required=False)
    is_urgent = forms.BooleanField(label=_("紧急"), required=False)

    def prepare(self) -> None:
        super().prepare()
        if self.case.unit_grid_id is not None:
            ask_place(self, self.case)
        self.fields["condition_id"].required = False
        self.fields["title"].initial = self.case.title
        self.fields["is_urgent"].initial = self.case.is_urgent

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return place_of(cleaned, self.case) | {"condition_id": cleaned["condition_id"] or None}


class Accept(_WithCondition):
    move = service = "accept"
    tone = "primary"


class Reject(MoveForm):
    move = service = "reject"
    tone = "danger"
    reason_code = forms.ChoiceField(label=_("理由"), choices=[], widget=forms.RadioSelect)
    reply = text_field(_("给上报人的话"), required=False, rows=2)

    def prepare(self) -> None:
        self.fields["reason_code"].choices = words.reason_choices(policy.REJECT_REASONS)  # type: ignore[attr-defined]


class Dispatch(MoveForm):
    move = service = "dispatch"
    tone = "primary"
    lead_id = Chosen(label=_("主办部门"), coerce=int, choices=[])
    assist_ids = ChosenMany(label=_("协办部门"), coerce=int, choices=[], required=False, widget=forms.CheckboxSelectMultiple)
    text = text_field(_("交代的话"), required=False, rows=2)
    send_now_reason = forms.CharField(label=_("非工作时间马上通知的理由"), max_length=100, required=False)

    def prepare(self) -> None:
        for name in ("lead_id", "assist_ids"):
            self.fields[name].choices = self.choices  # type: ignore[attr-defined]
        if not self.is_bound:
            self.fields["lead_id"].initial = lambda: next(iter(self.route), None)
            self.fields["assist_ids"].initial = lambda: self.route[1:]
        if staff_hears_at(self.at, is_urgent=self.case.is_urgent) <= self.at:
            del self.fields["send_now_reason"]  # it is heard at once: there is nothing to give a reason for

    @cached_property
    def _with_duty(self) -> tuple[list[Department], frozenset[int]]:
        case = self.case
        if case.event_type_id is None:
            return in_order(own_departments(case.street_id), case.community), frozenset()
        found, outside = own_with_duty(case.street_id, community_id=case.community_id, event_type_id=case.event_type_id)
        return in_order(found, case.community), outside

    @cached_property
    def departments(self) -> list[Department]:
        """The street's own, in the order of the list; read when they are shown."""
        return self._with_duty[0]

    @cached_property
    def catalogue_route(self) -> list[int]:
        """Where the catalogue sends the type, the lead first; without those whose duty list refuses it."""
        return [pk for pk in suggested(self.case, self.departments) if pk not in self._with_duty[1]]

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Departments such cases went to, of those whose duty it is."""
        departments, outside = self._with_duty
        lead = next(iter(self.catalogue_route), None)
        default = next((one.key for one in departments if one.pk == lead), "")
        words = advice.words_of(self.said)
        return advice.department_offer(self.case, departments, outside, words, default=default, at=self.at)

    @cached_property
    def route(self) -> list[int]:
        """What the form begins with: the department suggested if likely enough, else the catalogue's; then who assists."""
        catalogue = self.catalogue_route
        lead = self.offer.choices[0].value if self.offer and self.offer.is_marked else next(iter(catalogue), None)
        return [lead, *(pk for pk in catalogue[1:] if pk != lead)] if lead else []

    def choices(self) -> list[tuple[int | str, Any]]:
        """For the lead and the assisting ones."""
        return [(d.pk, words_of(d)) for d in self.departments]


class AcceptDispatch(Dispatch):
    move = service = "accept_dispatch"
    asks_place = True
    optional = frozenset({"lead_id"})
    condition_id = Chosen(label=_("类型与立案条件"), coerce=int, choices=[], widget=ConditionSelect)
    field_order = ("condition_id", "lead_id", "assist_ids", "text", "send_now_reason")

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Types first; departments follow the type, where it is known."""
        return super().offer if self.case.condition_id else advice.type_offer(self.case, self.said)

    @cached_property
    def route(self) -> list[int]:
        """As for a dispatch, once the type is known; else the catalogue's for the type that will be chosen."""
        return super().route if self.case.condition_id else []

    def prepare(self) -> None:
        super().prepare()
        lead: Any = self.fields["lead_id"]
        lead.required = False
        lead.choices = lambda: [("", _("按类型派给负责部门")), *self.choices()]
        leads = SimpleLazyObject(lambda: {condition_id: route[0] for condition_id, route in self.routes.items()})
        offer_conditions(self, leads=leads)
        if self.case.unit_grid_id is None:
            ask_place(self, self.case)

    @cached_property
    def routes(self) -> dict[int, list[int]]:
        """Which departments of this street each filing condition goes to, the lead first."""
        by_key = {d.key: d.pk for d in self.departments}
        found: dict[int, list[int]] = {}
        for major in current_types():
            for kind in major.types:
                keys = named_keys(self.case, [kind.lead_department_key, *kind.assist_department_keys])
                route = [by_key[key] for key in keys if key in by_key]
                found |= {c.id: route for c in kind.conditions if route}
        return found

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Where no lead was chosen the catalogue's departments for the type are meant; the condition it has stands as it is."""
        cleaned = place_of(cleaned, self.case)
        if cleaned["condition_id"] == self.case.condition_id:
            cleaned = cleaned | {"condition_id": None}
        if cleaned["lead_id"]:
            return cleaned
        route = self.routes.get(cleaned["condition_id"] or self.case.condition_id or 0)
        if route is None:
            raise Refusal("lead_missing", str(_("这个类型没有设定负责部门，请选择主办部门。")), facts={"field": "lead_id"})
        lead, *assist = route
        return cleaned | {"lead_id": lead, "assist_ids": cleaned["assist_ids"] or assist}


class BringIn(MoveForm):
    move = service = "bring_in"
    department_ids = forms.TypedMultipleChoiceField(
        label=_("请哪些部门协办"), coerce=int, choices=[], widget=forms.CheckboxSelectMultiple
    )
    text = text_field(_("请他们做什么"), required=False, rows=2)

    def prepare(self) -> None:
        choices = [pair for pair in department_choices(self.case) if pair[0] != self.case.lead_id]
        self.fields["department_ids"].choices = choices  # type: ignore[attr-defined]


class Assign(MoveForm):
    move = service = "assign"
    person_id = forms.TypedChoiceField(label=_("指派给"), coerce=int, choices=[], widget=forms.RadioSelect)

    def prepare(self) -> None:
        people = members(self.case.lead_id, self.at) if self.case.lead_id else []
        self.fields["person_id"].choices = [(p.pk, p.name) for p in people]  # type: ignore[attr-defined]


class Acknowledge(MoveForm):
    move = service = "acknowledge"
    tone = "primary"


class Return(MoveForm):
    move, service = "return", "return_case"
    tone = "danger"
    reason_code = forms.ChoiceField(label=_("退单原因"), choices=[], widget=forms.RadioSelect)
    text = text_field(_("情况说明"))

    def prepare(self) -> None:
        self.fields["reason_code"].choices = words.reason_choices(policy.RETURN_REASONS)  # type: ignore[attr-defined]


class _Saying(MoveForm):
    has_version = False
    text = text_field(_("情况"))


class AssistDone(_Saying):
    move = service = "assist_done"
    tone = "primary"


class Handle(MoveForm):
    move = service = "handle"
    tone = "primary"
    takes_photos = True
    text = text_field(_("处置情况"), required=False, rows=2)
    document = forms.CharField(label=_("文书编号"), max_length=60, required=False)


class SendBack(MoveForm):
    move = service = "send_back"
    text = text_field(_("还要补充什么"))


class Confirm(MoveForm):
    move = service = "confirm"
    tone = "primary"
    text = text_field(_("说明"), required=False, rows=2)


class CheckPass(MoveForm):
    move = service = "check_pass"
    tone = "primary"
    takes_photos = True
    photo_phase = "check"


class CheckFail(MoveForm):
    move = service = "check_fail"
    tone = "danger"
    takes_photos = True
    photo_phase = "check"
    text = text_field(_("哪里没有做好"), rows=2)


class Close(MoveForm):
    move = service = "close"
    tone = "primary"
    reply = text_field(_("给上报人的话"), rows=3)


class ForceClose(MoveForm):
    move = service = "force_close"
    tone = "danger"
    reason_code = forms.ChoiceField(label=_("理由"), choices=[], widget=forms.RadioSelect)
    text = text_field(_("情况说明"))
    reply = text_field(_("给上报人的话"), required=False, rows=2)

    def prepare(self) -> None:
        self.fields["reason_code"].choices = words.reason_choices(policy.FORCE_REASONS)  # type: ignore[attr-defined]


class Cancel(ForceClose):
    move = service = "cancel"

    def prepare(self) -> None:
        self.fields["reason_code"].choices = words.reason_choices(policy.CANCEL_REASONS)  # type: ignore[attr-defined]


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


class AskAppeal(_Saying):
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


class Merge(MoveForm):
    move = service = "merge"
    into = forms.CharField(label=_("并入哪个编号"), max_length=20)
    text = text_field(_("说明"), required=False, rows=2)


class Unmerge(MoveForm):
    move = service = "unmerge"
    text = text_field(_("说明"), required=False, rows=2)


class Split(MoveForm):
    move = service = "split"
    has_version = False
    words = text_field(_("第二件事是什么"))


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


class AnswerConsult(_Saying):
    move = service = "answer_consult"
    tone = "primary"
    text = text_field(_("答复"))


class DecideConsult(_Saying):
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


class AnswerCall(_Saying):
    move = service = "answer_call"
    tone = "primary"
    text = text_field(_("答复"))


SCORES = [(5, _("5 很好")), (4, _("4 较好")), (3, _("3 一般")), (2, _("2 较差")), (1, _("1 很差"))]


class AssessCall(MoveForm):
    move = service = "assess_call"
    has_version = False
    score = forms.TypedChoiceField(label=_("协同得怎样"), coerce=int, choices=SCORES, widget=forms.RadioSelect)
    text = text_field(_("说明"), required=False, rows=2)


class Urge(_Saying):
    move = service = "urge"
    text = text_field(_("督办的话"), required=False, rows=2)


class AnswerUrge(_Saying):
    move = service = "answer_urge"
    tone = "primary"
    text = text_field(_("回复"))


class Sample(_Saying):
    move, service = "sample", "review_sample"
    tone = "primary"
    is_sound = forms.TypedChoiceField(
        label=_("抽查结果"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("处理属实")), ("no", _("处理不实"))],
        widget=forms.RadioSelect,
    )
    text = text_field(_("说明"), required=False, rows=2)
    do_again = forms.BooleanField(label=_("不实的，同时重新办理"), required=False)
    field_order = ("is_sound", "text", "do_again")


class Note(_Saying):
    move = service = "note"
    takes_photos = True
    photo_phase = "process"
    text = text_field(_("记一笔"), rows=2)


class Reopen(MoveForm):
    move = service = "reopen"
    text = text_field(_("哪里没有解决"), rows=2)


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


FORMS: dict[str, type[MoveForm]] = {
    form.move: form
    for form in (
        *(AskVerify, Verify, Correct, Accept, Reject, Dispatch, AcceptDispatch, BringIn, Assign, Acknowledge, Return),
        *(AssistDone, Handle, SendBack, Confirm, CheckPass, CheckFail, Close, ForceClose, Cancel, AskSuspend, Suspend),
        *(Resume, AskExtend, Extend, RefuseAsk, AskAppeal, ReviewAppeal, Merge, Unmerge, Split, AskConsult),
        *(AnswerConsult, DecideConsult, CallBureau, AcknowledgeCall, AnswerCall, AssessCall, Urge, AnswerUrge, Note),
        *(Reopen, AnswerHotline, Sample),
    )
}
"""The moves made by staff on a case's page. Reporting, self-handling, "me too" and rating have pages of their own."""
