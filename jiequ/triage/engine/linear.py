"""The linear model: one small table of weights, an answer in numpy alone. How it is fitted stands in ``fitting``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.fields import Entries, weighed
from jiequ.triage.engine.text import Weigher
from jiequ.triage.engine.types import Report

AT_ONCE = 128
"""Reports in one go: enough to be quick, few enough that 74 types need 20 MB."""


@dataclass(frozen=True, slots=True)
class Linear:
    """``weights [features, k]`` as whole numbers, ``scales [k]`` what one of them means, ``bias [k]``; ``codes``: k answers."""

    codes: tuple[str, ...]
    weigher: Weigher
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, reports: Sequence[Report]) -> NDArray[np.float32]:
        """How far each report lies on each answer's side: ``[n, k]``, not yet probabilities."""
        parts = [self._scores(reports[at : at + AT_ONCE]) for at in range(0, len(reports), AT_ONCE)]
        return np.concatenate([np.zeros((0, len(self.codes)), np.float32), *parts])

    def _scores(self, reports: Sequence[Report]) -> NDArray[np.float32]:
        total = np.zeros((len(reports), len(self.codes)), np.float32)
        for entries in weighed(reports, self.weigher):
            add_products(total, entries, self.weights)
        return total * self.scales + self.bias


def add_products(total: NDArray[np.float32], entries: Entries, weights: NDArray[np.int8]) -> None:
    """``total += entries @ weights``, touching the weights of what stands in the rows only."""
    if not len(entries.rows):
        return
    first = np.flatnonzero(np.diff(entries.rows, prepend=-1))
    products = weights[entries.columns] * entries.values[:, None]
    total[entries.rows[first]] += np.add.reduceat(products, first, axis=0)


def rounded(weights: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as bytes with one scale an answer (the largest becomes 127)."""
    scales = np.maximum(np.abs(weights).max(axis=0, initial=0), 1e-9) / 127
    return np.rint(weights / scales).astype(np.int8), scales.astype(np.float32)
