"""One case's page, and what is opened from it: its notices, its reporter, a rating taken by phone."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.channels.queries import messages_about
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import wants_json
from jiequ.core.once import once
from jiequ.people.access import actor_of, needs, signed_in
from jiequ.people.rules import DESK_ROLES, Actor, Role

from .. import services, words
from ..access import case_for
from ..beside import links_beside
from ..forms import FORMS, SCORES, MoveForm
from ..models import Case, CaseEvent, Proof, Report, Task
from ..open_moves import offered_moves
from ..queries import shift
from ..queries.page import CaseView, said_by, shown_event, view_of
from ..queries.parts import parts_of
from ..queries.recordings import recordings_of
from . import aids, moves, present, reading


@signed_in
@require_GET
def page(request: HttpRequest, number: str) -> HttpResponse:
    """One case: where it stands, what the reader can do now, what happened. At most eight statements with sign-in."""
    actor, at = actor_of(request), clock.now()
    found = case_for(actor, number)
    view = view_of(found, actor, at=at)
    is_desk = actor.has(*DESK_ROLES, street_id=found.street_id)
    sits_at_desk = actor.has(*(DESK_ROLES - {Role.LEADER}), street_id=found.street_id)
    open_moves = offered_moves(view, actor)
    inline = _inline(found, actor, at, open_moves)
    links = _links(number, open_moves, {form.move for form in inline})
    context = {
        "frame": "web/desk.html" if sits_at_desk else "web/phone.html",
        "is_desk_frame": sits_at_desk,
        "case": found,
        "shown_event": shown_event(found, view.events),
        "row": present.row(found, at),
        "now": at,
        "steps": present.steps(found, is_rated=any(e.move == "rate" for e in view.events)),
        "timeline": present.staff_entries(view.events, view.proofs, number, is_desk=is_desk),
        "clock_lines": present.clock_lines(view.clocks),
        "tasks": [_task_row(task) for task in view.open_tasks],
        "threads": present.threads(view.tasks, view.events, at),
        "facts": present.facts(found),
        "reports": _reports(found, view, actor, at),
        "inline": inline,
        "links": links,
        "bar": _bar(inline, links),
        "missing": present.missing_words(found, view.proofs) if "handle" in open_moves else [],
        "is_desk": is_desk,
        "may_watch": actor.has(*shift.AT_HAND, street_id=found.street_id),
        "may_reveal": actor.has(Role.ACCEPTOR, Role.DUTY_LEADER, street_id=found.street_id),
        "basemap": present.basemap_url(found.street_id),
        "map_lon": f"{found.lon:.6f}" if found.lon is not None else "",
        "map_lat": f"{found.lat:.6f}" if found.lat is not None else "",
        "minutes_left": services.return_minutes_left(found, at) if found.source == "hotline" else None,
        "parts": parts_of(found),
        "undo": _undo(request, view.events, found, actor, at),
        "back_url": _back(actor, found),
        "beside": links_beside(found, actor),
    }
    for form in inline:
        context |= aids.aids_of(form, view.reports)
    return render(request, "cases/case.html", context)


def _back(actor: Actor, case: Case) -> str:
    """Where the reader's cases are listed: the desk, the leader's 待处理, or 待办."""
    if actor.has(*(DESK_ROLES - {Role.LEADER}), street_id=case.street_id):
        return reverse("cases:desk")
    return reverse("cases:leader") if actor.has(Role.LEADER) else reverse("cases:todo")


def _task_row(task: Task) -> dict[str, Any]:
    to = present.named(task.department) if task.department else (task.person.name if task.person else "")
    return {
        "kind": task.kind,
        "label": str(words.TASKS[task.kind]),
        "to": to,
        "asked": task.asked,
        "opened_at": task.opened_at,
        "due_at": task.due_at,
        "seen_at": task.seen_at,
        "group": task.group,
    }


def _reports(case: Case, view: CaseView, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """Every account of the matter; recordings are for the desk, like whatever else may name a reporter."""
    heard = recordings_of(view.reports) if actor.has(*DESK_ROLES, street_id=case.street_id) else {}
    return [_report(case, report, view.proofs, actor, at) | {"recordings": heard.get(report.pk, ())} for report in view.reports]


def _report(case: Case, report: Report, proofs: list[Proof], actor: Actor, at: datetime) -> dict[str, Any]:
    """One account of the matter. Phones and long numbers in the words are for the desk only."""
    is_desk = actor.has(*DESK_ROLES, street_id=case.street_id)
    may_rate = actor.has(Role.ACCEPTOR, street_id=case.street_id)
    open_to_rate = may_rate and services.windows(case, report, at=at).rate_until is not None
    return {
        "id": report.pk,
        "source": present.source_words(report.source),
        "at": report.at,
        "words": said_by(report.words, is_desk=is_desk),
        "place": said_by(report.place_words, is_desk=is_desk),
        "wants_call": report.wants_call,
        "has_reporter": report.reporter_id is not None,
        "photos": [_photo(case.number, p) for p in proofs if p.report_id == report.pk and p.picture_id],
        "rating": present.rating_words(report, is_desk=is_desk),
        "rate_url": reverse("cases:rate_by_phone", args=[case.number, report.pk]) if open_to_rate else "",
    }


def _photo(number: str, proof: Proof) -> dict[str, str]:
    return {"url": present.photo_url(number, proof), "thumb": present.photo_url(number, proof, "thumb")}


def _inline(case: Case, actor: Actor, at: datetime, open_moves: list[str]) -> list[MoveForm]:
    """The forms that stand on the page itself: those that ask the database nothing, the first steps only."""
    plain = [name for name in open_moves if name in FORMS and FORMS[name].prepare is MoveForm.prepare]
    first = [name for name in plain if FORMS[name].tone == "primary"][:2]
    beside = [name for name in ("check_fail",) if name in plain]
    return [FORMS[name](case=case, actor=actor, at=at) for name in dict.fromkeys([*first, *beside])]


def _links(number: str, open_moves: list[str], inline: set[str]) -> list[dict[str, Any]]:
    """Every other move, as a link to its form."""
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "label": str(words.MOVES[name]),
            "url": reverse("cases:move", args=[number, name]),
            "tone": FORMS[name].tone,
            "key": present.KEYS.get(name, ""),
        }
        for name in open_moves
        if name in FORMS and name not in inline
    ]
    return sorted(found, key=lambda one: _TONES.index(one["tone"]))


_TONES = ("primary", "plain", "danger")


def _bar(inline: list[MoveForm], links: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The phone's bar: at most two first moves. One tap where nothing is to be filled in, else a way to the form."""
    here: list[dict[str, Any]] = [
        {"move": f.move, "label": f.label, "tone": f.tone, "is_one_tap": f.is_one_tap, "url": f"#do-{f.move}"} for f in inline
    ]
    there: list[dict[str, Any]] = [
        {"move": o["name"], "label": o["label"], "tone": o["tone"], "is_one_tap": False, "url": o["url"]}
        for o in links
        if o["tone"] == "primary" or o["name"] == "urge"
    ]
    return [*here, *there][:2]


