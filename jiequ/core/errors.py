"""Refusals: the one way the domain says no.

A refusal names what happened, to which thing, and what to do, in the reader's language; facts travel as data.
"""

from __future__ import annotations

import re
from typing import Any


class Refusal(Exception):
    """The request was understood and is refused; nothing was stored."""

    status = 422

    def __init__(self, code: str, message: str, *, facts: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.facts: dict[str, Any] = facts or {}

    def __str__(self) -> str:
        return str(self.message)


class Unauthenticated(Refusal):
    """Nobody is signed in, or the link is no longer good."""

    status = 401


class Forbidden(Refusal):
    """The thing is visible to the reader, the act is not theirs."""

    status = 403


class NotFound(Refusal):
    """No such thing, or not one the reader may see: the two are told alike."""

    status = 404


class Stale(Refusal):
    """Somebody else changed the thing first."""

    status = 409


class Taken(Refusal):
    """The reference stands for something else already."""

    status = 409


class Throttled(Refusal):
    """Too many tries; ``facts["retry_after_seconds"]`` says when to come back."""

    status = 429


_PRIVATE = re.compile(r"""[\u3400-\u9fff]+|\d{4,}|'[^']*'|"[^"]*"|\([^)]*\)|\S+@\S+""")


def plain(error: BaseException) -> str:
    """Class and first line of an error, with everything masked that could be about a person: it is shown and logged."""
    if isinstance(error, Refusal):
        return f"{type(error).__name__}: {error.code}"
    first_line = str(error).split("\n", 1)[0]
    return f"{type(error).__name__}: {_PRIVATE.sub('…', first_line)}"[:300].rstrip(": ")
