"""The desk's pages of duty lists and control areas. Desk roles read; the system administrator changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.grid import queries as grid_queries
from jiequ.people import queries as people_queries
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .forms_types import AreaForm, DutyForm
from .models.types import ControlArea, DutyList
from .queries.types import listed_types, said
from .services import areas
from .views_types import READ_AND_POST, READERS

AREA_FIELDS = ("name", "notice_zh", "notice_en", "starts_at", "ends_at", "version")


# --- duty lists ------------------------------------------------------------------------------------------------------
@needs(*READERS)
@require_GET
def duty_lists(request: HttpRequest) -> HttpResponse:
    """The street's duty lists: whose, by which clause, how many types."""
    street = _street(request)
    rows = DutyList.objects.filter(street=street).select_related("department", "community").prefetch_related("types")
    return _page(request, street, "cases/types/duty_lists.html", {"rows": [_duty_row(row) for row in rows]}, "duty")


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def duty_new(request: HttpRequest) -> HttpResponse:
    """A form for a department or community that has no list yet."""
    return _duty_form(request, _street(request), None)


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def duty_edit(request: HttpRequest, duty_list_id: int) -> HttpResponse:
    """The form of one duty list."""
    row = DutyList.objects.filter(pk=duty_list_id).select_related("street", "department", "community").first()
    if row is None:
        raise NotFound("duty.missing", _("没有这份职责清单。"))
    return _duty_form(request, row.street, row)


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def duty_remove(request: HttpRequest, duty_list_id: int) -> HttpResponse:
    """That department or community may be sent anything again."""
    row = DutyList.objects.filter(pk=duty_list_id).first()
    if row is None:
        raise NotFound("duty.missing", _("没有这份职责清单。"))
    areas.remove_duty_list(duty_list_id=row.pk, version=_version(request), by=actor_of(request), at=clock.now())
    messages.success(request, _("职责清单已删除。"))
    return redirect(f"{reverse('cases:duty_lists')}?street={row.street_id}")


def _duty_form(request: HttpRequest, street: Street, row: DutyList | None) -> HttpResponse:
    holders, types = _holders(street, row), _type_choices()
    refusal = None
    if request.method == "POST":
        form = DutyForm(request.POST, holders=holders, types=types)
        try:
            _save_duty(request, street, form)
            messages.success(request, _("职责清单已保存。"))
            return redirect(f"{reverse('cases:duty_lists')}?street={street.pk}")
        except Refusal as refused:
            refusal = refused
    else:
        form = DutyForm(initial=_duty_initial(row), holders=holders, types=types)
    context = {"form": form, "row": row, "refusal": refusal}
    return _page(request, street, "cases/types/duty_form.html", context, "duty", refusal)


def _save_duty(request: HttpRequest, street: Street, form: DutyForm) -> None:
    _refuse_invalid(form)
    given = form.cleaned_data
    kind, _sep, number = given["holder"].partition(":")
    areas.set_duty_list(
        street_id=street.pk,
        clause=given["clause"],
        codes=_codes(given["types"]),
        by=actor_of(request),
        at=clock.now(),
        department_id=int(number) if kind == "department" else None,
        community_id=int(number) if kind == "community" else None,
        version=given["version"] or 0,
    )


def _duty_initial(row: DutyList | None) -> dict[str, Any]:
    if row is None:
        return {"version": 0}
    holder = f"department:{row.department_id}" if row.department_id else f"community:{row.community_id}"
    chosen = [f"{t.kind}:{t.code}" for t in row.types.all()]
    return {"holder": holder, "clause": row.clause, "types": chosen, "version": row.version}


def _duty_row(row: DutyList) -> dict[str, Any]:
    holder = row.department or row.community
    assert holder is not None
    return {"row": row, "holder": said(holder.name_zh, holder.name_en), "count": len(row.types.all())}


def _holders(street: Street, row: DutyList | None) -> list[tuple[str, str]]:
    """Who may be chosen: whoever has no list yet, or whose list this is."""
    if row is not None:
        return [(str(_duty_initial(row)["holder"]), _duty_row(row)["holder"])]
    taken = set(DutyList.objects.filter(street=street).values_list("department_id", "community_id"))
    departments = people_queries.departments_of(street.pk)
    communities = grid_queries.communities(street.pk)
    return [
        *((f"department:{d.pk}", said(d.name_zh, d.name_en)) for d in departments if (d.pk, None) not in taken),
        *((f"community:{c.pk}", said(c.name_zh, c.name_en)) for c in communities if (None, c.pk) not in taken),
    ]


