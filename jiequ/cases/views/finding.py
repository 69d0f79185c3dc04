"""The list of all cases beside its map: one search box, filters as chips, saved filters, pages both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import wants_json
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor

from ..models import SavedFilter
from ..queries import lists
from ..queries.line import Line
from ..services import saving
from . import filtering, live, present, reading
from .phone import STAFF

FIRST_SELECTS = ("light", "type", "department", "community", "source", "period")
MORE_SELECTS = ("open", "mine", "part", "area", "street")


@needs(*STAFF)
@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """Cases the reader may see, newest first or by due time. Without any filter the reader's default one, if they keep one.

    ``live=rows&cases=`` over htmx: those of these cases that the list would show now (views.live).
    """
    actor, at, wanted = actor_of(request), clock.now(), live.wanted(request)
    if wanted.is_rows:
        return render(request, "cases/parts/list_only.html", _some_rows(request, actor, wanted, at))
    saved = list(saving.filters_for(actor))
    query = filtering.query_of(request.GET)
    if not request.GET and (default := _default(saved, actor)):
        return redirect(f"{reverse('cases:list')}?{default.query}")
    page = _page(request, actor, at)
    choices = filtering.offered(actor)
    kept = query.copy()
    if _is_by_due(request):
        kept["order"] = "due"
    begin = {name: request.GET[name] for name in ("before", "after") if request.GET.get(name)}
    context = {
        "rows": [_list_row(case, at, by_due=_is_by_due(request)) for case in page.rows],
        "live_url": _live_url(query, kept, begin),
        "page": page,
        "count": page.count,
        "is_more_than_counted": page.count is not None and page.count > lists.COUNTED,
        "counted": lists.COUNTED,
        "is_first_page": not begin,
        "query": kept.urlencode(),
        "filters_query": query.urlencode(),
        "by_due": _is_by_due(request),
        "points": f"{reverse('cases:points')}?{_with(kept, begin)}",
        "basemap": present.basemap_url(_street_of(actor, page.rows)),
        "chips": filtering.chips(query, choices),
        "selects": filtering.selects(query, choices, FIRST_SELECTS),
        "more": filtering.selects(query, choices, MORE_SELECTS),
        "states": [(key, word, key in query.getlist("state")) for key, word in choices["state"].items()],
        "asked": query,
        "has_more": any(query.get(name) for name in (*MORE_SELECTS, "state", "from", "to", "grid", "urgent", "undelivered")),
        "saved": [_saved(one, query.urlencode(), actor) for one in saved],
        "phone_digits": filtering.may_find_phones(request, actor),
        "now": at,
    }
    return render(request, "cases/list.html", context)


@needs(*STAFF)
@require_GET
def points(request: HttpRequest) -> HttpResponse:
    """The points of one page of the list, in columns, for the map beside it."""
    actor, at = actor_of(request), clock.now()
    page = _page(request, actor, at, is_counted=False)
    rows = [(case, present.row(case, at)) for case in page.rows if case.lon is not None]
    columns = {
        "ids": [case.pk for case, _row in rows],
        "lon": [round(case.lon or 0.0, 6) for case, _row in rows],
        "lat": [round(case.lat or 0.0, 6) for case, _row in rows],
        "light": [row["light"] for _case, row in rows],
        "title": [f"{row['type_name']} · {row['state']}" for _case, row in rows],
        "url": [row["url"] for _case, row in rows],
    }
    answer = JsonResponse(columns)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _page(request: HttpRequest, actor: Actor, at: datetime, *, is_counted: bool = True) -> lists.Page[Line]:
    filters = filtering.filters_of(filtering.query_of(request.GET), actor, at)
    before, after = reading.whole(request.GET, "before"), reading.whole(request.GET, "after")
    return lists.case_page(actor, filters, at=at, before=before, after=after, by_due=_is_by_due(request), is_counted=is_counted)


def _is_by_due(request: HttpRequest) -> bool:
    order = request.GET.get("order", "")
    if order:
        filtering.known("order", order, ("due", "newest"))
    return order == "due"


def _with(query: Any, more: dict[str, str]) -> str:
    query = query.copy()
    query.update(more)
    return str(query.urlencode())


def _list_row(case: Line, at: datetime, *, by_due: bool) -> dict[str, Any]:
    turn = live.turn(case.due_at, case.pk) if by_due else f"{case.pk:012d}"
    more = {"found_by": present.source_words(case.source), "reported_at": case.reported_at, "turn": turn}
    return present.row(case, at) | more


def _some_rows(request: HttpRequest, actor: Actor, wanted: live.Wanted, at: datetime) -> dict[str, Any]:
    """Those of the wanted cases that the list's filters let through. A question in words is not asked again: of a list that
    was found by words the page asks for its own rows only."""
    filters = filtering.filters_of(filtering.query_of(request.GET), actor, at)
    filters = replace(filters, ids=wanted.cases or (), terms=(), numbers=())
    by_due = _is_by_due(request)
    page = lists.case_page(actor, filters, at=at, by_due=by_due, size=live.MOST_CASES)
    return {"rows": [_list_row(case, at, by_due=by_due) for case in page.rows], "now": at}


def _live_url(query: QueryDict, kept: QueryDict, begin: dict[str, str]) -> str:
    """Where this list's rows come fresh from; nowhere for a phone's last four: every look-up by phone is recorded."""
    if filtering.holds_phone(query):
        return ""
    return f"{reverse('cases:list')}?{_with(kept, {**begin, 'live': 'rows'})}"


def _street_of(actor: Actor, rows: list[Line]) -> int | None:
    return actor.street_id or (rows[0].street_id if rows else None)


# -- saved filters ---------------------------------------------------------------------------------------------------


def _default(saved: list[SavedFilter], actor: Actor) -> SavedFilter | None:
    return next((one for one in saved if one.is_default and one.person_id == actor.person_id and one.query), None)


def _saved(one: SavedFilter, query: str, actor: Actor) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": one.name,
        "query": one.query,
        "is_current": bool(query) and one.query == query,
        "is_default": one.is_default,
        "is_shared": one.street_id is not None,
        "is_own": one.person_id == actor.person_id,
    }


@needs(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def filters(request: HttpRequest) -> HttpResponse:
    """The saved filters: names, order, default, sharing. A POST keeps the filter of the list under a name."""
    actor, at = actor_of(request), clock.now()
    if request.method == "POST":
        query = filtering.query_of(request.POST.get("query", ""))
        try:
            if filtering.holds_phone(query):
                raise Refusal("phone_in_filter", _("按手机尾号的查找不能保存。"), facts={"field": "query"})
            filtering.filters_of(query, actor, at)
            saving.save_filter(name=request.POST.get("name", ""), query=query.urlencode(), by=actor, at=at)
        except Refusal as refusal:
            return _filters_page(request, actor, refusal)
        return redirect(f"{reverse('cases:list')}?{query.urlencode() or 'all=1'}")
    return _filters_page(request, actor)


def _filters_page(request: HttpRequest, actor: Actor, refusal: Refusal | None = None) -> HttpResponse:
    if refusal is not None and (refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request)):
        raise refusal
    choices = filtering.offered(actor)
    saved = [
        _saved(one, "", actor) | {"chips": filtering.chips(filtering.query_of(one.query), choices)}
        for one in saving.filters_for(actor)
    ]
    context = {
        "own": [one for one in saved if one["is_own"]],
        "shared": [one for one in saved if not one["is_own"]],
        "may_share": actor.street_id is not None and actor.has(*saving.SHARERS, street_id=actor.street_id),
        "removed": reading.whole(request.GET, "removed"),
        "refusal": refusal,
    }
    return render(request, "cases/filters.html", context, status=refusal.status if refusal else 200)


@needs(*STAFF)
@require_POST
def change_filter(request: HttpRequest, filter_id: int, act: str) -> HttpResponse:
    """One change of a saved filter; the removal can be taken back on the page that follows."""
    actor, at = actor_of(request), clock.now()
    acts: dict[str, Callable[[], object]] = {
        "rename": lambda: saving.rename(filter_id, name=request.POST.get("name", ""), by=actor),
        "up": lambda: saving.move_up(filter_id, by=actor),
        "default": lambda: saving.make_default(filter_id, is_default=True, by=actor),
        "plain": lambda: saving.make_default(filter_id, is_default=False, by=actor),
        "share": lambda: saving.share(filter_id, is_shared=True, by=actor),
        "unshare": lambda: saving.share(filter_id, is_shared=False, by=actor),
        "remove": lambda: saving.remove(filter_id, by=actor, at=at),
        "restore": lambda: saving.restore(filter_id, by=actor),
    }
    if act not in acts:
        raise NotFound("not_found", _("没有这个操作。"))
    try:
        acts[act]()
    except Refusal as refusal:
        return _filters_page(request, actor, refusal)
    removed = f"?removed={filter_id}" if act == "remove" else ""
    return HttpResponseRedirect(f"{reverse('cases:filters')}{removed}")
