"""Staff at the desk: trays and lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES, Role

from .. import words
from ..queries import lists
from . import moves, present, reading
from .phone import STAFF

# -- desk ------------------------------------------------------------------------------------------------------------


@needs(*DESK_ROLES, Role.DEPARTMENT_LEAD, Role.BUREAU)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """The trays of the desk; in each the case due first on top."""
    actor, at = actor_of(request), clock.now()
    key = request.GET.get("tray", "")
    key = key if key in {t.key for t in lists.TRAYS} else "accept"
    page = lists.tray_page(actor, key, at=at, after=_after(request))
    context = {
        "tray": page.tray.key,
        "trays": _trays(lists.tray_counts(actor, at=at), key),
        "rows": [present.row(case, at) | {"version": case.version} for case in page.rows],
        "next_after": f"{page.next_after[0].isoformat()}~{page.next_after[1]}" if page.next_after else "",
        "now": at,
        "undo": moves.undo_of(request, actor, at),
    }
    return render(request, "cases/desk.html", context)


def _trays(counts: dict[str, int], key: str) -> list[dict[str, Any]]:
    labels = {
        "accept": _("待受理"),
        "dispatch": _("待分流"),
        "returned": _("退单"),
        "work": _("在办"),
        "close": _("待结案"),
        "suspended": _("挂账"),
        "late": _("超期"),
        "suspect": _("待甄别"),
    }
    return [{"key": t.key, "label": labels[t.key], "count": counts[t.key], "is_current": t.key == key} for t in lists.TRAYS]


def _after(request: HttpRequest) -> tuple[datetime, int] | None:
    moment, _sep, pk = request.GET.get("after", "").partition("~")
    at = parse_datetime(moment) if moment else None
    if at is None or at.tzinfo is None or not pk.isdigit() or len(pk) > 18:
        return None
    return at, int(pk)


@needs(*STAFF)
@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """Cases the reader may see, newest first, narrowed by state, light, type, department, community, source, number."""
    actor, at = actor_of(request), clock.now()
    filters = _filters(request)
    before = reading.whole(request.GET, "before")
    page = lists.case_page(actor, filters, at=at, before=before)
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "rows": [present.row(case, at) for case in page.rows],
        "next_before": page.next_before,
        "query": query.urlencode(),
        "given": request.GET,
        "states": [(s, str(w)) for s, w in words.STATES.items()],
        "sources": [(s, str(w)) for s, w in words.SOURCES.items()],
        "now": at,
    }
    return render(request, "cases/list.html", context)


def _filters(request: HttpRequest) -> lists.Filters:
    data = request.GET
    state = data.get("state", "")
    if state and state not in words.STATES:
        raise Refusal("bad_state", _("没有这个状态。"), facts={"field": "state"})
    return lists.Filters(
        states=(state,) if state else (),
        light=data.get("light", ""),
        event_type_id=reading.whole(data, "type"),
        department_id=reading.whole(data, "department"),
        community_id=reading.whole(data, "community"),
        source=data.get("source", ""),
        number=data.get("number", "").strip(),
    )
