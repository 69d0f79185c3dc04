"""How the linear model is fitted: support vectors on n-grams that are weighed by how one-sided each is for a type.

scikit-learn is imported inside these functions, which run in the job that learns, never in a web worker.
Source of the weighing: S. Wang, C. Manning, "Baselines and Bigrams" (ACL 2012), NB-SVM; here with the square root of the ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.fields import counted, weighed
from jiequ.triage.engine.linear import Linear, rounded
from jiequ.triage.engine.text import Bags, Weigher
from jiequ.triage.engine.types import Report

MOST_BYTES = 4_400_000
"""Of keys, document frequencies and weights; with the rest a model file stays below 5 MB."""

PENALTY = 0.4
SMOOTHING = 0.5


def fit(
    reports: Sequence[Report], answers: Sequence[str], *, shares: NDArray[np.floating] | None = None, seed: int = 0
) -> Linear:
    """The model of ``answers``; ``shares``: how much each example counts (1 each). At least two different answers."""
    codes = tuple(sorted(set(answers)))
    weigher = weigher_of(reports, classes=len(codes))
    matrix = matrix_of(reports, weigher)
    places = np.array([codes.index(answer) for answer in answers])
    columns = [_column(matrix, places == k, shares, seed) for k in range(len(codes))]
    weights, scales = rounded(np.stack([column for column, _bias in columns], axis=1))
    return Linear(codes, weigher, weights, scales, np.array([bias for _column, bias in columns], np.float32))


def weigher_of(reports: Sequence[Report], *, classes: int) -> Weigher:
    """The document frequencies of all fields; the rarest n-grams left out where the file would grow over its limit."""
    parts = counted(reports)
    both = Bags(len(reports), *(np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "keys", "values")))
    weigher = Weigher.of(both)
    most = MOST_BYTES // (8 + classes)
    kept = np.sort(np.argsort(weigher.idf, kind="stable")[:most])
    return Weigher(weigher.keys[kept], weigher.idf[kept], rarest=0)


def matrix_of(reports: Sequence[Report], weigher: Weigher) -> Any:
    """The reports as one scipy CSR matrix, ``[n, features]``."""
    from scipy.sparse import csr_matrix

    fields = weighed(reports, weigher)
    shape = (len(reports), len(weigher.keys))
    return sum(
        (csr_matrix((each.values, (each.rows, each.columns)), shape=shape) for each in fields),
        csr_matrix(shape, dtype=np.float32),
    )


def _column(matrix: Any, is_it: NDArray[np.bool_], shares: Any, seed: int) -> tuple[NDArray[np.floating], float]:
    """One answer against all others: its weights and bias."""
    from scipy.sparse import diags
    from sklearn.svm import LinearSVC

    sidedness = np.sqrt(np.abs(_ratio(matrix, is_it))).astype(np.float32)
    machine = LinearSVC(C=PENALTY, random_state=seed).fit(matrix @ diags(sidedness), is_it, sample_weight=shares)
    return machine.coef_[0] * sidedness, float(machine.intercept_[0])


def _ratio(matrix: Any, is_it: NDArray[np.bool_]) -> NDArray[np.floating]:
    """ln of how much more often each n-gram stands in the answer's reports than in the others'."""
    inside = np.asarray(matrix[is_it].sum(axis=0)).ravel() + SMOOTHING
    outside = np.asarray(matrix[~is_it].sum(axis=0)).ravel() + SMOOTHING
    return np.log(inside / inside.sum()) - np.log(outside / outside.sum())
