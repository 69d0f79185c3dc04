"""The duty desk's page of hotlines: what is to be decided, what waits, what did not arrive; and a case's part."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.cases.access import case_for
from jiequ.cases.queries.page import said_by
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import is_htmx
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs, signed_in
from jiequ.people.rules import DESK_ROLES, Role

from .. import services, words
from ..models import Letter, Order, Visit
from ..queries import orders as queries
from ..services import receiving
from ..services.visits import words_of


@needs(*queries.DESK)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Updates to decide, letters not delivered, questions without an answer, orders not taken. Four SELECTs beside sign-in."""
    by = actor_of(request)
    context = {
        "updates": queries.to_decide(by),
        "lost": [_letter(one) for one in queries.lost_letters(by)],
        "waiting": [_letter(one) for one in queries.unanswered(by)],
        "refused": queries.refused(by),
    }
    return render(request, "hotline/desk.html", context)


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "letter": letter,
        "kind": letter.get_kind_display(),
        "state": letter.get_state_display(),
        "tone": words.LETTER_TONES[letter.state],
        "answer": words.answer_words(letter),
        "fault": words.FAULTS.get(letter.error, letter.error),
        "is_lost": letter.state == Letter.State.NOT_DELIVERED,
    }


@needs(*queries.DESK)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def update(request: HttpRequest, order_id: int) -> HttpResponse:
    """Another content for a number that was taken: what is different, and the desk's word on it."""
    by = actor_of(request)
    row = queries.update_for(by, order_id)
    if row is None:
        raise NotFound("no_such_update", _("没有这条改动，或不属于您的街道。"))
    refusal = None
    if request.method == "POST":
        try:
            is_taken = request.POST.get("act") == "take"
            services.decide(row, is_taken=is_taken, text=request.POST.get("text", "")[:500], by=by, at=clock.now())
            messages.success(request, _("已采纳，记在案件里。") if is_taken else _("没有采纳，案件照旧。"))
            return redirect("hotline:desk")
        except Refusal as refused:
            if refused.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            refusal = refused
    context = {
        "row": row,
        "is_open": row.state == Order.State.UPDATE,
        "state": words.order_state(row),
        "changes": receiving.changes_of(row),
        "given": request.POST,
        "refusal": refusal,
    }
    return render(request, "hotline/update.html", context, status=refusal.status if refusal else 200)


@needs(*queries.DESK, Role.SYSTEM_ADMIN)
@require_POST
def resend(request: HttpRequest, letter_id: int) -> HttpResponse:
    """A letter that did not arrive, again; by the desk of its case's street or the system administrator."""
    by = actor_of(request)
    letter = services.resend(letter_id, by=by, at=clock.now())
    messages.success(request, _("已重新排队。"))
    return redirect("hotline:source", letter.source_id) if by.has(Role.SYSTEM_ADMIN) else redirect("hotline:desk")


@signed_in
@require_GET
def case(request: HttpRequest, number: str) -> HttpResponse:
    """What passed between the hotline and us about one case: a part of its page, or a page of its own."""
    actor = actor_of(request)
    found = case_for(actor, number)
    is_desk = actor.has(*DESK_ROLES, street_id=found.street_id)
    dealings = queries.dealings_of(found)
    context = {
        "case": found,
        "orders": dealings.orders,
        "letters": [_letter(one) for one in dealings.letters],
        "visits": [_visit(one, is_desk=is_desk) for one in dealings.visits],
        "may_decide": actor.has(*queries.DESK, street_id=found.street_id),
        "frame": "web/desk.html" if is_desk else "web/phone.html",
    }
    return render(request, "hotline/parts/case.html" if is_htmx(request) else "hotline/case.html", context)


def _visit(visit: Visit, *, is_desk: bool) -> dict[str, Any]:
    return {
        "at": visit.at,
        "verdict": words.verdict(visit),
        "is_bad": visit.solved is False,
        "words": said_by(words_of(visit), is_desk=is_desk),
    }
