"""The desk's pages of event types: the list, one type with its conditions and editions, and the form that makes an edition.

Desk roles read; the system administrator changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.core.worktime import Limit
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES, Role

from . import type_rules as rules
from .forms_types import (
    COVERS_WORDS,
    KIND_WORDS,
    PRIORITY_WORDS,
    STARTS_WORDS,
    STRENGTH_WORDS,
    ConditionForm,
    ConditionSet,
    NewTypeForm,
    TypeForm,
    department_names,
)
from .models.types import EventType, TypeEdition
from .queries import types as queries
from .services import types as services

READERS = (*sorted(DESK_ROLES), Role.SYSTEM_ADMIN)
READ_AND_POST = ["GET", "HEAD", "POST"]
PREFIX = "form"  # of the conditions in the form

FIELD_WORDS = {
    "name_zh": gettext_lazy("名称"),
    "name_en": gettext_lazy("英文名称"),
    "major_code": gettext_lazy("大类代码"),
    "major_zh": gettext_lazy("大类"),
    "major_en": gettext_lazy("大类英文"),
    "lead_department_key": gettext_lazy("主办部门"),
    "assist_department_keys": gettext_lazy("协办部门"),
    "priority": gettext_lazy("紧急程度"),
    "needs_check": gettext_lazy("结案前现场核查"),
    "needs_verify": gettext_lazy("立案前现场核实"),
    "is_confidential": gettext_lazy("敏感"),
    "std_trace": gettext_lazy("来源"),
    "trace_strength": gettext_lazy("来源强度"),
    "note": gettext_lazy("备注"),
    "limit": gettext_lazy("办理时限"),
    "closing_zh": gettext_lazy("结案条件"),
    "closing_en": gettext_lazy("结案条件英文"),
    "proofs": gettext_lazy("证明"),
    "covers": gettext_lazy("时限管到"),
    "starts": gettext_lazy("时限起算"),
    "has_light": gettext_lazy("亮灯、计超期"),
    "limit_from_zh": gettext_lazy("时限是谁的"),
    "limit_from_en": gettext_lazy("时限是谁的（英文）"),
    "source": gettext_lazy("时限来源"),
    "strength": gettext_lazy("来源强度"),
    "condition": gettext_lazy("立案条件"),
    "order": gettext_lazy("立案条件的顺序"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an edition's difference, in words."""

    what: str
    condition: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class History:
    """An edition and what it changed."""

    edition: TypeEdition
    changes: list[Change]


@needs(*READERS)
@require_GET
def type_list(request: HttpRequest) -> HttpResponse:
    """Every type by major, with its conditions and limits."""
    words = request.GET.get("q", "").strip()[:60]
    majors: dict[str, list[dict[str, Any]]] = {}
    for edition in queries.listed_types():
        if words and not _mentions(edition, words):
            continue
        name = queries.said(edition.major_zh, edition.major_en)
        majors.setdefault(f"{edition.major_code} {name}", []).append(_row(edition))
    return _page(request, "cases/types/list.html", {"majors": majors, "words": words, "section": "types"})


