"""Reports put together in two ways: an incident (tight) is one thing that happened, a place topic (loose) a place with trouble.

An incident is a matter to merge; a topic never is: it says that people keep coming back to one place with one sort of thing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jiequ.triage.engine.pairs import distance_m

Key = TypeVar("Key", bound=Hashable)
TOGETHER_FROM = 0.5
_DEGREE_M = 111_195.0


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something of a type was reported; ``radius_m``: how near another of the type counts as the same place."""

    key: int
    lon: float
    lat: float
    type: str = ""
    radius_m: float = 120.0


def incidents(links: Iterable[tuple[Key, Key, float]], *, together_from: float = TOGETHER_FROM) -> list[set[Key]]:
    """Groups of two and more in which the mean probability of all pairs between joined parts is ``together_from`` or more.

    Average linkage, likeliest links first: a chain of half-like reports does not grow into one incident, as it would with
    single linkage. ``links``: (one, other, probability); a pair that is not named counts as 0.
    """
    known = {frozenset((one, other)): probability for one, other, probability in links if one != other}
    group: dict[Key, set[Key]] = {key: {key} for pair in known for key in pair}
    for pair, probability in sorted(known.items(), key=lambda item: (-item[1], sorted(map(str, item[0])))):
        if probability < together_from:
            break
        one, other = (group[key] for key in pair)
        if one is not other and _mean(one, other, known) >= together_from:
            one |= other
            group.update(dict.fromkeys(other, one))
    found = {id(each): each for each in group.values() if len(each) > 1}
    return sorted(found.values(), key=lambda each: (-len(each), sorted(map(str, each))))


def _mean(one: set[Key], other: set[Key], known: dict[frozenset[Key], float]) -> float:
    return sum(known.get(frozenset((a, b)), 0.0) for a in one for b in other) / (len(one) * len(other))


def topics(spots: Sequence[Spot]) -> list[list[int]]:
    """Keys of spots of one type that lie within reach of one another, step by step (single linkage); two and more of them.

    Sorted into squares of the widest reach, so that each is compared with its neighbours only.
    """
    root = {spot.key: spot.key for spot in spots}
    squares: dict[tuple[str, int, int], list[Spot]] = defaultdict(list)
    side = max((spot.radius_m for spot in spots), default=1.0)
    narrow = min((math.cos(math.radians(spot.lat)) for spot in spots), default=1.0)
    for spot in spots:
        column, row = _square(spot, side, narrow)
        for near in ((column + x, row + y) for x in (-1, 0, 1) for y in (-1, 0, 1)):
            for other in squares.get((spot.type, *near), ()):
                reach = min(spot.radius_m, other.radius_m)
                if distance_m(spot.lon, spot.lat, other.lon, other.lat) <= reach:
                    root[_top(root, spot.key)] = _top(root, other.key)
        squares[(spot.type, column, row)].append(spot)
    groups: dict[int, list[int]] = defaultdict(list)
    for spot in spots:
        groups[_top(root, spot.key)].append(spot.key)
    return sorted((keys for keys in groups.values() if len(keys) > 1), key=lambda keys: (-len(keys), keys[0]))


def _square(spot: Spot, side_m: float, narrow: float) -> tuple[int, int]:
    """Column and row of a square at least ``side_m`` wide everywhere: ``narrow`` is the smallest cosine of a latitude here."""
    return math.floor(spot.lon * _DEGREE_M * narrow / side_m), math.floor(spot.lat * _DEGREE_M / side_m)


def _top(root: dict[int, int], key: int) -> int:
    while root[key] != key:
        root[key] = root[root[key]]
        key = root[key]
    return key
