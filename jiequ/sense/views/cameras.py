"""Fixed cameras: the list with what is wrong, one with its pictures and faults, and two of its pictures compared."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.grid.models import MonitoringPoint
from jiequ.people.access import actor_of, needs

from .. import access
from ..queries import ways
from ..services import cameras as services
from .imagery import crop_url, number, page

STEPS = (5, 15, 60, 240, 1440)


@needs(*access.VIEWERS)
@require_http_methods(["GET", "HEAD", "POST"])
def cameras(request: HttpRequest) -> HttpResponse:
    """The list, those with a fault first; POST registers one more."""
    street = access.street_for(actor_of(request), number(request, "street"))
    refusal = None
    if request.method == "POST":
        try:
            return _make(request, street)
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    rows = ways.cameras(street.pk)
    context = {
        "rows": [(row, crop_url(request, row.shown, width=160) if row.shown else "") for row in rows],
        "points": MonitoringPoint.objects.filter(street=street).order_by("code"),
        "steps": [(step, _every(step)) for step in STEPS],
        "has_folder": settings.SENSE_CAMERAS is not None,
        "given": request.POST,
        "refusal": refusal,
    }
    return page(request, street, "cameras", "sense/cameras.html", context)


def _make(request: HttpRequest, street: Street) -> HttpResponse:
    told = {name: request.POST.get(name, "") for name in ("name", "way", "address", "login", "password")}
    point_id = number(request, "point")
    if point_id is None:
        raise Refusal("no_point", _("请选择监控点。"), facts={"field": "point"})
    row = services.make_camera(
        street_id=street.pk, point_id=point_id, every_minutes=number(request, "every_minutes") or 0, by=actor_of(request),
        at=clock.now(), **told,
    )  # fmt: skip
    messages.success(request, _("“%(name)s”已登记，一分钟内取第一张。") % {"name": row.name})
    return redirect("sense:camera", row.pk)


def _every(minutes: int) -> str:
    if minutes < 60:
        return _("每 %(n)d 分钟") % {"n": minutes}
    return _("每 %(n)d 小时") % {"n": minutes // 60}


@needs(*access.VIEWERS)
@require_safe
def camera(request: HttpRequest, camera_id: int) -> HttpResponse:
    """One: its pictures, its faults with their reasons, and a form to compare two pictures."""
    row = services.camera_by_id(camera_id, actor_of(request))
    shown = ways.snapshots(row)
    context = {
        "row": ways.camera_row(row, ways.open_fault(row)),
        "camera": row,
        "every": _every(row.every_minutes),
        "shots": [(one, crop_url(request, one, width=320)) for one in shown[:12]],
        "snapshots": shown,
        "faults": ways.faults(row),
    }
    return page(request, row.street, "cameras", "sense/camera.html", context)


@needs(*access.JUDGES)
@require_POST
def switch(request: HttpRequest, camera_id: int) -> HttpResponse:
    """On or off."""
    is_on = request.POST.get("act") == "on"
    services.switch(camera_id=camera_id, is_on=is_on, by=actor_of(request), at=clock.now())
    messages.success(request, _("已启用。") if is_on else _("已停用，图留着。"))
    return redirect("sense:camera", camera_id)


@needs(*access.JUDGES)
@require_POST
def now(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Asks it at once."""
    services.ask_now(camera_id=camera_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("正在取图，几秒后刷新看结果。"))
    return redirect("sense:camera", camera_id)
