"""Whether this week's reports still look like those the model was judged on: words it does not know, doubt, other types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jiequ.triage.engine.fields import BODY_LENGTHS
from jiequ.triage.engine.model import TextModel
from jiequ.triage.engine.text import Weigher, bags, found
from jiequ.triage.engine.types import Report

FEWEST = 30
MOST_UNKNOWN, MOST_DOUBT, MOST_SHIFT = 0.08, 0.08, 0.25
"""Alarm: that much more of the n-grams unknown, that much less confidence, or a population stability index above (practice)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """``score``: the largest of the three in units of its limit, so 1 is the alarm; ``by``: each measure as it was."""

    score: float
    is_alarm: bool
    n: int
    by: Mapping[str, float]


def drift(model: TextModel, recent: Sequence[Report]) -> Drift:
    """This week's reports against the base in the model's card; no alarm without a base or with fewer than ``FEWEST``."""
    base = model.card.get("drift_base")
    if not base or len(recent) < FEWEST or model.learnt is None:
        return Drift(0.0, False, len(recent), {})
    shares = model.probabilities(recent)
    answers = Counter(model.codes[place] for place in shares.argmax(axis=1))
    by = {
        "unknown": base_of(model.learnt.weigher, recent) - float(base["unknown"]),
        "confidence": float(base["confidence"]) - float(shares.max(axis=1).mean()),
        "types": shift(base["types"], answers),
    }
    limits = {"unknown": MOST_UNKNOWN, "confidence": MOST_DOUBT, "types": MOST_SHIFT}
    score = max(by[name] / limits[name] for name in by)
    return Drift(max(0.0, score), score >= 1, len(recent), {name: round(value, 4) for name, value in by.items()})


def base_of(weigher: Weigher, reports: Sequence[Report]) -> float:
    """The share of different n-grams in the reports that the weigher does not know."""
    counts = bags([f"{report.title}\n{report.words}" for report in reports], BODY_LENGTHS)
    return float((~found(weigher.keys, counts.keys)[1]).mean()) if len(counts.keys) else 0.0


def shift(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Population stability index, sum of (p - q) ln(p / q), less what chance alone brings: (k - 1)(1 / n + 1 / m)."""
    codes = sorted({*before, *now})
    p, q = (np.array([each.get(code, 0) + 0.5 for code in codes]) for each in (before, now))
    chance = (len(codes) - 1) * (1 / p.sum() + 1 / q.sum())
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum() - chance)
