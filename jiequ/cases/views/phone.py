"""Staff on the phone: 待办, and the leader's 待处理."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from jiequ.core import clock
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import ADMIN_ROLES, Actor, Role

from .. import words
from ..clocks import Light
from ..flow import ENDED, MOVES, State
from ..forms import FORMS
from ..models import Case, Task, TaskKind
from ..offers import named_keys, own_departments
from ..queries import advice, lists
from ..queries.types import Duties, current_types, duties_of
from . import aids, live, moves, present

STAFF = frozenset(set(Role) - {Role.RESIDENT, Role.SYSTEM} - ADMIN_ROLES)

ACTIVE = tuple(state for state in State if state not in ENDED)
"""States in which somebody may be asked for something."""

QUICK: dict[str, tuple[str, ...]] = {
    TaskKind.LEAD: ("acknowledge",),
    TaskKind.CALL: ("acknowledge_call",),
    TaskKind.SUSPEND: ("suspend",),
    TaskKind.EXTEND: ("extend",),
}
"""Moves of one tap that stand on a to-do line itself; the rest is on the case's page."""

REPLIES: dict[str, str] = {
    TaskKind.ASSIST: "assist_done",
    TaskKind.CONSULT: "answer_consult",
    TaskKind.CALL: "answer_call",
    TaskKind.URGE: "answer_urge",
    TaskKind.SUSPEND: "refuse_ask",
    TaskKind.EXTEND: "refuse_ask",
}
"""Moves of one sentence that stand on a to-do line, folded."""


@needs(*STAFF)
@require_GET
def todo(request: HttpRequest) -> HttpResponse:
    """待办: what is asked of the reader, by light, then by distance from the last confirmed stop."""
    actor, at, wanted = actor_of(request), clock.now(), live.wanted(request)
    items = [_todo_row(item, at) for item in lists.to_do(actor, at=at, only=wanted.cases)]
    context = {
        "items": items,
        "findings": [(code, str(label)) for code, label in words.FINDINGS.items()],
        "live_states": " ".join(ACTIVE),
        "now": at,
    }
    if wanted.part == "rows":
        return render(request, "cases/parts/todo_live.html", context)
    return render(request, "cases/todo.html", context | {"undo": moves.undo_of(request, actor, at)})


def _todo_row(item: lists.ToDo, at: datetime) -> dict[str, Any]:
    row = present.row(item.case, at, metres=item.metres)
    row |= {
        "light": item.light.value,
        "due_at": None if item.light == Light.PAUSED else item.task.due_at or item.case.due_at,
        "task": str(words.TASKS[item.task.kind]),
        "kind": item.task.kind,
        "asked": item.task.asked,
        "version": item.case.version,
        "task_id": item.task.pk,
        "turn": "{}-{:09.0f}-{:012d}".format(*lists.nearest_first(item), item.task.pk),
        "quick": [{"name": n, "label": str(words.MOVES[n])} for n in _quick(item)],
        "reply": _reply(item),
    }
    return row


def _reply(item: lists.ToDo) -> dict[str, Any] | None:
    """The move of one sentence that stands on a to-do line, folded; None where the case's page is the place for it."""
    kind = item.task.kind
    name = REPLIES.get(kind)
    if name is None or (kind == TaskKind.CALL and item.task.seen_at is None):
        return None
    ask = FORMS[name].base_fields["text"].label
    is_refusal = name == "refuse_ask"
    return {"name": name, "label": str(words.MOVES[name]), "ask": str(ask), "kind": kind if is_refusal else ""}


def _quick(item: lists.ToDo) -> list[str]:
    if item.task.kind == TaskKind.LEAD and item.case.state not in {"dispatched", "rework"}:
        return []
    if item.task.kind == TaskKind.CALL and item.task.seen_at:
        return []
    return list(QUICK.get(item.task.kind, ()))


WAITING, SENT = 20, 10
"""How many a leader's page shows."""


@needs(Role.LEADER, Role.DUTY_LEADER)
@require_GET
def leader(request: HttpRequest) -> HttpResponse:
    """待处理: what nobody has sent on yet, each with its departments ready for one tap; below, what is already sent."""
    actor, at, wanted = actor_of(request), clock.now(), live.wanted(request)
    if wanted.part == "waiting":
        return render(request, "cases/parts/leader_waiting.html", _to_send(actor, wanted.cases, at))
    if wanted.part == "sent":
        return render(request, "cases/parts/leader_gone.html", _on_the_way(actor, wanted.cases, at))
    context = _to_send(actor, None, at) | _on_the_way(actor, None, at)
    return render(request, "cases/leader.html", context | {"undo": moves.undo_of(request, actor, at)})


