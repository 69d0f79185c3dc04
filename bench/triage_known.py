"""Is it known: earlier reports of one incident found in time order, pairs, and the precision of "very likely the same".

Run: ``./run bench triage_known [--shared FOLDER] [--fit]``; ``./run bench triage`` calls it too. The pair model's seven numbers
are in ``jiequ/triage/engine/pairs.py``; here they are fitted anew with whole incidents left out (five folds by a seed), so that
no pair is judged by a model that met its incident, and once more as they are shipped. Every ``incident_gold_*.csv`` and
``pairs_*.csv`` in the folder is read, so a hidden set is measured by laying it beside. The look-up is not timed yet.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.triage_who import SHARED, Figure
from jiequ.triage.engine import pairs
from jiequ.triage.engine.text import found

SEED, FOLDS, FIRST, NEIGHBOURS = 20261127, 5, 5, 40
SCALES = np.array([0.2, 0.2, 1.0, 1.0, 0.25, 0.3])
"""About the spread of each figure, so that the fit's penalty means the same for all."""
HAND_READ, OUTSIDE = 2.0, 0.03
"""Weights of a hand-read pair and of a pair across incidents; one within counts 1 / √(pairs of its incident)."""
Pair = tuple[int, int]


@dataclass
class Data:
    """Messages as they are compared, which incident each belongs to, and hand-read pairs (doubtful ones left out)."""

    seen: list[pairs.Seen]
    reads: list[pairs.Read]
    incident: dict[int, str]
    hand: list[tuple[int, int, bool]]

    def figures(self, pair: Pair) -> tuple[float, ...]:
        one, other = pair
        return pairs.features(self.seen[one], self.seen[other], self.reads[one], self.reads[other])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--fit", action="store_true", help="print the numbers of the pair model, fitted on all there is")
    given = parser.parse_args()
    data = load(given.shared)
    if given.fit:
        constant, weights = fit(data, *_sample(data), list(data.hand))
        print("CONSTANT =", round(constant, 3), " WEIGHTS =", tuple(round(float(one), 3) for one in weights))
        return
    for figure in figures(given.shared, data):
        print(figure, flush=True)


def figures(shared: Path, data: Data | None = None) -> Iterator[Figure]:
    """Every figure of this file."""
    data = data or load(shared)
    recall, asked = recall_in_time_order(data)
    yield Figure("known: an earlier report of the incident among the first five", recall, 0.99, asked)
    within, truth = _within(data)
    for how, odds in (("incidents left out", left_out(data, within)), ("as shipped", _shipped(data, within))):
        f1, precision, share = scored(data, within, truth, odds)
        yield Figure(f"known: F1 of pairs of incidents, 'possible' and better, {how}", f1, 0.93, len(within))
        yield Figure(
            f"known: precision of pairs of incidents at 'very likely', {how}", precision, 0.95, round(share * len(truth))
        )
    yield from _hand_read(data)


def load(shared: Path) -> Data:
    """Everything in the folder, counted once."""
    folder = shared / "data" / "real" / "text"
    rows = _rows(folder / "messages.csv")
    at = {row["message_id"]: place for place, row in enumerate(rows)}
    seen = [pairs.Seen(row["detail"], _seconds(row["time"]), row["subject"]) for row in rows]
    weigher = pairs.weigher_of([f"{one.title}\n{one.words}" for one in seen])
    gold = [row for file in sorted(folder.glob("incident_gold_*.csv")) for row in _rows(file)]
    hand = [row for file in sorted(folder.glob("pairs_*.csv")) for row in _rows(file) if row["same_matter"] in "01"]
    return Data(
        seen,
        pairs.read(seen, weigher),
        {at[row["message_id"]]: row["incident_id"] for row in gold if row["message_id"] in at},
        [(at[row["id_a"]], at[row["id_b"]], row["same_matter"] == "1") for row in hand],
    )


def recall_in_time_order(data: Data) -> tuple[float, int]:
    """Of the reports with an earlier one of their incident: how many find one among the first five of all before them."""
    counts = [len(read.keys) for read in data.reads]
    owners = np.repeat(np.arange(len(counts)), counts)
    keys = np.concatenate([read.keys for read in data.reads])
    values = np.concatenate([read.values for read in data.reads])
    times = np.array([one.at for one in data.seen])
    hits = asked = 0
    for place, incident in data.incident.items():
        mates = {other for other, same in data.incident.items() if same == incident and times[other] < times[place]}
        if not mates:
            continue
        mine = data.reads[place]
        where, is_shared = found(mine.keys, keys)
        cosines = np.bincount(owners[is_shared], values[is_shared] * mine.values[where[is_shared]], len(counts))
        cosines[times >= times[place]] = -1
        near = np.argsort(-cosines, kind="stable")[: 4 * FIRST]
        best = sorted(near.tolist(), key=lambda other: -_odds(data.figures((place, other))))[:FIRST]
        asked += 1
        hits += bool(mates & set(best))
    return hits / max(asked, 1), asked


