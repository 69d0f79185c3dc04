"""The analyst's desk: the queue, one suspect with both dates before one's eyes, its verdict, taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import wants_json
from jiequ.people.access import actor_of, needs

from .. import access
from ..models import FalseAlarm, Said, Suspect
from ..queries import desk as queries
from ..services import judging
from .imagery import number, page
from .seen import seen_of

KEYS_OF_CLASSES = dict(zip(FalseAlarm.values, "12345678", strict=True))


@needs(*access.JUDGES)
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What is to be read, in its turn; how well two readers agree; what is missing for a calibration."""
    actor, at = actor_of(request), clock.now()
    street = access.street_for(actor, number(request, "street"), *access.JUDGES)
    rows, more = queries.rows(street.pk, actor.person_id or 0)
    counted = queries.verdicts_counted(street.pk)
    context = {
        "rows": rows,
        "more": more,
        "agreement": queries.agreement(street.pk, at),
        "disagreed": queries.disagreed(street.pk, at),
        "verdicts": counted,
        "uncalibrated": queries.still_uncalibrated(counted),
        "done": _done(request, street.pk),
    }
    return page(request, street, "desk", "sense/desk.html", context)


@needs(*access.JUDGES)
@require_safe
def suspect(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """One suspect; with ``part`` only what changes from one to the next."""
    return shown(request, suspect_for(request, suspect_id))


def shown(request: HttpRequest, found: Suspect, refusal: Refusal | None = None) -> HttpResponse:
    """The page of a suspect, with a refusal's sentence if there is one."""
    actor = actor_of(request)
    reader_id = actor.person_id or 0
    is_second = queries.is_second_for(found, reader_id)
    is_open = found.state == "open" or is_second
    following = queries.following(found, reader_id)
    context: dict[str, Any] = {
        "suspect": found,
        "is_open": is_open,
        "state": queries.state_shown(found, is_second),
        "seen": seen_of(request, found),
        "classes": [(value, label, KEYS_OF_CLASSES[value]) for value, label in FalseAlarm.choices],
        "sayings": [] if is_open else queries.sayings(found),
        "following": following,
        "is_part": "part" in request.GET,
        "done": _done(request, found.street_id),
        "refusal": refusal,
    }
    if "part" in request.GET:
        return render(request, "sense/parts/suspect.html", context, status=refusal.status if refusal else 200)
    return page(request, found.street, "desk", "sense/suspect_desk.html", context)


@needs(*access.JUDGES)
@require_POST
def say(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """A verdict; then the next suspect. As JSON: which verdict it became, and what is next."""
    found, actor = suspect_for(request, suspect_id), actor_of(request)
    said, _sep, false_alarm = request.POST.get("said", "").partition(":")
    following = queries.following(found, actor.person_id or 0, size=1)
    try:
        verdict = judging.say(
            found,
            said=said,
            false_alarm=false_alarm,
            version=number(request, "version") or 0,
            permit_id=None,
            overrules="overrules" in request.POST,
            by=actor,
            at=clock.now(),
        )
    except Refusal as refusal:
        if wants_json(request) or refusal.status in (403, 404):
            raise
        return shown(request, suspect_for(request, suspect_id), refusal)
    if wants_json(request):
        undo = reverse("sense:verdict_undo", args=[verdict.pk])
        return JsonResponse({"verdict": verdict.pk, "undo": undo, "number": found.number, "next": following[:1]})
    after = reverse("sense:desk_suspect", args=following) if following else reverse("sense:desk")
    return redirect(f"{after}?street={found.street_id}&done={verdict.pk}")


@needs(*access.JUDGES)
@require_POST
def undo(request: HttpRequest, verdict_id: int) -> HttpResponse:
    """Takes the reader's own verdict back and shows the suspect again."""
    back = judging.take_back(verdict_id, by=actor_of(request), at=clock.now())
    address = reverse("sense:desk_suspect", args=[back.pk])
    if wants_json(request):
        return JsonResponse({"suspect": back.pk, "address": address})
    messages.success(request, _("已撤销，请重新判读。"))
    return redirect(address)


def suspect_for(request: HttpRequest, suspect_id: int) -> Suspect:
    """A suspect of a street in which the reader judges; NotFound for any other."""
    found = Suspect.objects.filter(pk=suspect_id).select_related("street", "point", "merged_into").first()
    if found is None or not access.may_judge(actor_of(request), found.street_id):
        raise NotFound("no_such_suspect", _("没有找到这个图斑。"))
    return found


def _done(request: HttpRequest, street_id: int) -> dict[str, Any] | None:
    """The verdict that was just given, with the way back."""
    verdict_id = number(request, "done")
    verdict = queries.own_last(street_id, actor_of(request).person_id or 0, verdict_id) if verdict_id else None
    if verdict is None:
        return None
    said = str(verdict.get_false_alarm_display() if verdict.said == Said.NOT_CONSTRUCTION else verdict.get_said_display())
    return {"number": verdict.suspect.number, "said": said, "undo": reverse("sense:verdict_undo", args=[verdict.pk])}
