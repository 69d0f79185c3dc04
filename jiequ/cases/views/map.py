"""The map of the console: clusters, points, and the list of what the map shows."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.http import is_htmx
from jiequ.grid.access import token_of
from jiequ.grid.models import Community
from jiequ.grid.rules import MERCATOR_LAT, BBox, is_position
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from .. import words
from ..queries import lists, map
from ..queries.line import Line, lines_of
from . import filtering, present, staff
from .phone import STAFF

LISTED = 50
SELECTS = ("state", "light", "type", "department", "community", "period", "source")
NUMBERS = frozenset({"id", "east", "south", "light", "type"})
EVERYWHERE = BBox(73.0, 3.0, 136.0, 54.0)
"""China: where the map looks before anybody said where."""


@needs(*STAFF)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Map and list together. ``show=rows`` over htmx: the list of a box; without scripts the communities with their counts."""
    actor, at = actor_of(request), clock.now()
    filters = _filters(request, actor, at)
    box = bbox_of(request) if "bbox" in request.GET else EVERYWHERE
    rows, is_more = _rows(actor, filters, box, at)
    context: dict[str, Any] = {
        "rows": rows,
        "is_more": is_more,
        "shown": len(rows),
        "now": at,
        "may_peek": actor.has(*staff.AT_THE_DESK),
        "here": _here(request),
    }
    if request.GET.get("show") == "rows" and is_htmx(request):
        return render(request, "cases/parts/map_rows.html", context)
    context |= {
        "filters": filtering.selects(_asked(request), filtering.offered(actor), SELECTS),
        "wall": "wall" in request.GET,
        "wall_url": f"{reverse('cases:map')}?{_with(request, wall='1')}",
        "list_url": f"{reverse('cases:list')}?{_query(request)}",
        "query": _query(request),
        "communities": _communities(actor),
        "map": map_data(request, actor),
    }
    return render(request, "cases/map.html", context)


def _filters(request: HttpRequest, actor: Actor, at: datetime) -> lists.Filters:
    return filtering.filters_of(_asked(request), actor, at)


def _asked(request: HttpRequest) -> QueryDict:
    """The list's filters, but a phone's last four: looking one up is recorded each time, and a map asks with every move."""
    query = filtering.query_of(request.GET)
    if filtering.holds_phone(query):
        query.pop("q")
    return query


def _with(request: HttpRequest, **more: str) -> str:
    query = _asked(request)
    query.update(more)
    return query.urlencode()


def _here(request: HttpRequest) -> str:
    query = _query(request)
    return reverse("cases:map") + (f"?{query}" if query else "")


def _query(request: HttpRequest) -> str:
    return _asked(request).urlencode()


def _rows(actor: Actor, filters: lists.Filters, box: BBox, at: Any) -> tuple[list[dict[str, Any]], bool]:
    if box == EVERYWHERE:
        page = lists.case_page(actor, filters, at=at, size=LISTED)
        found, is_more = page.rows, page.next_before is not None
    else:
        cases = map.in_box(actor, filters, box, at=at)
        found = lines_of(cases.order_by("-pk")[: LISTED + 1])
        found, is_more = found[:LISTED], len(found) > LISTED
    return [_row(case, at) for case in found], is_more


def _row(case: Line, at: Any) -> dict[str, Any]:
    return present.row(case, at) | {"has_place": case.lon is not None, "lon": case.lon, "lat": case.lat}


def _communities(actor: Actor) -> list[dict[str, Any]]:
    """The communities with open cases and how many, the fullest first; those without a community last. Two SELECTs."""
    counts = list(map.by_community(actor))
    known = Community.objects.select_related("street").defer("outline").in_bulk([pk for _street, pk, _n in counts if pk])
    rows = [
        {"id": pk, "name": present.named(known[pk]) if pk in known else _("社区不明"), "count": n} for _street, pk, n in counts
    ]
    return sorted(rows, key=lambda row: row["id"] is None)


