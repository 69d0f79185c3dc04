"""What opens imagery tiles: a signed token for the streets in which a reader may see imagery, good for half a day to a day.

Apart from the token of the maps: these pictures show people's yards before anything is blurred.
"""

from __future__ import annotations

from datetime import datetime

from django.core.signing import BadSignature, Signer

from jiequ.people.rules import Actor

from .access import VIEWERS

HALF_DAY_SECONDS = 43_200
_SIGNER = Signer(salt="jiequ.sense.tiles")


class BadToken(Exception):
    """No token, not ours, or over."""


def token_of(actor: Actor, *, at: datetime) -> str:
    """A token for the streets in which the actor is analyst or pilot (a district seat: all)."""
    seats = [seat for seat in actor.seats if seat.role in VIEWERS]
    streets = None if any(seat.street_id is None for seat in seats) else sorted({seat.street_id or 0 for seat in seats})
    ends = (int(at.timestamp()) // HALF_DAY_SECONDS + 2) * HALF_DAY_SECONDS
    return _SIGNER.sign_object({"s": streets, "e": ends})


def streets_of(token: str, *, at: datetime) -> tuple[int, ...] | None:
    """The streets a token opens, None for all; BadToken otherwise."""
    try:
        told = _SIGNER.unsign_object(token)
        streets, ends = told["s"], int(told["e"])
    except (BadSignature, ValueError, KeyError, TypeError) as error:
        raise BadToken from error
    if ends <= at.timestamp():
        raise BadToken
    return None if streets is None else tuple(int(one) for one in streets)
