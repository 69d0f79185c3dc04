"""What is used at once, before any refit: closed and corrected cases, found again by the likeness of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.text import Weigher, bags

MOST_ROWS = 5_000
LEAST_LIKENESS = 0.2
LIKENESS_COUNTS = (0.35, 0.75)
"""Below the first a corrected case changes nothing; from the second on it decides as far as ``MOST_SHARE``."""

MOST_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Row:
    """One closed or corrected case: ``key`` as handed in (its number), ``code`` what it was in the end."""

    key: str
    words: str
    code: str
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Similar:
    """A case like this one; ``likeness`` in [0, 1]."""

    key: str
    code: str
    likeness: float
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """The newest cases, the newest first, with their weighed n-grams as an index: ``keys`` sorted, ``owners`` whose each is."""

    rows: tuple[Row, ...]
    weigher: Weigher
    keys: NDArray[np.uint32]
    owners: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Sequence[Row], weigher: Weigher) -> Memory:
        """From rows, the newest first; at most ``MOST_ROWS`` are kept. ``weigher``: the model's (``advice.weigher_for``)."""
        kept = tuple(rows[:MOST_ROWS])
        weighed = weigher.rows(bags([row.words for row in kept]))
        order = np.argsort(weighed.keys, kind="stable")
        return cls(kept, weigher, weighed.keys[order], weighed.rows[order], weighed.values[order])

    def with_row(self, row: Row) -> Memory:
        """One more, at once; an older row of the same case gives way."""
        return Memory.of([row, *(each for each in self.rows if each.key != row.key)], self.weigher)

    def nearest(self, words: str, most: int = 3, *, corrected: bool = False) -> list[Similar]:
        """The cases whose words are most like these; ``corrected``: among corrections only."""
        if not self.rows:
            return []
        likeness = self._likeness(words)
        if corrected:
            likeness = np.where([row.is_correction for row in self.rows], likeness, 0)
        best = np.argsort(-likeness, kind="stable")[:most]
        found = [(self.rows[n], float(likeness[n])) for n in best if likeness[n] >= LEAST_LIKENESS]
        return [Similar(row.key, row.code, min(1.0, alike), row.is_correction) for row, alike in found]

    def _likeness(self, words: str) -> NDArray[np.float64]:
        """The cosine with each row, through the index: only what shares an n-gram is touched."""
        asked = self.weigher.rows(bags([words]))
        first = np.searchsorted(self.keys, asked.keys, "left")
        count = np.searchsorted(self.keys, asked.keys, "right") - first
        begins = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) if len(count) else first
        at = begins + np.arange(len(begins))
        products = self.values[at] * np.repeat(asked.values, count)
        return np.bincount(self.owners[at], products, len(self.rows)).astype(np.float64)


def share_of(similar: Similar) -> float:
    """How much a corrected case counts against the model: 0 to ``MOST_SHARE``, straight between."""
    low, high = LIKENESS_COUNTS
    return MOST_SHARE * min(1.0, max(0.0, (similar.likeness - low) / (high - low)))
