"""Folds that keep near-duplicates together: a report and its copy are never on both sides of a test.

Grouping: the 8 smallest hashes of the 3-grams of a text (min-wise, Broder 1997); texts that share 4 of them, or a group handed
in, are one group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.text import bags
from jiequ.triage.engine.types import Report

SMALLEST, SHARED = 8, 4
FOLDS = 5


def groups_of(reports: Sequence[Report]) -> NDArray[np.int64]:
    """A number a report; near-duplicates have the same: ``[n]``."""
    leader = np.arange(len(reports))
    meetings: dict[int, list[int]] = defaultdict(list)
    shingles = bags([f"{report.title}{report.words}" for report in reports], (3,))
    starts = shingles.starts
    for row in range(len(reports)):
        smallest = np.sort(shingles.keys[starts[row] : starts[row + 1]])[:SMALLEST]
        _join(row, smallest, meetings, leader)
    return np.array([_top(leader, row) for row in range(len(reports))], np.int64)


def _join(row: int, smallest: NDArray[np.uint32], meetings: dict[int, list[int]], leader: NDArray[np.int64]) -> None:
    """Put ``row`` into the group of whoever shares enough with it."""
    shared: dict[int, int] = defaultdict(int)
    for key in smallest.tolist():
        for other in meetings[key][-50:]:
            shared[other] += 1
        meetings[key].append(row)
    for other, count in shared.items():
        if count >= min(SHARED, len(smallest)):
            leader[_top(leader, row)] = _top(leader, other)


def _top(leader: NDArray[np.int64], row: int) -> int:
    while leader[row] != row:
        leader[row] = leader[leader[row]]
        row = int(leader[row])
    return row


def folds_of(groups: NDArray[np.int64], answers: Sequence[str], *, folds: int = FOLDS, seed: int = 0) -> NDArray[np.int64]:
    """The fold of each example: whole groups, each answer spread as evenly as its groups allow: ``[n]``."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.tolist()):
        members[group].append(row)
    order = np.random.default_rng(seed).permutation(list(members))
    held: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(folds, np.int64))
    total, found = np.zeros(folds, np.int64), np.zeros(len(answers), np.int64)
    for group in sorted(order.tolist(), key=lambda each: -len(members[each])):
        of_answer = held[answers[members[group][0]]]
        fold = int(np.lexsort((total, of_answer))[0])
        of_answer[fold] += len(members[group])
        total[fold] += len(members[group])
        found[members[group]] = fold
    return found
