"""One move of one case, by a form: with scripts a part of the case's page, without them a page of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core import clock, pictures
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import form_errors, is_htmx, wants_json
from jiequ.core.numbers import whole
from jiequ.core.once import once
from jiequ.people.access import actor_of, signed_in
from jiequ.people.rules import Actor

from .. import services
from ..access import Standing, case_for
from ..flow import State
from ..forms import FORMS, MoveForm
from ..models import Case, CaseEvent
from ..queries import replies
from ..queries.page import picture_in
from ..words import MOVES
from . import aids, present


@signed_in
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """GET: the move's form. POST: the move; 422 with the form where it does not fit, 303 to where the reader came from."""
    if name not in FORMS:
        raise NotFound("move_not_found", "")
    actor, at = actor_of(request), clock.now()
    if request.method == "POST" and {"preview", "use"} & set(request.POST):
        return _tried(request, actor, number, name, at)
    if request.method == "GET" or wants_json(request) or is_htmx(request):
        return _once(request, actor, number, name, at)
    try:
        return _once(request, actor, number, name, at)
    except Refusal as refusal:
        if refusal.status not in _SHOWN_IN_FORM:
            raise
        form = FORMS[name](request.POST, case=case_for(actor, number), actor=actor, at=at)
        return _form_page(request, form, status=refusal.status, refusal=refusal)


_SHOWN_IN_FORM = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT)


def _once(request: HttpRequest, actor: Actor, number: str, name: str, at: datetime) -> HttpResponse:
    photos = cleaned_photos(request) if request.method == "POST" else []
    return once(request, lambda: _move(request, actor, number, name, photos, at))


def _move(
    request: HttpRequest, actor: Actor, number: str, name: str, photos: list[pictures.Clean], at: datetime
) -> HttpResponse:
    case = case_for(actor, number)
    if request.method == "GET":
        Standing(actor, case).check(name)
        return _form_page(request, _chosen(request, FORMS[name](case=case, actor=actor, at=at)))
    form = FORMS[name](request.POST, case=case, actor=actor, at=at)
    if not form.is_valid():
        if wants_json(request):
            raise form_errors(form)
        return _form_page(request, form, status=422)
    shown = kept(case.street_id, photos, phase=form.photo_phase, at=at) if form.takes_photos else []
    done = form.call(version=_version(request), shown=shown, **form.cleaned_data)
    return done_at(request, case, done)


_CHOSEN = ("condition_id", "lead_id", "place_id")
_CHOSEN_WORDS = ("plate_code", "happened")


def _chosen(request: HttpRequest, form: MoveForm) -> MoveForm:
    """The form with what a suggestion's link chose: a way to take it without scripts. Nothing is done yet."""
    form.initial = {
        name: int(request.GET[name]) for name in _CHOSEN if name in form.fields and is_id(request.GET.get(name, ""))
    } | {name: request.GET[name][:60] for name in _CHOSEN_WORDS if name in form.fields and request.GET.get(name)}
    return form


def _tried(request: HttpRequest, actor: Actor, number: str, name: str, at: datetime) -> HttpResponse:
    """The form again as it was filled in, with what the reporter will read (``preview``) or a standard reply in it (``use``).

    Nothing is done, so nothing is remembered under the form's key.
    """
    case = case_for(actor, number)
    Standing(actor, case).check(name)
    form = FORMS[name](case=case, actor=actor, at=at)
    given = request.POST.dict()
    if text := replies.text_of(case, name, given.get("use", "")):
        given[replies.FIELDS.get(name, "reply")] = text
    form.initial = {field: given[field] for field in form.fields if field in given}
    return _form_page(request, form, given=given)


