"""Divides faces among communities and responsibility grids: connected, about equal, along rivers. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping, Sequence
from random import Random

Pair = tuple[float, float]


def divided(
    members: Collection[int],
    centres: Sequence[Pair],
    beside: Sequence[Mapping[int, float]],
    in_river: Sequence[bool],
    *,
    parts: int,
    rng: Random,
    rounds: int = 5,
) -> list[list[int]]:
    """``parts`` connected groups of ``members``, each growing from its own middle, west to east by where they lie."""
    inside = sorted(members)
    seeds = _spread_out(inside, centres, parts, rng)
    weight = dict.fromkeys(seeds, 1.0)
    groups: dict[int, list[int]] = {}
    for _ in range(rounds):
        groups = _grown(inside, centres, beside, in_river, weight)
        mean = len(inside) / parts
        weight = {
            _middle(group, centres): weight[seed] * (len(group) / mean) ** 0.35 for seed, group in groups.items() if group
        }
    groups = _grown(inside, centres, beside, in_river, weight)
    return sorted((group for group in groups.values() if group), key=lambda group: _mean(group, centres))


def _grown(
    inside: Sequence[int],
    centres: Sequence[Pair],
    beside: Sequence[Mapping[int, float]],
    in_river: Sequence[bool],
    weight: Mapping[int, float],
) -> dict[int, list[int]]:
    """Every member goes to the seed it is nearest to by land; water is far to cross, a heavy seed grows slowly."""
    allowed = set(inside)
    owner: dict[int, int] = {}
    queue = [(0.0, seed, seed) for seed in weight]
    heapq.heapify(queue)
    while queue:
        cost, at, seed = heapq.heappop(queue)
        if at in owner:
            continue
        owner[at] = seed
        for other, border in beside[at].items():
            if other in allowed and other not in owner and border > 3:
                step = math.dist(centres[at], centres[other]) * weight[seed]
                wet = 6.0 if in_river[at] != in_river[other] else 1.0
                heapq.heappush(queue, (cost + step * wet, other, seed))
    groups: dict[int, list[int]] = {seed: [] for seed in weight}
    for at in inside:
        groups[owner.get(at) or min(weight, key=lambda seed: math.dist(centres[seed], centres[at]))].append(at)
    return groups


def _spread_out(inside: Sequence[int], centres: Sequence[Pair], parts: int, rng: Random) -> list[int]:
    """Seeds far from each other: each next one is the farthest of a handful drawn by lot."""
    seeds = [rng.choice(inside)]
    while len(seeds) < parts:
        drawn = [at for at in rng.sample(inside, min(30, len(inside))) if at not in seeds]
        if drawn:
            seeds.append(max(drawn, key=lambda at: min(math.dist(centres[at], centres[seed]) for seed in seeds)))
    return seeds


def _middle(group: Sequence[int], centres: Sequence[Pair]) -> int:
    mean = _mean(group, centres)
    return min(group, key=lambda at: math.dist(mean, centres[at]))


def _mean(group: Sequence[int], centres: Sequence[Pair]) -> Pair:
    return sum(centres[at][0] for at in group) / len(group), sum(centres[at][1] for at in group) / len(group)
