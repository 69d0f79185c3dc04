"""The supervisor's board: lights by department, community and type; urges; samples; returns; what was not delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from django.utils.translation import get_language

from jiequ.cases.models import Case
from jiequ.cases.queries import supervise
from jiequ.cases.queries.supervise import Scope
from jiequ.channels.queries import OldestLost, oldest_lost
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.people.rules import Actor

from ..periods import Period
from .names import names_of

COUNTED = (
    *("unsolved", "urgent", "repeated", "decide", "urge_open", "urge_overdue", "urge_answered"),
    *("sample_open", "sample_sound", "sample_unsound", "returned", "bounce_near", "undelivered"),
)


@dataclass(frozen=True, slots=True)
class Lights:
    """One department, community or type: its open cases by light."""

    key: int
    name: str
    lights: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.lights.values())


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the board. Each number is the length of the list of ``supervise.matter`` under its name."""

    all: dict[str, int]
    groups: dict[str, list[Lights]]
    counts: dict[str, int]
    reasons: dict[str, int]
    reddest: list[Case]
    lost: OldestLost | None


def scope_of(streets: tuple[Street, ...], period: Period, *, at: datetime, actor: Actor) -> Scope:
    """The streets and the period as the ledger asks for them: moments, not days."""
    since, until = (datetime.combine(day, time(), tzinfo=ZONE) for day in (period.since, period.until))
    return supervise.scope_of(streets, since=since, until=until, at=at, actor=actor)


def board(scope: Scope) -> Board:
    """The board of some streets. About twenty SELECTs, each over open cases or a narrow index."""
    lights = supervise.lights(scope)
    return Board(
        all=lights["all"].get(0, dict.fromkeys(supervise.LIGHT_KEYS, 0)),
        groups={group: _named(group, lights[group]) for group in supervise.GROUPS},
        counts=supervise.how_many(scope, COUNTED),
        reasons=supervise.return_reasons(scope),
        reddest=supervise.reddest(scope),
        lost=oldest_lost(scope.street_ids, language=get_language() or scope.actor.language),
    )


def _named(group: str, rows: dict[int, dict[str, int]]) -> list[Lights]:
    """With names, in the order of names: no ranking."""
    names = names_of(group, rows)
    found = [Lights(key, names.get(key, f"#{key}"), lights) for key, lights in rows.items()]
    return sorted(found, key=lambda row: (row.key == 0, row.name))
