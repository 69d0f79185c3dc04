"""In what order an analyst looks: most are the likeliest, some the least certain, and a tenth at random.

The random tenth is the only part that says how much the eye misses: the rest is chosen by the eye itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random
from typing import TypeVar

TOP, UNCERTAIN, DRAWN = 7, 2, 1  # of each ten
UNCALIBRATED_BELOW = 50  # verdicts
Id = TypeVar("Id", bound=Hashable)


def queue_order(rows: Sequence[tuple[Id, float, float | None]], *, seed: int) -> list[Id]:
    """``rows``: (id, confidence, calibrated probability or None). Each ten: seven likeliest, two most uncertain, one drawn."""
    sure = {one: confidence if p is None else p for one, confidence, p in rows}
    ids = list(sure)
    by_chance = ids[:]
    Random(seed).shuffle(by_chance)
    likeliest = sorted(ids, key=lambda one: -sure[one])
    doubtful = sorted(ids, key=lambda one: abs(sure[one] - 0.5))
    return _mixed([iter(likeliest), iter(doubtful), iter(by_chance)], (TOP, UNCERTAIN, DRAWN), len(ids))


def _mixed(sources: list, shares: tuple[int, ...], count: int) -> list:
    taken: dict = {}
    while len(taken) < count:
        for source, share in zip(sources, shares, strict=True):
            fresh = (one for one in source if one not in taken)
            for _ in range(share):
                one = next(fresh, None)
                if one is not None:
                    taken[one] = None
    return list(taken)


def is_calibrated(verdicts: int) -> bool:
    """Below fifty verdicts a confidence is shown as "uncalibrated"."""
    return verdicts >= UNCALIBRATED_BELOW
