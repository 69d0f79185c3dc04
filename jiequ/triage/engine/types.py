"""What the engine is handed: reports, the district's own types, and the types' confirmed cases. No word is made here."""

from __future__ import annotations

from dataclasses import dataclass

OTHER = "other"
"""The answer 'other, or not ours': a code like any other, never a type of the district."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said, and the little that is known about it. ``place``: a code; ``hour``: 0 to 23, local."""

    words: str
    title: str = ""
    source: str = ""
    place: str = ""
    hour: int | None = None


@dataclass(frozen=True, slots=True)
class EventType:
    """One type a report can have. ``path``: its names from the top of the tree to itself; ``hints``: what else names it."""

    code: str
    path: tuple[str, ...]
    hints: str = ""

    @property
    def name(self) -> str:
        """Its own name, the last of the path."""
        return self.path[-1] if self.path else ""

    @property
    def above(self) -> tuple[str, ...]:
        """The branch it hangs on."""
        return self.path[:-1]


@dataclass(frozen=True, slots=True)
class Example:
    """A case whose type a person confirmed. ``at``: ISO date; ``by``: who decided, as an opaque key."""

    key: str
    report: Report
    code: str
    at: str = ""
    is_correction: bool = False
    by: str = ""
