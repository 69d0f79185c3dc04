"""Whether a report is known: the earlier cases it may be one with, a part of the desk's forms with its own budget."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jiequ.core import clock
from jiequ.core.http import is_htmx
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from .. import services
from ..access import Standing, case_for
from ..models import Case, Proof
from ..queries.known import Asked, Known, known_cases
from . import present
from .known_words import known_words
from .moves import case_url
from .why import READERS

SHOWN = 5
KEYS = ("f", "g", "q", "z", "l")
"""One key a row: merges into it. None of them is a move's."""


@needs(*READERS)
@require_safe
def known(request: HttpRequest, number: str) -> HttpResponse:
    """The five likeliest earlier cases, each with its badge and why, and one key to merge into it."""
    actor, at = actor_of(request), clock.now()
    case = case_for(actor, number)
    context = {
        "case": case,
        "near": rows_of(case, actor, at),
        "may_merge": Standing(actor, case, tasks=[]).may("merge"),
        "next": request.GET.get("next", ""),
        "back_url": case_url(case.number),
    }
    return render(request, "cases/parts/move_near.html" if is_htmx(request) else "cases/known.html", context)


def rows_of(case: Case, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """Open cases of the street that the reader may see, the likeliest first; nothing beside one that is confidential."""
    if case.is_confidential:
        return []
    found = known_cases(_asked(case, at), size=SHOWN)
    seen = set(Case.objects.visible_to(actor).filter(pk__in=[one.case.pk for one in found]).values_list("pk", flat=True))
    shown = (one for one in found if one.case.pk in seen)
    return [_row(one, case, at) | {"key": key} for key, one in zip(KEYS, shown, strict=False)]


def _row(one: Known, case: Case, at: datetime) -> dict[str, Any]:
    days = abs((case.reported_at - one.case.reported_at).days)
    facts = {"voices": one.case.voices, "reported_at": one.case.reported_at}
    return present.row(one.case, at, metres=one.metres) | facts | known_words(one.likeness, days=days)


def _asked(case: Case, at: datetime) -> Asked:
    said, place = case.reports.order_by("pk").values_list("words", "place_words").first() or ("", "")
    edition = case.condition.edition if case.condition else None
    photos = Proof.objects.filter(case=case, phase=Proof.Phase.REPORT, picture__dhash__isnull=False)
    return Asked(
        words=f"{place}\n{said}".strip(),
        at=at,
        lon=case.lon,
        lat=case.lat,
        community_id=case.community_id,
        event_type_id=case.event_type_id,
        major=edition.major_code if edition else "",
        base_m=float(services.policy_of(case).near_m),
        photos=tuple(dhash for dhash in photos.values_list("picture__dhash", flat=True) if dhash is not None),
        without=case.pk,
        street_id=case.street_id,
    )
