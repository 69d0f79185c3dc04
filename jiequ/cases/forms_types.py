"""The forms of the type pages. Rules are judged by the services; forms only read."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jiequ.core.worktime import Limit, Unit
from jiequ.people.models import Department
from jiequ.people.rules import DepartmentKind

from . import catalogue
from . import type_rules as rules
from .queries.types import proof_words, said

UNIT_WORDS = {
    Unit.URGENT_HOUR: _("紧急工作时"),
    Unit.WORK_HOUR: _("工作时"),
    Unit.WORK_DAY: _("工作日"),
    Unit.NATURAL_DAY: _("自然日"),
}
COVERS_WORDS = {rules.Covers.WHOLE: _("整个处置"), rules.Covers.NEXT_STEP: _("只到下一步（依法定程序的不催促）")}
STARTS_WORDS = {rules.Starts.DISPATCH: _("派遣"), rules.Starts.RELEASE: _("放行到巡查轮次")}
KIND_WORDS = {rules.EventKind.EVENT: _("事件"), rules.EventKind.COMPONENT: _("部件")}
STRENGTH_WORDS = {
    rules.Strength.PUBLISHED: _("A 公布的表里写明"),
    rules.Strength.NEIGHBOURING: _("B 相近类型或外地写明"),
    rules.Strength.PRACTICE: _("C 通行做法"),
    rules.Strength.OURS: _("P 本产品建议"),
}
PRIORITY_WORDS = {0: _("0 特急"), 1: _("1 急"), 2: _("2 一般"), 3: _("3 缓")}


def department_names() -> dict[str, str]:
    """Every department key that a type may name, with a name: the catalogue's, and what this installation adds to it.

    ``sq`` stands for the committee of the place's community, so the committees themselves are not listed.
    """
    own = Department.objects.filter(is_active=True).exclude(kind=DepartmentKind.COMMUNITY.value).order_by("key")
    names = {key: said(chinese, english) for key, chinese, english in own.values_list("key", "name_zh", "name_en")}
    return {row["key"]: said(row["name_zh"], row["name_en"]) for row in catalogue.departments()} | {
        key: name for key, name in names.items() if key not in catalogue_keys()
    }


@cache
def catalogue_keys() -> frozenset[str]:
    """The keys of the starter catalogue's departments."""
    return frozenset(row["key"] for row in catalogue.departments())


