"""The page of a street's standard replies."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.core.once import once
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from . import words
from .queries import replies
from .queries.replies import Reply
from .queries.types import current_types, said
from .services import EDITORS, fresh_key, set_reply

NEW = "new"


@needs(*EDITORS)
@require_GET
def standard_replies(request: HttpRequest) -> HttpResponse:
    """Every reply of a street by the step it is for; the administrator chooses the street."""
    street, streets = _street(request, actor_of(request))
    found = replies.replies_of(street.pk, all_of_them=True)
    groups = [(words.MOVES[move], [_shown(reply, street) for reply in found if reply.move == move]) for move in replies.MOVES]
    return render(request, "cases/replies.html", {"groups": groups, "street": street, "streets": streets})


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def standard_reply(request: HttpRequest, key: str) -> HttpResponse:
    """One reply: its editions, and the form of the next one. ``new``: one of the street's own."""
    actor, at = actor_of(request), clock.now()
    street, _streets = _street(request, actor)
    reply = _reply(street.pk, key)
    if request.method == "GET":
        return _page(request, street, reply, key)

    def run() -> HttpResponse:
        given = _given(request, reply)
        set_reply(given, street_id=street.pk, shown_edition=_edition(request), by=actor, at=at)
        return HttpResponseRedirect(f"{reverse('cases:replies')}?street={street.pk}", status=303)

    try:
        return once(request, run)
    except Refusal as refusal:
        if refusal.status not in {409, 422}:
            raise
        return _page(request, street, _given(request, reply), key, refusal=refusal)


def _page(request: HttpRequest, street: Street, reply: Reply, key: str, *, refusal: Refusal | None = None) -> HttpResponse:
    history = replies.editions(street.pk, reply.key)
    types = [(kind.id, kind.name) for major in current_types() for kind in major.types]
    context = {
        "reply": reply,
        "key": key,
        "street": street,
        "edition": history[0].edition if history else 0,
        "history": history,
        "moves": [(move, words.MOVES[move]) for move in replies.MOVES],
        "types": types,
        "places": replies.PLACES,
        "refusal": refusal,
        "back_url": f"{reverse('cases:replies')}?street={street.pk}",
    }
    return render(request, "cases/reply.html", context, status=refusal.status if refusal else 200)


def _shown(reply: Reply, street: Street) -> dict[str, Any]:
    example = replies.sample(reply, street)
    return {
        "key": reply.key,
        "title": said(reply.title_zh, reply.title_en),
        "text": said(example.body_zh, example.body_en),
        "reason": words.reason_words(reply.reason_code) if reply.reason_code else "",
        "edition": reply.edition,
        "is_active": reply.is_active,
    }


def _reply(street_id: int, key: str) -> Reply:
    if key == NEW:
        return Reply(fresh_key(street_id), "close", "", "", "", "", "")
    found = next((one for one in replies.replies_of(street_id, all_of_them=True) if one.key == key), None)
    if found is None:
        raise NotFound("reply_not_found", "")
    return found


def _given(request: HttpRequest, reply: Reply) -> Reply:
    data = request.POST
    kind = data.get("event_type_id", "")
    known = {kind.id for major in current_types() for kind in major.types}
    event_type_id = int(kind) if kind.isascii() and kind.isdigit() and len(kind) < 10 and int(kind) in known else None
    move = data.get("move", "")
    return Reply(
        key=reply.key,
        move=move,
        reason_code=reply.reason_code if move == reply.move else "",  # a reason belongs to its step
        title_zh=data.get("title_zh", ""),
        title_en=data.get("title_en", ""),
        body_zh=data.get("body_zh", ""),
        body_en=data.get("body_en", ""),
        event_type_id=event_type_id,
        is_active=data.get("is_active") == "on",
    )


def _edition(request: HttpRequest) -> int:
    text = request.POST.get("edition", "")
    return whole(text, 8) or 0


def _street(request: HttpRequest, actor: Actor) -> tuple[Street, list[Street]]:
    """The street whose replies these are, and the ones that can be chosen; NotFound for another's."""
    mine = Street.objects.order_by("code9")
    streets = [street for street in mine if actor.has(*EDITORS, street_id=street.pk)]
    asked = request.GET.get("street") or request.POST.get("street") or ""
    found = next((street for street in streets if not asked or str(street.pk) == asked), None)
    if found is None:
        raise NotFound("street_not_found", "")
    return found, streets
