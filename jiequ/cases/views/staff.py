"""Staff at the desk: the trays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.core import clock
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES, Actor, Role

from .. import services, words
from ..access import Standing
from ..flow import State
from ..models import Case
from ..open_moves import waits_for_check
from ..queries import lists, shift
from ..queries.rows import move_url, peek_url
from . import live, lots, moves, present, reading

# -- desk ------------------------------------------------------------------------------------------------------------

DESK_MOVES = (
    "accept", "dispatch", "accept_dispatch", "close", "check_pass", "check_fail", "resume", "ask_verify", "reject", "urge",
)  # fmt: skip
"""The moves that stand on a row of the desk, in order; the others are on the case's page."""

AT_THE_DESK = (*sorted(DESK_ROLES), Role.DEPARTMENT_LEAD, Role.BUREAU)


@needs(*AT_THE_DESK)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """The trays of the desk; in each the case due first on top. ``live`` over htmx: what live events renew (views.live)."""
    actor, at, wanted = actor_of(request), clock.now(), live.wanted(request)
    key = lists.tray_of(request.GET.get("tray", "")).key
    if wanted.part == "trays":
        return render(request, "cases/parts/desk_trays.html", {"tray": key, "trays": _trays(actor, key, at)})
    context = _rows(request, actor, key, wanted, at)
    if wanted.part == "rows":
        return render(request, f"cases/parts/desk_{'only' if wanted.is_rows else 'rows'}.html", context)
    context["trays"] = _trays(actor, key, at)
    here = context["here"]
    context["may_call"] = actor.has(Role.ACCEPTOR, Role.DUTY_LEADER, Role.DISPATCHER)
    context |= {"left": shift.left_for(actor, at=at), "may_hand_over": actor.has(*shift.AT_HAND)}
    context["may_edit_replies"] = actor.has(*services.EDITORS)
    context["lot"] = lots.of_request(request, actor, at)
    context["undo"] = _lot_undo(context["lot"], here) or _undo(request, actor, at, here)
    return render(request, "cases/desk.html", context)


def _rows(request: HttpRequest, actor: Actor, key: str, wanted: live.Wanted, at: datetime) -> dict[str, Any]:
    """A page of the tray, or those of the wanted cases that lie in it now."""
    if wanted.cases is not None:
        page = lists.tray_rows(actor, key, wanted.cases, at=at)
    else:
        page = lists.tray_page(actor, key, at=at, after=_after(request))
    rows = [_desk_row(case, page.tray, actor, at) for case in page.rows]
    lot_moves = _lot_moves(rows)
    return {
        "tray": key,
        "tray_label": _tray_labels()[key],
        "rows": rows,
        "lot_moves": lot_moves,
        "has_ticks": request.GET.get("ticks") == "1" if wanted.is_rows else bool(lot_moves),
        "next_after": f"{page.next_after[0].isoformat()}~{page.next_after[1]}" if page.next_after else "",
        "is_first_page": "after" not in request.GET,
        "here": f"{reverse('cases:desk')}?{urlencode({'tray': key})}",
        "live_url": _live_url(request, key, has_ticks=bool(lot_moves)),
        "live_states": " ".join(page.tray.states),
        "live_lights": page.tray.light,
        "now": at,
    }


def _lot_undo(lot: dict[str, Any] | None, here: str) -> dict[str, Any] | None:
    return lot["undo"] | {"next": here} if lot and lot["undo"] else None


def _lot_moves(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What can be done to several rows of this tray at once."""
    open_here = {move["name"]: move for row in rows for move in row["moves"] if move["name"] in services.AT_ONCE}
    together = {"accept": _("一起受理"), "dispatch": _("一起分流"), "accept_dispatch": _("一起受理并分流")}
    elsewhere = {"accept": _("选一个类型…"), "dispatch": _("选一个部门…"), "accept_dispatch": _("选类型和部门…")}
    return [move | {"together": together[name], "elsewhere": elsewhere[name]} for name, move in open_here.items()]


def _live_url(request: HttpRequest, tray: str, *, has_ticks: bool) -> str:
    """Where this very page's rows come fresh from: each with a box to tick where the page has them, whatever its own moves."""
    more = {"after": request.GET["after"]} if "after" in request.GET else {}
    if has_ticks:
        more["ticks"] = "1"
    return f"{reverse('cases:desk')}?{urlencode({'tray': tray, **more, 'live': 'rows'})}"


def _desk_row(case: Case, tray: lists.Tray, actor: Actor, at: datetime) -> dict[str, Any]:
    may = row_moves(case, Standing(actor, case, tasks=[]))
    is_checked = case.state == State.CHECKING and case.checked_at is not None
    turn = live.turn(lists.turn_of(case, tray), case.pk)
    return present.row(case, at) | {"moves": may, "is_checked": is_checked, "turn": turn, "peek_url": peek_url(case.number)}


def row_moves(case: Case, standing: Standing) -> list[dict[str, str]]:
    """What the reader may do from the row itself, with the key of each."""
    return [
        {
            "name": name,
            "label": str(words.MOVES[name]),
            "key": present.KEYS[name],
            "url": move_url(case.number, name),
        }
        for name in DESK_MOVES
        if _fits(case, name) and standing.may(name)
    ]


def _fits(case: Case, name: str) -> bool:
    """Closing waits for the check on the spot where the type asks for one; after the check nobody checks again."""
    if name not in {"close", "check_pass", "check_fail"}:
        return True
    return waits_for_check(case) == (name != "close")


def _undo(request: HttpRequest, actor: Actor, at: datetime, here: str) -> dict[str, Any] | None:
    found = moves.undo_of(request, actor, at)
    return found | {"next": here} if found else None


def _trays(actor: Actor, key: str, at: datetime) -> list[dict[str, Any]]:
    """The trays with how many lie in each."""
    labels, counts = _tray_labels(), lists.tray_counts(actor, at=at)
    return [
        {"key": t.key, "label": labels[t.key], "count": counts[t.key], "is_current": t.key == key, "digit": n}
        for n, t in enumerate(lists.TRAYS, start=1)
    ]


def _tray_labels() -> dict[str, str]:
    return {
        "accept": _("待受理"),
        "dispatch": _("待分流"),
        "returned": _("已退单"),
        "work": _("在办"),
        "close": _("待结案"),
        "suspended": _("挂账"),
        "late": _("超期"),
        "suspect": _("待甄别"),
    }


def _after(request: HttpRequest) -> tuple[datetime, int] | None:
    moment, _sep, pk = request.GET.get("after", "").partition("~")
    at = reading.moment_of(moment)
    if at is None or at.tzinfo is None or not moves.is_id(pk):
        return None
    return at, int(pk)
