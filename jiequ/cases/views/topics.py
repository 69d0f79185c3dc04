"""地点专题: places that people keep coming back to with one sort of trouble, the hottest first; people confirm and end them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import Forbidden
from jiequ.core.once import once
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from .. import services
from ..models import Case, Topic, TypeEdition
from ..queries import shift
from ..queries import topics as queries
from ..queries.listing import row_of
from ..queries.types import said
from . import present, reading

SHOWN, CASES_SHOWN = 20, 5


@needs(*shift.AT_HAND)
@require_http_methods(["GET", "HEAD", "POST"])
def topics(request: HttpRequest) -> HttpResponse:
    """GET: the street's topics and what may be one. POST: confirm the place whose oldest case is ``anchor``."""
    actor, at = actor_of(request), clock.now()
    street_id = shift.street_of(actor)
    if street_id is None:
        raise Forbidden("not_your_desk", _("地点专题由本街道坐席确认。"))
    if request.method == "POST":
        return once(request, lambda: _confirm(request, street_id, actor, at))
    return render(request, "cases/topics.html", _context(actor, street_id, at))


def _confirm(request: HttpRequest, street_id: int, actor: Actor, at: datetime) -> HttpResponse:
    services.confirm_topic(street_id=street_id, anchor_id=reading.whole(request.POST, "anchor") or 0, by=actor, at=at)
    return _back()


@needs(*shift.AT_HAND)
@require_POST
def end(request: HttpRequest, topic_id: int) -> HttpResponse:
    """The confirmation is taken back; the cases stay as they are."""
    actor, at = actor_of(request), clock.now()

    def run() -> HttpResponse:
        services.end_topic(topic_id, by=actor, at=at)
        return _back()

    return once(request, run)


def _back() -> HttpResponse:
    answer = HttpResponseRedirect(reverse("cases:topics"))
    answer.status_code = 303
    return answer


def _context(actor: Actor, street_id: int, at: datetime) -> dict[str, Any]:
    """Seven SELECTs, however many topics there are."""
    reports = queries.told(actor, street_id, base_m=services.near_m(street_id), at=at)
    held = queries.in_force(street_id)
    mine = sorted(((queries.place_of(one, reports, at=at), one) for one in held), key=lambda pair: -pair[0].heat)[:SHOWN]
    other = queries.possible(reports, held, at=at)[:SHOWN]
    places = [*(place for place, _topic in mine), *other]
    rows, names = _rows(places, at), _type_names(places)
    return {
        "confirmed": [_shown(place, rows, names, topic) for place, topic in mine],
        "possible": [_shown(place, rows, names) for place in other],
        "now": at,
        "days": queries.RECENT_DAYS,
    }


def _rows(places: Iterable[queries.Place], at: datetime) -> dict[int, dict[str, Any]]:
    """The newest cases of each place as lines of a list. One SELECT: the ids were found among what the reader may see."""
    ids = {pk for place in places for pk in place.cases[:CASES_SHOWN]}
    return {case.pk: present.row(case, at) for case in row_of(Case.objects.filter(pk__in=ids))}


def _type_names(places: Iterable[queries.Place]) -> dict[int, str]:
    """Each type by its newest name. One SELECT."""
    editions = TypeEdition.objects.filter(event_type__in={place.type_id for place in places}).order_by("number")
    return {pk: said(zh, en) for pk, zh, en in editions.values_list("event_type_id", "name_zh", "name_en")}


def _shown(
    place: queries.Place, rows: dict[int, dict[str, Any]], names: dict[int, str], topic: Topic | None = None
) -> dict[str, Any]:
    lines = [rows[pk] for pk in place.cases[:CASES_SHOWN] if pk in rows]
    return {
        "place": place,
        "topic": topic,
        "type_name": names.get(place.type_id, ""),
        "where": next((line["place"] for line in lines if line["place"]), ""),
        "lines": lines,
        "more": len(place.cases) - len(lines),
    }
