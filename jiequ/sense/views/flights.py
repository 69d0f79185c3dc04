"""One flight: its photos, and the mosaics that a server makes of them; the servers, which the system administrator names."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import access
from ..queries import imagery as pictures
from ..queries import ways
from ..services import mosaicking, servers
from .imagery import number, page


@needs(*access.VIEWERS)
@require_safe
def flight(request: HttpRequest, flight_id: int) -> HttpResponse:
    """What came of a flight, and its mosaics with how far they are."""
    return _flight(request, flight_id, None)


def _flight(request: HttpRequest, flight_id: int, refusal: Refusal | None) -> HttpResponse:
    row = mosaicking.flight_by_id(flight_id, actor_of(request))
    rows = ways.mosaics(row)
    found, _more = pictures.rows(street_id=row.street_id, flight_id=row.pk)
    context = {
        "flight": row,
        "photos": ways.photos(row),
        "rows": found,
        "mosaics": rows,
        "is_moving": any(one.is_moving for one in rows),
        "servers": [server for server, _why in ways.servers() if server.ended_at is None],
        "least": mosaicking.LEAST_PHOTOS,
        "refusal": refusal,
    }
    return page(request, row.street, "imagery", "sense/flight.html", context)


@needs(*access.VIEWERS)
@require_safe
def progress(request: HttpRequest, flight_id: int) -> HttpResponse:
    """How far the mosaics are, as a part of the page that renews itself."""
    row = mosaicking.flight_by_id(flight_id, actor_of(request))
    rows = ways.mosaics(row)
    context = {
        "mosaics": rows,
        "is_moving": any(one.is_moving for one in rows),
        "can_judge": access.may_judge(actor_of(request), row.street_id),
    }
    return render(request, "sense/parts/mosaics.html", context)


@needs(*access.JUDGES)
@require_POST
def mosaic(request: HttpRequest, flight_id: int) -> HttpResponse:
    """Sends the photos off."""
    try:
        mosaicking.ask_mosaic(
            flight_id=flight_id, server_id=number(request, "server"), by=actor_of(request), at=clock.now()
        )  # fmt: skip
    except Refusal as refused:
        if refused.status != 422:
            raise
        return _flight(request, flight_id, refused)
    messages.success(request, _("已排队，照片会在后台送出。"))
    return redirect("sense:flight", flight_id)


@needs(*access.JUDGES)
@require_POST
def stop(request: HttpRequest, mosaic_id: int) -> HttpResponse:
    """Stops a mosaic that is not done."""
    row = mosaicking.stop_mosaic(mosaic_id=mosaic_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("拼图已停止，服务器上的任务会取消。"))
    return redirect("sense:flight", row.flight_id)


# ---- servers


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def servers_page(request: HttpRequest) -> HttpResponse:
    """The servers that make mosaics, and a form for one more."""
    refusal = None
    if request.method == "POST":
        told = {name: request.POST.get(name, "") for name in ("name", "url", "token")}
        try:
            row = servers.make_server(**told, by=actor_of(request), at=clock.now())
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
        else:
            messages.success(request, _("“%(name)s”已登记，正在试连，几秒后刷新看结果。") % {"name": row.name})
            return redirect("sense:servers")
    context = {"rows": ways.servers(), "given": request.POST, "refusal": refusal}
    return render(request, "sense/servers.html", context, status=refusal.status if refusal else 200)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def server_try(request: HttpRequest, server_id: int) -> HttpResponse:
    """Asks it whether it answers."""
    servers.ask_try(server_id=server_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("正在试连，几秒后刷新看结果。"))
    return redirect("sense:servers")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def server_end(request: HttpRequest, server_id: int) -> HttpResponse:
    """Nothing goes there any more."""
    row = servers.end_server(server_id=server_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("“%(name)s”已停用，在拼的会拼完。") % {"name": row.name})
    return redirect("sense:servers")
