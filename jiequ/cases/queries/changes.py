"""What happened lately, and which of it one reader may hear of. The timeline itself is the feed: no move writes a row more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from jiequ.people.rules import Actor

from ..models import Case, CaseEvent
from ..models.case import at_desk_in
from .lists import light_of

OUT_OF_ORDER = timedelta(seconds=20)
"""On PostgreSQL a transaction that took its number earlier may commit later; ours are over long before this."""
MOST_EVENTS = 2000
MOST_CASES = 200
"""More at once than a page wants to hear of one by one: it is told to look again at everything."""
_BEFORE_THE_PAGE = timedelta(seconds=10)
"""A move carries the moment it was asked for; it may be stored, and seen, so much later than that."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of some case's timeline."""

    event_id: int
    case_id: int
    move: str
    at: datetime


def newest_event() -> int:
    """The number of the newest event, 0 if there is none. One SELECT."""
    return CaseEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def happened(after: int) -> list[Happening]:
    """Events with a higher number, oldest first, at most ``MOST_EVENTS``. One SELECT."""
    rows = CaseEvent.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "case_id", "move", "at")
    return [Happening(*row) for row in rows[:MOST_EVENTS]]


def happened_since(moment: datetime) -> list[Happening]:
    """What a page made at ``moment`` may not show yet, oldest first, at most ``MOST_EVENTS``. One SELECT."""
    rows = CaseEvent.objects.order_by("-pk").values_list("pk", "case_id", "move", "at")[:MOST_EVENTS]
    return [Happening(*row) for row in reversed(rows) if row[3] >= moment - _BEFORE_THE_PAGE]


def settled(rows: Sequence[Happening], after: int, at: datetime) -> int:
    """Up to which number nothing more will turn up: below the first gap that is still young.

    ``rows``: everything above ``after``. SQLite numbers and commits in one order, so there it is simply the newest.
    """
    if not rows:
        return after
    if connection.vendor == "sqlite":
        return rows[-1].event_id
    before = after
    for row in rows:
        if row.event_id != before + 1 and row.at > at - OUT_OF_ORDER:
            return before
        before = row.event_id
    return before


def by_case(rows: Iterable[Happening]) -> dict[int, list[Happening]]:
    """Which cases, and what happened to each."""
    found: dict[int, list[Happening]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found


def told(actors: Iterable[Actor], happenings: Mapping[int, Sequence[Happening]], *, at: datetime) -> dict[Actor, list[Change]]:
    """What each reader hears: ids, number, state, light and the kinds of change; never a word or a name.

    Only of cases they may see now; whoever lost a case hears nothing more of it. One SELECT, and one for each reader who sees
    one of the cases by something else than a seat at its desk, or not at all.
    """
    cases = list(Case.objects.filter(pk__in=list(happenings)).only(*_SAID).order_by("pk"))
    changes = {case.pk: _change(case, happenings[case.pk], at) for case in cases}
    return {actor: [changes[case.pk] for case in seen(actor, cases)] for actor in actors}


Change = dict[str, Any]
_SAID = ("number", "state", "yellow_at", "due_at", "street_id")


def _change(case: Case, rows: Sequence[Happening], at: datetime) -> Change:
    return {
        "id": case.pk,
        "number": case.number,
        "state": case.state,
        "light": light_of(case, at).value,
        "did": list(dict.fromkeys(one.move for one in rows)),
        "events": [one.event_id for one in rows if one.event_id],
    }


def seen(actor: Actor, cases: Sequence[Case]) -> list[Case]:
    """Those of these cases the actor may see, in their order.

    A seat at the desk of a case's street is a ground by itself (``models.case.grounds``) and needs no question; for the rest
    the one query that decides about sight is asked. At most one SELECT.
    """
    at_desk = at_desk_in(actor, frozenset(case.street_id for case in cases))
    rest = [case.pk for case in cases if case.street_id not in at_desk]
    others = set(Case.objects.visible_to(actor).filter(pk__in=rest).values_list("pk", flat=True)) if rest else set()
    return [case for case in cases if case.pk in others or case.street_id in at_desk]


def news(actors: Iterable[Actor], rows: Sequence[Happening], *, at: datetime) -> dict[Actor, dict[str, Any]]:
    """For each reader ``{"changes": […], "all": false}``, or ``{"all": true}`` where there is too much to name (``told``)."""
    found = by_case(rows)
    if len(found) > MOST_CASES or len(rows) >= MOST_EVENTS:
        return {actor: {"changes": [], "all": True} for actor in actors}
    heard = told(actors, found, at=at) if found else {}
    return {actor: {"changes": heard.get(actor, []), "all": False} for actor in actors}


def news_of(actor: Actor, rows: Sequence[Happening], *, at: datetime) -> dict[str, Any]:
    """``news`` for one reader."""
    return news([actor], rows, at=at)[actor]
