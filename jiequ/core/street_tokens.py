"""Signed tokens for some streets: a page hands one to what it loads beside itself (maps, pictures), and no row is read there.

A token stays the same for half a day, so that a browser keeps what it loaded, and ends between 12 and 24 hours after it was
made. Nothing of a person is in it. The salt tells what it opens: one for maps opens no pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.signing import BadSignature, Signer

HALF_DAY_SECONDS = 43_200


class BadToken(Exception):
    """No token, not ours, of another salt, or over."""


def token_for(streets: Iterable[int] | None, *, salt: str, at: datetime) -> str:
    """A token for these streets, None: for all."""
    ends = (int(at.timestamp()) // HALF_DAY_SECONDS + 2) * HALF_DAY_SECONDS
    return Signer(salt=salt).sign_object({"s": None if streets is None else sorted(streets), "e": ends})


def streets_in(token: str, *, salt: str, at: datetime) -> tuple[int, ...] | None:
    """The streets a token opens, None for all; BadToken otherwise."""
    try:
        told = Signer(salt=salt).unsign_object(token)
        streets, ends = told["s"], int(told["e"])
    except (BadSignature, ValueError, KeyError, TypeError) as error:
        raise BadToken from error
    if ends <= at.timestamp():
        raise BadToken
    return None if streets is None else tuple(int(one) for one in streets)
