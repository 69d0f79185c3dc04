"""What opens imagery tiles: a signed token (``core.street_tokens``) for the streets whose imagery a reader may see.

Apart from the token of the maps: these pictures show people's yards before anything is blurred.
"""

from __future__ import annotations

from datetime import datetime

from jiequ.core.street_tokens import BadToken, streets_in, token_for
from jiequ.people.rules import Actor

from .access import VIEWERS

__all__ = ["BadToken", "streets_of", "token_of"]
SALT = "jiequ.sense.tiles"


def token_of(actor: Actor, *, at: datetime) -> str:
    """A token for the streets in which the actor is analyst or pilot (a district seat: all)."""
    streets = {seat.street_id for seat in actor.seats if seat.role in VIEWERS}
    return token_for(None if None in streets else {one for one in streets if one is not None}, salt=SALT, at=at)


def streets_of(token: str, *, at: datetime) -> tuple[int, ...] | None:
    """The streets a token opens, None for all; BadToken otherwise."""
    return streets_in(token, salt=SALT, at=at)
