"""When it happened, as it was told and confirmed: two moments, the second not before the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core.errors import Refusal

Span = tuple[datetime, datetime]
_AHEAD, _LONGEST, _OLDEST = timedelta(minutes=5), timedelta(days=366), timedelta(days=3660)
FIELD = "happened"


def span_of(text: str, at: datetime) -> Span | None:
    """``2026-11-26T20:00+08:00/2026-11-26T22:00+08:00`` as two moments; None if empty, Refusal for anything else."""
    if not text.strip():
        return None
    try:
        begins, ends = (parse_datetime(part) for part in text.strip().split("/"))
    except ValueError:
        begins = ends = None
    if begins is None or ends is None or begins.tzinfo is None or ends.tzinfo is None:
        raise Refusal("bad_time", _("发生时间不是一段时间，请重新选择。"), facts={"field": FIELD})
    check(begins, ends, at)
    return begins, ends


def check(begins: datetime, ends: datetime, at: datetime) -> None:
    """Refusal for a span that ends before it begins, begins in the future, is over a year long or ten years past."""
    if ends < begins or ends - begins > _LONGEST:
        raise Refusal("bad_time", _("发生时间的结束早于开始，或相隔超过一年，请核对。"), facts={"field": FIELD})
    if not at - _OLDEST <= begins <= at + _AHEAD:
        raise Refusal("bad_time", _("发生时间在将来，或太早，请核对。"), facts={"field": FIELD})


class WhenField(forms.ChoiceField):
    """One of the times told; what is sent is read as a span, so that a page shown before the words changed still counts."""

    def __init__(self, choices: Sequence[tuple[str, str]] | object, at: datetime) -> None:
        super().__init__(label=gettext_lazy("发生时间"), required=False, choices=choices)  # type: ignore[arg-type]
        self.at = at

    def valid_value(self, value: object) -> bool:
        return True

    def clean(self, value: str | None) -> Span | None:
        try:
            return span_of(str(value or ""), self.at)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from None