def _undo(request: HttpRequest, events: list[CaseEvent], case: Case, actor: Actor, at: datetime) -> dict[str, Any] | None:
    """Like ``moves.undo_of``, from events already read."""
    event_id = request.GET.get("done", "")
    event = next((e for e in events if str(e.pk) == event_id and e.by_id == actor.person_id), None)
    until = services.undo_until(event, case) if event and actor.person_id else None
    if event is None or until is None or at >= until:
        return None
    return moves.undo_toast(event, case, until, at)


@needs(Role.ACCEPTOR, Role.DUTY_LEADER)
@require_POST
def reveal(request: HttpRequest, number: str, report_id: int) -> HttpResponse:
    """Who reported, once, with a reason that stays in the record."""
    actor, at = actor_of(request), clock.now()
    found = case_for(actor, number)
    report = found.reports.filter(pk=report_id).first()
    if report is None:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    revealed = services.reveal_reporter(report.pk, reason=request.POST.get("reason", ""), by=actor, at=at)
    answer = render(request, "cases/revealed.html", {"case": found, "revealed": revealed, "back_url": moves.case_url(number)})
    answer["Cache-Control"] = "no-store"
    return answer


@needs(Role.ACCEPTOR)
@require_http_methods(["GET", "POST"])
def rate_by_phone(request: HttpRequest, number: str, report_id: int) -> HttpResponse:
    """A rating or a wish to have it done again, taken by phone."""
    actor, at = actor_of(request), clock.now()
    found = case_for(actor, number)
    report = found.reports.select_related("street").filter(pk=report_id).first()
    if report is None:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    if request.method == "GET":
        return _rating_page(request, found, report, at)

    def run() -> HttpResponse:
        solved = request.POST.get("is_solved")
        if solved not in {"yes", "no"}:
            raise Refusal("verdict_missing", _("请选择问题解决了没有。"), facts={"field": "is_solved"})
        services.rate(
            found,
            report=report,
            is_solved=solved == "yes",
            satisfaction=reading.whole(request.POST, "satisfaction") or 0,
            text=request.POST.get("text", ""),
            by=actor,
            at=at,
        )
        return HttpResponseRedirect(moves.case_url(number))

    try:
        return once(request, run)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        return _rating_page(request, found, report, at, refusal=refusal)


def _rating_page(
    request: HttpRequest, case: Case, report: Report, at: datetime, *, refusal: Refusal | None = None
) -> HttpResponse:
    context = {
        "case": case,
        "report": report,
        "windows": services.windows(case, report, at=at),
        "number": case.number,
        "scores": SCORES,
        "given": request.POST,
        "refusal": refusal,
        "back_url": moves.case_url(case.number),
    }
    return render(request, "cases/rate_by_phone.html", context, status=refusal.status if refusal else 200)


@needs(Role.ACCEPTOR, Role.DUTY_LEADER)
@require_POST
def clear_suspicion(request: HttpRequest, number: str) -> HttpResponse:
    """The desk looked at a held report: it is an ordinary one."""
    actor, at = actor_of(request), clock.now()

    def run() -> HttpResponse:
        done = services.clear_suspicion(case_for(actor, number), by=actor, at=at)
        return moves.done_at(request, done.case, done)

    return once(request, run)


@signed_in
@require_GET
def notices(request: HttpRequest, number: str) -> HttpResponse:
    """What was sent about the case and what did not arrive; opened from the case's page."""
    found = case_for(actor_of(request), number)
    lines = messages_about(f"case:{found.pk}", language=request.LANGUAGE_CODE)
    context = {"case": found, "lines": [present.message(line) for line in lines], "back_url": moves.case_url(number)}
    return render(request, "cases/messages.html", context)
