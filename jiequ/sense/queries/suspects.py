"""Suspects as lists, maps and files show them."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q

from ..models import Suspect, SuspectState

SHOWN = 50
MOST_ON_MAP = 3000
TONES = {"open": "go", "confirmed": "stop", "lawful": "done", "quiet": "plain", "reflight": "warn", "merged": "plain"}
Bounds = tuple[float, float, float, float]


def rows(
    *, street_id: int, state: str = "", hint: str = "", page: int = 1, unread: Collection[int] = ()
) -> tuple[list[Suspect], bool]:
    """One page of suspects, open ones in their turn, others newest first, and whether there is another. One SELECT.

    ``unread``: those that are to look open, whatever was said of them (``desk.second_readings``); they come back so.
    """
    found = Suspect.objects.filter(street_id=street_id).select_related("point").defer("geometry")
    if state == SuspectState.OPEN:
        found = found.filter(Q(state=state) | Q(pk__in=unread))
    elif state in SuspectState.values:
        found = found.filter(state=state).exclude(pk__in=unread)
    else:
        found = found.exclude(state=SuspectState.MERGED)
    if hint:
        found = found.filter(hint=hint)
    order = ("turn", "pk") if state == SuspectState.OPEN else ("-last_on", "-pk")
    first = (page - 1) * SHOWN
    kept = list(found.order_by(*order)[first : first + SHOWN + 1])
    return as_unread(kept[:SHOWN], unread), len(kept) > SHOWN


def as_unread(found: list[Suspect], unread: Collection[int]) -> list[Suspect]:
    """The same rows; those in ``unread`` look open. For showing only: they must not be saved."""
    for one in found:
        if one.pk in unread:
            one.state = SuspectState.OPEN
    return found


def counts(street_id: int, unread: Collection[int] = ()) -> dict[str, int]:
    """How many suspects are in each state, those in ``unread`` counted as open. One SELECT."""
    found = Suspect.objects.filter(street_id=street_id).exclude(pk__in=unread).order_by()
    told = dict(found.values_list("state").annotate(n=Count("id")))
    told[SuspectState.OPEN] = told.get(SuspectState.OPEN, 0) + len(unread)
    return {state: told.get(state, 0) for state in SuspectState.values}


def on_map(street_id: int, unread: Collection[int] = ()) -> list[Suspect]:
    """The newest suspects with their shapes, merged ones left out. One SELECT."""
    found = Suspect.objects.filter(street_id=street_id).exclude(state=SuspectState.MERGED)
    return as_unread(list(found.order_by("-last_on", "-pk")[:MOST_ON_MAP]), unread)


def near(street_id: int, bounds: Bounds) -> list[Suspect]:
    """Suspects whose middle lies in west, south, east, north. One SELECT."""
    west, south, east, north = bounds
    found = Suspect.objects.filter(street_id=street_id, lon__range=(west, east), lat__range=(south, north))
    return list(found.exclude(state=SuspectState.MERGED).order_by("pk")[:200])
