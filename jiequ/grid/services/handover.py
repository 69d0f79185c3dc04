"""What people hands over here: a worker's responsibility grids go to another grid worker of the street."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from jiequ.people import queries as people_queries
from jiequ.people.rules import Actor, Role

from ..models import ResponsibilityGrid
from .common import changed, record


def held_grids(person_id: int, at: datetime) -> int:
    """How many responsibility grids in force name this worker."""
    return ResponsibilityGrid.objects.filter(worker_id=person_id, retired_at=None).count()


def move_grids(*, person_id: int, to_id: int, by: Actor, at: datetime) -> int:
    """Inside people's transaction: grids change hands where the other is a grid worker, else they stay. Returns the count."""
    moved = 0
    for grid in ResponsibilityGrid.objects.filter(worker_id=person_id, retired_at=None):
        if to_id not in {person.pk for person in people_queries.holders(Role.GRID_WORKER, grid.street_id, at)}:
            continue
        ResponsibilityGrid.objects.filter(pk=grid.pk).update(worker_id=to_id, version=F("version") + 1)
        record(by, grid.street_id, at, "handed_over", "responsibility_grid", grid.pk, {"worker": to_id})
        changed(grid.street_id, at)
        moved += 1
    return moved
