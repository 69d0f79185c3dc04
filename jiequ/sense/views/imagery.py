"""Imagery: the list of what came in with how far it is, the form for more, one picture with its map."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import wants_json
from jiequ.core.models import Street
from jiequ.core.numbers import whole, wholes
from jiequ.grid.models import MonitoringPoint
from jiequ.grid.pages import local_name
from jiequ.people.access import actor_of, needs

from .. import access, services, tile_tokens
from ..models import Asset, AssetKind, AssetState, Upload
from ..queries import imagery as queries


@needs(*access.VIEWERS)
@require_http_methods(["GET", "HEAD", "POST"])
def imagery(request: HttpRequest) -> HttpResponse:
    """The list and the form; POST takes files of the plain form (up to 64 MB at once), larger ones go by pieces."""
    street = access.street_for(actor_of(request), number(request, "street"))
    refusal = None
    if request.method == "POST":
        try:
            return _take(request, street)
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    state = request.GET.get("state", "")
    rows, more = queries.rows(street_id=street.pk, state=state, before=number(request, "before"))
    counts = queries.counts(street.pk)
    context = {
        "rows": rows,
        "more": more,
        "state": state,
        "states": [(value, label, counts[value]) for value, label in AssetState.choices],
        "total": sum(counts.values()),
        "is_moving": bool(counts["waiting"] + counts["working"]),
        "flights": queries.flights(street.pk),
        "points": _points(street.pk),
        "kinds": AssetKind.choices,
        "refusal": refusal,
        "given": request.POST,
    }
    return page(request, street, "imagery", "sense/imagery.html", context)


def _take(request: HttpRequest, street: Street) -> HttpResponse:
    sent = request.FILES.getlist("files")
    if not sent:
        raise Refusal("no_file", _("请选择照片或 GeoTIFF 文件。"), facts={"field": "files"})
    by, at = actor_of(request), clock.now()
    chosen, point_id = number(request, "flight"), number(request, "point")
    flight_id = services.flight_for(street.pk, chosen, request.POST.get("taken_on", ""), by=by, at=at)
    for file in sent:
        row = services.begin(
            street_id=street.pk, name=file.name or "", size_bytes=file.size or 0, flight_id=flight_id, point_id=point_id,
            kind=request.POST.get("kind", ""), by=by, at=at,
        )  # fmt: skip
        stored(row, file, at)
    messages.success(request, _("收到 %(n)d 个文件，正在处理。") % {"n": len(sent)})
    return redirect(f"{reverse('sense:imagery')}?street={street.pk}")


def stored(row: Upload, file: Any, at: datetime) -> Upload:
    """A whole file of a plain form goes the way of the pieces; the row as it is then, with its picture."""
    while row.received < row.size_bytes:
        piece = min(services.LARGEST_PIECE, row.size_bytes - row.received)
        row = services.append(row, offset=row.received, stream=file, length=piece, at=at)
    return row


@needs(*access.VIEWERS)
@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """The rows that are being worked on, as a part of the page that renews itself."""
    street = access.street_for(actor_of(request), number(request, "street"))
    ids = wholes(request.GET.get("ids", "").split(","))
    found, _more = queries.rows(street_id=street.pk, ids=ids) if ids else queries.rows(street_id=street.pk)
    if wants_json(request):
        told = [{"id": row.asset.pk, "state": row.asset.state, "percent": row.asset.percent, "why": row.why} for row in found]
        return JsonResponse({"rows": told})
    counts = queries.counts(street.pk)
    context = {"rows": found, "street": street, "is_moving": bool(counts["waiting"] + counts["working"])}
    return render(request, "sense/parts/asset_rows.html", context)


@needs(*access.VIEWERS)
@require_safe
def asset(request: HttpRequest, asset_id: int) -> HttpResponse:
    """One picture: what is known of it, and itself on the map."""
    found = asset_for(request, asset_id)
    context = {
        "row": queries.row_of(found),
        "facts": facts_of(found),
        "map": map_of(request, [found]) if found.state == AssetState.READY and found.west is not None else None,
        "crop": crop_url(request, found, width=960),
        "can_remove": access.may_judge(actor_of(request), found.street_id),
    }
    return page(request, found.street, "imagery", "sense/asset.html", context)


@needs(*access.VIEWERS)
@require_safe
def item(request: HttpRequest, asset_id: int) -> HttpResponse:
    """The STAC item."""
    found = asset_for(request, asset_id)
    if not found.item:
        raise NotFound("no_such_asset", _("没有找到这份影像。"))
    body = json.dumps(found.item, ensure_ascii=False)
    return HttpResponse(body, content_type="application/geo+json")


@needs(*access.JUDGES)
@require_POST
def remove(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Removes a picture."""
    found = asset_for(request, asset_id)
    services.forget_asset(asset_id=found.pk, by=actor_of(request), at=clock.now())
    messages.success(request, _("影像已删除。"))
    return redirect(f"{reverse('sense:imagery')}?street={found.street_id}")


