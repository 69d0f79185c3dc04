"""Where a case lies, set by the desk: a report in words, or by phone, comes without a point, and filing needs a grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core.errors import Refusal
from jiequ.grid.queries import places, plate, point_of

from . import services
from .models import Case
from .move_form import MoveForm
from .queries import where
from .queries.types import said
from .when import FIELD as WHEN
from .when import WhenField

MOST_PLACES = 500
FIELDS = ("place_id", "plate_code")


class SaysWhere(MoveForm):
    """A move that may set where and when; what the words tell is offered on its page, and nothing is set by itself.

    ``shown``: the page shows a field only where it is missing, was filled in, or something is offered for it.
    """

    asks_place = True

    def ask_where(self) -> None:
        """The fields; call it in ``prepare``."""
        ask_place(self, self.case)
        self.fields[WHEN] = WhenField(lambda: when_choices(self), self.at)

    @cached_property
    def told(self) -> where.Told:
        """What the reports' words tell and the case does not know, or knows otherwise."""
        case = self.case
        texts = [text for report in self.said for text in (report.place_words, report.words)] or [case.address]
        found = where.told(
            texts,
            pin=None if case.lon is None or case.lat is None else (case.lon, case.lat),
            at=case.reported_at,
            street_id=case.street_id,
            community_id=case.community_id if case.unit_grid_id is None else None,
            has_place=case.unit_grid_id is not None,
        )
        return replace(found, times=()) if case.happened_from else found

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        return [field for field in self if self.shows(field.name)]

    def shows(self, name: str) -> bool:
        """Does its page show this field."""
        if name in FIELDS:
            return self.move == "correct" or self.case.unit_grid_id is None or bool(self.told.places) or self._is_filled(FIELDS)
        return name != WHEN or bool(self.told.times) or self._is_filled((WHEN,))

    def _is_filled(self, names: tuple[str, ...]) -> bool:
        return any(self.data.get(name) or self.initial.get(name) for name in names)


def takes_place(form: MoveForm) -> bool:
    """May a program say where: it has no grid yet, or is being corrected. On the page words may say otherwise than the pin."""
    return form.case.unit_grid_id is None or form.move == "correct"


def ask_place(form: forms.Form, case: Case) -> None:
    """Two fields, either of which says where: a road, estate or landmark of the street, or a code from a plate."""
    form.fields["place_id"] = forms.TypedChoiceField(
        label=gettext_lazy("在哪里"), coerce=int, required=False, empty_value=None, choices=lambda: place_choices(case)
    )
    form.fields["plate_code"] = forms.CharField(
        label=gettext_lazy("或网格、点位牌编号"), max_length=40, required=False, help_text=gettext_lazy("网格编号是 15 位数字")
    )
    form.order_fields([*FIELDS, *(name for name in form.fields if name not in FIELDS)] if case.unit_grid_id is None else None)


def place_choices(case: Case) -> list[tuple[Any, Any]]:
    """The street's places by community, the case's own community first."""
    groups: dict[tuple[bool, str], list[tuple[int, str]]] = {}
    for row in places(street_id=case.street_id)[:MOST_PLACES]:
        community = said(row.community.name_zh, row.community.name_en)
        groups.setdefault((row.community_id != case.community_id, community), []).append((row.pk, row.name))
    return [("", _("请选择")), *((name, rows) for (_other, name), rows in sorted(groups.items()))]


def place_of(cleaned: dict[str, Any], case: Case) -> dict[str, Any]:
    """The service's arguments with ``place`` instead of the two fields. Refusal for a code nobody knows."""
    rest = {name: value for name, value in cleaned.items() if name not in FIELDS}
    if code := str(cleaned.get("plate_code") or "").strip():
        found = plate(code)
        if found is None or found.street_id != case.street_id:
            raise Refusal("unknown_plate", _("本街道没有这个编号的网格或点位牌。"), facts={"field": "plate_code"})
        return rest | {"place": services.Place(unit_grid_id=found.unit_grid_id, words=case.address)}
    if place_id := cleaned.get("place_id"):
        named = places(street_id=case.street_id).get(pk=place_id)
        words = case.address if named.name in case.address else f"{named.name} {case.address}".strip()
        pin = None if case.lon is None or case.lat is None else (case.lon, case.lat)
        return rest | {"place": services.Place(*point_of(named, pin), "cgcs2000", words=words)}
    return rest


def when_choices(form: SaysWhere) -> list[tuple[str, str]]:
    """Nothing, or one of the times told."""
    return [("", str(_("不记"))), *((one.value, where.words_of(one)) for one in form.told.times)]
