"""The forms of the map's pages. Rules are judged by the services; forms only read."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jiequ.people.models import Person

from .lines import Lines, unpacked
from .models import MonitoringPoint, Place, PlaceKind, PointKind, ResponsibilityGrid, RiskClass, System
from .services import PlaceFacts, PointFacts

BIGGEST_FILE = 30 * 1024 * 1024


class ResponsibilityForm(forms.Form):
    """Name, worker and unit grids of a responsibility grid."""

    name = forms.CharField(label=_("名称"), max_length=60)
    worker = forms.TypedChoiceField(label=_("网格员"), required=False, coerce=int, empty_value=None)
    codes = forms.CharField(
        label=_("单元网格"),
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "data-grid-codes": ""}),
        help_text=_("一行一个 15 位编码，也可以在地图上点选。"),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, workers: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["worker"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", _("暂无")), *((person.pk, person.name) for person in workers)]

    def clean_codes(self) -> list[str]:
        """The codes, however they are parted."""
        return [code for code in re.split(r"[\s,，、;；]+", self.cleaned_data["codes"]) if code]

    @staticmethod
    def filled(grid: ResponsibilityGrid, codes: list[str]) -> dict[str, Any]:
        """What the form shows of a grid in force."""
        return {"name": grid.name, "worker": grid.worker_id, "codes": "\n".join(codes), "version": grid.version}


class PointForm(forms.Form):
    """A monitoring point."""

    code = forms.CharField(label=_("编号"), max_length=20)
    name = forms.CharField(label=_("名称"), max_length=80)
    kind = forms.ChoiceField(label=_("种类"), choices=PointKind.choices)
    risk_class = forms.ChoiceField(label=_("风险等级"), choices=RiskClass.choices, initial=RiskClass.MEDIUM)
    area = forms.CharField(label=_("片区"), max_length=60, required=False)
    x = forms.FloatField(label=_("经度"), widget=forms.TextInput(attrs={"inputmode": "decimal", "data-grid-x": ""}))
    y = forms.FloatField(label=_("纬度"), widget=forms.TextInput(attrs={"inputmode": "decimal", "data-grid-y": ""}))
    system = forms.ChoiceField(label=_("坐标系"), choices=System.choices, widget=forms.Select(attrs={"data-grid-system": ""}))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def facts(self) -> PointFacts:
        """The form as the service takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return PointFacts(**given)

    @staticmethod
    def filled(point: MonitoringPoint) -> dict[str, Any]:
        """What the form shows of a point."""
        names = ("code", "name", "kind", "risk_class", "area", "version")
        position = {"x": point.raw_x, "y": point.raw_y, "system": point.raw_system}
        return {name: getattr(point, name) for name in names} | position


class PlaceForm(forms.Form):
    """A place of the gazetteer, with the other names people have for it."""

    name = forms.CharField(label=_("地名"), max_length=40)
    aliases = forms.CharField(
        label=_("别名"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("一行一个：旧名、简称、居民口头的叫法。"),
    )
    kind = forms.ChoiceField(label=_("种类"), choices=PlaceKind.choices)
    community = forms.TypedChoiceField(label=_("社区"), coerce=int)
    x = forms.FloatField(
        label=_("经度"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "data-grid-x": ""})
    )
    y = forms.FloatField(
        label=_("纬度"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "data-grid-y": ""}),
        help_text=_("填了走向可以不填：取走向的中点。"),
    )
    line = forms.CharField(
        label=_("走向"),
        max_length=40_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "data-grid-line": ""}),
        help_text=_(
            "道路、河涌：沿线的点，一行一个“经度,纬度”，断开处空一行；也可以点进这个框，再在地图上沿线点。"
            "有了走向，按离路、离河多远核对位置，不再按中点。"
        ),
    )
    system = forms.ChoiceField(label=_("坐标系"), choices=System.choices, widget=forms.Select(attrs={"data-grid-system": ""}))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, communities: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["community"].choices = communities  # type: ignore[attr-defined]

    def clean_line(self) -> Lines:
        """The parts of the line, in the form's system."""
        parts = re.split(r"\n\s*\n", self.cleaned_data["line"].replace("\r", "").strip())
        try:
            return tuple(tuple(map(_pair, part.splitlines())) for part in parts if part)
        except ValueError:
            raise forms.ValidationError(_("走向一行写一个点：经度,纬度，例如 113.500000,23.180000。")) from None

    def facts(self) -> PlaceFacts:
        """The form as the service takes it."""
        given = {name: self.cleaned_data[name] for name in ("kind", "name", "x", "y", "system", "line")}
        aliases = tuple(re.split(r"[\n,，、;；]+", self.cleaned_data["aliases"]))
        return PlaceFacts(community_id=self.cleaned_data["community"], aliases=aliases, **given)

    @staticmethod
    def filled(place: Place) -> dict[str, Any]:
        """What the form shows of a place; one with a line in our own system, which the line is kept in."""
        names = {"name": place.name, "aliases": "\n".join(place.aliases), "kind": place.kind, "version": place.version}
        if place.line:
            where = {"x": place.lon, "y": place.lat, "system": System.CGCS2000, "line": _rows(unpacked(place.line))}
        else:
            where = {"x": place.raw_x, "y": place.raw_y, "system": place.raw_system}
        return names | {"community": place.community_id} | where


def _pair(text: str) -> tuple[float, float]:
    x, y = re.split(r"[,，\s]+", text.strip())
    return float(x), float(y)


def _rows(lines: Lines) -> str:
    return "\n\n".join("\n".join(f"{x:.5f},{y:.5f}" for x, y in part) for part in lines)


class ImportForm(forms.Form):
    """A GeoJSON file."""

    file = forms.FileField(label=_("GeoJSON 文件"), widget=forms.FileInput(attrs={"accept": ".geojson,.json"}))
