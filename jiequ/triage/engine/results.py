"""What the engine answers with: codes and facts. Words for them, in either language, are made where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = str | int | float


class Level(StrEnum):
    """How far a suggestion goes by itself; a person decides in each case."""

    FILL = "fill"  # stands in the form, to be looked at
    PRESELECT = "preselect"  # marked among three, taken with one key
    CHOICES = "choices"  # three to choose from, none marked
    NONE = "none"  # nothing worth saying


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is suggested: a ``kind`` that pages have words for, and facts (counts, codes, n-grams; no person)."""

    kind: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One answer: the ``code`` of a type, a department, a place or a report, and how likely it is right, in [0, 1]."""

    code: str
    confidence: float
    reasons: tuple[Reason, ...] = ()