class TypeForm(forms.Form):
    """An edition's own fields."""

    name_zh = forms.CharField(label=_("名称"), max_length=60)
    name_en = forms.CharField(label=_("英文名称"), max_length=120, required=False)
    major_code = forms.CharField(label=_("大类代码"), max_length=4)
    major_zh = forms.CharField(label=_("大类"), max_length=40)
    major_en = forms.CharField(label=_("大类英文"), max_length=80, required=False)
    lead_department_key = forms.ChoiceField(label=_("主办部门"))
    assist_department_keys = forms.MultipleChoiceField(label=_("协办部门"), required=False, widget=forms.CheckboxSelectMultiple)
    priority = forms.TypedChoiceField(label=_("紧急程度"), coerce=int, choices=list(PRIORITY_WORDS.items()), initial=2)
    needs_verify = forms.BooleanField(label=_("立案前现场核实"), required=False)
    needs_check = forms.BooleanField(label=_("结案前现场核查"), required=False, initial=True)
    is_confidential = forms.BooleanField(label=_("敏感：处置人员看不到是谁反映的"), required=False)
    std_trace = forms.CharField(label=_("来源"), required=False, max_length=500, widget=forms.Textarea({"rows": 2}))
    trace_strength = forms.ChoiceField(
        label=_("来源强度"), choices=[(s.value, w) for s, w in STRENGTH_WORDS.items()], initial="P"
    )
    note = forms.CharField(label=_("备注"), required=False, max_length=500, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, departments: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = list(departments.items())
        self.fields["lead_department_key"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]
        self.fields["assist_department_keys"].choices = choices  # type: ignore[attr-defined]

    def draft(self, conditions: tuple[rules.ConditionDraft, ...]) -> rules.TypeDraft:
        """The form and its conditions as the service takes them."""
        given = dict(self.cleaned_data)
        return rules.TypeDraft(
            **given
            | {
                "assist_department_keys": tuple(given["assist_department_keys"]),
                "trace_strength": rules.Strength(given["trace_strength"]),
                "conditions": conditions,
            }
        )

    @staticmethod
    def filled(draft: rules.TypeDraft) -> dict[str, Any]:
        """What the form shows of an edition."""
        names = [name for name in TypeForm.base_fields if name != "assist_department_keys"]
        return {name: getattr(draft, name) for name in names} | {"assist_department_keys": list(draft.assist_department_keys)}


class NewTypeForm(TypeForm):
    """The first edition needs a kind and a code as well."""

    kind = forms.ChoiceField(label=_("种类"), choices=[(k.value, w) for k, w in KIND_WORDS.items()])
    code = forms.CharField(label=_("类型代码"), max_length=8)
    field_order = ("kind", "code")

    def draft(self, conditions: tuple[rules.ConditionDraft, ...]) -> rules.TypeDraft:
        """Without kind and code: they are the type's, not the edition's."""
        self.cleaned_data = {k: v for k, v in self.cleaned_data.items() if k not in ("kind", "code")}
        return super().draft(conditions)


def _slot(kind: rules.ProofKind, phase: rules.ProofPhase) -> str:
    return f"{kind.value}_{phase.value}"


class ConditionForm(forms.Form):
    """One filing condition; the proofs are numbers of each kind, empty for none."""

    key = forms.RegexField(r"^[a-z][a-z0-9_]{0,29}$", label=_("代号"), help_text=_("小写字母开头，例如missing"))
    name_zh = forms.CharField(label=_("立案条件"), max_length=80)
    name_en = forms.CharField(label=_("英文"), max_length=160, required=False)
    limit_value = forms.DecimalField(label=_("办理时限"), min_value=0, max_value=9999, max_digits=6, decimal_places=2)
    limit_unit = forms.ChoiceField(label=_("时限单位"), choices=[(u.value, w) for u, w in UNIT_WORDS.items()])
    closing_zh = forms.CharField(label=_("结案条件"), max_length=200)
    closing_en = forms.CharField(label=_("结案条件英文"), max_length=300, required=False)
    covers = forms.ChoiceField(label=_("时限管到"), choices=[(c.value, w) for c, w in COVERS_WORDS.items()])
    starts = forms.ChoiceField(label=_("时限起算"), choices=[(s.value, w) for s, w in STARTS_WORDS.items()])
    has_light = forms.BooleanField(label=_("亮灯、计超期"), required=False, initial=True)
    limit_from_zh = forms.CharField(label=_("时限是谁的（不是本市规定时写明）"), max_length=80, required=False)
    limit_from_en = forms.CharField(label=_("英文"), max_length=160, required=False)
    source = forms.CharField(label=_("时限来源"), max_length=300, required=False)
    strength = forms.ChoiceField(label=_("来源强度"), choices=[(s.value, w) for s, w in STRENGTH_WORDS.items()], initial="P")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, phase in rules.SLOTS:
            self.fields[_slot(kind, phase)] = forms.IntegerField(
                label=proof_words(kind.value, phase.value), min_value=0, max_value=rules.MAX_PROOFS, required=False
            )

    def proof_fields(self) -> list[forms.BoundField]:
        """The number fields of the proofs."""
        return [self[_slot(kind, phase)] for kind, phase in rules.SLOTS]

    def draft(self) -> rules.ConditionDraft:
        """The condition as the service takes it."""
        given = self.cleaned_data
        needs = [(kind, phase, given.get(_slot(kind, phase)) or 0) for kind, phase in rules.SLOTS]
        return rules.ConditionDraft(
            key=given["key"],
            name_zh=given["name_zh"],
            name_en=given["name_en"],
            limit=Limit(given["limit_value"], Unit(given["limit_unit"])),
            closing_zh=given["closing_zh"],
            closing_en=given["closing_en"],
            proofs=tuple(rules.ProofNeed(kind, phase, count) for kind, phase, count in needs if count),
            covers=rules.Covers(given["covers"]),
            starts=rules.Starts(given["starts"]),
            has_light=given["has_light"],
            limit_from_zh=given["limit_from_zh"],
            limit_from_en=given["limit_from_en"],
            source=given["source"],
            strength=rules.Strength(given["strength"]),
        )

    @staticmethod
    def filled(condition: rules.ConditionDraft) -> dict[str, Any]:
        """What the form shows of a condition."""
        names = ("key", "name_zh", "name_en", "closing_zh", "closing_en", "has_light", "limit_from_zh", "limit_from_en")
        return (
            {name: getattr(condition, name) for name in (*names, "source", "covers", "starts", "strength")}
            | {"limit_value": condition.limit.value, "limit_unit": condition.limit.unit.value}
            | {_slot(proof.kind, proof.phase): proof.at_least for proof in condition.proofs}
        )


ConditionSet = forms.formset_factory(
    ConditionForm,
    extra=0,
    can_delete=True,
    can_order=True,
    min_num=1,
    max_num=rules.MAX_CONDITIONS,
    absolute_max=rules.MAX_CONDITIONS + 1,
)


class DutyForm(forms.Form):
    """A duty list: whose, by which clause, for which types."""

    holder = forms.ChoiceField(label=_("部门或社区"))
    clause = forms.CharField(label=_("依据的条款"), max_length=300, widget=forms.Textarea({"rows": 2}))
    types = forms.MultipleChoiceField(label=_("职责内的类型"), required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(self, *args: Any, holders: list[tuple[str, str]], types: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["holder"].choices = holders  # type: ignore[attr-defined]
        self.fields["types"].choices = types  # type: ignore[attr-defined]


class AreaForm(forms.Form):
    """A control area: a polygon's corners as lines of "lon, lat" (the map writes them too), or a community."""

    name = forms.CharField(label=_("名称"), max_length=80)
    notice_zh = forms.CharField(label=_("给上报人的说明"), max_length=300, widget=forms.Textarea({"rows": 2}))
    notice_en = forms.CharField(label=_("说明英文"), max_length=400, required=False, widget=forms.Textarea({"rows": 2}))
    starts_at = forms.DateTimeField(label=_("从"), widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"))
    ends_at = forms.DateTimeField(label=_("到"), widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"))
    community = forms.TypedChoiceField(label=_("整个社区"), required=False, coerce=int, empty_value=None)
    corners = forms.CharField(
        label=_("或者范围的拐点"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 5, "spellcheck": "false", "data-corners": ""}),
        help_text=_("一行一个拐点：经度, 纬度（CGCS2000）。在地图上点，也会写到这里。"),
    )
    types = forms.MultipleChoiceField(label=_("哪些类型（不选就是全部）"), required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(self, *args: Any, communities: list[tuple[int, str]], types: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["community"].choices = [("", _("不按社区")), *communities]  # type: ignore[attr-defined]
        self.fields["types"].choices = types  # type: ignore[attr-defined]

    def clean_corners(self) -> dict[str, Any] | None:
        """The corners as a closed GeoJSON polygon; None for an empty field."""
        lines = [line for line in self.cleaned_data["corners"].replace("，", ",").splitlines() if line.strip()]
        if not lines:
            return None
        try:
            ring = [[float(part) for part in line.split(",")] for line in lines]
        except ValueError:
            raise forms.ValidationError(_("拐点要写成“经度, 纬度”，一行一个。")) from None
        if any(len(pair) != 2 for pair in ring) or len(ring) < 3:
            raise forms.ValidationError(_("至少要三个拐点，每行两个数。"))
        closed = ring if ring[0] == ring[-1] else [*ring, ring[0]]
        return {"type": "Polygon", "coordinates": [closed]}
