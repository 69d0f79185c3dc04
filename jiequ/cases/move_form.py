"""What every move's form is made of; ``forms`` has one for each move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _

from jiequ.core.numbers import whole
from jiequ.people.rules import Actor

from . import services, words
from .models import Case, CaseEvent, Report
from .offers import condition_choices, conditions_by_id, own_departments, words_of
from .queries import advice
from .queries.where import Told

Call = Callable[..., CaseEvent | Any]


class MoveForm(forms.Form):
    """A move's fields. ``call`` makes the move; ``tone`` and ``is_one_tap`` tell the page how to show it."""

    move = ""
    tone = "plain"  # primary | plain | danger
    takes_photos = False
    photo_phase = "after"
    has_version = True
    asks_place = False  # where the case has no grid yet
    optional: frozenset[str] = frozenset()  # fields that ``prepare`` makes optional
    reports: Sequence[Report] | None = None  # those that the page has read anyway
    keeps: tuple[str, ...] = ()  # fields whose absence from a program's call leaves the case's own value

    def __init__(self, data: Any = None, *, case: Case, actor: Actor, at: datetime) -> None:
        super().__init__(data, auto_id=f"{self.move}_%s")
        self.case, self.actor, self.at = case, actor, at
        self.prepare()

    def prepare(self) -> None:
        """Fill choices that depend on the case."""

    @cached_property
    def said(self) -> Sequence[Report]:
        """The case's reports; read where the page has not."""
        return list(self.case.reports.order_by("pk")) if self.reports is None else self.reports

    @cached_property
    def offer(self) -> advice.Offer | None:
        """What the triage suggests for one field of this form, for its page; None for most moves."""
        return None

    @cached_property
    def told(self) -> Told | None:
        """Places and times in the reports' words that may be confirmed on this form's page; None for most moves."""
        return None

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields its page shows."""
        return list(self)

    @property
    def label(self) -> words.Words:
        return words.MOVES[self.move]

    @property
    def is_one_tap(self) -> bool:
        """True if there is nothing to fill in."""
        return not self.fields and not self.takes_photos

    def call(self, *, version: int | None, shown: list[services.Shown], **values: Any) -> Any:
        """Make the move with the cleaned values."""
        more: dict[str, Any] = {"version": version} if self.has_version else {}
        if self.takes_photos:
            more["shown"] = shown
        service = getattr(services, self.service)
        return service(self.case, by=self.actor, at=self.at, **more, **self.values(values))

    service = ""

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The service's arguments from the cleaned data."""
        return cleaned


def text_field(label: Any, *, required: bool = True, rows: int = 3) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=1000, widget=forms.Textarea(attrs={"rows": rows}))


class Saying(MoveForm):
    """A move that is nothing but a text, whatever happened to the case meanwhile."""

    has_version = False
    text = text_field(_("情况"))


def department_choices(case: Case) -> list[tuple[int, str]]:
    return [(d.pk, words_of(d)) for d in own_departments(case.street_id)]


def offer_conditions(form: MoveForm, *, leads: Any = None) -> None:
    """Fill a form's ``condition_id`` with the conditions in force; the case's own stands chosen."""
    field: Any = form.fields["condition_id"]
    field.choices = lambda: [("", _("请选择")), *condition_choices()]
    field.widget.conditions, field.widget.leads = SimpleLazyObject(conditions_by_id), {} if leads is None else leads
    field.initial = lambda: form.case.condition_id or (form.offer.initial if form.offer else None)


class Chosen(forms.TypedChoiceField):
    """The id of a row that the service looks up and may refuse; the choices are read only to be shown."""

    def valid_value(self, value: Any) -> bool:
        return _is_id(value)


class ChosenMany(forms.TypedMultipleChoiceField):
    """Several of them."""

    def valid_value(self, value: Any) -> bool:
        return _is_id(value)


def _is_id(value: Any) -> bool:
    return whole(value) is not None
