"""Pictures that may leave the desk: asked for, looked at, passed by another person, fetched."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import actor_of, needs

from .. import access
from ..models import Release
from ..services import releasing, stored
from ..words import why
from .desk import shown, suspect_for
from .imagery import page

TONES = {"making": "go", "to_see": "wait", "passed": "done", "refused": "stop", "failed": "stop"}
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})?")


@needs(*access.JUDGES)
@require_POST
def ask(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """Have one made."""
    found = suspect_for(request, suspect_id)
    try:
        boxes = boxes_of(request.POST.get("boxes", ""))
        window = request.POST.get("window", "around")
        row = releasing.ask_release(found, window=window, boxes=boxes, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        return shown(request, found, refusal)
    return redirect(reverse("sense:release", args=[row.pk]))


def boxes_of(text: str) -> list[list[float]]:
    """Four numbers a line, percent of the picture: left, top, right, bottom."""
    lines = [line for line in text[:4000].splitlines() if line.strip()]
    return [[float(value) / 100 for value in _NUMBER.findall(line)] for line in lines]


@needs(*access.RELEASERS)
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, release_id: int) -> HttpResponse:
    """The picture as it would leave, and the decision on it."""
    actor = actor_of(request)
    row = releasing.release_for(release_id, actor)
    refusal = None
    if request.method == "POST":
        try:
            passes, looked = request.POST.get("act") == "pass", "looked" in request.POST
            releasing.decide(row, passes=passes, looked=looked, by=actor, at=clock.now())
            messages.success(request, _("已放行。") if passes else _("没有放行。"))
            return redirect(reverse("sense:release", args=[row.pk]))
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    context = {
        "release": row,
        "tone": TONES[row.state],
        "why": why(row.reason) if row.reason else "",
        "can_decide": row.state == "to_see" and row.made_by != actor.person_id,
        "refusal": refusal,
    }
    return page(request, row.suspect.street, "desk", "sense/release.html", context)


@needs(*access.RELEASERS)
@require_safe
def picture(request: HttpRequest, release_id: int) -> HttpResponse:
    """The softened picture; a file to save once it was passed."""
    row = releasing.release_for(release_id, actor_of(request))
    if row.state not in (Release.State.TO_SEE, Release.State.PASSED):
        raise NotFound("no_such_release", _("没有找到这张图。"))
    try:
        body = stored.bytes_of(releasing.key_of(row))
    except KeyError:
        raise NotFound("no_such_release", _("没有找到这张图。")) from None
    answer = HttpResponse(body, content_type="image/jpeg")
    answer["Cache-Control"] = "private, no-store"
    if row.state == Release.State.PASSED and "save" in request.GET:
        answer["Content-Disposition"] = f'attachment; filename="{row.suspect.number}-{row.pk}.jpg"'
    return answer