def scored(data: Data, within: Sequence[Pair], truth: Sequence[bool], odds: Sequence[float]) -> tuple[float, float, float]:
    """F1 at "possible", precision at "very likely", and the share of pairs called so."""
    badges = [_badge(data, pair, each) for pair, each in zip(within, odds, strict=True)]
    named = [badge != pairs.Badge.NONE for badge in badges]
    right = sum(each and same for each, same in zip(named, truth, strict=True))
    f1 = 2 * right / max(1, sum(named) + sum(truth))
    sure = [same for badge, same in zip(badges, truth, strict=True) if badge == pairs.Badge.SAME]
    return f1, sum(sure) / max(1, len(sure)), len(sure) / len(within)


def left_out(data: Data, within: Sequence[Pair]) -> list[float]:
    """Log-odds of each pair by a model that met neither of its incidents."""
    names = sorted(set(data.incident.values()))
    random.Random(SEED).shuffle(names)
    folds = [set(names[start::FOLDS]) for start in range(FOLDS)]
    sample, truth = _sample(data)
    models = {}
    for number, fold in enumerate(folds):
        kept = [n for n, pair in enumerate(sample) if not any(data.incident.get(one) in fold for one in pair)]
        models[number] = fit(data, [sample[n] for n in kept], [truth[n] for n in kept], data.hand)
    of = {name: number for number, fold in enumerate(folds) for name in fold}
    return [_by(models[of[data.incident[pair[0]]]], data.figures(pair)) for pair in within]


def fit(
    data: Data, sample: Sequence[Pair], truth: Sequence[bool], hand: Sequence[tuple[int, int, bool]]
) -> tuple[float, np.ndarray]:
    """Constant and weights of a logistic regression (L2, C = 1, on figures brought to one scale)."""
    from sklearn.linear_model import LogisticRegression

    sizes: dict[str, int] = defaultdict(int)
    for (one, _other), same in zip(sample, truth, strict=True):
        sizes[data.incident[one]] += same
    weights = [1 / math.sqrt(sizes[data.incident[p[0]]]) if same else OUTSIDE for p, same in zip(sample, truth, strict=True)]
    rows = np.array([data.figures(pair) for pair in [*sample, *[(one, other) for one, other, _same in hand]]]) / SCALES
    said = np.array([*truth, *[same for _one, _other, same in hand]], dtype=int)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(rows, said, sample_weight=[*weights, *[HAND_READ] * len(hand)])
    return float(model.intercept_[0]), model.coef_[0] / SCALES


def _hand_read(data: Data) -> Iterator[Figure]:
    """The hand-read pairs, each by a model that did not meet it, and what the shipped model says of them."""
    sample, truth = _sample(data)
    odds = []
    for number, (one, other, _same) in enumerate(data.hand):
        rest = [pair for place, pair in enumerate(data.hand) if place != number]
        odds.append(_by(fit(data, sample, truth, rest), data.figures((one, other))))
    both = [(one, other) for one, other, _same in data.hand]
    _f1, precision, share = scored(data, both, [same for _one, _other, same in data.hand], odds)
    yield Figure(
        "known: precision of hand-read hard pairs at 'very likely', each left out", precision, 0.95, round(share * len(both))
    )


def _sample(data: Data) -> tuple[list[Pair], list[bool]]:
    """All pairs within the incidents' reports, and of each report with its nearest outside them: those count as different."""
    within, truth = _within(data)
    counts = [len(read.keys) for read in data.reads]
    owners = np.repeat(np.arange(len(counts)), counts)
    keys = np.concatenate([read.keys for read in data.reads])
    values = np.concatenate([read.values for read in data.reads])
    outside: list[Pair] = []
    for place in data.incident:
        mine = data.reads[place]
        where, is_shared = found(mine.keys, keys)
        cosines = np.bincount(owners[is_shared], values[is_shared] * mine.values[where[is_shared]], len(counts))
        near = np.argsort(-cosines, kind="stable")[:NEIGHBOURS].tolist()
        outside += [(place, other) for other in near if other != place and other not in data.incident]
    return [*within, *outside], [*truth, *[False] * len(outside)]


def _within(data: Data) -> tuple[list[Pair], list[bool]]:
    both = list(itertools.combinations(sorted(data.incident), 2))
    return both, [data.incident[one] == data.incident[other] for one, other in both]


def _shipped(data: Data, within: Sequence[Pair]) -> list[float]:
    return [_odds(data.figures(pair)) for pair in within]


def _odds(figures: Sequence[float]) -> float:
    return pairs.text_odds(figures) + pairs.PRIOR


def _by(model: tuple[float, np.ndarray], figures: Sequence[float]) -> float:
    return model[0] + float(model[1] @ np.array(figures))


def _badge(data: Data, pair: Pair, odds: float) -> pairs.Badge:
    return pairs.badge_of(1 / (1 + math.exp(-odds)), data.figures(pair))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def _seconds(written: str) -> float:
    year, month, day, hour, minute, second = (int(one) for one in re.findall(r"\d+", written + ":0:0")[:6])
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


if __name__ == "__main__":
    main()
