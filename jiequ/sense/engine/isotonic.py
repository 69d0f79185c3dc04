"""What a score is worth: isotonic calibration on verdicts. Pure numpy; pool-adjacent-violators (Ayer et al. 1955)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNCALIBRATED_BELOW = 50  # verdicts; with fewer, a probability is not shown as one


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising line through (score, share confirmed), both in [0, 1]; ``count`` verdicts made it."""

    scores: tuple[float, ...]
    shares: tuple[float, ...]
    count: int

    @property
    def is_calibrated(self) -> bool:
        return self.count >= UNCALIBRATED_BELOW

    def apply(self, scores: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability that an analyst confirms, for each score; scores themselves while there are too few verdicts."""
        given = np.asarray(scores, np.float64)
        return np.interp(given, self.scores, self.shares) if self.is_calibrated else given

    def to_data(self) -> dict[str, object]:
        return {"scores": list(self.scores), "shares": list(self.shares), "count": self.count}


def from_data(data: dict[str, list[float]]) -> Isotonic:
    return Isotonic(tuple(data["scores"]), tuple(data["shares"]), int(data["count"]))  # type: ignore[call-overload]


def fit(scores: Sequence[float], confirmed: Sequence[bool]) -> Isotonic:
    """The rising step line with the least squared error. Shares are drawn in by half a verdict, so that none says 0 or 1."""
    order = np.argsort(np.asarray(scores, np.float64), kind="stable")
    blocks: list[list[float]] = []  # weight, sum of hits, sum of scores
    for at, hit in zip(np.asarray(scores, np.float64)[order], np.asarray(confirmed, np.float64)[order], strict=True):
        blocks.append([1.0, float(hit), float(at)])
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][0] >= blocks[-1][1] / blocks[-1][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    middles = tuple(block[2] / block[0] for block in blocks)
    drawn_in = [(block[1] + 0.5) / (block[0] + 1) for block in blocks]  # small blocks more than wide ones, so it may fall
    return Isotonic(middles, tuple(np.maximum.accumulate(drawn_in).tolist()), len(order))
