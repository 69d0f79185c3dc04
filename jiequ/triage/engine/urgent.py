"""Hard words first: what may cost a life within the hour raises the urgency, whatever the type turns out to be.

The starter list is ``data/urgent_words.csv`` (our own proposal); a district edits its copy and hands in its own rows.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jiequ.triage.engine.text import normalised
from jiequ.triage.engine.types import Report

DATA = Path(__file__).resolve().parent / "data"
DENIED = tuple("没无未不")
"""One of these right before the word takes it back (没漏电)."""


@dataclass(frozen=True, slots=True)
class UrgentWord:
    """``level``: 0 at once, 1 within the shift; ``code``: which danger; ``not_in``: longer words in which it means nothing."""

    word: str
    level: int
    code: str
    not_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Urgency:
    """The most urgent level met, its danger, and the words that say so."""

    level: int
    code: str
    words: tuple[str, ...]


@cache
def starter_words() -> tuple[UrgentWord, ...]:
    """The list that the product begins with."""
    with (DATA / "urgent_words.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            UrgentWord(row["word"], int(row["level"]), row["code"], tuple(row["not_in"].split()))
            for row in csv.DictReader(file)
        )


def urgency_of(report: Report, words: Sequence[UrgentWord] | None = None) -> Urgency | None:
    """The urgency that the words of a report ask for, or none."""
    text = normalised(f"{report.title} {report.words}")
    met = [each for each in (starter_words() if words is None else words) if _says(text, each)]
    if not met:
        return None
    first = min(met, key=lambda each: each.level)
    return Urgency(first.level, first.code, tuple(dict.fromkeys(each.word for each in met)))


def _says(text: str, urgent: UrgentWord) -> bool:
    word = normalised(urgent.word)
    for other in urgent.not_in:
        text = text.replace(normalised(other), " ")
    at = text.find(word) if word else -1
    while at >= 0:
        if not text[:at].endswith(DENIED):
            return True
        at = text.find(word, at + 1)
    return False
