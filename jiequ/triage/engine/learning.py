"""From confirmed cases to a model and its card. Rows are handed in; nothing here reads the ledger or a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.calibrate import (
    COVERAGES,
    Thresholds,
    calibration_error,
    f1_of,
    macro_f1,
    right_at,
    temperature_of,
    thresholds_of,
)
from jiequ.triage.engine.drift import base_of
from jiequ.triage.engine.fitting import fit
from jiequ.triage.engine.folds import FOLDS, folds_of, groups_of
from jiequ.triage.engine.linear import Linear
from jiequ.triage.engine.model import LEAST_CASES, TextModel, branch_of, nameless
from jiequ.triage.engine.names import by_name
from jiequ.triage.engine.types import OTHER, EventType, Example, Report

Progress = Callable[[str, float], None]
SUPPORT_SHARE = 0.5
"""How much an invented report counts beside a confirmed case."""

NEVER = -1e3


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and its card (plain JSON)."""

    model: TextModel
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the folds say of the examples: no model had seen its report or a near-duplicate of it."""

    codes: tuple[str, ...]
    truth: list[str]
    shares: NDArray[np.float64]
    unknown: float = 0.0

    @property
    def answers(self) -> list[str]:
        """The likeliest code of each."""
        return [self.codes[place] for place in self.shares.argmax(axis=1)]

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each answer is the truth."""
        return np.array([one == other for one, other in zip(self.answers, self.truth, strict=True)], bool)

    @property
    def f1(self) -> float:
        """Macro-F1 over the codes that occur."""
        return macro_f1(self.codes, self.truth, self.answers)


def train(
    examples: Sequence[Example],
    types: Sequence[EventType],
    *,
    district: str,
    at: str,
    seed: int = 0,
    support: Sequence[Example] = (),
    progress: Progress | None = None,
) -> Trained:
    """The district's model from its confirmed cases. ``support``: invented reports in place of rare types; ``at``: ISO date.

    Without enough cases (two answers of which each was given often enough) the names alone answer.
    """
    told = progress or (lambda _what, _share: None)
    kept = usable(examples, types)
    answers = answers_of(kept, support, types)
    if len(set(answers.values())) < 2:
        model = nameless(types, district=district, at=at)
        return _with_card(model, _card(model, kept, None, seed=seed))
    told("fit", 0.0)
    learnt = fit_on(kept, support, answers, seed=seed)
    model = TextModel(district, tuple(types), by_name(types, learnt.weigher), learnt, len(kept), len(support), made_at=at)
    if len(kept) < 2 * LEAST_CASES:
        return _with_card(model, _card(model, kept, None, seed=seed))
    scores, unknown = fold_scores(model, kept, support, answers, seed=seed, progress=told)
    model = replace(model, temperature=_temperature(scores, learnt, [answers[each.code] for each in kept]))
    judged = Judged(
        model.codes, [each.code for each in kept], model.mixed(model.names.scores(reports_of(kept)), scores), unknown
    )
    model = replace(model, thresholds=_thresholds(judged))
    return _with_card(model, _card(model, kept, judged, seed=seed))


def usable(examples: Sequence[Example], types: Sequence[EventType]) -> list[Example]:
    """The examples whose code still means something and whose report says anything."""
    codes = {each.code for each in types} | {OTHER}
    return [each for each in examples if each.code in codes and says_anything(each.report)]


def says_anything(report: Report) -> bool:
    """Whether there is a letter or digit in it."""
    return any(character.isalnum() for character in report.title + report.words)


def answers_of(examples: Sequence[Example], support: Sequence[Example], types: Sequence[EventType]) -> dict[str, str]:
    """What each code is learnt as: itself where it has cases enough, else its branch, where that has any."""
    counts = Counter(each.code for each in (*examples, *support))
    branches = {each.code: branch_of(each) for each in types}
    enough = {code for code, count in counts.items() if count >= LEAST_CASES}
    return {code: code if code in enough else branches.get(code, code) for code in counts}


def reports_of(examples: Sequence[Example]) -> list[Any]:
    """Their reports."""
    return [each.report for each in examples]


