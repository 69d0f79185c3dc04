"""The case beside the desk's trays: its essentials, and the form of the next move. The case's page without scripts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from jiequ.core import clock
from jiequ.core.http import is_htmx
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES

from .. import words
from ..access import Standing, case_for
from ..flow import State
from ..forms import FORMS
from ..models import Case, Proof, Report
from ..queries.page import newest_event, said_by
from . import aids, moves, present
from .staff import AT_THE_DESK, row_moves

FIRST_MOVES: dict[str, tuple[str, ...]] = {
    State.REPORTED: ("accept",),
    State.ACCEPTED: ("dispatch",),
    State.REOPENED: ("dispatch",),
    State.RETURNED: ("dispatch",),
    State.CHECKING: ("close",),
}
"""The form that stands open beside a row when none is asked for."""

MOST_WORDS = 3


@needs(*AT_THE_DESK)
@require_GET
def peek(request: HttpRequest, number: str) -> HttpResponse:
    """One case beside the tray: ``do`` names the form to show and puts the focus on it."""
    if not is_htmx(request):
        return redirect(moves.case_url(number))
    actor, at = actor_of(request), clock.now()
    shown = newest_event(number)
    case = case_for(actor, number)
    is_desk = actor.has(*DESK_ROLES, street_id=case.street_id)
    standing = Standing(actor, case, tasks=[] if is_desk else None)
    may = row_moves(case, standing)
    asked = request.GET.get("do", "")
    name = _form_name(case, {one["name"] for one in may}, asked)
    form = FORMS[name](case=case, actor=actor, at=at) if name else None
    reports = list(case.reports.order_by("pk")[:MOST_WORDS])
    if form is not None:
        form.reports = reports
    context: dict[str, Any] = {
        "case": case,
        "shown_event": shown,
        "row": present.row(case, at),
        "now": at,
        "is_desk": is_desk,
        "said": [_said(report, is_desk) for report in reports],
        "photos": _photos(case),
        "came_back": _came_back(case),
        "facts": [(label, value) for label, value in present.facts(case) if value],
        "moves": [one | {"peek": f"?{urlencode({'do': one['name']})}"} for one in may if one["name"] != name],
        "form": form,
        "is_asked": bool(name) and (asked == name or "go" in request.GET),
        "next": request.GET.get("next", ""),
        "next_quoted": quote(request.GET.get("next", "")),
    }
    return render(request, "cases/parts/desk_panel.html", context | (aids.aids_of(form, reports) if form else {}))


def _form_name(case: Case, may: set[str], asked: str) -> str:
    wanted = (asked,) if asked else FIRST_MOVES.get(case.state, ())
    return next((name for name in wanted if name in may and name in FORMS), "")


def _said(report: Report, is_desk: bool) -> dict[str, Any]:
    return {
        "words": said_by(report.words, is_desk=is_desk),
        "place": said_by(report.place_words, is_desk=is_desk),
        "source": present.source_words(report.source),
        "at": report.at,
        "wants_call": report.wants_call,
    }


def _photos(case: Case) -> list[dict[str, str]]:
    shown = Proof.objects.filter(case=case, picture__isnull=False).order_by("pk")[:6]
    return [{"url": present.photo_url(case.number, p), "thumb": present.photo_url(case.number, p, "thumb")} for p in shown]


def _came_back(case: Case) -> dict[str, Any] | None:
    """Why a department returned it: the last reason and text, and when. One SELECT, only for a case that came back."""
    if case.state != State.RETURNED:
        return None
    event = case.events.filter(move="return").order_by("-pk").first()
    if event is None:
        return None
    return {"reason": words.reason_words(event.reason_code), "text": event.text, "at": event.at, "who": event.by_name}
