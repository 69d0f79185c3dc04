"""What the map's pages and the report page ask for in JSON: layers, places, where a position lies, plates."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from jiequ.core import clock, throttle
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import client_network
from jiequ.people.access import actor_of, public, signed_in

from . import pages, queries
from .models import Community, MapVersion, UnitGrid
from .rules import CoordinateSystem, is_position, to_canonical

LOOKUPS_A_MINUTE = 60
PLACES_SHOWN = 60


# ---- layers


@public
@require_GET
@gzip_page
def base(request: HttpRequest, street_id: int) -> HttpResponse:
    """The base map: a sketch of waters, roads and buildings. Anybody may see it."""
    return _layer(request, "base", street_id, pages.base_layer)


@signed_in
@require_GET
@gzip_page
def units(request: HttpRequest, street_id: int) -> HttpResponse:
    """The unit grids of a street the reader works in."""
    _refuse_strangers(request, street_id)
    return _layer(request, f"units-{get_language()}", street_id, pages.unit_layer)


@signed_in
@require_GET
@gzip_page
def points(request: HttpRequest, street_id: int) -> HttpResponse:
    """The monitoring points of a street the reader works in; they change without the map's token."""
    _refuse_strangers(request, street_id)
    body = _json(pages.point_layer(street_id))
    return _answer(request, f'"{sha256(body).hexdigest()[:32]}"', lambda: body)


def _layer(request: HttpRequest, name: str, street_id: int, make: Callable[[int], dict[str, Any]]) -> HttpResponse:
    """Made again only when the street's map token differs from the reader's."""
    token = MapVersion.objects.filter(street_id=street_id).values_list("token", flat=True).first()
    if token is None:
        raise NotFound("no_such_street", _("没有找到这个街道。"))
    return _answer(request, f'"{name}-{token}"', lambda: _json(make(street_id)))


def _answer(request: HttpRequest, tag: str, body: Callable[[], bytes]) -> HttpResponse:
    known = [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]
    fresh = tag in known or "*" in known
    answer = HttpResponseNotModified() if fresh else HttpResponse(body(), content_type="application/json")
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ["Cookie", "Accept-Language"])
    return answer


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _refuse_strangers(request: HttpRequest, street_id: int) -> None:
    if not actor_of(request).roles_in(street_id):
        raise NotFound("no_such_street", _("没有找到这个街道。"))


# ---- looked up by the report page


@public
@require_GET
def locate(request: HttpRequest) -> HttpResponse:
    """Which street, community and grid a position lies in: ?x=&y=&system= (wgs84 unless said)."""
    _throttle(request)
    lon, lat = _position(request)
    spot = queries.locate(lon, lat)
    if spot is None:
        return JsonResponse({"ok": True, "found": False, "lon": lon, "lat": lat})
    unit = UnitGrid.objects.select_related("street", "community").get(pk=spot.unit_grid_id)
    return JsonResponse(
        {
            "ok": True,
            "found": True,
            "lon": lon,
            "lat": lat,
            "street": {"id": unit.street_id, "name": pages.local_name(unit.street)},
            "community": {"id": unit.community_id, "name": pages.local_name(unit.community)},
            "unit_grid": {"id": unit.pk, "code": unit.code15},
        }
    )


@public
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Places to choose from: ?community=&q=&beside= ; the communities of ?street= (or of all) where none of these is given."""
    _throttle(request)
    asked = {name: _number(request, name) for name in ("street", "community", "beside")}
    words = request.GET.get("q", "").strip()[:40]
    if asked["community"] is None and asked["beside"] is None and not words:
        return JsonResponse({"ok": True, "communities": _communities(asked["street"])})
    found = queries.places(street_id=asked["street"], community_id=asked["community"], beside_id=asked["beside"], words=words)
    rows = [
        {
            "id": row.pk,
            "kind": row.kind,
            "kind_name": row.get_kind_display(),
            "name": row.name,
            "community": {"id": row.community_id, "name": pages.local_name(row.community)},
            "lon": row.lon,
            "lat": row.lat,
        }
        for row in found[:PLACES_SHOWN]
    ]
    return JsonResponse({"ok": True, "places": rows})


@public
@require_GET
def plate(request: HttpRequest, code: str) -> HttpResponse:
    """Where a scanned plate leads: to the report page, with the plate's code."""
    _throttle(request)
    if queries.plate(code) is None:
        raise NotFound("no_such_plate", _("没有找到这块号牌，请直接说明地点。"))
    try:
        target = reverse("cases:report")
    except NoReverseMatch:
        target = "/"
    return HttpResponseRedirect(f"{target}?plate={code}")


def _communities(street_id: int | None) -> list[dict[str, Any]]:
    rows = Community.objects.filter(retired_at=None, street__is_active=True).select_related("street")
    if street_id is not None:
        rows = rows.filter(street_id=street_id)
    return [
        {"id": row.pk, "name": pages.local_name(row), "street": {"id": row.street_id, "name": pages.local_name(row.street)}}
        for row in rows.order_by("street__code9", "code12")
    ]


def _throttle(request: HttpRequest) -> None:
    bucket = throttle.bucket("grid.lookup", client_network(request))
    throttle.take(bucket, capacity=LOOKUPS_A_MINUTE, per_seconds=60, at=clock.now())


def _position(request: HttpRequest) -> tuple[float, float]:
    """The canonical pair of ?x=&y=&system=."""
    system = request.GET.get("system", CoordinateSystem.WGS84.value)
    try:
        x, y = float(request.GET.get("x", "")), float(request.GET.get("y", ""))
        if not (math.isfinite(x) and math.isfinite(y) and is_position(x, y)):
            raise ValueError
        lon, lat = to_canonical(x, y, system)
    except ValueError:
        raise Refusal("bad_position", _("请给出经度 x、纬度 y 和坐标系 system。")) from None
    return round(lon, 7), round(lat, 7)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refusal("bad_number", _("编号应是数字。"))
    return int(text)
