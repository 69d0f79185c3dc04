"""交接班: the page that drafts itself, the notes before it, and a case's place on the watch list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import Forbidden
from jiequ.core.http import is_htmx
from jiequ.core.once import once
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from .. import services, words
from ..access import case_for
from ..queries import shift as queries
from ..queries.rows import row
from . import moves, reading

PAGE = 20


@needs(*queries.AT_HAND)
@require_http_methods(["GET", "POST"])
def handover(request: HttpRequest) -> HttpResponse:
    """GET: what the desk would leave now, and the notes before. POST: leave it."""
    actor, at = actor_of(request), clock.now()
    street_id = queries.street_of(actor)
    if street_id is None:
        raise Forbidden("not_your_desk", _("交接班由本街道坐席办理。"))
    if request.method == "POST":
        return once(request, lambda: _give(request, street_id, actor, at))
    before = reading.whole(request.GET, "before")
    notes = queries.notes_of(actor.streets(*queries.AT_HAND), before=before, size=PAGE + 1)
    context = {
        "sections": _sections(queries.draft(actor, street_id, at=at), actor, at),
        "notes": notes[:PAGE],
        "next_before": notes[PAGE - 1].pk if len(notes) > PAGE else None,
        "waiting": queries.left_for(actor, at=at),
        "now": at,
    }
    return render(request, "cases/handover.html", context)


def _give(request: HttpRequest, street_id: int, actor: Actor, at: datetime) -> HttpResponse:
    note = services.give_desk(street_id=street_id, text=request.POST.get("text", ""), by=actor, at=at)
    return _to(reverse("cases:handover_note", args=[note.pk]))


@needs(*queries.AT_HAND)
@require_GET
def note(request: HttpRequest, note_id: int) -> HttpResponse:
    """One note, to be read and printed: the cases it named, as they stand now."""
    actor, at = actor_of(request), clock.now()
    found = services.note_of(note_id, by=actor)
    context = {
        "note": found,
        "sections": _sections(found.facts, actor, at),
        "may_take": found.taken_at is None and found.given_by_id != actor.person_id,
        "now": at,
    }
    return render(request, "cases/handover_note.html", context)


@needs(*queries.AT_HAND)
@require_POST
def take(request: HttpRequest, note_id: int) -> HttpResponse:
    """One tap: taken over."""
    actor, at = actor_of(request), clock.now()

    def run() -> HttpResponse:
        services.take_desk(services.note_of(note_id, by=actor), by=actor, at=at)
        return _to(_next(request, reverse("cases:handover_note", args=[note_id])))

    return once(request, run)


@needs(*queries.AT_HAND)
@require_http_methods(["GET", "POST"])
def watch(request: HttpRequest, number: str) -> HttpResponse:
    """GET: whether the street's desk keeps an eye on the case. POST: put it there with a word, or (``off``) take it off."""
    actor, at = actor_of(request), clock.now()
    if request.method == "GET":
        case = case_for(actor, number)
        services.need_a_seat(actor, case.street_id)
        template = "cases/parts/watch.html" if is_htmx(request) else "cases/watch.html"
        return render(request, template, {"case": case, "row": row(case, at), "watched": queries.watched(case)})

    def run() -> HttpResponse:
        case = case_for(actor, number)
        if request.POST.get("off"):
            services.take_off_watch(case, by=actor, at=at)
        else:
            services.put_on_watch(case, text=request.POST.get("text", ""), by=actor, at=at)
        return _to(_next(request, moves.case_url(number)))

    return once(request, run)


def _next(request: HttpRequest, otherwise: str) -> str:
    target = request.POST.get("next", "")
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}) else otherwise


def _to(target: str) -> HttpResponse:
    answer = HttpResponseRedirect(target)
    answer.status_code = 303
    return answer


def _sections(facts: dict[str, list[dict[str, Any]]], actor: Actor, at: datetime) -> list[dict[str, Any]]:
    labels = {
        "urgent": _("紧急，还没办结"),
        "call_backs": _("答应回电的"),
        "late": _("已经超期"),
        "soon": _("快要到期"),
        "watch": _("要盯着的"),
        "undelivered": _("通知没有送到"),
    }
    cases = queries.cases_in(actor, facts)
    return [
        {"key": key, "label": labels[key], "count": len(facts.get(key, ())), "lines": _lines(facts.get(key, ()), cases, at)}
        for key in queries.SECTIONS
    ]


def _lines(lines: Any, cases: dict[int, Any], at: datetime) -> list[dict[str, Any]]:
    """Each case as it stands, with how it stood when the note was written if that was otherwise."""
    return [
        row(cases[line["case"]], at)
        | {"why": line.get("why", ""), "then": _then(line, cases[line["case"]].state)}
        for line in lines
        if line["case"] in cases
    ]  # fmt: skip


def _then(line: dict[str, Any], state: str) -> str:
    return "" if line["state"] == state else str(words.STATES[line["state"]])
