"""Two files of somebody's own, of two days: brought in one form, compared once they are pictures, no other page needed."""

from __future__ import annotations

from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from .. import access, services
from ..models import Asset, AssetKind, Upload
from ..queries import two as queries
from ..services import pairing
from .imagery import number, page, stored

SLOTS = ("one", "other")


@needs(*access.JUDGES)
@require_http_methods(["GET", "HEAD", "POST"])
def two(request: HttpRequest) -> HttpResponse:
    """The form; POST takes both files (up to 64 MB), or the pictures that a script has sent by pieces before."""
    street = access.street_for(actor_of(request), number(request, "street"), *access.JUDGES)
    refusal = None
    if request.method == "POST":
        try:
            return _take(request, street)
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    return page(request, street, "comparisons", "sense/two.html", {"refusal": refusal, "given": request.POST})


def _take(request: HttpRequest, street: Street) -> HttpResponse:
    by, at = actor_of(request), clock.now()
    sent = [number(request, f"{slot}_id") for slot in SLOTS]
    one_id, other_id = sent if None not in sent else _files(request, street, by, at)
    pairing.ask_two(street_id=street.pk, one_id=one_id or 0, other_id=other_id or 0, by=by, at=at)
    return redirect("sense:two_seen", one_id, other_id)


def _files(request: HttpRequest, street: Street, by: Actor, at: datetime) -> list[int]:
    """Both files of the plain form, all or none: what can be refused is refused before either is stored."""
    files = {slot: file for slot in SLOTS if (file := request.FILES.get(slot))}
    if len(files) != len(SLOTS):
        raise Refusal("two_files", _("请选两份文件：两期各一份。"), facts={"field": "other" if "one" in files else "one"})
    is_view = bool(request.POST.get("is_view"))
    begun: list[tuple[Upload, UploadedFile]] = []
    try:
        for slot, file in files.items():
            taken_on = request.POST.get(f"{slot}_on", "").strip()
            begun.append((_begin(street, file, taken_on, is_view, by, at), file))
    except Refusal:
        for row, _file in begun:
            services.drop(row)
        raise
    return [stored(row, file, at).asset_id or 0 for row, file in begun]


def _begin(street: Street, file: UploadedFile, taken_on: str, is_view: bool, by: Actor, at: datetime) -> Upload:
    if not taken_on and (file.name or "").lower().endswith((".tif", ".tiff")):
        raise Refusal("two_day", _("GeoTIFF 里多半没有日期，请写明各是哪天拍的。"), facts={"field": "one_on"})
    flight_id = services.flight_for(street.pk, None, taken_on, by=by, at=at)
    kind = AssetKind.SNAPSHOT if is_view else ""
    return services.begin(
        street_id=street.pk, name=file.name or "", size_bytes=file.size or 0, flight_id=flight_id, kind=kind, by=by, at=at
    )


@needs(*access.JUDGES)
@require_safe
def seen(request: HttpRequest, one_id: int, other_id: int) -> HttpResponse:
    """How far both files are, why they cannot be compared, or the way on to their comparison."""
    street, found = _found(request, one_id, other_id)
    if found.comparison_id is not None:
        return redirect("sense:comparison", found.comparison_id)
    return page(request, street, "comparisons", "sense/two_seen.html", {"two": found})


@needs(*access.JUDGES)
@require_safe
def progress(request: HttpRequest, one_id: int, other_id: int) -> HttpResponse:
    """The same as a part of the page that renews itself."""
    street, found = _found(request, one_id, other_id)
    return render(request, "sense/parts/two_progress.html", {"two": found, "street": street})


def _found(request: HttpRequest, one_id: int, other_id: int) -> tuple[Street, queries.Two]:
    asset = Asset.objects.filter(pk=one_id).select_related("street").first()
    if asset is None or not access.may_judge(actor_of(request), asset.street_id):
        raise NotFound("no_such_asset", _("没有找到这份影像。"))
    return asset.street, queries.two_of(asset.street_id, one_id, other_id)
