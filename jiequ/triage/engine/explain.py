"""Which words decided: the n-grams that spoke for an answer, laid back onto the text as given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.fields import BODY_LENGTHS
from jiequ.triage.engine.linear import Linear
from jiequ.triage.engine.model import TextModel, branch_of
from jiequ.triage.engine.text import aligned, codes_of, found, gram_keys
from jiequ.triage.engine.types import EventType, Report

MOST_MARKS = 6
LEAST_SHARE = 0.25
"""A letter is marked when it speaks at least this much as loud as the loudest."""


@dataclass(frozen=True, slots=True)
class Mark:
    """``[start, end)`` in the report's words as given, in code points; ``weight`` in (0, 1], 1 the loudest."""

    start: int
    end: int
    weight: float


def marks(model: TextModel, report: Report, code: str) -> tuple[Mark, ...]:
    """The parts of the words that spoke for ``code`` against the other answers, in reading order, not overlapping."""
    plain, places = aligned(report.words)
    part, column = _speaker(model, code)
    if not plain or column is None:
        return ()
    loud = _loudness(part, column, codes_of(plain))
    if loud.max() <= 0:
        return ()
    runs = sorted(_runs(loud / loud.max()), key=lambda run: -run[2])[:MOST_MARKS]
    return tuple(Mark(places[first], places[last] + 1, round(weight, 3)) for first, last, weight in sorted(runs))


def _speaker(model: TextModel, code: str) -> tuple[Linear, int | None]:
    """Which table decides about a code, and its column: what was learnt, else the branch, else the names."""
    if model.learnt is not None:
        branches = [branch_of(each) for each in model.types if each.code == code]
        for name in (code, *branches):
            if name in model.learnt.codes:
                return model.learnt, model.learnt.codes.index(name)
    return model.names, model.names.codes.index(code) if code in model.names.codes else None


def _loudness(part: Linear, column: int, codes: NDArray[np.uint32]) -> NDArray[np.float64]:
    """What each letter adds for the answer, beyond what it adds for the others on average: ``[letters]``."""
    loud = np.zeros(len(codes))
    for n in BODY_LENGTHS:
        keys, whole = gram_keys(codes, n)
        place, is_known = found(part.weigher.keys, keys)
        at = np.flatnonzero(whole & is_known)
        weights = part.weights[place[at]] * part.scales
        others = (weights.sum(axis=1) - weights[:, column]) / max(1, weights.shape[1] - 1)
        said = (weights[:, column] - others) * part.weigher.idf[place[at]] / n
        for step in range(n):
            np.add.at(loud, at + step, said)
    return loud


def _runs(loud: NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Stretches of letters that are loud enough: first, last, the loudest."""
    enough = np.flatnonzero(loud >= LEAST_SHARE)
    for run in np.split(enough, np.flatnonzero(np.diff(enough) > 1) + 1):
        yield int(run[0]), int(run[-1]), float(loud[run].max())


def deciding_words(report: Report, found_marks: tuple[Mark, ...], most: int = 3) -> list[str]:
    """The loudest marked words, for a reason."""
    loudest = sorted(found_marks, key=lambda mark: -mark.weight)
    return list(dict.fromkeys(report.words[mark.start : mark.end].strip() for mark in loudest))[:most]


def type_of(model: TextModel, code: str) -> EventType | None:
    """The type of a code."""
    return next((each for each in model.types if each.code == code), None)
