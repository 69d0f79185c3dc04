"""Plates as PDF: which ones, one's own sheets with how far each is, and the file."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import is_htmx, wants_json
from jiequ.core.numbers import whole
from jiequ.core.once import once
from jiequ.grid import access as grid_access
from jiequ.grid import queries as grid
from jiequ.people.access import actor_of, needs

from .. import config
from ..models import Sheet
from ..rules import MOST_PERMANENT
from ..services import plates

SHOWN = 20


@needs(*grid_access.READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def sheets(request: HttpRequest) -> HttpResponse:
    """Ask for plates to print; below, one's own sheets, newest first. Asked by htmx: the rows only."""
    if request.method != "POST":
        return _page(request)
    try:
        return once(request, lambda: _ask(request))
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        return _page(request, refusal)


def _ask(request: HttpRequest) -> HttpResponse:
    by = actor_of(request)
    street = grid_access.street_for(by, _number(request.POST.get("street", "")))
    plates.ask(street_id=street.pk, community_id=_number(request.POST.get("community", "")), by=by, at=now())
    return redirect(f"{request.path}?street={street.pk}")


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    by = actor_of(request)
    given = request.POST if request.method == "POST" else request.GET
    street = grid_access.street_for(by, _number(given.get("street", "")))
    rows = [_row(sheet) for sheet in plates.own(by).select_related("community", "street").order_by("-pk")[:SHOWN]]
    context: dict[str, Any] = {
        "street": street,
        "streets": grid_access.streets_for(by),
        "communities": grid.communities(street.pk),
        "chosen": _number(given.get("community", "")),
        "rows": rows,
        "is_busy": any(row["is_busy"] for row in rows),
        "is_wechat": config.is_on(),
        "used": plates.codes_used() if config.is_on() else 0,
        "most": MOST_PERMANENT,
        "refusal": refusal,
    }
    is_part = is_htmx(request) and request.method == "GET"
    template = "wechat_pages/parts/sheet_rows.html" if is_part else "wechat_pages/sheets.html"
    return render(request, template, context, status=refusal.status if refusal else HTTPStatus.OK)


def _row(sheet: Sheet) -> dict[str, Any]:
    return {
        "id": sheet.pk,
        "what": sheet.community or _("监控点"),
        "plates": sheet.plates,
        "asked_at": sheet.asked_at,
        "ends_at": sheet.ends_at,
        "is_busy": sheet.state == Sheet.State.WAITING,
        "is_ready": sheet.state == Sheet.State.READY,
        "word": _word(sheet),
        "kib": max(1, sheet.size_bytes // 1024),
    }


def _word(sheet: Sheet) -> str:
    if sheet.state == Sheet.State.FAILED:
        if sheet.error == "codes_are_over":
            return _("公众号的永久二维码用完了（共 10 万个），没有做成")
        return _("没有做成，请再试一次或告诉系统管理员")
    words = {
        Sheet.State.WAITING: _("正在制作"),
        Sheet.State.READY: _("做好了"),
        Sheet.State.GONE: _("已过期，请重新制作"),
    }
    return words[Sheet.State(sheet.state)]


@needs(*grid_access.READERS)
@require_GET
def fetch(request: HttpRequest, sheet_id: int) -> HttpResponseBase:
    """The file itself."""
    sheet = plates.fetched(sheet_id, by=actor_of(request), at=now())
    name = _("号牌") + f"-{sheet.street_id}-{sheet.pk}.pdf"
    file = plates.file_of(sheet).open("rb")
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/pdf")
    answer["Cache-Control"] = "private, no-store"
    return answer


def _number(text: str) -> int | None:
    return whole(text)
