"""What the engine found in an area's box, cut to the area itself. Pure; for the child that compared.

The engine compares rectangles. A finding belongs to the area in which its middle lies, so that of two areas side by side one
has it; a place that cannot be compared is cut at the border, and what no picture of both days shows is such a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import shapely
from rasterio.crs import CRS
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from .engine.areas import DEGREES, area_m2, moved
from .engine.grid import Grid
from .engine.shapes import Blind, Outcome
from .engine.vector import on_ground
from .ground import to_json

LEAST_M2 = 0.01


def cut(outcome: Outcome, area: Mapping[str, Any]) -> Outcome:
    """The outcome of the area alone. ``area``: GeoJSON in WGS-84."""
    whole = shape(area)
    grids = [_outline(outcome.provenance[name]["grid"]) for name in ("ortho", "dsm") if name in outcome.provenance]
    compared = unary_union(grids)
    share = area_m2(whole.intersection(compared)) / area_m2(compared)
    path = "net" if "ortho" in outcome.provenance else "dsm"
    blind = [piece for one in outcome.blind for piece in _pieces(shape(one.geometry).intersection(whole), one.reason, one.path)]
    return replace(
        outcome,
        findings=tuple(one for one in outcome.findings if whole.contains(shape(one.geometry).representative_point())),
        blind=(*blind, *_pieces(whole.difference(compared), "no_pictures", path)),
        compared_m2=round(outcome.compared_m2 * share, 1),
    )


def _outline(told: Mapping[str, Any]) -> BaseGeometry:
    """A grid's rectangle in degrees."""
    grid = Grid(**told)
    return moved(on_ground(shapely.box(0, 0, grid.width, grid.height), grid), CRS.from_wkt(grid.crs), DEGREES)


def _pieces(geometry: BaseGeometry, reason: str, path: str) -> Iterator[Blind]:
    for one in shapely.get_parts(geometry):
        if isinstance(one, Polygon) and (size := area_m2(one)) >= LEAST_M2:
            yield Blind(to_json(one), reason, path, round(size, 2))