def map_data(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """What the page's script needs to know, as data attributes."""
    street_id = actor.street_id or next(iter(sorted(actor.streets())), None)
    return {
        "clusters": reverse("cases:clusters") if map.rollup_sight(actor) is not None else "",
        "points": reverse("cases:map_points"),
        "rows": reverse("cases:map"),
        "peek": reverse("cases:desk") if actor.has(*staff.AT_THE_DESK) else "",
        "case": reverse("cases:list"),
        "basemap": present.basemap_url(street_id) or "",
        "units": reverse("grid:layer_units", args=[street_id]) if street_id else "",
        "tiles": settings.TILES_URL,
        "token": token_of(actor, at=clock.now()) if settings.TILES_URL else "",
        "layers": json.dumps(settings.MAP_LAYERS, ensure_ascii=False),
    }


@needs(*STAFF)
@require_GET
def clusters(request: HttpRequest) -> HttpResponse:
    """``?bbox=west,south,east,north&zoom=``: counts by tile; ``is_counted`` false where only points can tell."""
    actor, at = actor_of(request), clock.now()
    found = map.clusters(actor, _filters(request, actor, at), bbox_of(request), zoom=zoom_of(request))
    if found is None:
        return _answer({"is_counted": False})
    return _answer({"is_counted": True, "zoom": found.zoom, "lon": found.lon, "lat": found.lat, **found.counts})


@needs(*STAFF)
@require_GET
def points(request: HttpRequest) -> HttpResponse:
    """The newest 4,000 cases in ``bbox`` in columns: east and south of the box's corner in 1e-5 degrees; ``more``: not all."""
    actor, at, box = actor_of(request), clock.now(), bbox_of(request)
    found = map.points(actor, _filters(request, actor, at), box, at=at)
    columns, names = found.columns, map.type_names()
    told = {
        "origin": [box.west, box.north],
        "unit": map.UNIT,
        "lights": [str(light) for light in map.LIGHTS],
        "types": {pk: names.get(int(pk), "") for pk in _values(columns["type"]) if pk != "0"},
        "states": {state: str(words.STATES[state]) for state in _values(columns["state"])},
        "more": found.is_more,
    }
    rest = [f',"{name}":[{text if name in NUMBERS else _strings(text)}]' for name, text in columns.items()]
    return _json(f"{_written(told)[:-1]}{''.join(rest)}}}")


def _values(column: str) -> set[str]:
    return set(column.split(",")) - {""}


def _strings(column: str) -> str:
    return _written(column.split(","))[1:-1] if column else ""


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _answer(value: dict[str, Any]) -> HttpResponse:
    return _json(_written(value))


def _json(text: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/json")
    answer["Cache-Control"] = "private, no-store"
    return answer


def bbox_of(request: HttpRequest) -> BBox:
    """``bbox`` in degrees, kept to what a web map can show. Refusal for anything that is no box."""
    try:
        west, south, east, north = (float(part) for part in request.GET.get("bbox", "").split(","))
    except ValueError:
        raise _bad_box() from None
    south, north = max(south, -MERCATOR_LAT), min(north, MERCATOR_LAT)
    west, east = max(west, -180.0), min(east, 180.0)
    if not (west < east and south < north and is_position(west, south) and is_position(east, north)):
        raise _bad_box()
    return BBox(west, south, east, north)


def _bad_box() -> Refusal:
    return Refusal("bad_bbox", _("地图范围不对：bbox 要写成 西,南,东,北 的经纬度。"), facts={"field": "bbox"})


def zoom_of(request: HttpRequest) -> float:
    """``zoom`` of the map, 0 to 24. Refusal for anything else."""
    try:
        zoom = float(request.GET.get("zoom", ""))
    except ValueError:
        zoom = math.nan
    if not 0 <= zoom <= 24:
        raise Refusal("bad_zoom", _("地图级别要在 0 到 24 之间。"), facts={"field": "zoom"})
    return zoom
