"""What opens the tiles: a signed token that a page hands its map. Nothing of a person is in it, and no row is read to check it.

It stays the same for half a day, so that a browser keeps its tiles, and ends between 12 and 24 hours after it was made.
"""

from __future__ import annotations

from datetime import datetime

from django.core.signing import BadSignature, Signer

from jiequ.people.rules import Actor

HALF_DAY_SECONDS = 43_200
_SIGNER = Signer(salt="jiequ.tiles")


def token_of(actor: Actor, *, at: datetime) -> str:
    """A token for the streets somebody works in (a district seat: all)."""
    streets = None if any(seat.street_id is None for seat in actor.seats) else actor.streets()
    ends = (int(at.timestamp()) // HALF_DAY_SECONDS + 2) * HALF_DAY_SECONDS
    return _SIGNER.sign_object({"s": None if streets is None else sorted(streets), "e": ends})


class BadToken(Exception):
    """No token, not ours, or over."""


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
