"""Does a text say anything that the model has heard of: where not ("xxxx", 1234, an emoji, a greeting), nothing is suggested.

Confidence cannot tell: a linear model is often surest of what it never met. Counted are distinct pairs of Chinese characters.
On the generator's reports held out by sentence (327 of one fold) .6 % have fewer than two that were learnt; of 200 runs of
Latin letters, 200 of digits, 50 of emoji and 400 of random common characters not one has two.
"""

from __future__ import annotations

import re

import numpy as np

from jiequ.triage.engine.model import TextModel
from jiequ.triage.engine.text import bags, found, normalised
from jiequ.triage.engine.types import Report

NOT_HAN = re.compile("[^\u3400-\u9fff]+")
LEAST_PAIRS = 2
NAMED_SHARE = 0.5
"""A word alone (积水, 占道) is enough where half of its pairs stand in a type's name."""


def says_something(report: Report, model: TextModel) -> bool:
    """True where a suggestion can rest on the words; by the names alone while nothing was learnt."""
    keys = np.unique(bags([NOT_HAN.sub(" ", normalised(f"{report.title} {report.words}"))], (2,)).keys)
    if not len(keys):
        return False
    named = int(found(model.names.weigher.keys, keys)[1].sum())
    if model.learnt is None:
        return named > 0
    learnt = int(found(model.learnt.weigher.keys, keys)[1].sum())
    return learnt >= LEAST_PAIRS or named >= max(1, NAMED_SHARE * len(keys))
