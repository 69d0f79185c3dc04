"""What a report is: macro-F1, coverage, calibration on grouped folds; few labels and none; size, fit, speed.

A part of ``./run bench triage``.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.triage import REAL, at_least, at_most, row
from jiequ.triage.engine import files
from jiequ.triage.engine.calibrate import calibration_error, macro_f1, right_at, softmax, temperature_of
from jiequ.triage.engine.fitting import fit
from jiequ.triage.engine.linear import Linear
from jiequ.triage.engine.model import TextModel, nameless
from jiequ.triage.engine.names import by_name
from jiequ.triage.engine.types import EventType, Report

DRAWS, FEW = 5, 500


@dataclass(frozen=True)
class Texts:
    """The real messages: reports, labels, the folds that keep near-duplicates together, and the label scheme as types."""

    reports: list[Report]
    labels: list[str]
    fold: NDArray[np.int64]
    types: tuple[EventType, ...]

    @property
    def codes(self) -> list[str]:
        """The seven labels, in the order of the models' answers."""
        return [each.code for each in self.types]

    def picked(self, rows: NDArray[np.int64]) -> tuple[list[Report], list[str]]:
        """Reports and labels of some rows."""
        return [self.reports[n] for n in rows.tolist()], [self.labels[n] for n in rows.tolist()]


def main() -> None:
    """All rows of this part."""
    texts = read()
    scores = on_folds(texts)
    on_seven(texts, scores)
    without_labels(texts)
    with_few(texts)
    size_and_speed(texts)


def read() -> Texts:
    """Read in place; nothing of it is kept."""
    csv.field_size_limit(10**8)
    rows = _rows("train.csv")
    scheme: dict[str, list[str]] = {}
    for name in _rows("label_scheme_3level.csv"):
        scheme.setdefault(name["l1"], []).extend([name["l2"], name["l3"]])
    labels = [each["label"] for each in rows]
    types = tuple(EventType(code, (code,), " ".join(scheme[code])) for code in sorted(set(labels)))
    fold = np.array([int(each["fold"]) for each in rows])
    return Texts([Report(each["detail"], each["subject"]) for each in rows], labels, fold, types)


def _rows(name: str) -> list[dict[str, str]]:
    with (REAL / "text" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def on_folds(texts: Texts) -> NDArray[np.float32]:
    """Scores of each message by a model of the other four folds."""
    scores = np.zeros((len(texts.labels), len(texts.codes)), np.float32)
    for number in range(5):
        inside, outside = np.flatnonzero(texts.fold != number), np.flatnonzero(texts.fold == number)
        part = fit(*texts.picked(inside))
        if list(part.codes) != texts.codes:
            sys.exit("the model answers other codes than it was taught")
        scores[outside] = part.scores(texts.picked(outside)[0])
    return scores


def on_seven(texts: Texts, scores: NDArray[np.float32]) -> None:
    """The first two lines of the issue's table; a fold's temperature comes from the other folds."""
    places = np.array([texts.codes.index(label) for label in texts.labels])
    shares = np.zeros_like(scores, np.float64)
    for number in range(5):
        is_in = texts.fold == number
        shares[is_in] = softmax(scores[is_in], temperature_of(scores[~is_in], places[~is_in]))
    is_right = shares.argmax(axis=1) == places
    confidence = shares.max(axis=1)
    answers = [texts.codes[place] for place in shares.argmax(axis=1)]
    at_least("7 labels, macro-F1, 5 grouped folds (to beat .913)", macro_f1(texts.codes, texts.labels, answers), 0.920)
    each = [f1 for number in range(5) for f1 in [_f1(texts, answers, np.flatnonzero(texts.fold == number))]]
    row("   each fold", " ".join(f"{f1:.3f}" for f1 in each))
    at_least("accuracy at 90 % coverage (to beat .949, best single .955)", right_at(confidence, is_right, 0.9), 0.958)
    at_most("calibration error, 15 bins (to beat .016)", calibration_error(confidence, is_right), 0.02)


def _f1(texts: Texts, answers: Sequence[str], rows: NDArray[np.int64]) -> float:
    return macro_f1(texts.codes, [texts.labels[n] for n in rows], [answers[n] for n in rows])


def without_labels(texts: Texts) -> None:
    """From the names of the scheme alone."""
    model = nameless(texts.types, district="bench")
    at_least(
        "no label at all, names only, macro-F1 (to beat .676)", macro_f1(texts.codes, texts.labels, asked(model, texts)), 0.70
    )


def asked(model: TextModel, texts: Texts, rows: NDArray[np.int64] | None = None) -> list[str]:
    """The answers for some messages (all), the seven labels only."""
    reports = texts.reports if rows is None else texts.picked(rows)[0]
    shares = model.probabilities(reports, among=texts.codes)
    return [model.codes[place] for place in shares.argmax(axis=1)]


def with_few(texts: Texts) -> None:
    """500 labels drawn from four folds, the fifth answered; five draws, one a fold."""
    found = []
    for number in range(DRAWS):
        inside, outside = np.flatnonzero(texts.fold != number), np.flatnonzero(texts.fold == number)
        drawn = np.random.default_rng(number).choice(inside, FEW, replace=False)
        answers = asked(few_model(texts, drawn), texts, outside)
        found.append(macro_f1(texts.codes, texts.picked(outside)[1], answers))
    at_least(f"{FEW} labels, macro-F1, mean of 5 draws (to beat .815)", float(np.mean(found)), 0.83)
    row("   each draw", " ".join(f"{f1:.3f}" for f1 in found))


def few_model(texts: Texts, drawn: NDArray[np.int64]) -> TextModel:
    """Names and a few cases together, as ``learning.train`` makes it, without the folds that set thresholds."""
    part = fit(*texts.picked(drawn))
    return TextModel("bench", texts.types, by_name(texts.types, part.weigher), part, len(drawn), temperature=0.4)


def size_and_speed(texts: Texts) -> None:
    """One fit on everything; the file; messages a second of one core, answers equal to those asked one by one."""
    began = time.process_time()
    part: Linear = fit(texts.reports, texts.labels)
    fitted = time.process_time() - began
    model = TextModel("bench", texts.types, by_name(texts.types, part.weigher), part, len(texts.labels), temperature=0.3)
    at_most("model file (to beat 2.5 MB)", len(files.to_bytes(model)) / 1e6, 5, 2, " MB")
    at_most(f"fit on {len(texts.labels):,}, CPU (to beat 4 s)", fitted, 10, 1, " s")
    some = texts.reports[:2000]
    shares = model.probabilities(some)
    if not all(np.allclose(model.probabilities([some[n]])[0], shares[n], atol=1e-5) for n in range(0, 2000, 100)):
        sys.exit("a message alone is answered otherwise than among many")
    at_least("messages a second, one core, learnt part (to beat 2,300)", speed(part, some), 4000, 0)
    row("   with the names beside", f"{speed_of(lambda: model.probabilities(some), len(some)):.0f}")


def speed(part: Linear, reports: Sequence[Report]) -> float:
    """Messages a second of CPU, the best of three."""
    return speed_of(lambda: part.scores(reports), len(reports))


def speed_of(do: object, n: int) -> float:
    """``n`` by the CPU seconds of one call, the best of three."""
    assert callable(do)
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        do()
        best = min(best, time.process_time() - began)
    return n / best
