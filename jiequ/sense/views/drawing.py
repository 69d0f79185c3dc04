"""Outlines by hand: drawn on the picture or written as places, joined, cut, undone. Forms that work without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.numbers import wholes
from jiequ.people.access import actor_of, needs

from .. import access, corners
from ..models import Suspect
from ..services import drawing
from .desk import shown, suspect_for
from .imagery import number


@needs(*access.JUDGES)
@require_POST
def draw(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """The polygon anew."""
    drawn = corners.polygon_in(request.POST.get("outline", ""))
    return _do(request, suspect_id, lambda one, told: drawing.redraw(one, geometry=drawn, **told), _("轮廓已更新。"))


@needs(*access.JUDGES)
@require_POST
def join(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """Others into this one."""
    others = wholes(request.POST.getlist("others"))
    return _do(request, suspect_id, lambda one, told: drawing.join(one, others=others, **told), _("已合并。"))


@needs(*access.JUDGES)
@require_POST
def cut(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """This one in two."""
    line = corners.places_in(request.POST.get("line", ""))
    said = _("已切成两块，另一块排进队列。")
    return _do(request, suspect_id, lambda one, told: drawing.cut(one, line=line, **told), said)


@needs(*access.JUDGES)
@require_POST
def undo_outline(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """The outline before."""

    def back(one: Suspect, told: dict[str, Any]) -> None:
        drawing.undo_outline(one, by=told["by"], at=told["at"])

    return _do(request, suspect_id, back, _("轮廓已恢复。"))


def _do(request: HttpRequest, suspect_id: int, act: Callable[[Suspect, dict[str, Any]], Any], said: str) -> HttpResponse:
    found = suspect_for(request, suspect_id)
    told = {"version": number(request, "version") or 0, "by": actor_of(request), "at": clock.now()}
    try:
        act(found, told)
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        return shown(request, suspect_for(request, suspect_id), refusal)
    messages.success(request, said)
    return redirect(reverse("sense:desk_suspect", args=[suspect_id]))
