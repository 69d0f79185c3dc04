"""The system administrator's page of systems from outside: who may report, a token shown once, an end to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import services
from ..models import OutsideSystem, SystemKind
from . import present, reading


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def systems(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one. No key of the form is kept: the answer holds the token."""
    if request.method != "POST":
        return _page(request, None)
    try:
        system, token = services.make_system(
            name=request.POST.get("name", ""),
            kind=request.POST.get("kind", ""),
            street_id=reading.whole(request.POST, "street"),
            is_trusted=request.POST.get("is_trusted") == "on",
            by=actor_of(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, refusal)
    return _token(request, system, token)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def renew(request: HttpRequest, system_id: int) -> HttpResponse:
    """Another token; the one before stops."""
    system, token = services.renew_token(system_id=system_id, by=actor_of(request), at=clock.now())
    return _token(request, system, token)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def revoke(request: HttpRequest, system_id: int) -> HttpResponse:
    """Let in no more."""
    system = services.revoke_system(system_id=system_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("“%(name)s”已停用，它的令牌不再有效。") % {"name": system.name})
    return redirect("cases:systems")


def _page(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    found = OutsideSystem.objects.select_related("street").order_by("-is_active", "name")
    context: dict[str, Any] = {
        "rows": [{"system": row, "kind": row.get_kind_display(), "street": present.named(row.street)} for row in found],
        "streets": [(row.pk, present.named(row)) for row in Street.objects.filter(is_active=True).order_by("code9")],
        "kinds": SystemKind.choices,
        "given": request.POST,
        "refusal": refusal,
    }
    return render(request, "cases/systems.html", context, status=refusal.status if refusal else 200)


def _token(request: HttpRequest, system: OutsideSystem, token: str) -> HttpResponse:
    answer = render(request, "cases/system_token.html", {"system": system, "token": token})
    answer["Cache-Control"] = "no-store"
    return answer
