"""What is done about a case, from taking the order to the check, the close and its opening again."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from .. import policy, words
from ..move_form import MoveForm, Saying, text_field


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


class AssistDone(Saying):
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


class Reopen(MoveForm):
    move = service = "reopen"
    text = text_field(_("哪里没有解决"), rows=2)


class Note(Saying):
    move = service = "note"
    takes_photos = True
    photo_phase = "process"
    text = text_field(_("记一笔"), rows=2)


class Sample(Saying):
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
