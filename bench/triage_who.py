"""Triage's other answers: who handles it, where it was, and what is wrong with a reply, against the data beside the project.

Run: ``./run bench triage_who [--shared FOLDER] [--only dispatch]``; ``./run bench triage`` calls it too. What was tuned was
tuned on the first 70 % of the orders by rolling origin. No seed: nothing here is drawn by chance.
"""

from __future__ import annotations

import argparse
import csv
import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jiequ.triage.engine import replies as reply_engine
from jiequ.triage.engine.aliases import Spellings
from jiequ.triage.engine.dispatch import Dispatcher
from jiequ.triage.engine.matter import Matter
from jiequ.triage.engine.places import find_places

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
TEST_FROM = 0.7

Row = dict[str, str]


@dataclass(frozen=True)
class Figure:
    """One line of the report: its value, and what it was promised to reach (None: shown for comparison)."""

    what: str
    value: float
    target: float | None = None
    of: int = 0

    def __str__(self) -> str:
        line = f"{self.what:<72}{self.value:8.3f}  n {self.of:,}"
        if self.target is None:
            return line
        return f"{line}   target {self.target:.3f} {'reached' if self.value >= self.target else 'MISSED'}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--only", choices=sorted(PARTS))
    given = parser.parse_args()
    for figure in figures(given.shared, only=given.only):
        print(figure, flush=True)


def figures(shared: Path, *, only: str | None = None) -> Iterator[Figure]:
    """Every figure of this file, or of one of its parts."""
    for name, part in PARTS.items():
        if only in (None, name):
            yield from part(shared)


