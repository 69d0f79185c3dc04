"""Files: asked for on a page, watched while they are made, fetched by whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.http import is_htmx, wants_json
from jiequ.core.once import once
from jiequ.people.access import STRONG, actor_of, needs
from jiequ.people.rules import CASE_ROLES

from ..access import WATCHERS
from ..models import Export
from ..services import exporting
from ..services.listing import most_rows

SHOWN = 30


@needs(*CASE_ROLES)
@require_GET
def exports(request: HttpRequest) -> HttpResponse:
    """The reader's own files, newest first, with how far each is. ``part=rows`` over htmx: the rows only."""
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    rows = [_row(one) for one in exporting.own(actor_of(request)).order_by("-id")[:SHOWN]]
    context = {"rows": rows, "is_busy": any(row["is_busy"] for row in rows), "now": clock.now(), "refusal": refusal}
    is_part = request.GET.get("part") == "rows" and is_htmx(request)
    template = "insight/parts/export_rows.html" if is_part else "insight/exports.html"
    return render(request, template, context, status=refusal.status if refusal else 200)


def _row(export: Export) -> dict[str, Any]:
    of_cases, indicators = _("案件清单"), pgettext("page", "评价")
    names = {
        "board": _("督办台"),
        "hotline": _("热线三率"),
        "indicators": indicators,
        "behind": of_cases,
        "matter": of_cases,
        "cases": of_cases,
    }
    return {
        "id": export.pk,
        "name": export.name or names[export.what],
        "form": export.form.upper(),
        "asked_at": export.asked_at,
        "expires_at": export.expires_at,
        "state": export.state,
        "is_busy": export.state in {Export.State.WAITING, Export.State.WORKING},
        "is_ready": export.state == Export.State.READY,
        "done": export.done,
        "total": export.total,
        "word": _words(export),
        "kib": max(1, export.size_bytes // 1024),
    }


def _words(export: Export) -> str:
    words = {
        Export.State.WAITING: _("等着制作"),
        Export.State.WORKING: _("正在制作"),
        Export.State.READY: _("做好了"),
        Export.State.EXPIRED: _("已过期，请重新导出"),
    }
    if export.state == Export.State.FAILED:
        if export.error == "too_many_rows":
            return _("案件超过 %(n)d 件，请缩小范围再导出") % {"n": most_rows(export.form)}
        return _("没有做成，请再试一次或告诉系统管理员")
    return words[Export.State(export.state)]


@needs(*WATCHERS)
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a file of what a page shows."""
    return _asked(request, lambda data, given: exporting.ask(what=data.get("what", ""), data=data, **given))


@needs(*CASE_ROLES)
@require_POST
def new_list(request: HttpRequest) -> HttpResponse:
    """Ask for a file of the list of cases as it is narrowed there."""

    def check(data: QueryDict, given: dict[str, Any]) -> None:
        asked = {name: data.get(name, "") for name in ("query", "order", "form")}
        exporting.check_list(**asked, by=given["by"], at=given["at"])

    return _asked(
        request,
        lambda data, given: exporting.ask_list(query=data.get("query", ""), order=data.get("order", ""), **given),
        check,
    )


def _asked(
    request: HttpRequest,
    ask: Callable[[QueryDict, dict[str, Any]], Export],
    check: Callable[[QueryDict, dict[str, Any]], None] = lambda _data, _given: None,
) -> HttpResponse:
    """Ask once, then the reader's files; a file that cannot be had is refused above them. ``check`` is asked first."""
    data = request.POST
    given: dict[str, Any] = {"form": data.get("form", ""), "by": actor_of(request), "at": clock.now()}
    given["is_strong"] = bool(request.session.get(STRONG))

    def run() -> HttpResponse:
        ask(data, given)
        return redirect("insight:exports")

    try:
        check(data, given)
        return once(request, run)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        return _page(request, refusal)


@needs(*CASE_ROLES)
@require_GET
def fetch(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """The file itself."""
    export = exporting.fetched(export_id, by=actor_of(request), at=clock.now())
    file = exporting.file_of(export).open("rb")
    answer = FileResponse(file, as_attachment=True, filename=export.name, content_type=exporting.TYPES[export.form])
    answer["Cache-Control"] = "private, no-store"
    return answer
