"""Types by their names alone: what answers before a single case was confirmed, and for types too rare to be learnt.

A name is looked for in the report by its n-grams. Officials and residents use different words for one thing, so a name is
widened by the groups of ``data/alike.txt`` (our own list, one matter a line) that fit it better than any other type.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.fields import BODY_LENGTHS, HEAD_LENGTHS, salted
from jiequ.triage.engine.linear import Linear, rounded
from jiequ.triage.engine.text import Bags, Weigher, bags, found, normalised
from jiequ.triage.engine.types import EventType

DATA = Path(__file__).resolve().parent / "data"
ALIKE_SHARE = 1.0
"""How much a widened word counts beside one of the name."""


def by_name(types: Sequence[EventType], background: Weigher | None = None) -> Linear:
    """The likeness of a report with each type's names, as a linear model that nothing was fitted for.

    ``background``: how common n-grams are in reports, where that is known; else the names themselves tell.
    """
    said = documents(types)
    fields = [_field(said, lengths, number) for number, lengths in enumerate((BODY_LENGTHS, HEAD_LENGTHS))]
    weigher = _weigher(fields, len(types), background)
    table = sum((_table(field, weigher) for field in fields), np.zeros((len(weigher.keys), len(types)), np.float32))
    weights, scales = rounded(table)
    return Linear(tuple(each.code for each in types), weigher, weights, scales, np.zeros(len(types), np.float32))


def documents(types: Sequence[EventType]) -> list[tuple[str, str]]:
    """What stands for each type: its own names and hints, and the words of the groups that fit it best of all types."""
    own = [normalised(" ".join([*each.path, each.name, each.hints])) for each in types]
    widened: list[set[str]] = [set() for _ in types]
    for group in alike():
        shared = [sum(word in names for word in group) for names in own]
        for place, count in enumerate(shared):
            if count and count == max(shared):
                widened[place].update(group)
    return [(names, " ".join(sorted(words))) for names, words in zip(own, widened, strict=True)]


@cache
def alike() -> tuple[tuple[str, ...], ...]:
    """The groups of words that belong together."""
    lines = (DATA / "alike.txt").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(normalised(word) for word in line.split()) for line in lines if line.strip() and line[0] != "#")


def _field(said: Sequence[tuple[str, str]], lengths: Sequence[int], number: int) -> Bags:
    """Counts of one field: own names in full, widened words by their share."""
    own, more = bags([each[0] for each in said], lengths), bags([each[1] for each in said], lengths)
    both = Bags(
        own.n,
        np.concatenate([own.rows, more.rows]),
        np.concatenate([own.keys, more.keys]),
        np.concatenate([1 + np.log(own.values), ALIKE_SHARE * (1 + np.log(more.values))]).astype(np.float32),
    )
    return salted(both, number)


def _weigher(fields: Sequence[Bags], n: int, background: Weigher | None) -> Weigher:
    both = Bags(n, *(np.concatenate([getattr(field, part) for field in fields]) for part in ("rows", "keys", "values")))
    own = Weigher.of(both, least=1)
    if background is None or not len(background.keys) or not len(own.keys):
        return own
    place, is_known = found(background.keys, own.keys)
    rarest = float(background.idf.max())
    idf = np.where(is_known, background.idf[place], rarest) * own.idf / own.idf.max()
    return Weigher(own.keys, idf.astype(np.float32), rarest)


def _table(field: Bags, weigher: Weigher) -> NDArray[np.float32]:
    """The names as columns of length 1 over the weigher's keys."""
    table = np.zeros((len(weigher.keys), field.n), np.float32)
    place, is_known = found(weigher.keys, field.keys)
    np.add.at(table, (place[is_known], field.rows[is_known]), field.values[is_known] * weigher.idf[place[is_known]])
    return table / np.maximum(np.sqrt((table**2).sum(axis=0)), 1e-9)
