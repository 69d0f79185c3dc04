"""Champion and challenger: a new model replaces the one in use only where the folds say so, and never through poisoned rows.

What is new since the champion was made is fresh; the rest is trusted. Both are judged as ways of learning, on the same
folds: the trusted rows without and with the fresh ones. Corrections that cost the trusted rows more than ``MOST_LOSS``, or
that contradict trusted twins, are not learnt; they stay in the memory of corrections for a person to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jiequ.triage.engine.calibrate import macro_f1
from jiequ.triage.engine.folds import FOLDS, folds_of, groups_of
from jiequ.triage.engine.learning import Progress, Trained, answers_of, fit_on, reports_of, train, usable
from jiequ.triage.engine.memory import Memory, Row
from jiequ.triage.engine.model import LEAST_CASES, TextModel
from jiequ.triage.engine.names import by_name
from jiequ.triage.engine.text import Weigher, bags
from jiequ.triage.engine.types import EventType, Example

MOST_LOSS = 0.01
"""Macro-F1 that the trusted rows may lose to chance; more is poison (grouped folds of 7,300 rows differ by 0.003)."""

TWIN_LIKENESS, TWINS_JUDGED, MOST_CONTRADICTED = 0.7, 10, 0.3


@dataclass(frozen=True, slots=True)
class Contest:
    """``winner``: champion or challenger; ``why``: first, better, no_better, poisoned, too_few; ``model``: to be used now."""

    winner: str
    why: str
    model: TextModel | None
    card: dict[str, Any]
    figures: dict[str, float]


def contest(
    champion: TextModel | None,
    examples: Sequence[Example],
    types: Sequence[EventType],
    *,
    district: str,
    at: str,
    seed: int = 0,
    support: Sequence[Example] = (),
    progress: Progress | None = None,
) -> Contest:
    """Train on all examples and compare. Fresh: examples dated on or after ``champion.made_at``."""
    kept = usable(examples, types)
    trained = train(kept, types, district=district, at=at, seed=seed, support=support, progress=progress)
    if trained.model.learnt is None or len(kept) < 2 * LEAST_CASES:
        return _kept(champion, "too_few", {}) if champion else _taken(trained, "first", {})
    if champion is None:
        return _taken(trained, "first", {})
    fresh = [each for each in kept if each.at >= champion.made_at] if champion.cases else kept
    trusted = [each for each in kept if each.at < champion.made_at] if champion.cases else []
    if len(trusted) < 2 * LEAST_CASES:
        return _by_strangers(champion, trained, kept)
    return _by_folds(champion, trained, trusted, fresh, types, seed=seed, support=support)


def _by_strangers(champion: TextModel, trained: Trained, kept: Sequence[Example]) -> Contest:
    """A champion that never saw these cases is asked about them itself; the challenger by its folds."""
    shares = champion.probabilities(reports_of(kept))
    answers = [champion.codes[place] for place in shares.argmax(axis=1)]
    truth = [each.code for each in kept]
    figures = {"champion": macro_f1(sorted(set(truth)), truth, answers), "challenger": float(trained.card["macro_f1"])}
    if figures["challenger"] >= figures["champion"]:
        return _taken(trained, "better", figures)
    return _kept(champion, "no_better", figures)


def _by_folds(
    champion: TextModel,
    trained: Trained,
    trusted: Sequence[Example],
    fresh: Sequence[Example],
    types: Sequence[EventType],
    *,
    seed: int,
    support: Sequence[Example],
) -> Contest:
    contradicted = contradictions(trusted, fresh)
    figures = folds_without_and_with(trusted, fresh, types, seed=seed, support=support) | {"contradicted": contradicted}
    if contradicted > MOST_CONTRADICTED or figures["trusted_without"] - figures["trusted_with"] > MOST_LOSS:
        return _kept(champion, "poisoned", figures)
    is_better = not fresh or figures["all_with"] >= figures["all_without"]
    return _taken(trained, "better", figures) if is_better else _kept(champion, "no_better", figures)


def folds_without_and_with(
    trusted: Sequence[Example], fresh: Sequence[Example], types: Sequence[EventType], *, seed: int, support: Sequence[Example]
) -> dict[str, float]:
    """Macro-F1 of the trusted rows and of all rows, learnt without and with the fresh ones, on the same folds."""
    both = [*trusted, *fresh]
    fold = folds_of(groups_of(reports_of(both)), [each.code for each in both], seed=seed)
    is_trusted = np.arange(len(both)) < len(trusted)
    figures = {}
    for name, may_teach in (("without", is_trusted), ("with", np.ones(len(both), bool))):
        answers = _fold_answers(both, fold, may_teach, types, seed=seed, support=support)
        for whose, rows in (("trusted", np.flatnonzero(is_trusted)), ("all", np.arange(len(both)))):
            truth = [both[n].code for n in rows]
            figures[f"{whose}_{name}"] = macro_f1(sorted(set(truth)), truth, [answers[n] for n in rows])
    return figures


def _fold_answers(
    both: Sequence[Example], fold: Any, may_teach: Any, types: Sequence[EventType], *, seed: int, support: Sequence[Example]
) -> list[str]:
    """Each row's answer by what the other folds' teaching rows say."""
    answers = [""] * len(both)
    for number in range(FOLDS):
        asked = np.flatnonzero(fold == number).tolist()
        teaching = [both[n] for n in np.flatnonzero((fold != number) & may_teach).tolist()]
        learnt_as = answers_of(teaching, support, types)
        if not len(asked) or len(set(learnt_as.values())) < 2:
            continue
        part = fit_on(teaching, support, learnt_as, seed=seed)
        named = by_name(types, part.weigher)
        model = TextModel("", tuple(types), named, part, len(teaching), len(support), temperature=0.3)
        shares = model.probabilities([both[n].report for n in asked])
        for n, place in zip(asked, shares.argmax(axis=1).tolist(), strict=True):
            answers[n] = model.codes[place]
    return answers


def contradictions(trusted: Sequence[Example], fresh: Sequence[Example]) -> float:
    """The share of fresh rows with a trusted twin (nearly the same words) that say another type; 0 with too few twins."""
    weigher = Weigher.of(bags([each.report.words for each in trusted]))
    memory = Memory.of([Row(each.key, each.report.words, each.code) for each in trusted], weigher)
    twins = [(each, memory.nearest(each.report.words, 1)) for each in fresh]
    judged = [(each, found[0]) for each, found in twins if found and found[0].likeness >= TWIN_LIKENESS]
    if len(judged) < TWINS_JUDGED:
        return 0.0
    return sum(each.code != twin.code for each, twin in judged) / len(judged)


def _taken(trained: Trained, why: str, figures: dict[str, float]) -> Contest:
    return Contest("challenger", why, trained.model, trained.card, figures)


def _kept(champion: TextModel | None, why: str, figures: dict[str, float]) -> Contest:
    return Contest("champion", why, champion, dict(champion.card) if champion else {}, figures)
