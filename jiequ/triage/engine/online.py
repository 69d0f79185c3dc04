"""A linear model that learns at each confirmed case: softmax regression, one step size a feature.

Step of feature f: ``w[f] += STEP * value * (truth - foreseen) / sqrt(sum of squared gradients of f)``: AdaGrad (Duchi, Hazan
and Singer, JMLR 12, 2011) with one sum a feature instead of one a weight, as good here and a hundredth of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.tallies import Floats, log_normal

STEP = 0.4
MOST_FEATURES = 20_000  # kept; the least used go first
TOLD = 0.02  # a weight nearer to 0 than this is not written down

Features = Sequence[tuple[str, float]]


class Online:
    """Weights of each feature for each department."""

    def __init__(self) -> None:
        self.departments: list[str] = []
        self.weights: dict[str, NDArray[np.float32]] = {}  # feature → a weight for each of the first departments
        self.seen: dict[str, float] = {}  # feature → its squared gradients

    def scores(self, features: Features, *, among: Sequence[str]) -> Floats:
        """Log-probabilities (normalised over ``among``); one never seen scores as a department without any weight."""
        raw = self._raw(features)
        place = {department: at for at, department in enumerate(self.departments)}
        return log_normal(np.array([raw[place[one]] if one in place else raw.min(initial=0.0) for one in among]))

    def _raw(self, features: Features) -> Floats:
        raw = np.zeros(len(self.departments))
        for feature, value in features:
            if (weights := self.weights.get(feature)) is not None:
                raw[: len(weights)] += value * weights
        return raw

    def learn(self, features: Features, department: str) -> None:
        """One confirmed case."""
        foreseen = np.exp(log_normal(self._raw(features)))
        if department not in self.departments:
            self.departments.append(department)
            foreseen = np.append(foreseen, 0.0)
        truth = np.zeros(len(foreseen))
        truth[self.departments.index(department)] = 1
        self._step(features, truth - foreseen)

    def unlearn(self, features: Features, department: str) -> None:
        """One case that came back: its share goes to the others, in proportion."""
        if department not in self.departments or len(self.departments) < 2:
            return
        foreseen = np.exp(log_normal(self._raw(features)))
        truth = foreseen.copy()
        truth[self.departments.index(department)] = 0
        self._step(features, truth / truth.sum() - foreseen)

    def _step(self, features: Features, slope: Floats) -> None:
        square = float(slope @ slope)
        for feature, value in features:
            self.seen[feature] = self.seen.get(feature, 0.0) + value * value * square
            grown = np.zeros(len(slope), np.float32)
            old = self.weights.get(feature, grown[:0])
            grown[: len(old)] = old
            self.weights[feature] = grown + (STEP * value / (self.seen[feature] + 0.2) ** 0.5 * slope).astype(np.float32)

    def to_data(self) -> dict[str, Any]:
        """Plain lists: of each of the most used features, its squared gradients and the weights that are not about 0."""
        kept = sorted(self.seen, key=self.seen.__getitem__, reverse=True)[:MOST_FEATURES]
        rows = {feature: [round(self.seen[feature], 3), *_sparse(self.weights[feature])] for feature in kept}
        return {"departments": self.departments, "rows": rows}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Online:
        """What :meth:`to_data` wrote."""
        online = cls()
        online.departments = [str(one) for one in data["departments"]]
        for feature, (seen, at, values) in data["rows"].items():
            weights = np.zeros(len(online.departments), np.float32)
            weights[np.array(at, int)] = values
            online.weights[feature], online.seen[feature] = weights, float(seen)
        return online


def _sparse(weights: NDArray[np.float32]) -> tuple[list[int], list[float]]:
    at = np.flatnonzero(np.abs(weights) >= TOLD)
    return at.tolist(), [round(float(weights[one]), 2) for one in at]
