"""The index that answers "which unit grid is this?" within a process. Pure: built from plain values, never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
import shapely
from shapely import Point, STRtree
from shapely.geometry import shape

from .rules import metres_per_degree

# Grids closer than this are neighbours: drawings of one border differ by centimetres.
NEIGHBOUR_M = 5.0


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a position lies; ``worker_id`` is the responsibility grid's worker, on shift or not."""

    street_id: int
    community_id: int
    unit_grid_id: int
    responsibility_grid_id: int | None
    worker_id: int | None


class Cell(NamedTuple):
    """One unit grid as the index takes it in."""

    spot: Spot
    geometry: Mapping[str, Any]


class SpotIndex:
    """An R-tree of unit grids. A position on a border belongs to the first grid in the order given (by code)."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._spots = [cell.spot for cell in cells]
        self._shapes = numpy.array([shape(cell.geometry) for cell in cells], dtype=object)
        shapely.prepare(self._shapes)
        self._tree = STRtree(self._shapes)
        self._by_unit = {spot.unit_grid_id: at for at, spot in enumerate(self._spots)}
        self._by_responsibility: defaultdict[int, list[int]] = defaultdict(list)
        for at, spot in enumerate(self._spots):
            if spot.responsibility_grid_id is not None:
                self._by_responsibility[spot.responsibility_grid_id].append(at)
        nowhere = (1.0, 1.0, -1.0, -1.0)
        self.bounds = tuple(shapely.total_bounds(self._shapes).tolist()) if cells else nowhere
        self._tree.query(Point(0, 0))  # the tree is built at its first use: do it here, before threads share it

    def __len__(self) -> int:
        return len(self._spots)

    def locate(self, lon: float, lat: float) -> Spot | None:
        """The grid that covers a CGCS2000 position, borders included; None outside all of them."""
        found = self._tree.query(Point(lon, lat), predicate="intersects")
        if len(found) == 1:
            return self._spots[found[0]]
        return self._spots[found.min()] if len(found) else None

    def spot_of(self, unit_grid_id: int) -> Spot | None:
        """The spot of a unit grid by its id; None when it is not in force."""
        at = self._by_unit.get(unit_grid_id)
        return None if at is None else self._spots[at]

    def units_of(self, responsibility_grid_ids: Iterable[int]) -> list[int]:
        """The ids of all unit grids of these responsibility grids."""
        wanted = (at for one in responsibility_grid_ids for at in self._by_responsibility.get(one, ()))
        return [self._spots[at].unit_grid_id for at in wanted]

    def neighbours(self, unit_grid_id: int) -> list[Spot]:
        """One spot for each responsibility grid beside the one this unit grid is in, nearest to the unit grid first."""
        at = self._by_unit.get(unit_grid_id)
        if at is None:
            return []
        own = self._spots[at].responsibility_grid_id
        members = self._by_responsibility.get(own, [at]) if own is not None else [at]
        reach = NEIGHBOUR_M / metres_per_degree(self._shapes[at].centroid.y)[0]
        beside = {int(i) for i in self._tree.query(self._shapes[members], predicate="dwithin", distance=reach)[1]}
        nearest: dict[int, tuple[float, int]] = {}
        for i in sorted(beside):
            name = self._spots[i].responsibility_grid_id
            if name is None or name == own:
                continue
            away = (self._shapes[at].distance(self._shapes[i]), i)
            nearest[name] = min(nearest.get(name, away), away)
        return [self._spots[i] for _, i in sorted(nearest.values())]
