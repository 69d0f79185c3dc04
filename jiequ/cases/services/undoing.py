"""撤回: the same person's last move is taken back within ten seconds, before any notice has left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from jiequ.channels.services import withdraw
from jiequ.core import audit, jobs
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.rules import Actor, Role
from jiequ.triage import services as triage

from ..access import case_by_id
from ..flow import MOVES
from ..models import Case, CaseEvent, Proof, Task
from . import moving, rollups, searching

NOT_UNDONE = frozenset({"merge", "unmerge", "reopen", "suspend"})
"""Moves that reach into other rows than their own case's, or have an opposite of their own."""


def undo_until(event: CaseEvent, case: Case) -> datetime | None:
    """Until when the event can be taken back; None if it cannot."""
    move = MOVES.get(event.move)
    if move is None or move.adds or move.creates or event.move in NOT_UNDONE or "before" not in event.facts:
        return None
    if event.facts.get("version") != case.version:
        return None
    return event.at + timedelta(seconds=moving.policy_of(case).undo_seconds)


def undo(event_id: int, *, by: Actor, at: datetime) -> Case:
    """Put the case back as it was before the event.

    Refusal when too late, Stale when something came after, NotFound for somebody else's.
    """
    event = CaseEvent.objects.filter(pk=event_id).first()
    if event is None or by.person_id is None or event.by_id != by.person_id:
        raise NotFound("event_not_found", _("没有找到这一步，或不是您办理的。"))
    case = case_by_id(Actor.system(), event.case_id)
    if not by.may_enter(case.street_id):
        raise NotFound("event_not_found", _("没有找到这一步，或不是您办理的。"))
    until = undo_until(event, case)
    if until is None:
        raise Stale("cannot_undo", _("这一步之后已有新的办理，不能撤回。"))
    if at > until:
        raise Refusal("too_late", _("已超过撤回时间，通知已经发出。"))
    with writing():
        _put_back(case, event, at=at)
        if searching.FOUND_BY & set(event.facts["before"]):
            searching.reindex([case.pk])
        _refuse_if_answered(event)
        _tasks_back(case, event)
        withdraw(moving.notice_keys(event))
        jobs.cancel(moving.tell_key(event.pk))
        triage.taken_back(event.pk)
        CaseEvent.objects.create(
            case=case,
            move="undo",
            state=case.state,
            facts={"undone": event.pk, "move": event.move},
            at=at,
            by_id=by.person_id,
            by_name=by.name,
            by_role=event.by_role,
        )
        audit.record(
            street_id=case.street_id,
            person_id=by.person_id,
            action="case.undo",
            object_kind="case",
            object_id=case.pk,
            at=at,
            facts={"move": event.move, "state": case.state},
        )
    return case


def _put_back(case: Case, event: CaseEvent, *, at: datetime) -> None:
    was = rollups.place_of(case)
    before = {name: _value(name, value) for name, value in event.facts["before"].items()}
    rows = Case.objects.filter(pk=case.pk, version=event.facts["version"])
    if rows.update(**before, version=F("version") + 1, changed_at=at) != 1:
        raise Stale("cannot_undo", _("这一步之后已有新的办理，不能撤回。"))
    for name, value in before.items():
        setattr(case, name, value)
    case.version += 1
    rollups.moved(was, rollups.place_of(case))


_SAYS_NOTHING_ELSE = frozenset({"me_too", "note"})
"""Moves after which the one before may still be taken back: they answer nothing and ask nobody."""


def _refuse_if_answered(event: CaseEvent) -> None:
    """Stale if somebody has acted on the move since: moves that only add leave the version as it is.

    Read after the case's row is ours, so that nobody acts in between.
    """
    later = CaseEvent.objects.filter(case_id=event.case_id, pk__gt=event.pk, move__in=set(MOVES) - _SAYS_NOTHING_ELSE)
    if later.filter(Q(by_id__isnull=False) | Q(by_role=Role.RESIDENT)).exists():
        raise Stale("cannot_undo", _("这一步之后已有新的办理，不能撤回。"))


def _value(name: str, value: Any) -> Any:
    return parse_datetime(value) if name.endswith("_at") and isinstance(value, str) else value


def _tasks_back(case: Case, event: CaseEvent) -> None:
    version = event.facts["version"]
    Task.objects.filter(case=case, opened_version=version, state=Task.State.OPEN).update(
        state=Task.State.WITHDRAWN, outcome="undo", done_at=event.at
    )
    Task.objects.filter(case=case, done_version=version).exclude(outcome="undo").update(
        state=Task.State.OPEN, outcome="", answer="", done_at=None, done_by_id=None, done_version=None
    )
    Proof.objects.filter(pk__in=event.facts.get("proofs", ())).delete()
