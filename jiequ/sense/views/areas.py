"""An area that somebody draws, pastes or chooses from the grids is compared: first which days show it, then the comparison."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import wholes
from jiequ.people.access import actor_of, needs

from .. import access, ground
from ..models import Asset, Comparison
from ..queries import areas, covering, pairs
from ..queries import comparisons as queries
from ..services import comparing
from .comparisons import map_of_rows
from .imagery import day, map_of, number, page

DAYS_ON_MAP = 3
PICTURES_ON_MAP = 120


@needs(*access.JUDGES)
@require_http_methods(["GET", "HEAD", "POST"])
def area(request: HttpRequest) -> HttpResponse:
    """The form; POST "look" shows which days have pictures of the area, "start" asks for its comparison."""
    street = access.street_for(actor_of(request), number(request, "street"), *access.JUDGES)
    given = {name: request.POST.get(name, "") for name in ("outline", "codes", "grid", "before_on", "after_on")}
    chosen, refusal = None, None
    try:
        chosen = areas.chosen(street.pk, outline=given["outline"], codes=given["codes"], grid=given["grid"])
        if request.method == "POST" and chosen is None:
            raise Refusal("area_none", _("请先画出范围，或者选一个网格。"), facts={"field": "outline"})
        if chosen and request.POST.get("act") == "start":
            return _start(request, street, chosen)
    except Refusal as refused:
        if refused.status != 422:
            raise
        refusal = refused
    context: dict[str, Any] = {"given": given, "area": chosen, "refusal": refusal, "groups": areas.choices(street.pk)}
    if chosen is not None:
        context["dates"] = pairs.dates_of(pairs.Place(street.pk, bounds=chosen.geometry.bounds))
    return page(request, street, "comparisons", "sense/area.html", context | {"map": _map(request, street, chosen)})


def _start(request: HttpRequest, street: Street, chosen: areas.Area) -> HttpResponse:
    days = day(request.POST.get("before_on", "")), day(request.POST.get("after_on", ""))
    parts = covering.parts(street.pk, chosen.geometry, *days)
    rows = comparing.ask_area(street_id=street.pk, parts=parts, by=actor_of(request), at=clock.now())
    if len(rows) == 1:
        return redirect("sense:comparison", rows[0].pk)
    said = _("这个范围由 %(n)d 对影像拼成，各比各的，已排队；没有两期影像的地方记为“不能比对”。")
    messages.success(request, said % {"n": len(rows)})
    return redirect(f"{reverse('sense:area_seen')}?of={','.join(str(row.pk) for row in rows)}")


@needs(*access.VIEWERS)
@require_safe
def seen(request: HttpRequest) -> HttpResponse:
    """An area that took several comparisons, as one: how far each is, and all that was found and could not be seen."""
    rows = _parts(request)
    found, unseen = queries.findings(*rows), queries.blind(*rows)
    context = _progress(rows) | {
        "first": rows[0],
        "found": [one for one in found if not one.rule],
        "held": [one for one in found if one.rule],
        "m2": sum(ground.area_m2(one.area) for one in rows if one.area),
        "blind_m2": sum(one.blind_m2 for one in rows),
        "map": map_of_rows(request, rows, queries.shapes_of(found, unseen)),
    }
    return page(request, rows[0].street, "comparisons", "sense/area_seen.html", context)


@needs(*access.VIEWERS)
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far its comparisons are, as a part of the page that renews itself."""
    return render(request, "sense/parts/comparison_rows.html", _progress(_parts(request)))


def _parts(request: HttpRequest) -> list[Comparison]:
    """The comparisons ``of`` which the area consists. NotFound where there are none that the reader may see."""
    ids = wholes(request.GET.get("of", "").split(","))
    found = queries.parts_of_area(ids)
    if not found or not access.may_see(actor_of(request), found[0].street_id):
        raise NotFound("no_such_comparison", _("没有找到这次比对。"))
    return found


def _progress(rows: list[Comparison]) -> dict[str, Any]:
    is_moving = any(one.state in (Comparison.State.WAITING, Comparison.State.RUNNING) for one in rows)
    ids = ",".join(str(one.pk) for one in rows)
    return {"rows": [queries.row_of(one) for one in rows], "is_moving": is_moving, "of": ids}


def _map(request: HttpRequest, street: Street, chosen: areas.Area | None) -> dict[str, Any]:
    """The newest days as layers, where pictures lie, and the area."""
    pictures = [one for one in pairs.newest(street.pk)[:PICTURES_ON_MAP] if one.kind in pairs.MAPPED and one.west is not None]
    days = sorted({pairs.day_of(one) for one in pictures})[-DAYS_ON_MAP:]
    told = map_of(request, sorted((one for one in pictures if pairs.day_of(one) in days), key=pairs.day_of))
    names = {one.pk: pairs.day_of(one).isoformat() for one in pictures}
    for layer in told["layers"]:
        layer["name"] = names[layer["id"]]
    shapes = [_box(one) for one in pictures]
    if chosen is not None:
        shapes.append(_feature("area", ground.to_json(chosen.geometry), ""))
    return told | {"shapes": {"type": "FeatureCollection", "features": shapes}}


def _box(asset: Asset) -> dict[str, Any]:
    around = {"type": "Polygon", "coordinates": [[
        [asset.west, asset.south], [asset.east, asset.south], [asset.east, asset.north], [asset.west, asset.north],
        [asset.west, asset.south]]]}  # fmt: skip
    return _feature("seen", around, f"{pairs.day_of(asset)} {asset.name}")


def _feature(what: str, geometry: dict[str, Any], title: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"what": what, "id": what, "title": title}, "geometry": geometry}
