"""One case as its page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from jiequ.core.errors import NotFound
from jiequ.core.models import Picture
from jiequ.core.pictures import Variant
from jiequ.core.prepared import Bind, Prepared
from jiequ.people.rules import DESK_ROLES, Actor, Role

from .. import clocks as c
from ..access import Standing
from ..flow import State, step_of
from ..models import Case, CaseEvent, Proof, Report, Task
from ..words import masked
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


_EVENTS = Prepared(lambda: CaseEvent.objects.filter(case=Bind("case")).order_by("pk"))
_TASKS = Prepared(lambda: Task.objects.filter(case=Bind("case")).select_related("department", "person").order_by("pk"))
_PROOFS = Prepared(lambda: Proof.objects.filter(case=Bind("case")).select_related("picture").order_by("pk"))
_REPORTS = Prepared(lambda: Report.objects.filter(case=Bind("case")).select_related("rating").order_by("pk"))
_REPORTS_SAID = Prepared(
    lambda: Report.objects.filter(case=Bind("case")).select_related("rating").defer("token_hash", "device_blind").order_by("pk")
)


def view_of(case: Case, actor: Actor, *, at: datetime) -> CaseView:
    """The page of a case the actor may see (from ``access.case_for``). Four SELECTs.

    Reports are shown to desk roles and to whoever wrote them; a handler sees words and photos, never a reporter.
    """
    tasks = _TASKS(case=case.pk)
    reports = _REPORTS if actor.has(*DESK_ROLES, street_id=case.street_id) else _REPORTS_SAID
    return CaseView(
        case=case,
        events=_EVENTS(case=case.pk),
        tasks=tasks,
        proofs=_PROOFS(case=case.pk),
        reports=reports(case=case.pk),
        standing=Standing(actor, case, tasks=tasks),
        at=at,
    )


def shown_event(case: Case, events: Iterable[CaseEvent]) -> int:
    """The newest event that this reading of the case holds already: of a later one a page says that there is news."""
    return max((event.pk for event in events if event.facts.get("version", 0) <= case.version), default=0)


def newest_event(number: str) -> int:
    """The number of a case's newest event, 0 if there is none: asked before the case is read. One SELECT."""
    newest = CaseEvent.objects.filter(case__number=number).order_by("-pk").values_list("pk", flat=True)
    return newest.first() or 0


def names_in(event: CaseEvent, fact: str = "names") -> list[str]:
    """The departments (or persons) an event names, in the reader's language, as they were called then."""
    chinese: list[str] = event.facts.get(fact) or []
    english: list[str] = event.facts.get(f"{fact}_en") or chinese
    return [said(*pair) for pair in zip(chinese, english, strict=True)]


def reporter_timeline(case: Case) -> list[CaseEvent]:
    """The events a reporter is shown. One SELECT."""
    return list(case.events.filter(move__in=OFTEN_TOLD))


def said_by(words: str, *, is_desk: bool) -> str:
    """What a reporter wrote: phones and long numbers in it are for the desk only."""
    return words if is_desk else masked(words)


def text_of(event: CaseEvent, *, is_desk: bool) -> str:
    """The text of an event for those at work on the case.

    What may name the reporter is for the desk only: the reason of a look at the identity, and numbers a reporter wrote.
    """
    if event.move == "reveal" and not is_desk:
        return ""
    is_reporters = event.by_id is None and event.by_role == Role.RESIDENT
    return said_by(event.text, is_desk=is_desk or not is_reporters)


def picture_in(case: Case, proof_id: int, variant: str) -> Picture:
    """The picture of a proof of this case. NotFound unless it belongs to the case. One SELECT."""
    proof = Proof.objects.select_related("picture").filter(pk=proof_id, case=case, picture__isnull=False).first()
    if proof is None or proof.picture is None or variant not in set(Variant):
        raise NotFound("picture_not_found", "")
    return proof.picture
