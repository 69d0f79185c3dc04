"""One case as the ledger tells it to whoever counts: plain values, no texts, nobody's name. Pure; imports nothing of Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClockSight:
    """A clock's outcome: when its limit runs (or ran) out, when it stopped, and whether any of its runs was late."""

    due_at: datetime
    stopped_at: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Voice:
    """One report: from which source, when."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """One reporter's rating; ``satisfaction`` 1 to 5; ``is_by_phone``: taken in a call-back; ``is_from_outside``: in one that
    an outside system made and told us of, which is no rating of ours."""

    is_solved: bool
    satisfaction: int
    is_by_phone: bool
    is_from_outside: bool = False


@dataclass(frozen=True, slots=True)
class LedgerCase:
    """What is counted of a case. ``clocks`` by kind; ``departments``: how many it was sent to as lead, one after the other."""

    case_id: int
    street_id: int
    community_id: int | None
    event_type_id: int | None
    department_id: int | None
    source: str
    state: str
    closing: str
    reported_at: datetime
    accepted_at: datetime | None
    dispatched_at: datetime | None
    acknowledged_at: datetime | None
    confirmed_at: datetime | None
    checked_at: datetime | None
    ended_at: datetime | None
    is_exempt: bool
    is_deferred: bool
    is_imported: bool
    needs_check: bool
    reworks: int
    reopens: int
    departments: int
    clocks: Mapping[str, ClockSight]
    voices: tuple[Voice, ...]
    verdicts: tuple[Verdict, ...]
