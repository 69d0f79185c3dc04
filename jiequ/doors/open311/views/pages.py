"""Pages for people: what the door is, and the system administrator's part of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jiequ.cases.queries.rows import named
from jiequ.cases.queries.types import current_types
from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole, wholes
from jiequ.people.access import actor_of, needs, public
from jiequ.people.rules import Role

from ..models import MediaFetch, Opening
from ..queries import offers
from ..services import opening

FAILURES_SHOWN = 20
MONTHS_SHOWN = 6
FAULTS: dict[str, Promise] = {
    "address_not_allowed": gettext_lazy("内网地址，没有允许"),
    "bad_certificate": gettext_lazy("证书无效"),
    "too_large": gettext_lazy("超过 10 MB"),
    "unreachable": gettext_lazy("多次都连不上"),
    "picture_format": gettext_lazy("不是照片"),
    "picture_heif": gettext_lazy("HEIC 格式，打不开"),
    "picture_damaged": gettext_lazy("照片不完整或已损坏"),
    "picture_too_large": gettext_lazy("超过 10 MB"),
    "picture_too_many_pixels": gettext_lazy("超过 4000 万像素"),
    "picture_empty": gettext_lazy("照片是空的"),
}


@public
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What is offered to everybody, where, and how to get a key."""
    base = settings.BASE_URL + reverse("open311:root").rstrip("/")
    month = timezone.localtime(clock.now()).replace(day=1)
    months = []
    for _n in range(MONTHS_SHOWN):
        months.append(month.strftime("%Y-%m"))
        month = (month - timedelta(days=1)).replace(day=1)
    context = {
        "base": base,
        "streets": [{"code": one.street.code9, "name": named(one.street), "contact": one.contact} for one in offers.openings()],
        "months": months,
    }
    return render(request, "open311/about.html", context)


@needs(Role.SYSTEM_ADMIN)
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """Which streets are open, which types are not, and which pictures could not be fetched."""
    return _page(request, None)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def open_street(request: HttpRequest) -> HttpResponse:
    """Open a street, change its contact, or close it."""
    by, at, street_id = actor_of(request), clock.now(), _whole(request, "street")
    try:
        if request.POST.get("act") == "close":
            opening.close_street(street_id=street_id, by=by, at=at)
            messages.success(request, _("已关闭：任何人都读不到这个街道了。"))
        else:
            opening.open_street(street_id=street_id, contact=request.POST.get("contact", ""), by=by, at=at)
            messages.success(request, _("已开放。"))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, refusal)
    return redirect("open311:settings")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def hide_types(request: HttpRequest) -> HttpResponse:
    """Which types are not public."""
    shown = set(wholes(request.POST.getlist("shown")))
    known = {one.id for major in current_types() for one in major.types if not one.is_confidential}
    opening.hide_types(hidden=known - shown, by=actor_of(request), at=clock.now())
    messages.success(request, _("已保存。"))
    return redirect("open311:settings")


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return whole(text) or 0


def _page(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    found = {one.street_id: one for one in Opening.objects.all()}
    hidden = offers.hidden_types()
    streets = Street.objects.filter(is_active=True).order_by("code9")
    context: dict[str, Any] = {
        "rows": [{"street": one, "name": named(one), "opening": found.get(one.pk)} for one in streets],
        "majors": [
            {
                "name": major.name,
                "types": [{"choice": one, "is_shown": one.id not in hidden} for one in major.types if not one.is_confidential],
                "secret": [one.name for one in major.types if one.is_confidential],
            }
            for major in current_types()
        ],
        "failures": [_failure(one) for one in _failed()],
        "refusal": refusal,
    }
    return render(request, "open311/settings.html", context, status=refusal.status if refusal else 200)


def _failed() -> list[dict[str, Any]]:
    rows = MediaFetch.objects.filter(state=MediaFetch.State.FAILED).values("error").annotate(n=Count("pk"))
    return [dict(row) for row in rows.order_by("-n")[:FAILURES_SHOWN]]


def _failure(row: dict[str, Any]) -> dict[str, Any]:
    error = row["error"]
    told = _("对方答 %(status)s") % {"status": error.removeprefix("status_")} if error.startswith("status_") else error
    return {"n": row["n"], "fault": FAULTS.get(error, told)}