# --- control areas ---------------------------------------------------------------------------------------------------
@needs(*READERS)
@require_GET
def control_areas(request: HttpRequest) -> HttpResponse:
    """The street's control areas: in force, coming, over (the last fifty)."""
    street, at = _street(request), clock.now()
    rows = ControlArea.objects.filter(street=street).select_related("community").prefetch_related("types")
    groups: dict[str, list[dict[str, Any]]] = {"now": [], "coming": [], "over": []}
    for row in rows.order_by("-ends_at", "-pk")[:150]:
        group = "over" if row.ends_at <= at else "coming" if row.starts_at > at else "now"
        groups[group].append(
            {"area": row, "notice": said(row.notice_zh, row.notice_en), "codes": [t.code for t in row.types.all()]}
        )
    groups["over"] = groups["over"][:50]
    return _page(request, street, "cases/types/areas.html", {"groups": groups}, "areas")


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def area_new(request: HttpRequest) -> HttpResponse:
    """A form for a new control area."""
    return _area_form(request, _street(request), None)


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def area_edit(request: HttpRequest, area_id: int) -> HttpResponse:
    """The form of one control area."""
    row = _area(area_id)
    return _area_form(request, row.street, row)


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def area_end(request: HttpRequest, area_id: int) -> HttpResponse:
    """Reports are welcome again from now on."""
    row = _area(area_id)
    areas.end_control_area(area_id=area_id, version=_version(request), by=actor_of(request), at=clock.now())
    messages.success(request, _("管控已结束。"))
    return redirect(f"{reverse('cases:control_areas')}?street={row.street_id}")


def _area_form(request: HttpRequest, street: Street, row: ControlArea | None) -> HttpResponse:
    options: dict[str, Any] = {
        "communities": [(c.pk, said(c.name_zh, c.name_en)) for c in grid_queries.communities(street.pk)],
        "types": _type_choices(),
    }
    refusal = None
    if request.method == "POST":
        form = AreaForm(request.POST, **options)
        try:
            _save_area(request, street, row, form)
            messages.success(request, _("管控区域已保存。"))
            return redirect(f"{reverse('cases:control_areas')}?street={street.pk}")
        except Refusal as refused:
            refusal = refused
    else:
        form = AreaForm(initial=_area_initial(row), **options)
    context = {"form": form, "area": row, "refusal": refusal}
    return _page(request, street, "cases/types/area_form.html", context, "areas", refusal)


def _save_area(request: HttpRequest, street: Street, row: ControlArea | None, form: AreaForm) -> None:
    _refuse_invalid(form)
    given = form.cleaned_data
    draft = areas.AreaDraft(
        name=given["name"],
        notice_zh=given["notice_zh"],
        notice_en=given["notice_en"],
        starts_at=given["starts_at"],
        ends_at=given["ends_at"],
        geometry=given["corners"],
        community_id=given["community"],
        codes=tuple(_codes(given["types"])),
    )
    areas.set_control_area(
        street_id=street.pk,
        draft=draft,
        by=actor_of(request),
        at=clock.now(),
        area_id=row.pk if row else None,
        version=(given["version"] or 0) if row else 0,
    )


def _area_initial(row: ControlArea | None) -> dict[str, Any]:
    if row is None:
        return {"version": 0}
    corners = row.geometry["coordinates"][0][:-1] if row.geometry else []
    return {name: getattr(row, name) for name in AREA_FIELDS} | {
        "community": row.community_id,
        "corners": "\n".join(f"{lon}, {lat}" for lon, lat in corners),
        "types": [f"{t.kind}:{t.code}" for t in row.types.all()],
    }


def _area(area_id: int) -> ControlArea:
    row = ControlArea.objects.filter(pk=area_id).select_related("street").first()
    if row is None:
        raise NotFound("area.missing", _("没有这个管控区域。"))
    return row


# --- both ------------------------------------------------------------------------------------------------------------
def _streets(request: HttpRequest) -> list[Street]:
    by = actor_of(request)
    return [street for street in Street.objects.filter(is_active=True) if by.has(*READERS, street_id=street.pk)]


def _street(request: HttpRequest) -> Street:
    """The street asked for, or the reader's first."""
    text = request.GET.get("street", "")
    wanted = whole(text)
    for street in _streets(request):
        if wanted is None or street.pk == wanted:
            return street
    raise NotFound("no_such_street", _("没有找到这个街道。"))


def _type_choices() -> list[tuple[str, str]]:
    """Every type as "kind:code" with its name."""
    listed = [(edition.event_type, said(edition.name_zh, edition.name_en)) for edition in listed_types()]
    return [(f"{event_type.kind}:{event_type.code}", f"{event_type.code} {name}") for event_type, name in listed]


def _codes(chosen: list[str]) -> list[tuple[str, str]]:
    return [(kind, code) for kind, _sep, code in (value.partition(":") for value in chosen)]


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _refuse_invalid(form: Any) -> None:
    if not form.is_valid():
        raise Refusal("invalid_form", _("有的内容没有填好，请看标出的地方。没有保存。"))


def _page(
    request: HttpRequest, street: Street, template: str, context: dict[str, Any], section: str, refusal: Refusal | None = None
) -> HttpResponse:
    frame = {
        "street": street,
        "street_name": said(street.name_zh, street.name_en),
        "streets": [(s.pk, said(s.name_zh, s.name_en)) for s in _streets(request)],
        "can_edit": actor_of(request).has(Role.SYSTEM_ADMIN),
        "section": section,
    }
    return render(request, template, context | frame, status=refusal.status if refusal else 200)
