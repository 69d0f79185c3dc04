"""Suspects as lists, maps and files show them."""

from __future__ import annotations

from django.db.models import Count

from ..models import Suspect, SuspectState

SHOWN = 50
MOST_ON_MAP = 3000
TONES = {"open": "go", "confirmed": "stop", "lawful": "done", "quiet": "plain", "reflight": "warn", "merged": "plain"}
Bounds = tuple[float, float, float, float]


def rows(*, street_id: int, state: str = "", hint: str = "", page: int = 1) -> tuple[list[Suspect], bool]:
    """One page of suspects, open ones in their turn, others newest first, and whether there is another. One SELECT."""
    found = Suspect.objects.filter(street_id=street_id).select_related("point").defer("geometry")
    found = found.filter(state=state) if state in SuspectState.values else found.exclude(state=SuspectState.MERGED)
    if hint:
        found = found.filter(hint=hint)
    order = ("turn", "pk") if state == SuspectState.OPEN else ("-last_on", "-pk")
    first = (page - 1) * SHOWN
    kept = list(found.order_by(*order)[first : first + SHOWN + 1])
    return kept[:SHOWN], len(kept) > SHOWN


def counts(street_id: int) -> dict[str, int]:
    """How many suspects are in each state. One SELECT."""
    told = dict(Suspect.objects.filter(street_id=street_id).order_by().values_list("state").annotate(n=Count("id")))
    return {state: told.get(state, 0) for state in SuspectState.values}


def on_map(street_id: int) -> list[Suspect]:
    """The newest suspects with their shapes, merged ones left out. One SELECT."""
    found = Suspect.objects.filter(street_id=street_id).exclude(state=SuspectState.MERGED)
    return list(found.order_by("-last_on", "-pk")[:MOST_ON_MAP])


def near(street_id: int, bounds: Bounds) -> list[Suspect]:
    """Suspects whose middle lies in west, south, east, north. One SELECT."""
    west, south, east, north = bounds
    found = Suspect.objects.filter(street_id=street_id, lon__range=(west, east), lat__range=(south, north))
    return list(found.exclude(state=SuspectState.MERGED).order_by("pk")[:200])
