"""What a form of a move offers to choose from: filing conditions with their facts, and departments with a suggestion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jiequ.grid.models import Community
from jiequ.grid.queries import communities
from jiequ.people.models import Department
from jiequ.people.queries import departments_of, own_departments_of
from jiequ.people.rules import DepartmentKind

from .models import Case, ImportIssue, IssueKind
from .queries.types import ConditionChoice, current_types, said


def own_departments(street_id: int) -> list[Department]:
    """The street's own departments; a district bureau is called, not dispatched to."""
    return own_departments_of(street_id)


def in_order(departments: Iterable[Department], community: Community | None) -> list[Department]:
    """Offices and contractors first, then the committees, the place's own before the others."""
    own = committee_key(community) if community else ""
    return sorted(departments, key=lambda d: (d.kind == DepartmentKind.COMMUNITY and d.key != own, d.key == own))


def words_of(department: Department) -> str:
    """A department's name in the reader's language."""
    return said(department.name_zh, department.name_en)


def condition_choices() -> list[tuple[str, list[tuple[int, str]]]]:
    """Every filing condition in force, grouped by type, for a select."""
    groups = []
    for major in current_types():
        for kind in major.types:
            groups.append((f"{kind.code} {kind.name}", [(c.id, f"{c.name} · {c.limit}") for c in kind.conditions]))
    return groups


def target_choices(issue: ImportIssue) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a foreign word may stand for in its street, grouped: filing conditions, departments, or communities."""
    if issue.kind == IssueKind.TYPE:
        return [
            (
                f"{kind.code} {kind.name}",
                [(f"{kind.kind}:{kind.code}:{c.key}", f"{c.name} · {c.limit}") for c in kind.conditions],
            )
            for major in current_types()
            for kind in major.types
        ]
    if issue.kind == IssueKind.UNIT:
        departments = in_order(departments_of(issue.street_id), None)
        own = [(d.key, words_of(d)) for d in departments if d.street_id is not None]
        return [(str(_("本街道")), own), (str(_("区职能部门")), [(d.key, words_of(d)) for d in departments_of(None)])]
    name = said(issue.street.name_zh, issue.street.name_en)
    return [(name, [(c.code12, said(c.name_zh, c.name_en)) for c in communities(issue.street_id)])]


class ConditionSelect(forms.Select):
    """A select of filing conditions; each option carries its limit, closing condition and proofs for the page's script.

    ``conditions`` by id; ``leads``: which department a condition goes to in this street.
    """

    def __init__(self) -> None:
        super().__init__(attrs={"data-pick": "", "data-text-find": _("输入名称或代码查找")})
        self.conditions: dict[int, ConditionChoice] = {}
        self.leads: dict[int, int] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Django's option with the condition's facts as data attributes."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        condition = self.conditions.get(int(str(value))) if str(value).isdecimal() else None
        if condition is not None:
            option["attrs"] |= {
                "data-limit": condition.limit,
                "data-proofs": "、".join(condition.proofs),
                "data-closing": condition.closing,
            }
            if lead := self.leads.get(condition.id):
                option["attrs"]["data-lead"] = lead
        return option


def conditions_by_id() -> dict[int, ConditionChoice]:
    """Every filing condition in force by its id, from the cache."""
    return {c.id: c for major in current_types() for kind in major.types for c in kind.conditions}


COMMITTEE = "sq"
"""The catalogue's key for "the committee of the place's community"."""


def committee_key(community: Community) -> str:
    """The department key of a community's committee: sq and the community's three digits."""
    return f"{COMMITTEE}{community.code12[-3:]}"


def named_keys(case: Case, keys: Iterable[str]) -> list[str]:
    """The catalogue's department keys as this place has them."""
    found = [committee_key(case.community) if key == COMMITTEE and case.community else key for key in keys]
    return list(dict.fromkeys(found))


def suggested(case: Case, departments: Iterable[Department]) -> list[int]:
    """The departments the catalogue names for the type, the lead first; the dispatcher may choose others.

    Where the catalogue names a district bureau, the first assisting department of the street coordinates and calls it.
    """
    if case.condition is None:
        return []
    edition = case.condition.edition
    own = {d.key: d.pk for d in departments}
    keys = named_keys(case, [edition.lead_department_key, *edition.assist_department_keys])
    return [own[key] for key in keys if key in own]


def suggested_lead(case: Case) -> int | None:
    """The first of ``suggested``; None if the catalogue names nobody of this street."""
    return next(iter(suggested(case, own_departments(case.street_id))), None)
