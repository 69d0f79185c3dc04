"""Where a case lies, set by the desk: a report in words, or by phone, comes without a point, and filing needs a grid."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core.errors import Refusal
from jiequ.grid.queries import places, plate

from . import services
from .models import Case
from .queries.types import said

MOST_PLACES = 500
FIELDS = ("place_id", "plate_code")


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
        return rest | {"place": services.Place(named.lon, named.lat, "cgcs2000", words=words)}
    return rest
