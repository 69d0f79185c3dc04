"""What a case counts for: the parts of the indicators. Pure; imports nothing of Django.

A *part* is a yes or no about a case (filed, filed on time, …). Every part belongs to a *basis*: the day on which the case is
counted for it. A case counts once for a part, on one day, under one street, community, type and lead department. An indicator
is two parts of one basis, the upper one only ever true where the lower one is; so the cases behind a figure are a list.

The parts follow from the ledger alone, not from the hour at which somebody asks: a limit has passed when the clock's own mark
says so. That is what makes a recount give the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from jiequ.cases.ledger import LedgerCase, Verdict
from jiequ.core.worktime import ZONE


class Basis(StrEnum):
    """The day on which a case is counted."""

    REPORTED = "reported"  # it was reported
    FILED = "filed"  # it was filed (立案)
    HANDLED = "handled"  # the department confirmed, or the handling limit passed, whichever came first
    DUE = "due"  # it ended, or its limit passed, whichever came first
    CLOSED = "closed"  # it was closed


_PARTS: dict[Basis, tuple[str, ...]] = {
    Basis.REPORTED: ("reported", "valid", "verify_due", "verify_ontime"),
    Basis.FILED: (
        *("filed", "filed_ontime", "filed_kept", "filed_public", "missed", "found_first"),
        *("dispatch_due", "dispatch_ontime", "dispatch_clean", "sent", "sent_once"),
        *("hotline_sent", "hotline_accepted", "hotline_acknowledged"),
    ),
    Basis.HANDLED: (
        *("handle_due", "handle_done", "handle_timed", "handle_ontime", "worked", "reworked"),
        *("check_due", "check_ontime"),
    ),
    Basis.DUE: ("close_due", "close_done", "close_timed", "close_ontime", "close_plain", "close_plain_ontime", "turned_late"),
    Basis.CLOSED: (
        *("closed", "closed_worked", "passed_once", "asked", "rated", "unsolved", "solved", "satisfied"),
        *("visited", "visited_solved", "visited_satisfied", "called", "called_solved", "called_satisfied"),
    ),
}
PARTS: tuple[str, ...] = tuple(part for parts in _PARTS.values() for part in parts)
BIT: dict[str, int] = {part: 1 << number for number, part in enumerate(PARTS)}
"""A part's bit in ``CaseCount.parts``. A new part goes to the end of its basis with a migration that counts everything anew."""
BASIS_OF: dict[str, Basis] = {part: basis for basis, parts in _PARTS.items() for part in parts}
OF_BASIS: dict[Basis, int] = {basis: sum(BIT[part] for part in parts) for basis, parts in _PARTS.items()}

SATISFIED_FROM = 4
"""Of 1 to 5: from here a reporter counts as satisfied (ours; a street's hotline may say otherwise)."""

_STREET_FOUND = frozenset({"staff", "leader", "camera", "drone"})
_PUBLIC = frozenset({"resident", "caller", "hotline"})
_NOT_COUNTED = frozenset({"merged"})
_CLOSED, _CANCELLED = "closed", "cancelled"


@dataclass(frozen=True, slots=True)
class Marks:
    """What one case counts for: its parts as bits, and the day of each basis it has."""

    parts: int
    days: dict[Basis, date]


NOTHING = Marks(0, {})


def marks_of(case: LedgerCase) -> Marks:
    """The parts of a case. Historic orders (imported) and cases merged into another count for nothing."""
    if case.is_imported or case.state in _NOT_COUNTED:
        return NOTHING
    days = _days(case)
    truths = {
        Basis.REPORTED: _reported,
        Basis.FILED: _filed,
        Basis.HANDLED: _handled,
        Basis.DUE: _due,
        Basis.CLOSED: _closed,
    }
    found = {part for basis in days for part, is_so in truths[basis](case).items() if is_so}
    return Marks(sum(BIT[part] for part in found), days)


def names_of(parts: int) -> list[str]:
    """The names of the parts that are set."""
    return [part for part in PARTS if parts & BIT[part]]


def local_day(at: datetime) -> date:
    """The date on the street's own calendar."""
    return at.astimezone(ZONE).date()


def _days(case: LedgerCase) -> dict[Basis, date]:
    is_closed = case.state == _CLOSED
    ended = case.ended_at if is_closed else None
    moments: dict[Basis, datetime | None] = {Basis.REPORTED: case.reported_at, Basis.FILED: case.accepted_at}
    if case.accepted_at is not None and case.state != _CANCELLED:
        moments[Basis.HANDLED] = _first(case.confirmed_at, _passed(case, "handle"))
        moments[Basis.DUE] = None if case.closing == "self_handled" else _first(ended, _limit(case))
        moments[Basis.CLOSED] = ended
    return {basis: local_day(at) for basis, at in moments.items() if at is not None}


def _first(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)


def _passed(case: LedgerCase, kind: str) -> datetime | None:
    """When the limit of that clock passed; None while it has not, or where there is no such clock."""
    clock = case.clocks.get(kind)
    return clock.due_at if clock and clock.is_late else None


def _limit(case: LedgerCase) -> datetime | None:
    """When the first of the case's limits (handling, the hotline's) passed; None while none has."""
    return _first(_passed(case, "handle"), _passed(case, "outer"))