def _to_send(actor: Actor, only: Sequence[int] | None, at: datetime) -> dict[str, Any]:
    """What waits for being sent on (of these cases)."""
    cases = lists.pending(actor, at=at, size=WAITING, only=only)
    ready = _departments_by_street(cases)
    photos = lists.first_photos(cases) if cases else {}
    duties = duties_of(ready)
    waiting = [_waiting(case, ready, duties, photos.get(case.pk), at) for case in cases]
    return {"waiting": waiting, "waiting_is_full": len(cases) == WAITING, "delivery": aids.delivery(at), "now": at}


def _on_the_way(actor: Actor, only: Sequence[int] | None, at: datetime) -> dict[str, Any]:
    """What is sent and at work (of these cases)."""
    cases = lists.lately_dispatched(actor, at=at, size=SENT, only=only)
    return {"sent": [_sent(case, at) for case in cases], "sent_is_full": len(cases) == SENT, "now": at}


def _departments_by_street(cases: list[Case]) -> dict[int, list[Any]]:
    return {street: own_departments(street) for street in {case.street_id for case in cases}}


def _waiting(case: Case, ready: dict[int, list[Any]], duties: Duties, photo: Any, at: datetime) -> dict[str, Any]:
    departments = ready[case.street_id]
    edition = case.condition.edition if case.condition else None
    by_key = {d.key: d for d in departments}
    keys = named_keys(case, [edition.lead_department_key, *edition.assist_department_keys]) if edition else []
    lead, *assist = [by_key[key] for key in keys if key in by_key] or [None]
    lead, why = _likeliest(case, departments, duties, lead, at)
    row = present.row(case, at)
    row |= {
        "move": "accept_dispatch" if case.state == "reported" else "dispatch",
        "version": case.version,
        "condition_id": case.condition_id,
        "lead_id": lead.pk if lead else None,
        "assist_ids": [d.pk for d in assist if d and d != lead],
        "why": why,
        "departments": [{"id": d.pk, "name": present.named(d)} for d in departments],
        "to_lead": present.named(lead),
        "to_assist": "、".join(present.named(d) for d in assist if d is not None and d != lead),
        "photo": present.photo_url(case.number, photo, "thumb") if photo else "",
        "words": case.title,
        "picks": [] if case.condition_id else _picks(case, by_key),
        "needs_grid": case.unit_grid_id is None,
        "turn": live.turn(case.changed_at, case.pk, first=str(int(case.is_urgent))),
    }
    return row


def _likeliest(case: Case, departments: list[Any], duties: Duties, catalogue: Any, at: datetime) -> tuple[Any, tuple[str, ...]]:
    """Whom the one tap sends it to: where such cases went, if that is likely enough, else the catalogue's; and why."""
    if case.event_type_id is None:
        return catalogue, ()
    outside = duties.outside(departments, community_id=case.community_id, event_type_id=case.event_type_id)
    default = catalogue.key if catalogue and catalogue.pk not in outside else ""
    offer = advice.lead_offer(case, departments, outside, default=default, at=at)
    if offer is None or not offer.is_marked:
        return (catalogue if default else None), ()
    first = offer.choices[0]
    return next(one for one in departments if one.pk == first.value), first.reasons


def _picks(case: Case, by_key: dict[str, Any]) -> list[tuple[str, list[tuple[int, str]]]]:
    """Every condition in force for a select, each type with the departments it would go to."""
    groups = []
    for major in current_types():
        for kind in major.types:
            keys = named_keys(case, [kind.lead_department_key, *kind.assist_department_keys])
            to = "、".join(present.named(by_key[key]) for key in keys if key in by_key)
            choices = [(c.id, f"{c.name} · {c.limit}" if c.name != kind.name else c.limit) for c in kind.conditions]
            groups.append((f"{kind.name} → {to}" if to else kind.name, choices))
    return groups


def _sent(case: Case, at: datetime) -> dict[str, Any]:
    row = present.row(case, at)
    tasks = [t for t in case.tasks.all() if t.department and t.state != Task.State.WITHDRAWN]
    names = [present.named(t.department) for t in tasks]
    rings_at_once = case.is_urgent or any("send_now" in t.facts for t in tasks)
    reaches_at = None if rings_at_once or case.dispatched_at is None else aids.delivery(case.dispatched_at)["at"]
    return row | {
        "to": "、".join(dict.fromkeys(names)),
        "sent_at": case.dispatched_at,
        "turn": live.turn(case.dispatched_at, case.pk),
        "reaches_at": reaches_at if reaches_at and reaches_at > at else None,
        "urges": case.urges,
        "may_urge": case.state in MOVES["urge"].sources,
        "version": case.version,
    }
