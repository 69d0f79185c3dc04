"""One case as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jiequ.people.rules import DESK_ROLES, Actor

from .. import clocks as c
from ..access import Standing
from ..flow import State, step_of
from ..models import Case, CaseEvent, Proof, Report, Task
from .lists import light_of
from .types import said

OFTEN_TOLD = frozenset(
    {"report", "accept", "reject", "dispatch", "accept_dispatch", "acknowledge", "handle", "confirm", "check_pass"}
    | {"check_fail", "close", "force_close", "cancel", "suspend", "resume", "extend", "merge", "unmerge", "reopen", "rate"}
    | {"self_handle", "recompute", "split", "imported"}
)
"""What a reporter's timeline shows; who among the staff did it, and what they wrote to one another, it does not."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything one page needs, read in four SELECTs after the case itself."""

    case: Case
    events: list[CaseEvent]
    tasks: list[Task]
    proofs: list[Proof]
    reports: list[Report]
    standing: Standing
    at: datetime

    @property
    def light(self) -> c.Light:
        return light_of(self.case, self.at)

    @property
    def clocks(self) -> list[c.Clock]:
        return list(c.load(self.case.clocks).values())

    @property
    def open_tasks(self) -> list[Task]:
        return [t for t in self.tasks if t.state == Task.State.OPEN]

    @property
    def moves(self) -> list[str]:
        return self.standing.moves()

    @property
    def step(self) -> str:
        return step_of(State(self.case.state), is_rated=any(e.move == "rate" for e in self.events))


def view_of(case: Case, actor: Actor, *, at: datetime) -> CaseView:
    """The page of a case the actor may see (from ``access.case_for``). Four SELECTs.

    Reports are shown to desk roles and to whoever wrote them; a handler sees words and photos, never a reporter.
    """
    tasks = list(case.tasks.select_related("department", "person").order_by("id"))
    reports = case.reports.select_related("rating").order_by("id")
    if not actor.has(*DESK_ROLES, street_id=case.street_id):
        reports = reports.defer("token_hash", "device_blind")
    return CaseView(
        case=case,
        events=list(case.events.all()),
        tasks=tasks,
        proofs=list(case.proofs.select_related("picture")),
        reports=list(reports),
        standing=Standing(actor, case, tasks=tasks),
        at=at,
    )


def names_in(event: CaseEvent, fact: str = "names") -> list[str]:
    """The departments (or persons) an event names, in the reader's language, as they were called then."""
    chinese: list[str] = event.facts.get(fact) or []
    english: list[str] = event.facts.get(f"{fact}_en") or chinese
    return [said(*pair) for pair in zip(chinese, english, strict=True)]


def reporter_timeline(case: Case) -> list[CaseEvent]:
    """The events a reporter is shown. One SELECT."""
    return list(case.events.filter(move__in=OFTEN_TOLD))