def rows_of(file: Path) -> list[Row]:
    """The rows of a file of comma-separated values as they stand."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# Who handles it


def dispatch(shared: Path) -> Iterator[Figure]:
    """The last 30 % of the orders in time order: foreseen, then learnt, one by one; and a table of the first 70 % beside it."""
    orders = sorted(rows_of(shared / "data" / "real" / "pingshan_orders.csv"), key=lambda row: row["CREATE_TIME"])
    cut = int(len(orders) * TEST_FROM)
    check_that_nothing_is_foreseen_twice(orders[:200])
    for how, name_of in (("by name", _name), ("by unit id", _unit)):
        hits = static_hits(orders[:cut], orders[cut:], name_of)
        yield from shares(f"dispatch {how}, static table of type, street, source", hits)
    began = time.perf_counter()
    hits = learning_hits(orders, _name, spelled=True)[cut:]
    pace = (time.perf_counter() - began) / len(orders) * 1000
    yield from shares("dispatch by name, learning", hits, targets=(0.65, 0.80))
    yield Figure("dispatch, ms to suggest and learn one order", pace, None, len(orders))
    yield from shares("dispatch by name, learning, spellings left as they are", learning_hits(orders, _name)[cut:])
    yield from shares("dispatch by unit id, learning", learning_hits(orders, _unit)[cut:])


def _name(order: Row) -> str:
    return order["DISPOSE_UNIT_NAME"]


def _unit(order: Row) -> str:
    return order["DISPOSE_UNIT_ID"]


def matter_of(order: Row) -> Matter:
    """What was known of an order when it was sent: nothing of how it ended."""
    return Matter(
        order["SUB_TYPE_NAME"],
        street=order["STREET_NAME"],
        grid=order["COMMUNITY_NAME"],
        source=order["EVENT_SRC_NAME"],
        kind=order["EVENT_PROPERTY_NAME"],
        groups=(order["MAIN_TYPE_NAME"], order["EVENT_TYPE_NAME"]),
        hour=_moment(order).hour,
    )


def _moment(order: Row) -> datetime:
    return datetime.strptime(order["CREATE_TIME"] + " +0800", "%Y-%m-%d %H:%M:%S %z")


def learning_hits(orders: Sequence[Row], name_of: Callable[[Row], str], *, spelled: bool = False) -> list[tuple[bool, bool]]:
    """For each order in turn, before it is learnt: was its department the first, was it among the first three.

    ``spelled``: spellings of one unit are learnt as one, and what is suggested is said in the spelling in use by then.
    """
    dispatcher, spellings, hits = Dispatcher("bench"), Spellings(), []
    for order in orders:
        day, matter, truth = _moment(order).timestamp() / 86_400, matter_of(order), name_of(order)
        said = [one.code for one in dispatcher.suggest(matter, day=day, allowed=None)]
        if spelled:
            said = [spellings.in_use(code) for code in said]
            spellings.learn(truth)
        hits.append((truth in said[:1], truth in said[:3]))
        dispatcher.learn(matter, spellings.key(truth) if spelled else truth, day=day)
    return hits


def static_hits(known: Sequence[Row], new: Sequence[Row], name_of: Callable[[Row], str]) -> list[tuple[bool, bool]]:
    """A table of (type, street, source), then (type, street), type, all: the anchor of the issue."""
    keys = ("SUB_TYPE_NAME", "STREET_NAME", "EVENT_SRC_NAME")
    tables: list[dict[tuple[str, ...], Counter[str]]] = [defaultdict(Counter) for _ in range(len(keys) + 1)]
    for order in known:
        for size, table in enumerate(tables):
            table[tuple(order[key] for key in keys[:size])][name_of(order)] += 1
    hits = []
    for order in new:
        narrow = [tables[size].get(tuple(order[key] for key in keys[:size]), Counter()) for size in (3, 2, 1, 0)]
        said = list(dict.fromkeys(name for table in narrow for name, _count in table.most_common()))
        hits.append((name_of(order) in said[:1], name_of(order) in said[:3]))
    return hits


def shares(what: str, hits: Sequence[tuple[bool, bool]], targets: Sequence[float | None] = (None, None)) -> list[Figure]:
    """Two figures: first, and first three."""
    count = len(hits)
    first, three = (sum(hit[at] for hit in hits) / count for at in (0, 1))
    return [Figure(f"{what}: first", first, targets[0], count), Figure(f"{what}: first three", three, targets[1], count)]


def check_that_nothing_is_foreseen_twice(orders: Sequence[Row]) -> None:
    """Were an order learnt before it is foreseen, a unit that was never seen would be named; it must not be."""
    hits = learning_hits(orders, _name)
    seen: set[str] = set()
    for order, (_first, three) in zip(orders, hits, strict=True):
        assert not three or _name(order) in seen, "an order was known before it came"
        seen.add(_name(order))


# Where it was


def places(shared: Path) -> Iterator[Figure]:
    """35 titles whose places were marked by hand; a place counts where its text is the same, sign for sign; no gazetteer."""
    rows = rows_of(shared / "data" / "real" / "text" / "place_gold_dev.csv")
    hits = said = told = 0
    for row in rows:
        truth, found = (
            {name for name in row["places"].split(",") if name},
            {place.text for place in find_places(row["subject"])},
        )
        hits, said, told = hits + len(truth & found), said + len(found), told + len(truth)
    assert find_places("") == []
    yield Figure("places: recall of the whole name", hits / told, 0.93, told)
    yield Figure("places: precision", hits / said, 0.90, said)


# Replies


def replies(shared: Path) -> Iterator[Figure]:
    """Weak labels "does it explain"; five folds by group, no near-duplicate on both sides. And what the shipped flags say."""
    rows = rows_of(shared / "data" / "real" / "text" / "replies_train.csv")
    labels = [int(row["explainable_human"]) for row in rows]
    asked = [row["subject"] + row["detail"] for row in rows]
    known = [reply_engine.features(row["reply"], report=report) for row, report in zip(rows, asked, strict=True)]
    yield Figure(
        "reply flags: AUC, five grouped folds", auc_of_folds(known, labels, [row["group"] for row in rows]), 0.965, len(rows)
    )
    yield Figure("reply flags: AUC of the length alone", auc([one[0] for one in known], labels), None, len(rows))
    again = reply_engine.fitted(known, labels)
    assert all(abs(again[name] - value) < 0.05 for name, value in reply_engine.coefficients().items()), "not what ships"
    flagged = [
        {flag.kind for flag in reply_engine.flags_of(row["reply"], report=report)}
        for row, report in zip(rows, asked, strict=True)
    ]
    for kind in ("short", "only_passed_on", "no_finding", "no_action", "no_date", "off_topic"):
        for label, words in ((0, "do not explain"), (1, "explain")):
            mine = [kind in kinds for kinds, given in zip(flagged, labels, strict=True) if given == label]
            yield Figure(f"reply flag {kind}: share of those that {words}", sum(mine) / len(mine), None, len(mine))


def auc_of_folds(known: Sequence[tuple[float, ...]], labels: Sequence[int], groups: Sequence[str]) -> float:
    """Each row scored by coefficients fitted without its group; the AUC of all scores together."""
    from sklearn.model_selection import GroupKFold

    scores = [0.0] * len(known)
    for taught, tried in GroupKFold(5).split(known, labels, groups):
        assert not {groups[at] for at in taught} & {groups[at] for at in tried}, "a group lies on both sides"
        model = reply_engine.fitted([known[at] for at in taught], [labels[at] for at in taught])
        for at in tried:
            scores[at] = (
                sum(model[name] * value for name, value in zip(reply_engine.NAMES, known[at], strict=True)) + model["bias"]
            )
    return auc(scores, labels)


def auc(scores: Sequence[float], labels: Sequence[int]) -> float:
    """The area under the ROC curve: how often one of label 1 scores above one of label 0, ties half."""
    good = [score for score, label in zip(scores, labels, strict=True) if label]
    bad = sorted(score for score, label in zip(scores, labels, strict=True) if not label)
    return sum((bisect_left(bad, one) + bisect_right(bad, one)) / 2 for one in good) / len(good) / len(bad)


PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {"dispatch": dispatch, "places": places, "replies": replies}

if __name__ == "__main__":
    main()