@needs(*READERS)
@require_GET
def type_page(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """One type: its conditions now, and every edition with what it changed."""
    event_type = _event_type(kind, code)
    editions = queries.editions_of(event_type.pk)
    drafts = [services.draft_of(edition) for edition in editions]
    names = department_names()
    history = [
        History(edition, [_change(d, names) for d in rules.differences(old, new)] if old else [])
        for edition, new, old in zip(editions, drafts, [*drafts[1:], None], strict=True)
    ]
    context = {
        "type": event_type,
        "edition": editions[0],
        "history": history,
        "lead": names.get(editions[0].lead_department_key, editions[0].lead_department_key),
        "assist": [names.get(key, key) for key in editions[0].assist_department_keys],
        "section": "types",
    } | _row(editions[0])
    return _page(request, "cases/types/type.html", context)


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def new_type(request: HttpRequest) -> HttpResponse:
    """A form for a type that is not in the catalogue."""
    return _edit(request, None)


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def edit_type(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """The form that makes the next edition of a type."""
    return _edit(request, _event_type(kind, code))


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def set_active(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """Takes a type out of use, or back into it."""
    event_type = _event_type(kind, code)
    act = services.activate_type if request.POST.get("active") == "1" else services.deactivate_type
    act(event_type_id=event_type.pk, by=actor_of(request), at=clock.now())
    return redirect("cases:type", kind=kind, code=code)


def _edit(request: HttpRequest, event_type: EventType | None) -> HttpResponse:
    """Shows the form; ``more`` adds an empty condition, anything else saves."""
    current = services.draft_of(services.current_edition(event_type.pk)) if event_type else None
    seen = event_type.edition if event_type else 0
    if request.method != "POST":
        form = _type_form(event_type, initial=TypeForm.filled(current) if current else None)
        rows = ConditionSet(initial=[ConditionForm.filled(c) for c in current.conditions] if current else None)
        return _form(request, event_type, form, rows, seen)
    seen = _number(request.POST, "edition")
    if "more" in request.POST:
        return _form(request, event_type, *_one_more(event_type, request.POST), seen)
    form, rows = _type_form(event_type, data=request.POST), ConditionSet(_without_empty(request.POST))
    try:
        draft = _draft(form, rows)
        edition = _save(request, event_type, form, draft, seen)
    except Refusal as refusal:
        return _form(request, event_type, form, rows, seen, refusal)
    messages.success(request, _("已保存为第%(n)d版，从现在起立案的案件用这一版。") % {"n": edition.number})
    return redirect("cases:type", kind=edition.event_type.kind, code=edition.event_type.code)


def _save(request: HttpRequest, event_type: EventType | None, form: TypeForm, draft: rules.TypeDraft, seen: int) -> TypeEdition:
    by, at = actor_of(request), clock.now()
    if event_type:
        return services.edit_type(event_type_id=event_type.pk, edition=seen, draft=draft, by=by, at=at)
    return services.create_type(kind=form.data["kind"], code=form.data["code"].strip(), draft=draft, by=by, at=at)


def _type_form(event_type: EventType | None, **options: Any) -> TypeForm:
    form_class = TypeForm if event_type else NewTypeForm
    return form_class(departments=department_names(), **options)


def _draft(form: TypeForm, rows: Any) -> rules.TypeDraft:
    """The posted form as a draft; Refusal if a field cannot be read."""
    if not (form.is_valid() and rows.is_valid()):
        raise Refusal("invalid_form", _("有的内容没有填好，请看标出的地方。没有保存。"))
    kept = [row for row in rows.ordered_forms if row.cleaned_data]
    return form.draft(tuple(row.draft() for row in kept))


def _one_more(event_type: EventType | None, data: QueryDict) -> tuple[TypeForm, Any]:
    """The forms as typed, not judged yet, with an empty condition at the end."""
    form = _type_form(event_type)
    form.initial = _typed(data, form)
    count = min(_number(data, f"{PREFIX}-TOTAL_FORMS"), rules.MAX_CONDITIONS)
    rows = [_typed(data, ConditionForm(prefix=f"{PREFIX}-{n}")) for n in range(count)]
    empty = {"limit_unit": "work_hour", "strength": "P", "has_light": True}
    return form, ConditionSet(initial=[*rows, empty][: rules.MAX_CONDITIONS])


def _typed(data: QueryDict, form: forms.Form) -> dict[str, Any]:
    """What was typed into each field, unchecked."""
    return {
        name: field.widget.value_from_datadict(data, MultiValueDict(), form.add_prefix(name))
        for name, field in form.fields.items()
    }


def _without_empty(data: QueryDict) -> QueryDict:
    """A condition in which nothing is said counts as taken away."""
    data = data.copy()
    for n in range(min(_number(data, f"{PREFIX}-TOTAL_FORMS"), rules.MAX_CONDITIONS)):
        if not any(data.get(f"{PREFIX}-{n}-{name}", "").strip() for name in ("key", "name_zh", "limit_value", "closing_zh")):
            data[f"{PREFIX}-{n}-DELETE"] = "on"
    return data


def _number(data: QueryDict, name: str) -> int:
    text = data.get(name, "")
    return whole(text, 8) or 0


def _form(
    request: HttpRequest, event_type: EventType | None, form: TypeForm, rows: Any, seen: int, refusal: Refusal | None = None
) -> HttpResponse:
    context = {"type": event_type, "form": form, "rows": rows, "edition": seen, "refusal": refusal, "section": "types"}
    return _page(request, "cases/types/form.html", context, refusal)


def _event_type(kind: str, code: str) -> EventType:
    event_type = queries.event_type(kind, code)
    if event_type is None:
        raise NotFound("type.missing", _("没有这个类型。"))
    return event_type


def _row(edition: TypeEdition) -> dict[str, Any]:
    conditions: Sequence[Any] = [
        {"choice": queries.condition_choice(row), "row": row, "strength": STRENGTH_WORDS[rules.Strength(row.strength)]}
        for row in sorted(edition.conditions.all(), key=lambda row: row.position)
    ]
    return {
        "edition": edition,
        "name": queries.said(edition.name_zh, edition.name_en),
        "major": queries.said(edition.major_zh, edition.major_en),
        "kind": KIND_WORDS[rules.EventKind(edition.event_type.kind)],
        "priority": PRIORITY_WORDS[edition.priority],
        "strength": STRENGTH_WORDS[rules.Strength(edition.trace_strength)],
        "conditions": conditions,
    }


def _mentions(edition: TypeEdition, words: str) -> bool:
    texts = [edition.event_type.code, edition.name_zh, edition.name_en, edition.major_zh, edition.major_en]
    texts += [text for row in edition.conditions.all() for text in (row.name_zh, row.name_en)]
    return any(words.lower() in text.lower() for text in texts)


def _change(difference: rules.Difference, names: dict[str, str]) -> Change:
    before, after = (_said(difference.field, value, names) for value in (difference.before, difference.after))
    return Change(str(FIELD_WORDS[difference.field]), difference.condition, before, after)


def _said(field: str, value: Any, names: dict[str, str]) -> str:
    """A value of a draft as people say it."""
    if value is None or value in ("", ()):
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, Limit):
        return queries.limit_words(Decimal(value.value), value.unit)
    if isinstance(value, rules.ConditionDraft):
        return f"{queries.said(value.name_zh, value.name_en)} · {_said('limit', value.limit, names)}"
    if field == "proofs":
        return _("、").join(queries.proof_words(p.kind, p.phase, p.at_least) for p in value)
    if field in VALUE_WORDS:
        return str(VALUE_WORDS[field][value])
    if isinstance(value, tuple):
        return _("、").join(str(names.get(key, key)) for key in value)
    return str(names.get(value, value)) if field == "lead_department_key" else str(value)


VALUE_WORDS: dict[str, dict[Any, Any]] = {
    "covers": COVERS_WORDS,
    "starts": STARTS_WORDS,
    "strength": STRENGTH_WORDS,
    "trace_strength": STRENGTH_WORDS,
    "priority": PRIORITY_WORDS,
}


def _page(request: HttpRequest, template: str, context: dict[str, Any], refusal: Refusal | None = None) -> HttpResponse:
    can_edit = actor_of(request).has(Role.SYSTEM_ADMIN)
    return render(request, template, context | {"can_edit": can_edit}, status=refusal.status if refusal else 200)