def fit_on(examples: Sequence[Example], support: Sequence[Example], answers: dict[str, str], *, seed: int) -> Linear:
    """The linear part from examples in full and support by its share."""
    both = [*examples, *support]
    shares = np.array([1.0] * len(examples) + [SUPPORT_SHARE] * len(support)) if support else None
    return fit(reports_of(both), [answers[each.code] for each in both], shares=shares, seed=seed)


def fold_scores(
    model: TextModel,
    examples: Sequence[Example],
    support: Sequence[Example],
    answers: dict[str, str],
    *,
    seed: int,
    progress: Progress,
) -> tuple[NDArray[np.float32], float]:
    """The scores of each example by a model of the other folds, ``[n, learnt]``, and the share of n-grams it did not know."""
    assert model.learnt is not None
    wanted = [answers[each.code] for each in examples]
    fold = folds_of(groups_of(reports_of(examples)), wanted, seed=seed)
    scores, unknown = np.full((len(examples), len(model.learnt.codes)), NEVER, np.float32), []
    for number in range(FOLDS):
        progress("folds", number / FOLDS)
        inside, outside = np.flatnonzero(fold != number).tolist(), np.flatnonzero(fold == number).tolist()
        if not outside or len({wanted[n] for n in inside}) < 2:
            continue
        part = fit_on([examples[n] for n in inside], support, answers, seed=seed)
        reports = [examples[n].report for n in outside]
        columns = [model.learnt.codes.index(code) for code in part.codes]
        scores[np.ix_(np.array(outside), np.array(columns))] = part.scores(reports)
        unknown.append(base_of(part.weigher, reports))
    return scores, float(np.mean(unknown)) if unknown else 0.0


def _temperature(scores: NDArray[np.float32], learnt: Linear, wanted: Sequence[str]) -> float:
    return temperature_of(scores, np.array([learnt.codes.index(code) for code in wanted]))


def _thresholds(judged: Judged) -> Thresholds:
    best = np.argsort(-judged.shares, axis=1)[:, :3]
    of_three = np.take_along_axis(judged.shares, best, 1).sum(axis=1)
    is_among = np.array([truth in {judged.codes[n] for n in row} for truth, row in zip(judged.truth, best, strict=True)])
    return thresholds_of(judged.shares.max(axis=1), judged.is_right, of_three, is_among)


def _with_card(model: TextModel, card: dict[str, Any]) -> Trained:
    return Trained(replace(model, card=card), card)


def _card(model: TextModel, examples: Sequence[Example], judged: Judged | None, *, seed: int) -> dict[str, Any]:
    """Dates, counts, what the folds say, and what later weeks are compared with. No words of any report."""
    dates = sorted(each.at for each in examples if each.at)
    card: dict[str, Any] = {
        "district": model.district,
        "made_at": model.made_at,
        "seed": seed,
        "cases": len(examples),
        "corrections": sum(each.is_correction for each in examples),
        "from": dates[0] if dates else "",
        "to": dates[-1] if dates else "",
        "types": len(model.types),
        "learnt": sorted(model.is_learnt),
        "by_name": sorted(each.code for each in model.types if each.code not in model.is_learnt),
        "temperature": round(model.temperature, 4),
        "thresholds": {
            "fill": round(model.thresholds.fill, 4),
            "preselect": round(model.thresholds.preselect, 4),
            "choices": round(model.thresholds.choices, 4),
        },
    }
    return card if judged is None else card | figures_of(judged)


def figures_of(judged: Judged) -> dict[str, Any]:
    """What the folds say: F1 by type, rightness by coverage, calibration, and the base for drift."""
    confidence, is_right = judged.shares.max(axis=1), judged.is_right
    per_type = [f1_of(code, judged.truth, judged.answers) for code in judged.codes if code in set(judged.truth)]
    return {
        "macro_f1": round(judged.f1, 4),
        "accuracy": round(float(is_right.mean()), 4),
        "calibration_error": round(calibration_error(confidence, is_right), 4),
        "per_type": [each | {"f1": round(float(each["f1"]), 4)} for each in per_type],
        "coverage": [{"coverage": each, "accuracy": round(right_at(confidence, is_right, each), 4)} for each in COVERAGES],
        "drift_base": {
            "types": dict(sorted(Counter(judged.answers).items())),
            "confidence": round(float(confidence.mean()), 4),
            "unknown": round(judged.unknown, 4),
        },
    }
