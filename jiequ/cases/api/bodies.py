"""The body of each move, made from its form: what a page asks for is what a program sends, and one form checks both."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django import forms
from django.forms.fields import Field as FormField
from django.utils.translation import gettext as _
from pydantic import AwareDatetime, Field, create_model

from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE

from .. import policy
from ..forms import FORMS
from ..models import Case
from ..move_form import MoveForm
from ..placing import FIELDS as PLACE_FIELDS
from ..placing import takes_place
from ..queries.where import value_of
from ..services.proving import MOST_PHOTOS
from ..when import FIELD as WHEN
from .case_shapes import Id
from .outside import happened_of
from .shapes import Strict

MOST_IDS = 50
HAPPENED = ("happened_from", "happened_until")
_HANDLE = Annotated[str, Field(min_length=20, max_length=400)]


def _kind_of(move: str, name: str, field: FormField) -> Any:
    """The type of one field of a body."""
    if name == "reason_code":
        return Literal[tuple(policy.REASONS[move])]
    if isinstance(field, forms.TypedMultipleChoiceField):
        return Annotated[list[Id], Field(max_length=MOST_IDS)]
    if isinstance(field, forms.TypedChoiceField):
        values = [value for value, _words in field.choices] if isinstance(field.choices, list) else []
        if values == ["yes", "no"]:
            return bool
        if values and field.coerce is float:
            return Annotated[float, Field(json_schema_extra={"enum": [float(value) for value in values]})]
        if values:
            return Annotated[int, Field(ge=min(values), le=max(values))]
        return Id
    if isinstance(field, forms.ChoiceField):
        values = [str(value) for value, _words in field.choices] if isinstance(field.choices, list) else []
        return Literal[tuple(values)] if values else Annotated[str, Field(max_length=24)]
    if isinstance(field, forms.BooleanField):
        return bool
    if isinstance(field, forms.DateTimeField):
        return AwareDatetime
    if isinstance(field, forms.DateField):
        return date
    assert isinstance(field, forms.CharField)
    return Annotated[str, Field(max_length=field.max_length)]


def _body_of(form: type[MoveForm]) -> type[Strict]:
    fields: dict[str, Any] = {}
    if form.has_version:
        fields["version"] = (Id, ...)
    for name, field in form.base_fields.items():
        kind = _kind_of(form.move, name, field)
        fields[name] = (kind, ...) if field.required and name not in form.optional else (kind | None, None)
    if form.asks_place:
        fields |= dict(zip(PLACE_FIELDS, ((Id | None, None), (Annotated[str, Field(max_length=40)] | None, None)), strict=True))
        fields |= dict.fromkeys(HAPPENED, (AwareDatetime | None, None))
    if form.takes_photos:
        fields["pictures"] = (Annotated[list[_HANDLE], Field(max_length=MOST_PHOTOS)], [])
    name = "".join(part.title() for part in form.move.split("_"))
    made: type[Strict] = create_model(f"{name}Move", __base__=Strict, **fields)
    return made


BODIES: dict[str, type[Strict]] = {move: _body_of(form) for move, form in FORMS.items()}
"""By move."""


def data_of(given: Strict, form: type[MoveForm], case: Case, at: datetime) -> dict[str, Any]:
    """The body as the form's data; what is left out stays as it is on the case where the form would show it so."""
    values = given.model_dump(exclude={"version", "pictures", *HAPPENED}, exclude_none=True)
    if span := happened_of(getattr(given, "happened_from", None), getattr(given, "happened_until", None), at):
        values[WHEN] = value_of(*span)
    kept = {name: getattr(case, name) for name in form.keeps if name not in values}
    return kept | {name: _plain(value, form.base_fields.get(name)) for name, value in values.items()}


def _plain(value: Any, field: FormField | None) -> Any:
    """As the form's widget reads it."""
    if isinstance(value, datetime):
        return value.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool) and not isinstance(field, forms.BooleanField):
        return "yes" if value else "no"
    return value


def refuse_unneeded(data: dict[str, Any], form: MoveForm) -> None:
    """Refusal for a place where the case has one, so that nobody believes it was taken."""
    if not takes_place(form) and (extra := sorted(name for name in PLACE_FIELDS if name in data)):
        raise Refusal("place_is_known", _("案件已有位置，要改位置请用“更正”。"), facts={"fields": extra})
