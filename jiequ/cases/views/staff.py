"""Staff on the phone and at the desk: 待办, the leader's 待处理, trays, lists, and one case's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.channels.queries import messages_about
from jiequ.core import clock
from jiequ.core.calendar import calendar_for
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.once import once
from jiequ.people.access import actor_of, needs, signed_in
from jiequ.people.rules import ADMIN_ROLES, DESK_ROLES, Actor, Role

from .. import services, words
from ..access import case_for
from ..forms import FORMS, MoveForm, condition_choices, named_keys, own_departments
from ..models import Case, CaseEvent, Task, TaskKind
from ..queries import lists
from ..queries.page import view_of
from . import moves, present, reading

STAFF = frozenset(set(Role) - {Role.RESIDENT, Role.SYSTEM} - ADMIN_ROLES)

QUICK: dict[str, tuple[str, ...]] = {
    TaskKind.LEAD: ("acknowledge",),
    TaskKind.CALL: ("acknowledge_call",),
    TaskKind.SUSPEND: ("suspend",),
    TaskKind.EXTEND: ("extend",),
}
"""Moves of one tap that stand on a to-do line itself; the rest is on the case's page."""


# -- phone -----------------------------------------------------------------------------------------------------------


@needs(*STAFF)
@require_GET
def todo(request: HttpRequest) -> HttpResponse:
    """待办: what is asked of the reader, by light, then by distance from the last confirmed stop."""
    actor, at = actor_of(request), clock.now()
    items = [_todo_row(item, at) for item in lists.to_do(actor, at=at)]
    context = {"items": items, "now": at, "undo": moves.undo_of(request, actor, at)}
    return render(request, "cases/todo.html", context)


def _todo_row(item: lists.ToDo, at: datetime) -> dict[str, Any]:
    row = present.row(item.case, at, metres=item.metres)
    row |= {
        "light": item.light.value,
        "due_at": item.task.due_at or item.case.due_at,
        "task": str(words.TASKS[item.task.kind]),
        "kind": item.task.kind,
        "asked": item.task.asked,
        "version": item.case.version,
        "quick": [{"name": n, "label": str(words.MOVES[n])} for n in _quick(item)],
    }
    return row


def _quick(item: lists.ToDo) -> list[str]:
    if item.task.kind == TaskKind.LEAD and item.case.state not in {"dispatched", "rework"}:
        return []
    if item.task.kind == TaskKind.CALL and item.task.seen_at:
        return []
    return list(QUICK.get(item.task.kind, ()))


@needs(Role.LEADER, Role.DUTY_LEADER)
@require_GET
def leader(request: HttpRequest) -> HttpResponse:
    """待处理: what nobody has sent on yet, each with its departments ready for one tap; below, what is already sent."""
    actor, at = actor_of(request), clock.now()
    waiting = lists.pending(actor, at=at, size=20)
    sent = lists.lately_dispatched(actor, at=at)
    ready = _departments_by_street(waiting)
    photos = lists.first_photos(waiting)
    context = {
        "waiting": [_waiting(case, ready, photos.get(case.pk), at) for case in waiting],
        "sent": [_sent(case, at) for case in sent],
        "conditions": condition_choices() if any(c.condition_id is None for c in waiting) else [],
        "delivery": _delivery(at),
        "now": at,
        "undo": moves.undo_of(request, actor, at),
    }
    return render(request, "cases/leader.html", context)


def _departments_by_street(cases: list[Case]) -> dict[int, list[Any]]:
    return {street: own_departments(street) for street in {case.street_id for case in cases}}


def _waiting(case: Case, ready: dict[int, list[Any]], photo: Any, at: datetime) -> dict[str, Any]:
    departments = ready[case.street_id]
    edition = case.condition.edition if case.condition else None
    by_key = {d.key: d for d in departments}
    keys = named_keys(case, [edition.lead_department_key, *edition.assist_department_keys]) if edition else []
    lead, *assist = [by_key[key] for key in keys if key in by_key] or [None]
    row = present.row(case, at)
    row |= {
        "move": "accept_dispatch" if case.state == "reported" else "dispatch",
        "version": case.version,
        "condition_id": case.condition_id,
        "lead_id": lead.pk if lead else None,
        "assist_ids": [d.pk for d in assist if d],
        "departments": [{"id": d.pk, "name": present.named(d)} for d in departments],
        "tap": "、".join(present.named(d) for d in [lead, *assist] if d is not None),
        "photo": present.photo_url(case.number, photo, "thumb") if photo else "",
        "words": case.title,
        "needs_grid": case.unit_grid_id is None,
    }
    return row


