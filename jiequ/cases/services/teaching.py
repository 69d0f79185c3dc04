"""What a confirmed move teaches the triage: one job of codes, in the move's own transaction; no word of anybody."""

from __future__ import annotations

from jiequ.core.jobs import JobSpec
from jiequ.triage import services as triage
from jiequ.triage.services import type_code

from ..models import Case, CaseEvent
from ..taught import DEPARTMENT_TAUGHT, NOT_OURS, OTHER, TYPE_TAUGHT, WRONG_DEPARTMENT


def lessons_of(case: Case, event: CaseEvent, *, department: str, is_type_set: bool) -> list[JobSpec]:
    """The lesson of an event, if it is one, as a job to go with the move's others. ``department``: the key of its lead."""
    kind = _type_of(case, event)
    is_type = kind == OTHER or (event.move in TYPE_TAUGHT and (is_type_set or event.move != "correct"))
    is_department = event.move in DEPARTMENT_TAUGHT and bool(department)
    if event.move == "return" and event.reason_code not in WRONG_DEPARTMENT:
        return []
    if not kind or event.by_id is None or not (is_type or is_department):
        return []
    lesson = triage.Lesson(
        case_ref=case.pk,
        event_ref=event.pk,
        move=event.move,
        type_code=kind,
        department=department if is_department else "",
        is_return=event.move == "return",
        is_type_taught=is_type,
        street=case.street.code9,
        community=_community(case),
        source=case.source,
        at=event.at,
    )
    return [triage.taught(lesson)]


def _type_of(case: Case, event: CaseEvent) -> str:
    if event.move == "reject":
        return OTHER if event.reason_code in NOT_OURS else ""
    return type_code(case.event_type.kind, case.event_type.code) if case.event_type else ""


def _community(case: Case) -> str:
    """The community's code, where it was read with the case."""
    is_read = Case._meta.get_field("community").is_cached(case)
    return case.community.code12 if is_read and case.community else ""
