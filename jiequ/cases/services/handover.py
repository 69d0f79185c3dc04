"""What people hands over: a person's open tasks and cases go to another, and every case says so."""

from __future__ import annotations

from datetime import datetime

from jiequ.channels.services import NotDelivered
from jiequ.people.models import Person
from jiequ.people.rules import Actor

from ..flow import ENDED
from ..models import Case, CaseEvent, Task


def open_work(person_id: int, at: datetime) -> int:
    """How many open tasks and handled cases a person has."""
    tasks = Task.objects.filter(person_id=person_id, state=Task.State.OPEN).count()
    return tasks + Case.objects.filter(handler_id=person_id).exclude(state__in=list(ENDED)).count()


def move_work(*, person_id: int, to_id: int, by: Actor, at: datetime) -> int:
    """Inside people's transaction: tasks and cases change hands, each with a line in its timeline. Returns how many."""
    tasks = Task.objects.filter(person_id=person_id, state=Task.State.OPEN)
    handled = Case.objects.filter(handler_id=person_id).exclude(state__in=list(ENDED))
    touched = dict(tasks.values_list("case_id", "case__state")) | dict(handled.values_list("pk", "state"))
    count = tasks.update(person_id=to_id) + handled.update(handler_id=to_id)
    name = Person.objects.filter(pk=to_id).values_list("name", flat=True).first() or ""
    CaseEvent.objects.bulk_create(
        CaseEvent(
            case_id=case_id,
            move="hand_over",
            state=state,
            facts={"from": person_id, "to_person": to_id, "names": [name]},
            at=at,
            by_id=by.person_id,
            by_name=by.name,
        )
        for case_id, state in touched.items()
    )
    return count


def note_not_delivered(lost: NotDelivered) -> None:
    """A notice about a case reached nobody: the case says so (RELIABILITY row 11)."""
    prefix, _colon, case_id = lost.about.partition(":")
    if prefix != "case" or not case_id.isdigit():
        return
    state = Case.objects.filter(pk=int(case_id)).values_list("state", flat=True).first()
    if state is None:
        return
    facts = {"template": lost.template, "error": lost.error}
    CaseEvent.objects.create(case_id=int(case_id), move="not_delivered", state=state, facts=facts, at=lost.at)
