"""What the process asks the database, a few times a second, in one thread of its own: what is new, and who may hear it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jiequ.cases.queries import changes, desk
from jiequ.core import clock
from jiequ.people.callers import actors_of_sessions
from jiequ.people.rules import DESK_ROLES, Actor

READING = "reading"
"""Not a move: somebody opened or closed the case. For the desk only, and who it is does not travel."""
_LOOK_BACK = 200  # events; so many may still be on their way when the process starts


@dataclass(frozen=True, slots=True)
class Look:
    """One look: ``told`` by session; a session that is not in ``alive`` has ended. ``alive`` is None where nobody asked."""

    floor: int
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    alive: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """Who has come, and what they missed."""

    person_id: int
    language: str
    floor: int
    missed: dict[str, Any]


class Watch:
    """Remembers up to where the timeline was told. Not for two threads at once."""

    def __init__(self) -> None:
        self.floor: int | None = None
        self._seen: set[int] = set()
        self._readings: set[tuple[int, int]] = set()

    def look(self, sessions: Iterable[str], *, check: bool) -> Look:
        """What is new for each session, the right to see it asked afresh. ``check``: who is alive, even if nothing is new."""
        at = clock.now()
        fresh = self._fresh(at) + self._read(at)
        if not fresh and not check:
            return Look(self.floor or 0)
        actors = actors_of_sessions(sessions, at=at)
        return Look(self.floor or 0, _told(actors, fresh, at) if fresh else {}, frozenset(actors))

    def _fresh(self, at: datetime) -> list[changes.Happening]:
        if self.floor is None:  # whoever comes now is told what they missed when they come
            rows = changes.happened(max(0, changes.newest_event() - _LOOK_BACK))
            self._seen = {row.event_id for row in rows}
            self.floor = changes.settled(rows, rows[0].event_id - 1, at) if rows else 0
        rows = changes.happened(self.floor)
        fresh = [row for row in rows if row.event_id not in self._seen]
        is_full = len(rows) >= changes.MOST_EVENTS
        self.floor = rows[-1].event_id if is_full else changes.settled(rows, self.floor, at)
        self._seen = {row.event_id for row in rows if row.event_id > self.floor}
        return fresh

    def _read(self, at: datetime) -> list[changes.Happening]:
        """Cases that somebody opened or closed at the desk since the last look."""
        now = desk.readings(at)
        changed = {case_id for case_id, _person in now ^ self._readings}
        self._readings = now
        return [changes.Happening(0, case_id, READING, at) for case_id in sorted(changed)]

    def welcome(self, session: str, *, since: int | None, page_at: datetime | None) -> Welcome | None:
        """A reader who comes, or comes back after ``since``; None if the session opens nothing."""
        at = clock.now()
        actor = actors_of_sessions([session], at=at).get(session)
        if actor is None or actor.person_id is None:
            return None
        if since is None and page_at is None:
            return Welcome(actor.person_id, actor.language, changes.newest_event(), {"changes": [], "all": False})
        rows = changes.happened(since) if since is not None else changes.happened_since(page_at or at)
        floor = changes.settled(rows, since, at) if since is not None else _floor(rows, at)
        return Welcome(actor.person_id, actor.language, floor, changes.news_of(actor, rows, at=at))


def _floor(rows: list[changes.Happening], at: datetime) -> int:
    return changes.settled(rows, rows[0].event_id - 1, at) if rows else changes.newest_event()


def _told(actors: dict[str, Actor], fresh: list[changes.Happening], at: datetime) -> dict[str, dict[str, Any]]:
    """One answer a person, however many pages they have open. Who reads a case is for the desk only."""
    moves = [row for row in fresh if row.move != READING]
    at_desk = {actor for actor in actors.values() if actor.has(*DESK_ROLES)}
    heard = changes.news(at_desk, fresh, at=at) | changes.news(set(actors.values()) - at_desk, moves, at=at)
    return {session: heard[actor] for session, actor in actors.items() if heard[actor]["changes"] or heard[actor]["all"]}
