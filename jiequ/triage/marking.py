"""A text cut where the n-grams that decided begin and end, for pages to mark. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Mark(Protocol):
    """From ``start`` to ``end`` in the text as given; ``weight`` > 0."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def weight(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the text; ``strength`` 0: it did not decide, 1 to 3: how much it did."""

    text: str
    strength: int = 0


def marked_parts(text: str, marks: Sequence[Mark]) -> list[Part]:
    """The whole text in order, no character lost or doubled; the strongest mark has strength 3."""
    most = max((mark.weight for mark in marks), default=0.0)
    parts, at = [], 0
    for mark in sorted(marks, key=lambda one: one.start):
        start, end = max(mark.start, at), min(mark.end, len(text))
        if end <= start:
            continue
        parts.append(Part(text[at:start]))
        parts.append(Part(text[start:end], 1 + min(2, int(3 * mark.weight / most)) if most else 1))
        at = end
    return [part for part in [*parts, Part(text[at:])] if part.text]
