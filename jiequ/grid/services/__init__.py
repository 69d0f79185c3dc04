"""Everything that changes a street's map. Call these, not the modules below."""

from .imports import ImportReport, drawing_of, export_grids, import_grids
from .names import PlaceFacts, add_place, edit_place, remove_place
from .points import PointFacts, add_point, edit_point, remove_point
from .responsibility import (
    assign_worker,
    edit_responsibility_grid,
    make_responsibility_grid,
    retire_responsibility_grid,
)
from .store import Counts

__all__ = [
    "Counts",
    "ImportReport",
    "PlaceFacts",
    "PointFacts",
    "add_place",
    "add_point",
    "assign_worker",
    "drawing_of",
    "edit_place",
    "edit_point",
    "edit_responsibility_grid",
    "export_grids",
    "import_grids",
    "make_responsibility_grid",
    "remove_place",
    "remove_point",
    "retire_responsibility_grid",
]