@signed_in
@require_POST
def preview(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """What the reporters will read, as the form stands: asked by the page's script while somebody types."""
    if name not in services.TOLD:
        raise NotFound("move_not_found", "")
    actor, at = actor_of(request), clock.now()
    case = case_for(actor, number)
    Standing(actor, case).check(name)
    form = FORMS[name](case=case, actor=actor, at=at)
    return render(request, "cases/parts/preview_texts.html", {"preview": aids.preview_of(form, request.POST.dict())})


def _form_page(
    request: HttpRequest,
    form: MoveForm,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
    given: dict[str, str] | None = None,
) -> HttpResponse:
    template = "cases/parts/move_form.html" if is_htmx(request) else "cases/move.html"
    case = form.case
    context = {
        "form": form,
        "case": case,
        "row": present.row(case, form.at),
        "now": form.at,
        "next": request.POST.get("next", "") or request.GET.get("next", ""),
        "missing": present.missing_words(case, list(case.proofs.all())) if form.move == "handle" else [],
        "refusal": refusal,
        "chosen_query": urlencode({name: request.GET[name] for name in (*_CHOSEN, *_CHOSEN_WORDS) if request.GET.get(name)}),
        "back_url": case_url(case.number),
        "in_place": is_htmx(request) and request.headers.get("HX-Target", "") != "move-panel",
    }
    context |= aids.aids_of(form)
    if given is not None and form.move in services.TOLD:
        context["preview"] = aids.preview_of(form, given)
    if request.method == "POST" and is_htmx(request):
        context["near"] = []  # they still stand below the form that is swapped
    return render(request, template, context, status=status)


def done_at(request: HttpRequest, case: Case, done: Any) -> HttpResponse:
    """Back to the page the reader came from, which offers to undo the event for its ten seconds."""
    event_id = done.pk if isinstance(done, CaseEvent) else 0
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = case_url(case.number)
    mark = "&" if "?" in target else "?"
    target = f"{target}{mark}{urlencode({'done': event_id})}" if event_id else target
    if is_htmx(request):
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = iri_to_uri(target)
        return answer
    redirect = HttpResponseRedirect(target)
    redirect.status_code = 303
    return redirect


@signed_in
@require_POST
def undo(request: HttpRequest, event_id: int) -> HttpResponse:
    """Take back the reader's own last move, within ten seconds."""
    actor, at = actor_of(request), clock.now()

    def run() -> HttpResponse:
        case = services.undo(event_id, by=actor, at=at)
        return done_at(request, case, None)

    return once(request, run)


def undo_of(request: HttpRequest, actor: Actor, at: datetime) -> dict[str, Any] | None:
    """What the Undo toast shows on a page reached by ``done_at``; None when there is nothing to take back."""
    event_id = request.GET.get("done", "")
    if not is_id(event_id) or actor.person_id is None:
        return None
    event = CaseEvent.objects.select_related("case__street").filter(pk=int(event_id), by_id=actor.person_id).first()
    if event and event.move == "merge" and event.case.state == State.MERGED and at < _merge_until(event):
        return unmerge_toast(event, at)
    until = services.undo_until(event, event.case) if event else None
    if event is None or until is None or at >= until:
        return None
    return undo_toast(event, event.case, until, at)


def undo_toast(event: CaseEvent, case: Case, until: datetime, at: datetime) -> dict[str, Any]:
    """The toast's words, address and seconds (web/parts/undo.html)."""
    return {
        "text": f"{MOVES[event.move]} · {case.number}",
        "url": reverse("cases:undo", args=[event.pk]),
        "seconds": max(1, int((until - at).total_seconds())),
        "key": f"undo-{event.pk}-{event.facts['version']:012d}",
    }


def _merge_until(event: CaseEvent) -> datetime:
    return event.at + timedelta(seconds=services.policy_of(event.case).undo_seconds)


def unmerge_toast(event: CaseEvent, at: datetime) -> dict[str, Any]:
    """A merge reaches into another case: it is taken back by its own opposite, offered like an undo."""
    number = event.case.number
    return {
        "text": f"{MOVES['merge']} · {number} → {event.facts.get('into', '')}",
        "url": reverse("cases:move", args=[number, "unmerge"]),
        "seconds": max(1, int((_merge_until(event) - at).total_seconds())),
        "key": f"unmerge-{event.pk}-{event.facts['version']:012d}",
    }


@signed_in
def picture(request: HttpRequest, number: str, proof_id: int, variant: str = "full") -> HttpResponse:
    """A photo of a case, for whoever may see the case."""
    case = case_for(actor_of(request), number)
    return picture_of(request, case, proof_id, variant)


def picture_of(request: HttpRequest, case: Case, proof_id: int, variant: str) -> HttpResponse:
    """A proof's photo; NotFound unless it belongs to the case."""
    return pictures.response(picture_in(case, proof_id, variant), variant, request=request)


def cleaned_photos(request: HttpRequest, field: str = "photos") -> list[pictures.Clean]:
    """The photos of a form, empty fields left out (``services.cleaned``)."""
    return services.cleaned(file for file in request.FILES.getlist(field) if file.size)


def kept(street_id: int, photos: list[pictures.Clean], *, phase: str, at: datetime) -> list[services.Shown]:
    """Proofs of a phase from cleaned photos."""
    return [services.Shown(phase=phase, picture=pictures.keep(p, street_id=street_id, at=at)) for p in photos]


def case_url(number: str) -> str:
    """The page of a case."""
    return reverse("cases:case", args=[number])


def _version(request: HttpRequest) -> int | None:
    value = request.POST.get("version", "")
    return whole(value)


def is_id(text: str) -> bool:
    """True for a number a database row may have."""
    return whole(text) is not None
