"""What opens the tiles: a signed token that a page hands its map (``core.street_tokens``)."""

from __future__ import annotations

from datetime import datetime

from jiequ.core.street_tokens import BadToken, streets_in, token_for
from jiequ.people.rules import Actor

__all__ = ["BadToken", "streets_of", "token_of"]
SALT = "jiequ.tiles"


def token_of(actor: Actor, *, at: datetime) -> str:
    """A token for the streets somebody works in (a district seat: all)."""
    is_of_district = any(seat.street_id is None for seat in actor.seats)
    return token_for(None if is_of_district else actor.streets(), salt=SALT, at=at)


def streets_of(token: str, *, at: datetime) -> tuple[int, ...] | None:
    """The streets a token opens, None for all; BadToken otherwise."""
    return streets_in(token, salt=SALT, at=at)
