"""Tables as files: XLSX, PDF, CSV. Nothing here is imported by a web worker but this page of plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Cell = str | int | float | None
MOST_ROWS = 50_000
MOST_PRINTED = 2000
"""A printed list of more is no use to anybody; and typst lays out all of it at once."""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: a name, lines above the table, headings, rows. Every heading has a kind: text, whole, share or moment.

    ``rows`` yields as many cells as there are headings: strings for text and moment, numbers for the others, None for nothing.
    """

    name: str
    headings: Sequence[str]
    kinds: Sequence[str]
    rows: Iterator[Sequence[Cell]]
    above: Sequence[str] = field(default_factory=tuple)
    total: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds: a title, where and when it is of, and its tables."""

    title: str
    place: str
    span: str
    made_at: datetime
    tables: Sequence[Table]
    notes: Sequence[str] = field(default_factory=tuple)
