"""The desk's pages of the map: communities, responsibility grids, unit grids, monitoring points, plates, files.

Desk roles read their own street; the system administrator reads and changes all. Every page is a list or a form first;
the map beside it is a second way to the same.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import form_errors
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.people import queries as people_queries
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from . import access, pages, services
from . import plates as plate_pictures
from .forms import BIGGEST_FILE, ImportForm, PointForm, ResponsibilityForm
from .models import GridMember, MonitoringPoint, PointKind, ResponsibilityGrid

LAYER_NAMES = ("community", "unit_grid", "responsibility_grid", "monitoring_point", "place")


@needs(*access.READERS)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The street's communities beside its map."""
    street = street_of(request)
    rows = pages.community_rows(street.pk)
    total = {"units": sum(row.units for row in rows), "hectares": round(sum(row.hectares for row in rows), 1)}
    return framed(request, street, "list", "grid/overview.html", {"rows": rows, "total": total})


@needs(*access.READERS)
@require_GET
def responsibility(request: HttpRequest) -> HttpResponse:
    """The street's responsibility grids and their workers."""
    street = street_of(request)
    rows = pages.responsibility_rows(street.pk)
    return framed(request, street, "responsibility", "grid/responsibility.html", {"rows": rows})


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def responsibility_new(request: HttpRequest) -> HttpResponse:
    """A form for a new responsibility grid."""
    street = street_of(request)
    form = ResponsibilityForm(request.POST or None, workers=_workers(street.pk))
    refusal = None
    if request.method == "POST":
        try:
            refuse_invalid(form)
            given = form.cleaned_data
            services.make_responsibility_grid(
                street_id=street.pk,
                name=given["name"],
                codes=given["codes"],
                worker_id=given["worker"],
                by=actor_of(request),
                at=clock.now(),
            )
            return done(request, street, "grid:responsibility", _("责任网格已建立。"))
        except Refusal as refused:
            refusal = refused
    context = {"form": form, "refusal": refusal, "grid": None}
    return framed(request, street, "responsibility", "grid/responsibility_form.html", context, refusal)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def responsibility_edit(request: HttpRequest, grid_id: int) -> HttpResponse:
    """The form of one responsibility grid: name, worker, unit grids."""
    grid = _grid(request, grid_id)
    refusal = None
    if request.method == "POST":
        form = ResponsibilityForm(request.POST, workers=_workers(grid.street_id))
        try:
            refuse_invalid(form)
            given = form.cleaned_data
            services.edit_responsibility_grid(
                grid_id=grid.pk,
                version=given["version"] or 0,
                name=given["name"],
                codes=given["codes"],
                worker_id=given["worker"],
                by=actor_of(request),
                at=clock.now(),
            )
            return done(request, grid.street, "grid:responsibility", _("责任网格已保存。"))
        except Refusal as refused:
            refusal = refused
    else:
        members = GridMember.objects.filter(responsibility_grid=grid).order_by("unit_grid__code15")
        codes = list(members.values_list("unit_grid__code15", flat=True))
        form = ResponsibilityForm(initial=ResponsibilityForm.filled(grid, codes), workers=_workers(grid.street_id))
    context = {"form": form, "refusal": refusal, "grid": grid}
    return framed(request, grid.street, "responsibility", "grid/responsibility_form.html", context, refusal)


@needs(*access.EDITORS)
@require_POST
def responsibility_retire(request: HttpRequest, grid_id: int) -> HttpResponse:
    """Takes a responsibility grid out of force."""
    grid = _grid(request, grid_id)
    services.retire_responsibility_grid(grid_id=grid_id, version=version_of(request), by=actor_of(request), at=clock.now())
    return done(request, grid.street, "grid:responsibility", _("责任网格已停用，其中的单元网格可另行划分。"))


@needs(*access.READERS)
@require_GET
def units(request: HttpRequest) -> HttpResponse:
    """The street's unit grids, page by page."""
    street = street_of(request)
    community_id, words = id_of(request, "community"), request.GET.get("q", "").strip()[:60]
    rows, more = pages.unit_page(street.pk, community_id=community_id, words=words, after=request.GET.get("after", "")[:15])
    known = pages.community_rows(street.pk)
    context = {"rows": rows, "more": more, "communities": known, "community_id": community_id, "words": words}
    return framed(request, street, "units", "grid/units.html", context)


@needs(*access.READERS)
@require_GET
def points(request: HttpRequest) -> HttpResponse:
    """The street's monitoring points, page by page."""
    street = street_of(request)
    kind = request.GET.get("kind", "") if request.GET.get("kind") in PointKind.values else ""
    words = request.GET.get("q", "").strip()[:60]
    rows, more = pages.point_page(street.pk, kind=kind, words=words, after=request.GET.get("after", "")[:20])
    counts = pages.point_kinds(street.pk)
    kinds = [(value, label, counts.get(value, 0)) for value, label in PointKind.choices]
    context = {"rows": rows, "more": more, "kinds": kinds, "kind": kind, "words": words, "total": sum(counts.values())}
    return framed(request, street, "points", "grid/points.html", context)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def point_new(request: HttpRequest) -> HttpResponse:
    """A form for a new monitoring point."""
    street = street_of(request)
    form = PointForm(request.POST or None)
    refusal = None
    if request.method == "POST":
        try:
            refuse_invalid(form)
            services.add_point(street_id=street.pk, facts=form.facts(), by=actor_of(request), at=clock.now())
            return done(request, street, "grid:points", _("监控点已添加。"))
        except Refusal as refused:
            refusal = refused
    return framed(request, street, "points", "grid/point_form.html", {"form": form, "refusal": refusal}, refusal)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def point_edit(request: HttpRequest, point_id: int) -> HttpResponse:
    """The form of one monitoring point."""
    point = _point(request, point_id)
    form = PointForm(request.POST) if request.method == "POST" else PointForm(initial=PointForm.filled(point))
    refusal = None
    if request.method == "POST":
        try:
            refuse_invalid(form)
            version = form.cleaned_data["version"] or 0
            services.edit_point(point_id=point.pk, version=version, facts=form.facts(), by=actor_of(request), at=clock.now())
            return done(request, point.street, "grid:points", _("监控点已保存。"))
        except Refusal as refused:
            refusal = refused
    context = {"form": form, "refusal": refusal, "point": point}
    return framed(request, point.street, "points", "grid/point_form.html", context, refusal)