@needs(*access.VIEWERS)
@require_POST
def flight_new(request: HttpRequest) -> HttpResponse:
    """A flight: day, name, aircraft."""
    street = access.street_for(actor_of(request), number(request, "street"))
    told = {name: request.POST.get(name, "") for name in ("name", "aircraft", "pilot", "note")}
    flight = services.make_flight(
        street_id=street.pk, flown_on=day(request.POST.get("flown_on", "")), by=actor_of(request), at=clock.now(), **told
    )
    messages.success(request, _("架次已建立，上传时选它。"))
    return redirect(f"{reverse('sense:imagery')}?street={street.pk}&flight={flight.pk}")


# ---- shared by the pages of sense


def page(request: HttpRequest, street: Street, section: str, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page of sense in its frame; a refusal in the context gives its status."""
    actor = actor_of(request)
    frame = {
        "street": street,
        "street_name": local_name(street),
        "streets": [(one.pk, local_name(one)) for one in access.streets_for(actor)],
        "street_key": str(street.pk),
        "section": section,
        "can_judge": access.may_judge(actor, street.pk),
    }
    refusal: Refusal | None = context.get("refusal")
    return render(request, template, frame | context, status=refusal.status if refusal else 200)


def asset_for(request: HttpRequest, asset_id: int) -> Asset:
    """A picture of one of the reader's streets; NotFound for any other."""
    found = Asset.objects.filter(pk=asset_id).select_related("street", "flight", "point").first()
    if found is None or not access.may_see(actor_of(request), found.street_id):
        raise NotFound("no_such_asset", _("没有找到这份影像。"))
    return found


def facts_of(asset: Asset) -> list[tuple[str, str]]:
    """What is known of a picture, line by line."""
    found = [
        (_("种类"), str(asset.get_kind_display()) if asset.kind else _("待识别")),
        (_("来源"), str(asset.get_source_display())),
        (_("架次"), f"{asset.flight.flown_on} {asset.flight.name}" if asset.flight else ""),
        (_("监控点"), str(asset.point or "")),
        (_("机型"), asset.aircraft),
        (_("地面分辨率"), _("%(cm).1f 厘米/像素") % {"cm": asset.gsd_m * 100} if asset.gsd_m else ""),
        (_("像素"), f"{asset.width} × {asset.height} × {asset.bands}" if asset.width else ""),
        (_("坐标系"), f"EPSG:{asset.epsg}" if asset.epsg else ""),
        (_("大小"), queries.size_words(asset.size_bytes)),
        ("SHA-256", asset.sha256),
    ]
    return [(label, value) for label, value in found if value]


def map_of(request: HttpRequest, assets: list[Asset]) -> dict[str, Any]:
    """What the map script needs: layers with their bounds, the token, the addresses."""
    layers = [
        {"id": one.pk, "name": one.name, "bounds": [one.west, one.south, one.east, one.north]}
        for one in assets
        if one.west is not None
    ]
    return {"tiles": settings.TILES_URL, "token": token(request), "layers": layers}


def token(request: HttpRequest) -> str:
    """The reader's token for imagery tiles."""
    return tile_tokens.token_of(actor_of(request), at=clock.now())


def crop_url(request: HttpRequest, asset: Asset, *, bounds: tuple[float, ...] | None = None, width: int = 640) -> str:
    """The address of a part of a picture (all of it by default) as one image; "" where no tiles are served."""
    if not settings.TILES_URL or asset.state != AssetState.READY:
        return ""
    where = ",".join(f"{value:.7f}" for value in bounds) if bounds else "all"
    return f"{settings.TILES_URL}sense/{asset.pk}/crop/{where}/{width}.jpg?t={token(request)}"


def number(request: HttpRequest, name: str) -> int | None:
    """A whole number of the address or the form, or None."""
    text = request.GET.get(name, "") or request.POST.get(name, "")
    return whole(text)


def day(text: str) -> date:
    """A date of a form."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("day", _("请写日期，例如 2026-11-27。"), facts={"field": "flown_on"}) from None


def _points(street_id: int) -> list[tuple[int, str]]:
    rows = MonitoringPoint.objects.filter(street_id=street_id).order_by("code").values_list("pk", "code", "name")
    return [(pk, f"{code} {name}") for pk, code, name in rows]
