"""While somebody reports, in one request a pause: which type, place and time their words tell, whether to call for help, and
which earlier reports theirs may be one with (``alike``). Nothing said is kept; words never stand in an address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from jiequ.core import clock, throttle
from jiequ.core.errors import Refusal
from jiequ.core.http import client_network
from jiequ.people.access import public
from jiequ.triage.services import Ask

from .. import services
from ..queries import advice, where
from . import alike, reading

ASKS_AN_HOUR = 600
MOST_WORDS, MOST_PLACE_WORDS = 2000, 120


@public
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """The parts of the report page that follow what was written: what is known near by; types, places and times told."""
    return render(request, "cases/parts/report_aids.html", asked_in(request))


def heard(words: str) -> advice.Offer | None:
    """What the words sound like, as the resident is asked; None where there is nothing worth asking."""
    if not words.strip():
        return None
    return advice.offer_of(advice.type_advice(Ask(words[:MOST_WORDS], source="resident", at=clock.now())))


def asked_in(request: HttpRequest) -> dict[str, Any]:
    """All of it, for the parts of the page or (the button without scripts) the whole of it."""
    bucket = throttle.bucket("suggest", client_network(request))
    throttle.take(bucket, capacity=ASKS_AN_HOUR, per_seconds=3600, at=clock.now())
    return asked_again(request)


def asked_again(request: HttpRequest) -> dict[str, Any]:
    """The same of a report that was refused, so that what was chosen there stays."""
    chosen = {name: request.POST.get(name, "") for name in ("told_place", "happened")}
    heard_now = {"heard": heard(request.POST.get("words", "")), "told": told(request.POST)}
    return heard_now | chosen | alike.alike_in(request)


def told(data: Any) -> dict[str, Any] | None:
    """Places and times in the words, as the resident is asked: nothing is set before they say so."""
    said, pin, is_placed = str(data.get("place_words", "")), None, False
    try:
        place = reading.place_of({name: value for name, value in data.items() if name != "told_place"})
        pin = services.canonical(place) if place.x is not None and place.y is not None else None
        is_placed = pin is not None or place.unit_grid_id is not None
    except Refusal:
        place = services.Place()
    texts = [said[:MOST_PLACE_WORDS], str(data.get("words", ""))[:MOST_WORDS]]
    found = where.told(texts, pin=pin, at=clock.now(), community_id=place.community_id, has_place=is_placed)
    if not found:
        return None
    shown = [one for one in found.places if one.is_known or one.told not in said]
    places = [{"spot": one, "away": where.away_words(one.metres)} for one in shown]
    times = [{"value": one.value, "words": where.words_of(one), "told": one.told} for one in found.times]
    return {"places": places, "times": times, "is_far": found.is_far}
