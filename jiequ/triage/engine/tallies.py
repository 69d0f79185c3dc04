"""Who such cases went to lately: the last of each context are kept, older ones weigh less, and the contexts are mixed.

A context is a value of some fields (this type in this grid; this type in this street …). For each, the share of a department is
``p = (c + a / K) / (n + a)`` with counts c, n that halve every ``half_life`` days. The mixture is log-linear,
``score = sum of w[level, how much is known] * log p``, its weights learnt by gradient at each confirmed case (the idea of
M. Mahoney's context mixing, "Adaptive Weighing of Context Models for Lossless Data Compression", 2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.matter import Matter

Floats = NDArray[np.float64]
LEVELS: tuple[tuple[str, float], ...] = (  # fields of a context, half-life in days
    *(("type+grid", 90), ("type+street+source", 90), ("type+street", 90), ("type+source", 90), ("type", 90)),
    *(("group+street", 90), ("group", 90), ("family+grid", 90), ("family+street", 90)),
    *(("grid+source", 90), ("street+source", 90)),
    *(("type+grid", 4), ("type+street", 4), ("type", 4)),  # what changed this week
)
NAMES = tuple(dict.fromkeys(name for name, _half in LEVELS))
FIELDS = {name: tuple(name.split("+")) for name in NAMES}
HALF_LIVES = np.array([half for _name, half in LEVELS], float)
EDGES = (0.05, 1.2, 3, 10, 40)  # decayed cases known in a context: six sorts of knowing
KEPT = 50  # last cases of a context
SMOOTHING = 0.5
STEP = 0.02


class Tallies:
    """The last cases of each context, and how far each sort of context is to be believed."""

    def __init__(self) -> None:
        self.recent: dict[str, dict[str, list[tuple[str, float]]]] = {name: {} for name in NAMES}
        self.weights = np.full((len(LEVELS), len(EDGES) + 1), 3 / len(LEVELS))
        self.seen = np.full_like(self.weights, 1e-3)  # squared gradients (AdaGrad, Duchi et al. 2011)

    def of(self, name: str, matter: Matter) -> list[tuple[str, float]]:
        """The last (department, day) of this matter's context at a level."""
        key = matter.key(FIELDS[name])
        return [] if key is None else self.recent[name].get(key, [])

    def log_shares(self, matter: Matter, *, day: float, among: Sequence[str]) -> tuple[Floats, NDArray[np.intp]]:
        """log p of each department at each level, shape (levels, departments), and how much each level knows, (levels,)."""
        place = {department: at for at, department in enumerate(among)}
        counts = np.zeros((len(LEVELS), len(among)))
        known = np.zeros(len(LEVELS))
        for name in NAMES:
            for department, then in self.of(name, matter):
                for level in AT[name]:
                    weight = 0.5 ** (max(day - then, 0.0) / HALF_LIVES[level])
                    known[level] += weight
                    if department in place:
                        counts[level, place[department]] += weight
        shares = (counts + SMOOTHING / (len(among) + 1)) / (known + SMOOTHING)[:, None]
        return np.log(shares), np.searchsorted(EDGES, known, side="right")

    def scores(self, matter: Matter, *, day: float, among: Sequence[str]) -> Floats:
        """Log-probabilities (normalised) of the departments, in the order of ``among``."""
        logs, sorts = self.log_shares(matter, day=day, among=among)
        return log_normal(self.weights[np.arange(len(LEVELS)), sorts] @ logs)

    def learn(self, matter: Matter, department: str, *, day: float, among: Sequence[str]) -> None:
        """One confirmed case: first the weights learn from what was foreseen, then the case is remembered."""
        if department in among:
            self._weigh(matter, among.index(department), day=day, among=among)
        for name in NAMES:
            if (key := matter.key(FIELDS[name])) is not None:
                last = self.recent[name].setdefault(key, [])
                last.append((department, day))
                del last[:-KEPT]

    def _weigh(self, matter: Matter, right: int, *, day: float, among: Sequence[str]) -> None:
        logs, sorts = self.log_shares(matter, day=day, among=among)
        rows = np.arange(len(LEVELS))
        foreseen = np.exp(log_normal(self.weights[rows, sorts] @ logs))
        slope = logs[:, right] - logs @ foreseen
        self.seen[rows, sorts] += slope**2
        self.weights[rows, sorts] += STEP * slope / np.sqrt(self.seen[rows, sorts])

    def forget(self, matter: Matter, department: str) -> None:
        """The latest case of these contexts that went to the department was wrong: it is taken back."""
        for name in NAMES:
            last = self.of(name, matter)
            at = next((at for at in range(len(last) - 1, -1, -1) if last[at][0] == department), None)
            if at is not None:
                del last[at]

    def to_data(self) -> dict[str, Any]:
        """Plain lists; days to three decimals."""
        recent = {
            name: {key: [[department, round(day, 3)] for department, day in last] for key, last in contexts.items() if last}
            for name, contexts in self.recent.items()
        }
        return {"recent": recent, "weights": self.weights.round(5).tolist(), "seen": self.seen.round(5).tolist()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Tallies:
        """What :meth:`to_data` wrote; another version's levels are a ValueError."""
        tallies = cls()
        weights, seen = np.array(data["weights"], float), np.array(data["seen"], float)
        if weights.shape != tallies.weights.shape or seen.shape != weights.shape or set(data["recent"]) != set(NAMES):
            raise ValueError("these tallies were kept by other levels")
        tallies.weights, tallies.seen = weights, seen
        for name, contexts in data["recent"].items():
            tallies.recent[name] = {key: [(str(who), float(day)) for who, day in last] for key, last in contexts.items()}
        return tallies


AT: dict[str, list[int]] = {name: [at for at, (other, _half) in enumerate(LEVELS) if other == name] for name in NAMES}


def log_normal(scores: Floats) -> Floats:
    """Scores as log-probabilities, log softmax."""
    if not len(scores):
        return scores
    top = scores.max()
    return scores - top - np.log(np.exp(scores - top).sum())