def _sent(case: Case, at: datetime) -> dict[str, Any]:
    row = present.row(case, at)
    names = [present.named(t.department) for t in case.tasks.all() if t.department and t.state != Task.State.WITHDRAWN]
    return row | {"to": "、".join(dict.fromkeys(names)), "sent_at": case.dispatched_at, "urges": case.urges}


def _delivery(at: datetime) -> dict[str, Any]:
    """When a notice sent now reaches people: at once in working time, else when it begins (DOMAIN §5 rule 5)."""
    calendar = calendar_for()
    is_now = calendar.is_working_time(at)
    return {"is_now": is_now, "at": at if is_now else calendar.next_working_moment(at)}


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


# -- one case --------------------------------------------------------------------------------------------------------


@signed_in
@require_GET
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case: where it stands, what the reader can do now, what happened. At most eight statements with sign-in."""
    actor, at = actor_of(request), clock.now()
    found = case_for(actor, number)
    view = view_of(found, actor, at=at)
    is_desk = actor.has(*DESK_ROLES, street_id=found.street_id)
    open_moves = view.moves
    context = {
        "case": found,
        "row": present.row(found, at),
        "now": at,
        "steps": present.steps(found, is_rated=any(e.move == "rate" for e in view.events)),
        "timeline": present.staff_entries(view.events, view.proofs, number),
        "clock_lines": present.clock_lines(view.clocks),
        "tasks": [_task_row(task) for task in view.open_tasks],
        "reports": view.reports,
        "photos": [_photo(number, p) for p in view.proofs if p.picture_id],
        "inline": _inline(found, actor, at, open_moves),
        "links": _links(number, open_moves),
        "missing": services.missing_proofs(found, proofs=view.proofs) if "handle" in open_moves else [],
        "is_desk": is_desk,
        "may_reveal": actor.has(Role.ACCEPTOR, Role.DUTY_LEADER, street_id=found.street_id),
        "minutes_left": services.return_minutes_left(found, at) if found.source == "hotline" else None,
        "undo": _undo(request, view.events, found, actor, at),
        "back_url": reverse("cases:todo") if not is_desk else reverse("cases:desk"),
    }
    return render(request, "cases/case.html", context)


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


def _photo(number: str, proof: Any) -> dict[str, Any]:
    return {
        "url": present.photo_url(number, proof),
        "thumb": present.photo_url(number, proof, "thumb"),
        "phase": proof.phase,
        "at": proof.at,
    }


def _inline(case: Case, actor: Actor, at: datetime, open_moves: list[str]) -> list[MoveForm]:
    """The forms that stand on the page itself: those that ask the database nothing, the first steps only."""
    plain = [name for name in open_moves if name in FORMS and FORMS[name].prepare is MoveForm.prepare]
    first = [name for name in plain if FORMS[name].tone == "primary"][:2]
    beside = [name for name in ("check_fail",) if name in plain]
    return [FORMS[name](case=case, actor=actor, at=at) for name in dict.fromkeys([*first, *beside])]


def _links(number: str, open_moves: list[str]) -> list[dict[str, str]]:
    """Every other move, as a link to its form."""
    return [
        {
            "name": name,
            "label": str(words.MOVES[name]),
            "url": reverse("cases:move", args=[number, name]),
            "tone": FORMS[name].tone,
        }
        for name in open_moves
        if name in FORMS
    ]


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
        windows = services.windows(found, report, at=at)
        context = {"case": found, "report": report, "windows": windows, "back_url": moves.case_url(number)}
        return render(request, "cases/rate_by_phone.html", context)

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

    return once(request, run)


@needs(Role.ACCEPTOR, Role.DUTY_LEADER)
@require_POST
def clear_suspicion(request: HttpRequest, number: str) -> HttpResponse:
    """The desk looked at a held report: it is an ordinary one."""
    actor, at = actor_of(request), clock.now()
    done = services.clear_suspicion(case_for(actor, number), by=actor, at=at)
    return moves.done_at(request, done.case, done)


@signed_in
@require_GET
def case_messages(request: HttpRequest, number: str) -> HttpResponse:
    """What was sent about the case and what did not arrive; opened from the case's page."""
    found = case_for(actor_of(request), number)
    lines = messages_about(f"case:{found.pk}", language=request.LANGUAGE_CODE)
    context = {"case": found, "lines": lines, "back_url": moves.case_url(number)}
    return render(request, "cases/messages.html", context)
