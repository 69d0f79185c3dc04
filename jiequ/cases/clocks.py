"""The clocks of a case (DOMAIN §3). Pure; imports nothing of Django.

A clock is a value: it is written with its case, in the case's own row, so that no move can change the one without the
other. Its entries are its history: who started, paused, extended or stopped it, when, why, and how many seconds had counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from jiequ.core.worktime import Limit, Unit, WorkCalendar

YELLOW_SHARE = 0.8
"""Green up to 80 % of the limit, yellow up to 100 %, red beyond (DOMAIN §3, read in the code of a real system)."""

ESCALATION_SHARES: Mapping[str, float] = {"yellow": YELLOW_SHARE, "red": 1.0, "leader": 1.5}
"""At yellow the handler is told, at red the department lead, at half a limit more the leader (the last share is ours)."""


MOST_EXTENSIONS = 2
"""How often a clock may be extended, each time by at most one original limit (DOMAIN §3, read in a real system)."""


class ClockKind(StrEnum):
    """What is being waited for."""

    ACCEPT = "accept"
    VERIFY = "verify"
    DISPATCH = "dispatch"
    ACKNOWLEDGE = "acknowledge"
    HANDLE = "handle"
    CHECK = "check"
    OUTER = "outer"  # printed on the hotline's order; it wins


class Light(StrEnum):
    """What a clock shows."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    PAUSED = "paused"
    NONE = "none"


class ClockFault(ValueError):
    """A change that a clock in this condition does not take."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a clock's history; ``counted`` are the seconds counted so far, ``due`` the due moment afterwards."""

    at: str
    what: str
    counted: int
    due: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A limit that runs, pauses and stops. ``limit`` and ``counted`` are seconds of its unit's own time."""

    kind: ClockKind
    unit: Unit
    limit: int
    original: int
    condition: str  # running | paused | stopped
    started_at: datetime
    resumed_at: datetime
    due_at: datetime
    yellow_at: datetime
    counted: int = 0
    stopped_at: datetime | None = None
    extensions: int = 0
    suspensions: int = 0
    is_provisional: bool = False
    is_exempt: bool = False
    entries: tuple[Entry, ...] = field(default_factory=tuple)

    @property
    def is_running(self) -> bool:
        """True while seconds count."""
        return self.condition == "running"

    @property
    def is_late(self) -> bool:
        """True if the clock was stopped after it was due (asked of a stopped clock)."""
        return self.condition == "stopped" and self.counted > self.limit

    def is_overdue(self, at: datetime) -> bool:
        """True if more than the limit has counted by ``at``, stopped or not."""
        return self.is_late if self.stopped_at else self.is_running and at > self.due_at

    def was_due_by(self, at: datetime) -> bool:
        """Like ``is_overdue``; a clock that pauses after its limit was late before it paused."""
        return self.is_overdue(at) or self.counted > self.limit

    def light(self, at: datetime) -> Light:
        """What it shows at ``at``; a stopped clock shows what it showed when it stopped."""
        if self.condition == "paused":
            return Light.PAUSED
        moment = self.stopped_at or at
        if moment > self.due_at:
            return Light.RED
        return Light.YELLOW if moment > self.yellow_at else Light.GREEN


def start(kind: ClockKind, limit: Limit, *, at: datetime, calendar: WorkCalendar, by: str = "", reason: str = "") -> Clock:
    """A clock that runs from ``at``."""
    seconds = calendar.seconds_of(limit)
    clock = Clock(
        kind=kind,
        unit=limit.unit,
        limit=seconds,
        original=seconds,
        condition="running",
        started_at=at,
        resumed_at=at,
        due_at=at,
        yellow_at=at,
    )
    return _noted(_aimed(clock, calendar), "start", at, by, reason)


def start_until(kind: ClockKind, due_at: datetime, *, at: datetime, by: str = "", reason: str = "") -> Clock:
    """A clock with an outside due moment (a hotline order's), counted in natural seconds."""
    seconds = max(1, int((due_at - at).total_seconds()))
    yellow_at = at + (due_at - at) * YELLOW_SHARE
    clock = Clock(
        kind, Unit.URGENT_HOUR, seconds, seconds, "running", started_at=at, resumed_at=at, due_at=due_at,
        yellow_at=yellow_at,
    )  # fmt: skip
    return _noted(clock, "start", at, by, reason)


def counted_by(clock: Clock, at: datetime, calendar: WorkCalendar) -> int:
    """Seconds counted by ``at``."""
    if not clock.is_running:
        return clock.counted
    return clock.counted + calendar.counted_seconds(clock.unit, clock.resumed_at, max(at, clock.resumed_at))


def pause(
    clock: Clock,
    *,
    at: datetime,
    calendar: WorkCalendar,
    by: str = "",
    reason: str = "",
    is_suspension: bool = False,
) -> Clock:
    """Seconds stop counting until ``resume``. A suspension (挂账) is remembered: it is granted once."""
    if not clock.is_running:
        raise ClockFault("only a running clock can be paused")
    paused = replace(clock, condition="paused", counted=counted_by(clock, at, calendar), resumed_at=at)
    return _noted(replace(paused, suspensions=clock.suspensions + is_suspension), "pause", at, by, reason)


