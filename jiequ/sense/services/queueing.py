"""The order in which analysts look: seven of ten the likeliest, two the least certain, one at random (engine.ranking)."""

from __future__ import annotations

from ..engine.ranking import TOP, UNCERTAIN, queue_order
from ..models import Suspect, SuspectState

ROUND = 10
BATCH = 200


def reorder(street_id: int) -> int:
    """Every open suspect of a street gets its turn anew; returns how many there are. One SELECT, one UPDATE for 200."""
    rows = list(
        Suspect.objects.filter(street_id=street_id, state=SuspectState.OPEN)
        .order_by("pk")
        .values_list("pk", "confidence", "likelihood")
    )
    order = queue_order(rows, seed=street_id)
    turned = [Suspect(pk=pk, turn=float(turn), drawn_by=_why(turn)) for turn, pk in enumerate(order)]
    Suspect.objects.bulk_update(turned, ["turn", "drawn_by"], batch_size=BATCH)
    return len(turned)


def _why(turn: int) -> str:
    """Why the one at this turn stands there: each round of ten is filled in this order."""
    place = turn % ROUND
    return "top" if place < TOP else "uncertain" if place < TOP + UNCERTAIN else "random"
