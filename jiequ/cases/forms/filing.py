"""What the command centre says of a report: looked at, put right, taken in, not taken in, one of several."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .. import policy, words
from ..move_form import Chosen, MoveForm, offer_conditions, text_field
from ..offers import ConditionSelect
from ..placing import SaysWhere, place_of
from ..queries import advice


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


class _WithCondition(SaysWhere):
    condition_id = Chosen(label=_("类型与立案条件"), coerce=int, choices=[], widget=ConditionSelect)

    def prepare(self) -> None:
        offer_conditions(self)
        self.ask_where()

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Types, where nobody has chosen one yet."""
        return None if self.case.condition_id else advice.type_offer(self.case, self.said)

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return place_of(cleaned, self.case)


class Correct(_WithCondition):
    move = service = "correct"
    optional = frozenset({"condition_id"})
    keeps = ("title", "is_urgent")
    title = forms.CharField(label=_("标题"), max_length=80, required=False)
    is_urgent = forms.BooleanField(label=_("紧急"), required=False)

    def prepare(self) -> None:
        super().prepare()
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
