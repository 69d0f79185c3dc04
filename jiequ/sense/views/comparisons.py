"""Comparisons: which were asked for and how far they are, the form for more, one with its map and what it found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.grid.models import MonitoringPoint
from jiequ.people.access import actor_of, needs

from .. import access, sight
from ..models import Asset, Blind, Comparison, Export, Finding
from ..queries import comparisons as queries
from ..queries import pairs
from ..services import comparing
from .imagery import crop_url, day, map_of, number, page

PICTURES_OFFERED = 100


@needs(*access.VIEWERS)
@require_http_methods(["GET", "HEAD", "POST"])
def comparisons(request: HttpRequest) -> HttpResponse:
    """The list and the form; POST asks for a comparison of a point's two days, of two pictures, or of every point's newest."""
    street = access.street_for(actor_of(request), number(request, "street"))
    refusal = None
    if request.method == "POST":
        try:
            return _ask(request, street)
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    rows, more = queries.rows(street_id=street.pk, before=number(request, "before"))
    point = _point(street, number(request, "point"))
    context = {
        "rows": rows,
        "more": more,
        "is_moving": queries.is_moving(street.pk),
        "points": MonitoringPoint.objects.filter(street=street).order_by("code"),
        "point": point,
        "dates": pairs.dates_of(pairs.Place(street.pk, point)) if point else [],
        "pictures": pairs.newest(street.pk)[:PICTURES_OFFERED],
        "refusal": refusal,
        "given": request.POST,
    }
    return page(request, street, "comparisons", "sense/comparisons.html", context)


def _ask(request: HttpRequest, street: Street) -> HttpResponse:
    by, at, act = actor_of(request), clock.now(), request.POST.get("act", "")
    if act == "all":
        found = pairs.newest_pairs(street.pk)
        if not found:
            raise Refusal("no_pairs", _("还没有哪个监控点有两期影像。"))
        for one, pair in found:
            comparing.ask_comparison(street_id=street.pk, pair=pair, point_id=one.pk, by=by, at=at)
        messages.success(request, _("%(n)d 个监控点的比对已排队，做过的不再做。") % {"n": len(found)})
        return redirect(f"{reverse('sense:comparisons')}?street={street.pk}")
    if act == "two":
        pair = pairs.pair_of(street.pk, number(request, "one"), number(request, "other"))
        row = comparing.ask_comparison(street_id=street.pk, pair=pair, by=by, at=at)
        return redirect("sense:comparison", row.pk)
    point = _point(street, number(request, "point"))
    if point is None:
        raise Refusal("no_point", _("请选择监控点。"), facts={"field": "point"})
    place = pairs.Place(street.pk, point)
    pair = pairs.pair_at(place, day(request.POST.get("before_on", "")), day(request.POST.get("after_on", "")))
    row = comparing.ask_comparison(street_id=street.pk, pair=pair, point_id=point.pk, by=by, at=at)
    return redirect("sense:comparison", row.pk)


def _point(street: Street, point_id: int | None) -> MonitoringPoint | None:
    if point_id is None:
        return None
    found = MonitoringPoint.objects.filter(pk=point_id, street=street).first()
    if found is None:
        raise NotFound("no_such_point", _("没有找到这个监控点。"))
    return found


@needs(*access.VIEWERS)
@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """The newest rows as a part of the page that renews itself while work is in hand."""
    street = access.street_for(actor_of(request), number(request, "street"))
    found, _more = queries.rows(street_id=street.pk)
    context = {"rows": found, "street": street, "is_moving": queries.is_moving(street.pk)}
    return render(request, "sense/parts/comparison_rows.html", context)


@needs(*access.VIEWERS)
@require_safe
def comparison(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """How far it is, or what it found, what a permit explains and where it cannot speak: on the map and in words."""
    row = comparing.comparison_by_id(comparison_id, actor_of(request))
    found, unseen = queries.findings(row), queries.blind(row)
    context = {
        "row": queries.row_of(row),
        "comparison": row,
        "is_moving": row.state in ("waiting", "running"),
        "found": [one for one in found if not one.rule],
        "held": [one for one in found if one.rule],
        "blind": unseen,
        "unseen": queries.by_reason(unseen),
        "notes": queries.notes(row),
        "facts": queries.facts(row),
        "map": None if row.in_pixels else map_of_rows(request, [row], queries.shapes_of(found, unseen)),
        "view": _view(request, row, found, unseen) if row.in_pixels else None,
        "together": queries.asked_together(row),
        "forms": Export.Form.choices,
    }
    return page(request, row.street, "comparisons", "sense/comparison.html", context)


def _view(request: HttpRequest, row: Comparison, found: list[Finding], unseen: list[Blind]) -> dict[str, Any]:
    """Both snapshots of one view, and over the later one, whose pixels they are, what was found and could not be seen."""
    sides = [(day, asset, crop_url(request, asset, width=960)) for asset, day in
             ((row.before, row.before_on), (row.after, row.after_on)) if asset]  # fmt: skip
    shapes = [("quiet", sight.path_in_pixels(one.geometry)) for one in unseen]
    shapes += [("this", sight.path_in_pixels(one.geometry)) for one in found]
    return {"sides": sides, "shapes": shapes}


def map_of_rows(request: HttpRequest, rows: Sequence[Comparison], shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """The pictures of both days as a layer each, the areas that were drawn, and over them what was found."""
    dated: dict[Asset, date] = {}
    for row in rows:
        for asset, taken in ((row.before or row.before_dsm, row.before_on), (row.after or row.after_dsm, row.after_on)):
            if asset is not None:
                dated[asset] = taken
    told = map_of(request, list(dated))
    days = {asset.pk: taken.isoformat() for asset, taken in dated.items()}
    for layer in told["layers"]:
        layer["name"] = days[layer["id"]]
    areas = [shape for row in rows for shape in queries.area_shape(row)]
    return told | {"shapes": {"type": "FeatureCollection", "features": areas + shapes}}


@needs(*access.VIEWERS)
@require_safe
def progress(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """How far a comparison is, as a part of its page that renews itself."""
    row = comparing.comparison_by_id(comparison_id, actor_of(request))
    context = {"row": queries.row_of(row), "comparison": row, "is_moving": row.state in ("waiting", "running")}
    return render(request, "sense/parts/comparison_progress.html", context)


@needs(*access.VIEWERS)
@require_safe
def layer(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """What a comparison found, held back and could not see, as GeoJSON."""
    row = comparing.comparison_by_id(comparison_id, actor_of(request))
    if row.in_pixels:
        raise NotFound("no_such_layer", _("固定视角的比对没有地图位置。"))
    shapes = queries.shapes_of(queries.findings(row), queries.blind(row))
    body = json.dumps({"type": "FeatureCollection", "features": shapes}, ensure_ascii=False)
    return HttpResponse(body, content_type="application/geo+json")


@needs(*access.JUDGES)
@require_POST
def stop(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """Stops a comparison that is not done."""
    comparing.stop_comparison(comparison_id=comparison_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("比对已停止。"))
    return redirect("sense:comparison", comparison_id)
