"""The user guide inside the product: everybody's own page first, the others one link away."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from jiequ.people.access import actor_of, public
from jiequ.people.rules import ADMIN_ROLES, DESK_ROLES, Role

from . import guide


@public
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """The page written for the reader's role; a stranger reads the residents' one."""
    return _shown(request, guide.own_page(_roles(request)))


@public
@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page of the guide by its name."""
    return _shown(request, name)


def _shown(request: HttpRequest, name: str) -> HttpResponse:
    try:
        found = guide.page(name)
    except KeyError:
        raise Http404 from None
    sits_at_desk = bool(_roles(request) & (DESK_ROLES - {Role.LEADER} | ADMIN_ROLES))
    context = {
        "frame": "web/desk.html" if sits_at_desk else "web/phone.html",
        "page": found,
        "index": guide.INDEX,
        "is_index": found.name == guide.INDEX,
    }
    return render(request, "web/pages/help.html", context)


def _roles(request: HttpRequest) -> frozenset[Role]:
    actor = actor_of(request)
    return frozenset(seat.role for seat in actor.seats) if actor.person_id else frozenset({Role.RESIDENT})