def resume(clock: Clock, *, at: datetime, calendar: WorkCalendar, by: str = "", reason: str = "") -> Clock:
    """A paused or stopped clock counts on from what it had; the due moment moves by the time that did not count."""
    if clock.is_running:
        return clock
    running = replace(clock, condition="running", resumed_at=at, stopped_at=None)
    return _noted(_aimed(running, calendar), "resume", at, by, reason)


def extend(clock: Clock, seconds: int, *, at: datetime, calendar: WorkCalendar, by: str = "", reason: str = "") -> Clock:
    """Adds to the limit: at most one original limit each time, at most twice (DOMAIN §3)."""
    if clock.condition == "stopped":
        raise ClockFault("a stopped clock cannot be extended")
    if not 0 < seconds <= clock.original:
        raise ClockFault("an extension adds at most one original limit")
    if clock.extensions >= MOST_EXTENSIONS:
        raise ClockFault("a clock is extended at most twice")
    longer = replace(clock, limit=clock.limit + seconds, extensions=clock.extensions + 1)
    return _noted(_aimed(longer, calendar), "extend", at, by, reason)


def stop(clock: Clock, *, at: datetime, calendar: WorkCalendar, by: str = "", reason: str = "") -> Clock:
    """What was waited for has happened (or is no longer waited for)."""
    if clock.condition == "stopped":
        return clock
    counted = counted_by(clock, at, calendar)
    return _noted(replace(clock, condition="stopped", counted=counted, stopped_at=at), "stop", at, by, reason)


def move_due(clock: Clock, due_at: datetime, *, at: datetime, by: str = "", reason: str = "") -> Clock:
    """The outside world gave an outer clock another due moment."""
    seconds = max(1, int((due_at - clock.started_at).total_seconds()))
    yellow_at = clock.started_at + (due_at - clock.started_at) * YELLOW_SHARE
    return _noted(replace(clock, limit=seconds, due_at=due_at, yellow_at=yellow_at), "extend", at, by, reason)


def exempt(clock: Clock, *, at: datetime, by: str = "", reason: str = "") -> Clock:
    """An appeal was granted: late it stays, the statistics leave it out (DOMAIN §3)."""
    return _noted(replace(clock, is_exempt=True), "exempt", at, by, reason)


def recompute(clock: Clock, *, at: datetime, calendar: WorkCalendar, reason: str = "") -> Clock:
    """The day table changed: the due moment of a running clock is worked out again; seconds already counted stay."""
    if not clock.is_running or clock.kind == ClockKind.OUTER:
        return clock
    counted = counted_by(clock, at, calendar)
    aimed = _aimed(clock, calendar)
    if aimed.due_at == clock.due_at and aimed.is_provisional == clock.is_provisional:
        return clock
    return _noted(replace(aimed, counted=clock.counted), "recompute", at, "", reason, counted=counted)


def moment_of(clock: Clock, share: float, calendar: WorkCalendar) -> datetime:
    """When ``share`` of the limit will have counted, if the clock runs on."""
    if clock.kind == ClockKind.OUTER:
        return clock.started_at + (clock.due_at - clock.started_at) * share
    rest = max(0, round(clock.limit * share) - clock.counted)
    return calendar.due(clock.unit, rest, clock.resumed_at).at


def leading(clocks: Iterable[Clock]) -> Clock | None:
    """The clock that lights the lamp: of those running, the one due first; the outer one wins a tie."""
    running = [clock for clock in clocks if clock.is_running]
    return min(running, key=lambda c: (c.due_at, c.kind != ClockKind.OUTER), default=None)


def _aimed(clock: Clock, calendar: WorkCalendar) -> Clock:
    due = calendar.due(clock.unit, max(0, clock.limit - clock.counted), clock.resumed_at)
    yellow = calendar.due(clock.unit, max(0, round(clock.limit * YELLOW_SHARE) - clock.counted), clock.resumed_at)
    return replace(clock, due_at=due.at, yellow_at=yellow.at, is_provisional=due.is_provisional)


def _noted(clock: Clock, what: str, at: datetime, by: str, reason: str, *, counted: int | None = None) -> Clock:
    entry = Entry(
        at=at.isoformat(),
        what=what,
        counted=clock.counted if counted is None else counted,
        due=clock.due_at.isoformat(),
        by=by,
        reason=reason,
    )
    return replace(clock, entries=(*clock.entries, entry))


Clocks = dict[ClockKind, Clock]
"""The clocks of one case by kind; a kind that runs again (a second dispatch) keeps its earlier history in its entries."""


def dump(clocks: Mapping[ClockKind, Clock]) -> dict[str, Any]:
    """For the case's row."""
    return {str(kind): {k: _plain(v) for k, v in asdict(clock).items()} for kind, clock in clocks.items()}


def load(stored: Mapping[str, Any]) -> Clocks:
    """From the case's row."""
    return {ClockKind(kind): _clock(dict(value)) for kind, value in stored.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _clock(stored: dict[str, Any]) -> Clock:
    for name in ("started_at", "resumed_at", "due_at", "yellow_at", "stopped_at"):
        stored[name] = datetime.fromisoformat(stored[name]) if stored[name] else None
    stored["kind"] = ClockKind(stored["kind"])
    stored["unit"] = Unit(stored["unit"])
    stored["entries"] = tuple(Entry(**entry) for entry in stored["entries"])
    return Clock(**stored)
