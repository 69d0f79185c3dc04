"""One report, one piece of advice: what it is, how sure, why, how urgent, and what it is like. A person decides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.explain import Mark, deciding_words, marks, type_of
from jiequ.triage.engine.memory import Memory, Similar, share_of
from jiequ.triage.engine.model import LEAST_CASES, TextModel
from jiequ.triage.engine.noise import says_something
from jiequ.triage.engine.results import Fact, Level, Reason, Suggestion
from jiequ.triage.engine.text import Weigher
from jiequ.triage.engine.types import Report
from jiequ.triage.engine.urgent import Urgency, UrgentWord, urgency_of

CHOICES = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """``suggestions``: at most three, the likeliest first; ``marks``: the words that spoke for the first of them."""

    suggestions: tuple[Suggestion, ...]
    level: Level
    urgency: Urgency | None
    marks: tuple[Mark, ...]
    similar: tuple[Similar, ...]


def advise(
    report: Report,
    *,
    model: TextModel,
    memory: Memory | None = None,
    urgent: Sequence[UrgentWord] | None = None,
    among: Collection[str] | None = None,
) -> Advice:
    """What a report is. ``memory``: cases to compare with, corrections count at once; ``among``: the only codes allowed."""
    urgency = urgency_of(report, urgent)
    if not model.types or not any(character.isalnum() for character in report.title + report.words):
        return Advice((), Level.NONE, urgency, (), ())
    corrected = [] if memory is None else memory.nearest(report.words, 1, corrected=True)
    if not says_something(report, model) and not any(share_of(one) > 0 for one in corrected):
        return Advice((), Level.NONE, urgency, (), ())
    shares = model.probabilities([report], among=among)[0]
    shares = _with_correction(shares, model, corrected, among)
    best = [int(place) for place in np.argsort(-shares, kind="stable")[:CHOICES] if shares[place] > 0]
    if not best:
        return Advice((), Level.NONE, urgency, (), ())
    spoke = marks(model, report, model.codes[best[0]])
    suggestions = tuple(_suggestion(report, model, place, float(shares[place]), corrected) for place in best)
    level = model.thresholds.level(float(shares[best[0]]), float(shares[best].sum()))
    similar = () if memory is None else tuple(memory.nearest(report.words))
    return Advice(suggestions, level, urgency, spoke, similar)


def weigher_for(model: TextModel) -> Weigher:
    """How common n-grams are, as the model knows: a memory is made with it, so likeness and model use the same vectors."""
    known = (model.learnt or model.names).weigher
    return Weigher(known.keys, known.idf, float(known.idf.max(initial=1.0)))


def _with_correction(
    shares: NDArray[np.floating], model: TextModel, corrected: Sequence[Similar], among: Collection[str] | None
) -> NDArray[np.floating]:
    """A corrected case with nearly the same words speaks before the model has learnt it."""
    for similar in corrected:
        if similar.code in model.codes and (among is None or similar.code in among):
            share = share_of(similar)
            shares = (1 - share) * shares
            shares[model.codes.index(similar.code)] += share
    return shares


def _suggestion(report: Report, model: TextModel, place: int, share: float, corrected: Sequence[Similar]) -> Suggestion:
    code = model.codes[place]
    reasons = [
        Reason("corrected", {"key": each.key, "likeness": round(each.likeness, 3)})
        for each in corrected
        if each.code == code and share_of(each) > 0
    ]
    words = deciding_words(report, marks(model, report, code))
    if words:
        facts: dict[str, Fact] = {str(n): word for n, word in enumerate(words, 1)}
        reasons.append(Reason("words", facts))
    if code not in model.is_learnt and (named := type_of(model, code)):
        reasons.append(Reason("name", {"name": named.name, "least": LEAST_CASES}))
    return Suggestion(code, min(1.0, max(0.0, share)), tuple(reasons))