def _reported(case: LedgerCase) -> dict[str, bool]:
    due, ontime = _kept(case, "verify")
    return {"reported": True, "valid": case.accepted_at is not None, "verify_due": due, "verify_ontime": ontime}


def _kept(case: LedgerCase, kind: str) -> tuple[bool, bool]:
    """For a clock of the desk: whether it is decided (stopped, or its limit passed), and whether it was kept."""
    clock = case.clocks.get(kind)
    if clock is None:
        return False, False
    is_due = clock.stopped_at is not None or clock.is_late
    return is_due, is_due and not clock.is_late


def _filed(case: LedgerCase) -> dict[str, bool]:
    is_self = case.closing == "self_handled"
    accept, dispatch = case.clocks.get("accept"), _kept(case, "dispatch")
    is_dispatched = case.dispatched_at is not None and case.departments > 0
    dispatch_due = not is_self and dispatch[0]
    is_hotline = case.source == "hotline" and is_dispatched
    acknowledge = _kept(case, "acknowledge")
    accepted_ontime = accept is None or not accept.is_late
    return {
        "filed": True,
        "filed_ontime": accepted_ontime,
        "filed_kept": case.state != _CANCELLED,
        "filed_public": case.source in _PUBLIC,
        "missed": _first_voice(case, _PUBLIC) is not None and _first_voice(case, _STREET_FOUND) is None,
        "found_first": _found_first(case),
        "dispatch_due": dispatch_due,
        "dispatch_ontime": dispatch_due and dispatch[1],
        "dispatch_clean": dispatch_due and case.reworks == 0,
        "sent": is_dispatched,
        "sent_once": is_dispatched and case.departments == 1,
        "hotline_sent": is_hotline,
        "hotline_accepted": is_hotline and accepted_ontime,
        "hotline_acknowledged": is_hotline and case.acknowledged_at is not None and acknowledge[1],
    }


def _first_voice(case: LedgerCase, sources: Iterable[str]) -> datetime | None:
    """When the case was first told of by one of ``sources``; a case without reports speaks for itself."""
    if not case.voices:
        return case.reported_at if case.source in sources else None
    return min((voice.at for voice in case.voices if voice.source in sources), default=None)


def _found_first(case: LedgerCase) -> bool:
    """主动发现: the street found it before any resident said so."""
    ours, theirs = _first_voice(case, _STREET_FOUND), _first_voice(case, _PUBLIC)
    return ours is not None and (theirs is None or ours < theirs)


def _handled(case: LedgerCase) -> dict[str, bool]:
    is_self = case.closing == "self_handled"
    has_clock = "handle" in case.clocks
    is_late = _passed(case, "handle") is not None
    is_timed = has_clock and not case.is_exempt
    is_worked = not is_self and (case.confirmed_at is not None or case.reworks > 0 or case.reopens > 0)
    check = _kept(case, "check")
    checkable = case.needs_check and check[0]
    return {
        "handle_due": has_clock,
        "handle_done": has_clock and case.confirmed_at is not None,
        "handle_timed": is_timed,
        "handle_ontime": is_timed and not is_late and case.confirmed_at is not None,
        "worked": is_worked,
        "reworked": is_worked and (case.reworks > 0 or case.reopens > 0),
        "check_due": checkable,
        "check_ontime": checkable and check[1],
    }


def _due(case: LedgerCase) -> dict[str, bool]:
    is_closed, is_late = case.state == _CLOSED, _limit(case) is not None
    is_timed = not case.is_exempt
    is_plain = is_timed and not case.is_deferred
    is_ontime = is_closed and not is_late
    return {
        "close_due": True,
        "close_done": is_closed,
        "close_timed": is_timed,
        "close_ontime": is_timed and is_ontime,
        "close_plain": is_plain,
        "close_plain_ontime": is_plain and is_ontime,
        "turned_late": is_late,
    }


def _closed(case: LedgerCase) -> dict[str, bool]:
    is_worked = case.closing == "normal"
    is_asked = _first_voice(case, _PUBLIC) is not None
    given = [verdict for verdict in case.verdicts if not verdict.is_from_outside]  # what residents said to us
    heard = _heard(given) if is_asked or given else (False, False, False)
    is_hotline = case.source == "hotline"
    all_heard = _heard(case.verdicts) if is_hotline else (False, False, False)
    called = _heard([v for v in case.verdicts if v.is_by_phone]) if is_hotline else (False, False, False)
    return {
        "closed": True,
        "closed_worked": is_worked,
        "passed_once": is_worked and case.checked_at is not None and case.reworks == 0 and case.reopens == 0,
        "asked": is_asked or bool(given),
        "rated": heard[0],
        "unsolved": heard[0] and not heard[1],
        "solved": heard[1],
        "satisfied": heard[2],
        "visited": all_heard[0],
        "visited_solved": all_heard[1],
        "visited_satisfied": all_heard[2],
        "called": called[0],
        "called_solved": called[1],
        "called_satisfied": called[2],
    }


def _heard(verdicts: Iterable[Verdict]) -> tuple[bool, bool, bool]:
    """Rated, solved, satisfied. Of several reporters one who says 未解决 decides, and the least satisfied."""
    given = list(verdicts)
    if not given:
        return False, False, False
    is_satisfied = min(verdict.satisfaction for verdict in given) >= SATISFIED_FROM
    return True, all(verdict.is_solved for verdict in given), is_satisfied
