"""Whole numbers that somebody sent as text: ids, versions, where a list goes on."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_ID = 18
"""Digits of an id: every database keeps so many in eight bytes."""


def whole(text: object, digits: int = LONGEST_ID) -> int | None:
    """The number, or None for anything else: "²" is a digit to Python and no number, and no row has a longer one."""
    said = str(text)
    return int(said) if said.isascii() and said.isdigit() and len(said) <= digits else None


def wholes(texts: Iterable[object]) -> list[int]:
    """Those of several texts that are ids, in their order; the others are left out."""
    return [number for text in texts if (number := whole(text)) is not None]
