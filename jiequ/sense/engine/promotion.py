"""From a candidate to the net in use: figures, the gate, a week in the shadow, roll back. Pure functions over plain data.

The gate and the week are ours (SENSE §2.10): not worse than .01 on the frozen local pairs and on the dev pairs, then seven
days beside the net in use before it takes over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ALLOWED_LOSS = 0.01
THRESHOLD = 0.5  # odds from which a net says that something changed
COVERED = 0.2  # an object counts as found when this share of it is
SHADOW = timedelta(days=7)
FEWEST_LOCAL = 3  # frozen local pairs without which nothing is promoted


@dataclass(frozen=True, slots=True)
class Figures:
    """How well a net found what is known: pixel F1, precision and recall, objects found; each in [0, 1]."""

    pixel_f1: float
    precision: float
    recall: float
    objects: float
    n_objects: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """``code``: passed, worse_local, worse_dev, too_few_local."""

    passed: bool
    code: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Which net is in use, which is in the shadow since when, and which one was in use before; model ids, "" for none."""

    champion: str
    shadow: str = ""
    shadow_since: date | None = None
    previous: str = ""


def figures(odds: Sequence[NDArray[Any]], labels: Sequence[NDArray[Any]], threshold: float = THRESHOLD) -> Figures:
    """Pooled over all tiles: F1 = 2TP / (2TP + FP + FN); an object is a connected piece (8 neighbours) of a label."""
    hit = wrong = missed = found = objects = 0
    for odd, label in zip(odds, labels, strict=True):
        said, true = np.asarray(odd) > threshold, np.asarray(label) > 0
        hit, wrong, missed = (
            hit + int((said & true).sum()),
            wrong + int((said & ~true).sum()),
            missed + int((~said & true).sum()),
        )
        count, pieces = cv2.connectedComponents(true.astype(np.uint8))
        objects += count - 1
        found += sum(bool(said[pieces == piece].mean() >= COVERED) for piece in range(1, count))
    return Figures(
        2 * hit / max(2 * hit + wrong + missed, 1), hit / max(hit + wrong, 1), hit / max(hit + missed, 1),
        found / max(objects, 1), objects,
    )  # fmt: skip


def gate(local_before: Figures, local_after: Figures, dev_before: Figures, dev_after: Figures, *, n_local: int) -> Verdict:
    """Whether a candidate may go into the shadow: no worse than ALLOWED_LOSS on either set, and enough local pairs to tell."""
    if n_local < FEWEST_LOCAL:
        return Verdict(False, "too_few_local")
    if local_after.pixel_f1 < local_before.pixel_f1 - ALLOWED_LOSS:
        return Verdict(False, "worse_local")
    if dev_after.pixel_f1 < dev_before.pixel_f1 - ALLOWED_LOSS:
        return Verdict(False, "worse_dev")
    return Verdict(True, "passed")


def into_shadow(versions: Versions, candidate: str, verdict: Verdict, on: date) -> Versions:
    """A candidate that passed runs beside the net in use; another in the shadow gives way and the week starts anew."""
    return replace(versions, shadow=candidate, shadow_since=on) if verdict.passed else versions


def after_shadow(versions: Versions, agreed: Verdict, on: date) -> Versions:
    """At the end of a day: after a full week the shadow takes over if it held the gate on the week's verdicts, else it goes."""
    if not versions.shadow or versions.shadow_since is None or on < versions.shadow_since + SHADOW:
        return versions
    if not agreed.passed:
        return replace(versions, shadow="", shadow_since=None)
    return Versions(champion=versions.shadow, previous=versions.champion)


def roll_back(versions: Versions) -> Versions:
    """The net before takes over at once; what ran in the shadow goes. Without a net before, nothing changes."""
    return Versions(champion=versions.previous, previous=versions.champion) if versions.previous else versions
