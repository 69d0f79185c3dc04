"""Files: asked for on a page, watched while they are made, fetched by whoever asked."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.core import clock
from jiequ.core.http import is_htmx
from jiequ.core.once import idempotent
from jiequ.people.access import STRONG, actor_of, needs

from ..access import WATCHERS
from ..models import Export
from ..services import exporting

SHOWN = 30


@needs(*WATCHERS)
@require_GET
def exports(request: HttpRequest) -> HttpResponse:
    """The reader's own files, newest first, with how far each is. ``part=rows`` over htmx: the rows only."""
    at = clock.now()
    rows = [_row(one) for one in exporting.own(actor_of(request)).order_by("-id")[:SHOWN]]
    context = {"rows": rows, "is_busy": any(row["is_busy"] for row in rows), "now": at}
    is_part = request.GET.get("part") == "rows" and is_htmx(request)
    template = "insight/parts/export_rows.html" if is_part else "insight/exports.html"
    return render(request, template, context)


def _row(export: Export) -> dict[str, Any]:
    names = {"board": _("督办台"), "indicators": _("评价"), "behind": _("案件清单"), "matter": _("案件清单")}
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
            return _("案件太多，请缩小范围再导出")
        return _("没有做成，请再试一次或告诉系统管理员")
    return words[Export.State(export.state)]


@needs(*WATCHERS)
@require_POST
@idempotent
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a file of what a page shows."""
    data = request.POST
    exporting.ask(
        what=data.get("what", ""),
        form=data.get("form", ""),
        data=data,
        by=actor_of(request),
        is_strong=bool(request.session.get(STRONG)),
        at=clock.now(),
    )
    return redirect("insight:exports")


@needs(*WATCHERS)
@require_GET
def fetch(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """The file itself."""
    export = exporting.fetched(export_id, by=actor_of(request), at=clock.now())
    file = exporting.file_of(export).open("rb")
    answer = FileResponse(file, as_attachment=True, filename=export.name, content_type=exporting.TYPES[export.form])
    answer["Cache-Control"] = "private, no-store"
    return answer
