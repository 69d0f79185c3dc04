"""From scores to probabilities that mean what they say, and from them to how far a suggestion goes by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.results import Level

FILL_RIGHT, PRESELECT_RIGHT, CHOICES_RIGHT = 0.97, 0.80, 0.40
"""How often what is filled in, what is marked, and one of the three shown must have been right on folds (our own proposal)."""

BINS = 15
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
FEWEST = 40
"""Fewer judged reports than this in a band prove nothing: the band stays closed."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least confidence of each level; above 1 never."""

    fill: float = 1.01
    preselect: float = 1.01
    choices: float = 0.0

    def level(self, confidence: float, of_three: float) -> Level:
        """``of_three``: how likely it is that one of the three is right."""
        if confidence >= self.fill:
            return Level.FILL
        if confidence >= self.preselect:
            return Level.PRESELECT
        return Level.CHOICES if of_three >= self.choices else Level.NONE


def softmax(scores: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """exp(score / temperature), each row summing to 1: ``[n, k]``."""
    hot = (scores - scores.max(axis=1, keepdims=True)) / temperature
    shares = np.exp(hot, dtype=np.float64)
    return shares / shares.sum(axis=1, keepdims=True)


def temperature_of(scores: NDArray[np.floating], places: NDArray[np.integer]) -> float:
    """The one temperature with the least negative log-likelihood (Guo et al., ICML 2017), by a search in its logarithm."""
    low, high = np.log(0.01), np.log(20.0)
    rows = np.arange(len(places))

    def loss(logarithm: float) -> float:
        return float(-np.log(softmax(scores, np.exp(logarithm))[rows, places] + 1e-12).mean())

    for _ in range(40):  # the loss is convex in 1 / temperature, so it has one valley
        third = (high - low) / 3
        low, high = (low + third, high) if loss(low + third) > loss(high - third) else (low, high - third)
    return float(np.exp((low + high) / 2))


def calibration_error(confidence: NDArray[np.floating], is_right: NDArray[np.bool_]) -> float:
    """Expected calibration error: 15 equal bins, the mean gap between confidence and rightness, weighed by reports."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.abs(np.bincount(bins, is_right, BINS) - np.bincount(bins, confidence, BINS))
    return float(gaps.sum() / max(1, len(confidence)))


def right_at(confidence: NDArray[np.floating], is_right: NDArray[np.bool_], coverage: float) -> float:
    """How often the most confident share of the answers is right."""
    first = np.argsort(-confidence, kind="stable")[: max(1, int(coverage * len(confidence)))]
    return float(is_right[first].mean()) if len(confidence) else 0.0


def macro_f1(codes: Sequence[str], truth: Sequence[str], answers: Sequence[str]) -> float:
    """The mean F1 over ``codes`` that occur in the truth."""
    met = [code for code in codes if code in set(truth)]
    return float(np.mean([f1_of(code, truth, answers)["f1"] for code in met])) if met else 0.0


def f1_of(code: str, truth: Sequence[str], answers: Sequence[str]) -> dict[str, float | int | str]:
    """Precision, recall and F1 of one code, and how many there are."""
    there = sum(each == code for each in truth)
    said = sum(each == code for each in answers)
    both = sum(one == code == other for one, other in zip(truth, answers, strict=True))
    f1 = 2 * both / (there + said) if there + said else 0.0
    return {
        "code": code,
        "n": there,
        "precision": round(both / said, 4) if said else 0.0,
        "recall": round(both / there, 4) if there else 0.0,
        "f1": f1,
    }


def thresholds_of(
    confidence: NDArray[np.floating],
    is_right: NDArray[np.bool_],
    of_three: NDArray[np.floating],
    is_among: NDArray[np.bool_],
) -> Thresholds:
    """From judged answers: each level begins where those at or above it, and below the next, were right often enough."""
    fill = _lowest(confidence, is_right, FILL_RIGHT)
    below = confidence < fill
    preselect = min(fill, _lowest(confidence[below], is_right[below], PRESELECT_RIGHT))
    below = confidence < preselect
    shown = _lowest(of_three[below], is_among[below], CHOICES_RIGHT)
    return Thresholds(fill, preselect, shown if shown <= 1 else 0.0)


def _lowest(confidence: NDArray[np.floating], is_right: NDArray[np.bool_], wanted: float) -> float:
    """The lowest confidence from which on upwards the answers were right as often as ``wanted``; 1.01 where none is."""
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((shares >= wanted) & (np.arange(1, len(order) + 1) >= FEWEST))
    return float(confidence[order[enough[-1]]]) if len(enough) else 1.01