@needs(*access.EDITORS)
@require_POST
def point_remove(request: HttpRequest, point_id: int) -> HttpResponse:
    """Removes a monitoring point."""
    point = _point(request, point_id)
    services.remove_point(point_id=point_id, version=version_of(request), by=actor_of(request), at=clock.now())
    return done(request, point.street, "grid:points", _("监控点已删除。"))


@needs(*access.READERS)
@require_GET
def plates(request: HttpRequest) -> HttpResponse:
    """A sheet of plates to print: scanned on the spot, one opens the report page with the place filled in."""
    street = street_of(request)
    community_id = id_of(request, "community")
    rows, more = pages.plate_rows(street, community_id=community_id, after=request.GET.get("after", "")[:20])
    shown = [(row, plate_pictures.picture(settings.BASE_URL + reverse("grid:plate", args=[row.code]))) for row in rows]
    context = {"rows": shown, "more": more, "communities": pages.community_rows(street.pk), "community_id": community_id}
    return framed(request, street, "plates", "grid/plates.html", context)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest) -> HttpResponse:
    """Takes in a GeoJSON file, or only says what it would do; a fault is named with its place and nothing is stored."""
    street = street_of(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    refusal, report = None, None
    if request.method == "POST":
        try:
            refuse_invalid(form)
            file = form.cleaned_data["file"]
            if file.size > BIGGEST_FILE:
                raise Refusal("map_unreadable", _("文件超过 30 MB，请按街道分开导出后再试。"))
            is_rehearsal = request.POST.get("act") != "import"
            report = services.import_grids(
                street_id=street.pk, data=file.read(), by=actor_of(request), at=clock.now(), rehearse=is_rehearsal
            )
            if report.is_stored:
                return done(request, street, "grid:list", _("网格已导入。"))
        except Refusal as refused:
            refusal = refused
    context = {"form": form, "refusal": refusal, "counts": _counts(report) if report else None}
    return framed(request, street, "import", "grid/import.html", context, refusal)


@needs(*access.EDITORS)
@require_GET
def export_file(request: HttpRequest) -> HttpResponse:
    """The street's whole map as a GeoJSON file."""
    street = street_of(request)
    document = services.export_grids(street_id=street.pk, by=actor_of(request), at=clock.now())
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    answer = HttpResponse(body, content_type="application/geo+json")
    answer["Content-Disposition"] = f'attachment; filename="grid-{street.code9}.geojson"'
    answer["Cache-Control"] = "private, no-store"
    return answer


# ---- shared by the pages


def framed(
    request: HttpRequest, street: Street, section: str, template: str, context: dict[str, Any], refusal: Refusal | None = None
) -> HttpResponse:
    actor = actor_of(request)
    streets = [(one.pk, pages.local_name(one)) for one in access.streets_for(actor)]
    frame = {
        "street": street,
        "street_name": pages.local_name(street),
        "streets": streets,
        "section": section,
        "can_edit": access.may_edit(actor, street.pk),
    }
    return render(request, template, frame | context, status=refusal.status if refusal else 200)


def street_of(request: HttpRequest) -> Street:
    return access.street_for(actor_of(request), id_of(request, "street"))


def _grid(request: HttpRequest, grid_id: int) -> ResponsibilityGrid:
    rows = ResponsibilityGrid.objects.filter(pk=grid_id, retired_at=None).select_related("street")
    grid = rows.first()
    if grid is None or not access.may_edit(actor_of(request), grid.street_id):
        raise NotFound("no_such_grid", _("没有找到这个责任网格。"))
    return grid


def _point(request: HttpRequest, point_id: int) -> MonitoringPoint:
    point = MonitoringPoint.objects.filter(pk=point_id).select_related("street").first()
    if point is None or not access.may_edit(actor_of(request), point.street_id):
        raise NotFound("no_such_point", _("没有找到这个监控点。"))
    return point


def _workers(street_id: int) -> list[Any]:
    return people_queries.holders(Role.GRID_WORKER, street_id, clock.now())


def refuse_invalid(form: Any) -> None:
    if not form.is_valid():
        raise form_errors(form)


def done(request: HttpRequest, street: Street, route: str, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect(f"{reverse(route)}?street={street.pk}")


def version_of(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return whole(text, 9) or 0


def id_of(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "") or request.POST.get(name, "")
    return whole(text)


def _counts(report: services.ImportReport) -> list[tuple[str, services.Counts]]:
    names = {
        "community": _("社区"),
        "unit_grid": _("单元网格"),
        "responsibility_grid": _("责任网格"),
        "monitoring_point": _("监控点"),
        "place": _("地点"),
    }
    return [(names[layer], report.counts[layer]) for layer in LAYER_NAMES if layer in report.counts]
