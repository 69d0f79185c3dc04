"""Several cases of a tray at once, and who reads a row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.ids import new_token
from jiequ.core.once import FIELD
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES, Actor

from .. import services, words
from ..access import case_for
from ..models import Case, Lot, LotItem
from ..offers import condition_choices, in_order, own_departments, words_of
from ..queries import desk as queries
from ..queries.rows import row
from . import moves, reading
from .staff import AT_THE_DESK

AT_ONCE_SECONDS = 1.5
"""How long one answer works on a lot; then it says how far it came and goes on."""


@needs(*AT_THE_DESK)
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Accept or dispatch the ticked cases; back to the tray, which says how each went, or on to the progress."""
    actor, at = actor_of(request), clock.now()
    lot = services.open_lot(
        move=request.POST.get("move", ""),
        cases=_ticked(request),
        values={name: reading.whole(request.POST, name) for name in ("condition_id", "lead_id")},
        back_to=_own(request, request.POST.get("next", "")),
        key=request.POST.get(FIELD, "") or new_token(),
        by=actor,
        at=at,
    )
    return _go_on(lot, actor)


@needs(*AT_THE_DESK)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The ticked cases on a page of their own, where one department or one type is chosen for all."""
    actor, at = actor_of(request), clock.now()
    move, ticked = request.POST.get("move", ""), _ticked(request)
    found = Case.objects.visible_to(actor).filter(pk__in=list(ticked)).select_related("condition__edition", "community")
    cases = list(found.order_by("pk")[: services.MOST_AT_ONCE])
    if not cases or move not in services.AT_ONCE:
        raise Refusal("nothing_chosen", _("请先勾选要办的案件。"), facts={"field": "cases"})
    streets = {case.street_id for case in cases}
    departments = in_order(own_departments(min(streets)), None) if len(streets) == 1 and move != "accept" else []
    context = {
        "move": move,
        "label": words.MOVES[move],
        "cases": [{"row": row(case, at), "value": f"{case.pk}.{ticked[case.pk]}"} for case in cases],
        "departments": [(d.pk, words_of(d)) for d in departments],
        "conditions": condition_choices() if move != "dispatch" else [],
        "next": _own(request, request.POST.get("next", "")),
    }
    return render(request, "cases/lot_choose.html", context)


@needs(*AT_THE_DESK)
@require_http_methods(["GET", "POST"])
def lot(request: HttpRequest, lot_id: int) -> HttpResponse:
    """GET: how far it is, case by case. POST: go on with what still waits."""
    actor, at = actor_of(request), clock.now()
    found = services.lot_of(lot_id, by=actor)
    if request.method == "POST":
        return _go_on(found, actor)
    return render(request, "cases/lot.html", {"lot": shown(found, at), "back_url": found.back_to or reverse("cases:desk")})


@needs(*AT_THE_DESK)
@require_POST
def undo(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Take the whole lot back, as far as nobody was told."""
    actor = actor_of(request)
    found = services.lot_of(lot_id, by=actor)
    services.undo_lot(found, by=actor, now=clock.now)
    return _to(_with_lot(found))


def _go_on(lot: Lot, actor: Actor) -> HttpResponse:
    left = services.work_lot(lot, by=actor, now=clock.now, until=clock.now() + timedelta(seconds=AT_ONCE_SECONDS))
    return _to(reverse("cases:lot", args=[lot.pk]) if left else _with_lot(lot))


def _with_lot(lot: Lot) -> str:
    target = lot.back_to or reverse("cases:desk")
    return f"{target}{'&' if '?' in target else '?'}{urlencode({'lot': lot.pk})}"


def _to(target: str) -> HttpResponse:
    answer = HttpResponseRedirect(target)
    answer.status_code = 303
    return answer


def _ticked(request: HttpRequest) -> dict[int, int]:
    """``cases``: id.version, each as its row showed it."""
    found = {}
    for value in request.POST.getlist("cases"):
        pk, _dot, version = value.partition(".")
        if not (moves.is_id(pk) and moves.is_id(version)):
            raise Refusal("bad_number", _("“%(name)s”不是一个编号。") % {"name": value[:20]}, facts={"field": "cases"})
        found[int(pk)] = min(int(version), 2**31 - 1)
    return found


def _own(request: HttpRequest, target: str) -> str:
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}) else ""


# -- as pages show it ------------------------------------------------------------------------------------------------


def of_request(request: HttpRequest, actor: Actor, at: datetime) -> dict[str, Any] | None:
    """The lot a tray was come back to with; nothing is read when there is none, or it is not the reader's."""
    lot_id = request.GET.get("lot", "")
    if not moves.is_id(lot_id):
        return None
    found = Lot.objects.filter(pk=int(lot_id), person_id=actor.person_id or 0).first()
    return shown(found, at) if found else None


def shown(lot: Lot, at: datetime) -> dict[str, Any]:
    """How a lot went: counts, the refused with their sentences, and the Undo while there is time."""
    items = queries.items_of(lot)
    by_state = {state: [item for item in items if item.state == state] for state in LotItem.State}
    done, waiting = by_state[LotItem.State.DONE], by_state[LotItem.State.WAITING]
    until = services.undo_lot_until(items)
    return {
        "id": lot.pk,
        "label": words.MOVES[lot.move],
        "count": len(items),
        "done": len(done),
        "waiting": len(waiting),
        "tried": len(items) - len(waiting),
        "undone": len(by_state[LotItem.State.UNDONE]),
        "refused": [{"number": i.case.number, "why": i.sentence} for i in items if i.sentence],
        "url": reverse("cases:lot", args=[lot.pk]),
        "undo": _undo(lot, len(done), until, at) if until and at < until and not waiting else None,
    }


def _undo(lot: Lot, count: int, until: datetime, at: datetime) -> dict[str, Any]:
    text = ngettext("%(move)s · %(n)d 件", "%(move)s · %(n)d 件", count) % {"move": words.MOVES[lot.move], "n": count}
    seconds = max(1, int((until - at).total_seconds()))
    return {"text": text, "url": reverse("cases:lot_undo", args=[lot.pk]), "seconds": seconds, "key": f"lot-undo-{lot.pk:012d}"}


# -- who reads a row -------------------------------------------------------------------------------------------------


@needs(*DESK_ROLES)
@require_POST
def read(request: HttpRequest, number: str) -> HttpResponse:
    """The page says that it has this case open, every 20 seconds, and (``away``) when it is closed."""
    actor, at = actor_of(request), clock.now()
    case = case_for(actor, number)
    if request.POST.get("away"):
        services.look_away(case, by=actor)
    else:
        services.read(case, by=actor, at=at)
    return HttpResponse(status=204)


@needs(*DESK_ROLES)
@require_GET
def readers(request: HttpRequest) -> HttpResponse:
    """``?cases=1,2,3`` → who else reads them now: ``{"2": "林晓 正在看"}``."""
    actor, at = actor_of(request), clock.now()
    ids = [int(part) for part in request.GET.get("cases", "").split(",") if moves.is_id(part)][:200]
    found = queries.readers(actor, ids, at=at) if ids else {}
    return JsonResponse({str(pk): _("%(names)s 正在看") % {"names": _("、").join(names)} for pk, names in found.items()})
