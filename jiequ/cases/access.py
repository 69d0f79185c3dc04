"""The only way to a case, and what an actor may do with it."""

from __future__ import annotations

from functools import cached_property

from django.utils.translation import gettext as _

from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.prepared import Bind, Prepared
from jiequ.people.rules import Actor, Role

from .flow import MOVES, Grant, Move, Scope, State, allows, moves_for
from .models import Case, Report, Task, TaskKind

CASE_RELATED = (
    "street",
    "community",
    "unit_grid",
    "event_type",
    "condition__edition",
    "lead",
    "first_lead",
    "handler",
    "merged_into",
)

_WHOLE = Prepared(
    lambda: (
        Case.objects.filter(pk=Bind("seen"))
        .select_related(*CASE_RELATED)
        .defer("community__outline", "unit_grid__geometry", "merged_into__clocks", "merged_into__reply")
    )
)


def case_for(actor: Actor, number: str) -> Case:
    """The case of that number if the actor may see it. One SELECT.

    NotFound otherwise, said alike for a missing and a hidden one.
    """
    case = _WHOLE.first(seen=Case.objects.visible_to(actor).filter(number=number).values("pk"))
    if case is None:
        raise not_found()
    return case


def case_by_id(actor: Actor, case_id: int) -> Case:
    """Like ``case_for``, by primary key (for jobs and links inside the system)."""
    case = _WHOLE.first(seen=Case.objects.visible_to(actor).filter(pk=case_id).values("pk"))
    if case is None:
        raise not_found()
    return case


def not_found() -> NotFound:
    """One sentence, whether the case does not exist or is not for the reader's eyes."""
    return NotFound("case_not_found", _("没有找到这个案件，或您无权查看。"))


class Standing:
    """Where an actor stands towards one case: the grants the table of moves asks for.

    Open tasks are read only when they matter.
    """

    def __init__(self, actor: Actor, case: Case, *, tasks: list[Task] | None = None) -> None:
        self.actor = actor
        self.case = case
        self._tasks = tasks

    @cached_property
    def tasks(self) -> list[Task]:
        """The case's open tasks and its calls (one SELECT, if nobody handed them in)."""
        if self._tasks is not None:
            return self._tasks
        return list(self.case.tasks.all())

    @cached_property
    def plain_grants(self) -> frozenset[Grant]:
        """What seats in the street and in the lead department give; no SELECT."""
        case, actor = self.case, self.actor
        street = {Grant(role, Scope.STREET) for role in actor.roles_in(case.street_id)}
        lead = {Grant(s.role, Scope.LEAD) for s in actor.seats if case.lead_id and s.department_id == case.lead_id}
        return frozenset(street | lead)

    @cached_property
    def grants(self) -> frozenset[Grant]:
        """Everything, tasks included."""
        open_tasks = [t for t in self.tasks if t.state == Task.State.OPEN]
        asked = {t.department_id for t in open_tasks if t.department_id}
        called = {t.department_id for t in self.tasks if t.kind == TaskKind.CALL}
        found = set(self.plain_grants)
        for seat in self.actor.seats:
            if seat.department_id in asked:
                found.add(Grant(seat.role, Scope.ASKED))
            if seat.department_id in called:
                found.add(Grant(seat.role, Scope.CALLED))
        if any(self.actor.stands_for(t.person_id) for t in open_tasks):
            found |= {Grant(seat.role, Scope.TASK) for seat in self.actor.seats}
        if self._is_own():
            found.add(Grant(Role.RESIDENT, Scope.OWN))
        return frozenset(found)

    def _is_own(self) -> bool:
        report_id = self.actor.report_id
        return report_id is not None and Report.objects.filter(pk=report_id, case=self.case).exists()

    def may(self, name: str) -> bool:
        """True if the move is open to this actor now."""
        move, state = MOVES[name], State(self.case.state)
        return allows(move, state, self.plain_grants) or allows(move, state, self.grants)

    def grant_for(self, move: Move) -> Grant | None:
        """The grant under which the actor would make the move, the plain ones first."""
        for grants in (lambda: self.plain_grants, lambda: self.grants):
            if found := sorted(move.grants & grants(), key=str):
                return found[0]
        return None

    def check(self, name: str) -> Grant:
        """The grant for the move; Forbidden without one, Refusal if the case does not stand where the move starts."""
        move = MOVES[name]
        grant = self.grant_for(move)
        if grant is None:
            raise Forbidden("not_your_move", _("您没有办理这一步的权限。"), facts={"move": name})
        if not move.creates and self.case.state not in move.sources:
            raise wrong_state(name, self.case.state)
        return grant

    def moves(self) -> list[str]:
        """The moves open now, in the table's order, for the action bar."""
        return [move.name for move in moves_for(State(self.case.state), self.grants)]


def wrong_state(name: str, state: str) -> Refusal:
    """The case has moved on, or was never where the move starts."""
    return Refusal("wrong_state", _("案件现在的状态不能办理这一步，请刷新后再看。"), facts={"move": name, "state": str(state)})
