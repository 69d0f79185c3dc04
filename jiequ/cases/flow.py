"""The state machine of a case: states, moves, and who may make them. Pure; imports nothing of Django.

The expected table is written by hand in docs/moves.md; a test compares every state × move × role cell with this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jiequ.people.rules import Role


class State(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    VERIFYING = "verifying"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    HANDLED = "handled"
    CHECKING = "checking"
    REWORK = "rework"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"
    REOPENED = "reopened"


class Scope(StrEnum):
    """Where the seat that grants a move must be."""

    STREET = "street"  # any seat with the role in the case's street
    LEAD = "lead"  # in the lead department
    ASKED = "asked"  # in a department with an open task on the case
    CALLED = "called"  # in a bureau that was called on the case, answered or not
    TASK = "task"  # the very person a side task was given to
    OWN = "own"  # the resident whose report it is


class Closing(StrEnum):
    """How a case was closed."""

    NORMAL = "normal"
    SELF_HANDLED = "self_handled"
    FORCED = "forced"
    IMPORTED = "imported"  # closed in the system it came from


ENDED = frozenset({State.REJECTED, State.CLOSED, State.CANCELLED, State.MERGED})
OPEN = frozenset(State) - ENDED
ANY = frozenset(State)
WITH_DEPARTMENT = frozenset({State.DISPATCHED, State.HANDLING, State.SUSPENDED, State.HANDLED, State.REWORK})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and where its seat must be."""

    role: Role
    scope: Scope


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed change. ``target`` None keeps the state; ``creates`` moves have no source."""

    name: str
    sources: frozenset[State]
    target: State | None
    grants: frozenset[Grant]
    creates: bool = False
    back: bool = False  # the target is the state before (unmerge)
    adds: bool = False  # only adds to the record: the version stays, nobody's open form goes stale

    def roles(self) -> frozenset[Role]:
        """Every role with some grant."""
        return frozenset(grant.role for grant in self.grants)


def _grants(scope: Scope, *roles: Role) -> frozenset[Grant]:
    return frozenset(Grant(role, scope) for role in roles)


_R, _S = Role, Scope
_LEADERS = _grants(_S.STREET, _R.DUTY_LEADER, _R.LEADER)
_DESK = _LEADERS | _grants(_S.STREET, _R.ACCEPTOR, _R.DISPATCHER)
_ACCEPT = _LEADERS | _grants(_S.STREET, _R.ACCEPTOR)
_DISPATCH = _LEADERS | _grants(_S.STREET, _R.DISPATCHER)
_CLOCK = _grants(_S.STREET, _R.SYSTEM)
_LEAD = _grants(_S.LEAD, _R.DEPARTMENT_LEAD)
_LEAD_CREW = _grants(_S.LEAD, _R.HANDLER, _R.OFFICER, _R.DEPARTMENT_LEAD)
_ASKED_CREW = _grants(_S.ASKED, _R.HANDLER, _R.OFFICER, _R.DEPARTMENT_LEAD)
_CHECKERS = _grants(_S.TASK, _R.GRID_WORKER) | _grants(_S.STREET, _R.ACCEPTOR, _R.DUTY_LEADER)
_OWNERS = _LEADERS | _grants(_S.LEAD, _R.OFFICER, _R.DEPARTMENT_LEAD)
_RESIDENT = _grants(_S.OWN, _R.RESIDENT)
_STAFF_REPORTERS = _grants(
    _S.STREET,
    *(_R.GRID_WORKER, _R.ACCEPTOR, _R.DUTY_LEADER, _R.DISPATCHER, _R.HANDLER, _R.DEPARTMENT_LEAD),
    *(_R.LEADER, _R.SUPERVISOR, _R.OFFICER, _R.PILOT, _R.ANALYST, _R.SYSTEM),
)

_T = State
_MERGEABLE = frozenset({_T.REPORTED, _T.ACCEPTED, _T.DISPATCHED, _T.RETURNED, _T.HANDLING, _T.REOPENED})
_WORKING = frozenset({_T.DISPATCHED, _T.HANDLING, _T.REWORK})
_CONSULTABLE = frozenset({_T.ACCEPTED, _T.DISPATCHED, _T.RETURNED, _T.HANDLING, _T.SUSPENDED, _T.REWORK, _T.REOPENED})
_APPEALABLE = frozenset({_T.HANDLING, _T.HANDLED, _T.CHECKING, _T.REWORK, _T.CLOSED})
_FILED = OPEN - {_T.REPORTED, _T.VERIFYING}
_NONE: frozenset[State] = frozenset()


def _move(
    name: str,
    sources: Iterable[State],
    target: State | None,
    grants: frozenset[Grant],
    *,
    creates: bool = False,
    back: bool = False,
    adds: bool = False,
) -> Move:
    return Move(name, frozenset(sources), target, grants, creates, back, adds)


MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        _move("report", _NONE, _T.REPORTED, _STAFF_REPORTERS | _RESIDENT, creates=True),
        _move("self_handle", _NONE, _T.CLOSED, _grants(_S.STREET, _R.GRID_WORKER), creates=True),
        _move("imported", _NONE, None, _CLOCK, creates=True),
        _move("me_too", OPEN, None, _RESIDENT | _CLOCK | _grants(_S.STREET, _R.GRID_WORKER, _R.ACCEPTOR), adds=True),
        _move("ask_verify", {_T.REPORTED}, _T.VERIFYING, _DESK),
        _move("verify", {_T.VERIFYING}, _T.REPORTED, _CHECKERS),
        _move("correct", {_T.REPORTED, _T.VERIFYING, _T.ACCEPTED, _T.RETURNED, _T.REOPENED}, None, _DESK),
        _move("accept", {_T.REPORTED}, _T.ACCEPTED, _ACCEPT | _CLOCK),
        _move("reject", {_T.REPORTED}, _T.REJECTED, _ACCEPT | _CLOCK),
        _move("dispatch", {_T.ACCEPTED, _T.RETURNED, _T.REOPENED}, _T.DISPATCHED, _DISPATCH | _CLOCK),
        _move("accept_dispatch", {_T.REPORTED}, _T.DISPATCHED, _LEADERS),
        _move("bring_in", _WORKING, None, _LEAD | _DISPATCH),
        _move("assign", _WORKING, None, _LEAD),
        _move("acknowledge", {_T.DISPATCHED, _T.REWORK}, _T.HANDLING, _LEAD_CREW),
        _move("return", {_T.DISPATCHED, _T.HANDLING}, _T.RETURNED, _LEAD),
        _move("assist_done", WITH_DEPARTMENT, None, _ASKED_CREW, adds=True),
        _move("handle", {_T.HANDLING, _T.REWORK}, _T.HANDLED, _LEAD_CREW),
        _move("send_back", {_T.HANDLED}, _T.HANDLING, _LEAD),
        _move("confirm", {_T.HANDLED}, _T.CHECKING, _LEAD),
        _move("check_pass", {_T.CHECKING}, None, _CHECKERS),
        _move("check_fail", {_T.CHECKING}, _T.REWORK, _CHECKERS),
        _move("close", {_T.CHECKING}, _T.CLOSED, _ACCEPT | _CLOCK),
        _move("force_close", _FILED, _T.CLOSED, _grants(_S.STREET, _R.LEADER)),
        _move("cancel", _FILED - {_T.HANDLED, _T.CHECKING}, _T.CANCELLED, _LEADERS),
        _move("ask_suspend", {_T.HANDLING, _T.REWORK}, None, _LEAD, adds=True),
        _move("suspend", {_T.HANDLING, _T.REWORK}, _T.SUSPENDED, _LEADERS),
        _move("resume", {_T.SUSPENDED}, _T.HANDLING, _LEAD | _LEADERS | _CLOCK),
        _move("ask_extend", _WORKING, None, _LEAD, adds=True),
        _move("extend", _WORKING, None, _LEADERS),
        _move("refuse_ask", _WORKING, None, _LEADERS, adds=True),
        _move("ask_appeal", _APPEALABLE, None, _LEAD, adds=True),
        _move("review_appeal", _APPEALABLE, None, _LEADERS | _grants(_S.STREET, _R.SUPERVISOR)),
        _move("merge", _MERGEABLE, _T.MERGED, _DESK),
        _move("unmerge", {_T.MERGED}, None, _DESK, back=True),
        _move("split", _MERGEABLE, None, _DESK, adds=True),
        _move("ask_consult", _CONSULTABLE, None, _OWNERS, adds=True),
        _move("answer_consult", OPEN, None, _ASKED_CREW, adds=True),
        _move("decide_consult", OPEN, None, _OWNERS, adds=True),
        _move("call", _CONSULTABLE, None, _DISPATCH, adds=True),
        _move("acknowledge_call", OPEN, None, _grants(_S.ASKED, _R.BUREAU), adds=True),
        _move("answer_call", OPEN, None, _grants(_S.ASKED, _R.BUREAU), adds=True),
        _move("assess_call", ANY, None, _LEADERS | _grants(_S.CALLED, _R.BUREAU), adds=True),
        _move(
            "urge",
            OPEN - {_T.SUSPENDED},
            None,
            _LEADERS | _CLOCK | _grants(_S.STREET, _R.SUPERVISOR),
            adds=True,
        ),
        _move("answer_urge", OPEN, None, _ASKED_CREW | _grants(_S.STREET, _R.ACCEPTOR, _R.DISPATCHER), adds=True),
        _move(
            "note",
            OPEN,
            None,
            _DESK
            | _ASKED_CREW
            | _grants(_S.STREET, _R.SUPERVISOR)
            | _grants(_S.TASK, _R.GRID_WORKER)
            | _grants(_S.ASKED, _R.BUREAU)
            | _CLOCK,  # what another system said of a matter that stands there too (doors)
            adds=True,
        ),
        _move("reopen", {_T.CLOSED}, _T.REOPENED, _RESIDENT | _grants(_S.STREET, _R.ACCEPTOR, _R.DUTY_LEADER, _R.SUPERVISOR)),
        _move("rate", {_T.CLOSED}, None, _RESIDENT | _grants(_S.STREET, _R.ACCEPTOR), adds=True),
        _move("sample", {_T.CLOSED}, None, _grants(_S.STREET, _R.SUPERVISOR, _R.DUTY_LEADER), adds=True),
        _move("ask_hotline", OPEN, None, _ACCEPT | _CLOCK, adds=True),
        _move("answer_hotline", ANY, None, _CLOCK | _grants(_S.STREET, _R.ACCEPTOR, _R.DUTY_LEADER)),
    )
}


def allows(move: Move, state: State | None, grants: Iterable[Grant]) -> bool:
    """True if a holder of ``grants`` may make ``move`` from ``state`` (None: there is no case yet)."""
    fits = state is None if move.creates else state in move.sources
    return fits and not move.grants.isdisjoint(grants)


def moves_for(state: State, grants: frozenset[Grant]) -> list[Move]:
    """The moves a holder of ``grants`` may make from ``state``, in the table's order."""
    return [move for move in MOVES.values() if allows(move, state, grants)]


STEPS: tuple[tuple[str, str], ...] = (
    ("discover", "发现"),  # data
    ("accept", "受理"),  # data
    ("dispatch", "分流"),  # data
    ("handle", "处置"),  # data
    ("feed_back", "反馈"),  # data
    ("rate", "评价"),  # data
)
"""The verbs a case passes one after the other; 跟踪 and 督办 run beside them all the time (DOMAIN §2)."""

_STEP_OF: dict[State, str] = {
    _T.REPORTED: "discover",
    _T.VERIFYING: "discover",
    _T.REJECTED: "discover",
    _T.ACCEPTED: "accept",
    _T.REOPENED: "accept",
    _T.RETURNED: "accept",
    _T.CANCELLED: "accept",
    _T.MERGED: "accept",
    _T.DISPATCHED: "dispatch",
    _T.HANDLING: "handle",
    _T.SUSPENDED: "handle",
    _T.REWORK: "handle",
    _T.HANDLED: "handle",
    _T.CHECKING: "feed_back",
    _T.CLOSED: "feed_back",
}


def step_of(state: State, *, is_rated: bool = False) -> str:
    """The verb the case has reached."""
    return "rate" if is_rated and state == _T.CLOSED else _STEP_OF[state]
