"""While somebody reports: which type their words sound like, and whether to call for help first. Nothing said is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from jiequ.core import clock, throttle
from jiequ.core.http import client_network
from jiequ.people.access import public
from jiequ.triage.services import Ask

from ..queries import advice

ASKS_AN_HOUR = 600
MOST_WORDS = 2000


@public
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """The part of the report page with the types its words sound like."""
    return render(request, "cases/parts/report_suggest.html", heard_in(request))


def heard(words: str) -> advice.Offer | None:
    """What the words sound like, as the resident is asked; None where there is nothing worth asking."""
    if not words.strip():
        return None
    return advice.offer_of(advice.type_advice(Ask(words[:MOST_WORDS], source="resident", at=clock.now())))


def heard_in(request: HttpRequest) -> dict[str, Any]:
    """What the words sent sound like, for the part of the page or (the button without scripts) the whole of it."""
    bucket = throttle.bucket("suggest", client_network(request))
    throttle.take(bucket, capacity=ASKS_AN_HOUR, per_seconds=3600, at=clock.now())
    return {"heard": heard(request.POST.get("words", ""))}
