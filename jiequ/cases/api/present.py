"""Cases as the programs' door tells them: the same values that the pages show, as data."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from django.urls import reverse

from jiequ.people.models import Department
from jiequ.people.rules import DESK_ROLES, Actor

from .. import clocks as c
from .. import words
from ..models import Case, CaseEvent, Proof, Report, Task
from ..open_moves import offered_moves
from ..queries.lists import light_of
from ..queries.page import CaseView, names_in, said_by, text_of
from ..queries.types import said
from .case_shapes import (
    CaseOut,
    CaseRow,
    ClockOut,
    DepartmentRef,
    EventOut,
    ProofOut,
    ReportOut,
    TaskOut,
    TypeOut,
)


def department(found: Department) -> DepartmentRef:
    """A department in the reader's language."""
    return DepartmentRef(id=found.pk, key=found.key, name=said(found.name_zh, found.name_en))


def type_of(case: Case) -> TypeOut | None:
    """The type the case was filed under; None while there is none."""
    if case.event_type is None or case.condition is None:
        return None
    edition, kind = case.condition.edition, case.event_type
    return TypeOut(kind=kind.kind, code=kind.code, name=said(edition.name_zh, edition.name_en), condition=case.condition.key)


def row(case: Case, at: datetime) -> CaseRow:
    """A line of a list; the case comes with ``lists.named_whole``. A phone in the words is hidden, as in ``queries.rows``."""
    return CaseRow(
        number=case.number,
        version=case.version,
        state=case.state,
        state_words=str(words.STATES[case.state]),
        light=light_of(case, at).value,
        title=words.masked(case.title),
        type=type_of(case),
        is_urgent=case.is_urgent,
        is_confidential=case.is_confidential,
        is_suspect=case.is_suspect,
        is_late=case.is_late,
        source=case.source,
        voices=case.voices,
        street=case.street.code9,
        community=case.community.code12 if case.community else None,
        unit_grid=case.unit_grid.code15 if case.unit_grid else None,
        address=words.masked(case.address),
        lon=case.lon,
        lat=case.lat,
        lead=department(case.lead) if case.lead else None,
        reported_at=case.reported_at,
        happened_from=case.happened_from,
        happened_until=case.happened_until,
        due_at=case.due_at if case.ended_at is None else None,
        promised_at=case.promised_at,
        is_promise_provisional=case.is_promise_provisional,
        changed_at=case.changed_at,
        ended_at=case.ended_at,
        url=url_of(case),
    )


def url_of(case: Case) -> str:
    """Where a case is told."""
    return _address().replace("NUMBER", case.number)


@cache
def _address() -> str:
    """Asked once: a list has hundreds of them."""
    return reverse("cases_api:case", args=["NUMBER"])


def whole(view: CaseView, actor: Actor) -> CaseOut:
    """One case with everything its page shows; no further statement."""
    case = view.case
    is_desk = actor.has(*DESK_ROLES, street_id=case.street_id)
    said = {"title": case.title, "address": case.address} if is_desk else {}
    return CaseOut(
        **row(case, view.at).model_dump() | said,
        closing=case.closing,
        reason=case.reason_code,
        reply=case.reply,
        handler=case.handler.name if case.handler else None,
        merged_into=case.merged_into.number if case.merged_into else None,
        accepted_at=case.accepted_at,
        dispatched_at=case.dispatched_at,
        handled_at=case.handled_at,
        returns=case.returns,
        reworks=case.reworks,
        reopens=case.reopens,
        urges=case.urges,
        moves=offered_moves(view, actor),
        timeline=[_event(event, is_desk=is_desk) for event in view.events],
        tasks=[task(one) for one in view.tasks],
        clocks=[_clock(one, view.at) for one in view.clocks],
        proofs=[_proof(case, one) for one in view.proofs],
        reports=[_report(one, is_desk=is_desk) for one in view.reports],
    )


def _event(event: CaseEvent, *, is_desk: bool) -> EventOut:
    return EventOut(
        id=event.pk,
        move=event.move,
        words=str(words.MOVES.get(event.move, event.move)),
        state=event.state,
        at=event.at,
        by=event.by_name if event.by_id else "",
        role=event.by_role,
        departments=names_in(event),
        reason=event.reason_code,
        text=text_of(event, is_desk=is_desk),
    )


def task(found: Task) -> TaskOut:
    """Something asked; the task comes with its department and person."""
    return TaskOut(
        id=found.pk,
        kind=found.kind,
        words=str(words.TASKS[found.kind]),
        state=found.state,
        department=department(found.department) if found.department else None,
        person=found.person.name if found.person else None,
        role=found.role,
        asked=found.asked,
        answer=found.answer,
        group=found.group,
        opened_at=found.opened_at,
        due_at=found.due_at,
        done_at=found.done_at,
    )


def _clock(clock: c.Clock, at: datetime) -> ClockOut:
    return ClockOut(
        kind=clock.kind,
        words=str(words.CLOCKS[clock.kind]),
        due_at=clock.due_at,
        is_running=clock.is_running,
        is_late=clock.is_overdue(at),
        is_provisional=clock.is_provisional,
        is_exempt=clock.is_exempt,
        counted_seconds=clock.counted,
        limit_seconds=clock.limit,
    )


def _proof(case: Case, proof: Proof) -> ProofOut:
    picture = reverse("cases_api:picture", args=[case.number, proof.pk]) if proof.picture_id else None
    return ProofOut(
        id=proof.pk,
        kind=proof.kind,
        phase=proof.phase,
        text=proof.text,
        at=proof.at,
        picture=picture,
        thumb=f"{picture}?variant=thumb" if picture else None,
    )


def _report(report: Report, *, is_desk: bool) -> ReportOut:
    return ReportOut(
        id=report.pk,
        source=report.source,
        at=report.at,
        words=said_by(report.words, is_desk=is_desk),
        place=said_by(report.place_words, is_desk=is_desk),
        has_reporter=report.reporter_id is not None,
        wants_call=report.wants_call,
    )
