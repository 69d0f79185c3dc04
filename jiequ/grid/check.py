"""Is a whole drawing sound, against what is in force already? Every fault is found, none is repaired. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import shapely
from shapely.geometry import shape

from .drawing import CommunityDrawn, Drawing
from .rules import BadCode, parse_code12
from .topology import Drawn, Fault, Problem, code_problems, coverage_problems, shape_problem

POINT_KINDS = frozenset({"drone", "camera", "foot"})
RISK_CLASSES = frozenset({"high", "medium", "low"})
PLACE_KINDS = frozenset({"road", "estate", "village", "river", "landmark"})
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Known:
    """What is in force in the street, and around it."""

    code9: str
    communities: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()
    places: frozenset[tuple[str, str]] = frozenset()
    elsewhere: list[Drawn] = field(default_factory=list)


def problems(drawing: Drawing, known: Known) -> list[Problem]:
    """Everything wrong with a drawing; overlaps and gaps are looked for once each grid by itself is sound."""
    found = [*_communities(drawing, known), *_names_too_long(drawing)]
    communities = {row.code for row in drawing.communities or []} or set(known.communities)
    if drawing.unit_grids is not None:
        found += code_problems(drawing.unit_grids, code9=known.code9, communities=communities)
        found += filter(None, (shape_problem(grid.code, grid.geometry) for grid in drawing.unit_grids))
        if not found:
            outlines = {row.code: row.outline for row in drawing.communities or [] if row.outline}
            found += coverage_problems(drawing.unit_grids, outlines=outlines, elsewhere=known.elsewhere)
    found += _responsibility_grids(drawing, known)
    found += _points(drawing)
    found += _places(drawing, communities, known)
    return found


def _communities(drawing: Drawing, known: Known) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in drawing.communities or []:
        try:
            district, street, _ = parse_code12(row.code)
        except BadCode:
            district = street = ""
        if district + street != known.code9:
            yield Problem(Fault.BAD_COMMUNITY, (row.code,))
        elif row.code in seen:
            yield Problem(Fault.COMMUNITY_TWICE, (row.code,))
        elif row.outline is not None and not _is_area(row):
            yield Problem(Fault.BAD_OUTLINE, (row.code,))
        seen.add(row.code)
    if drawing.communities is not None and drawing.unit_grids is None:
        for code in sorted({unit[:12] for unit in known.units} - seen):
            yield Problem(Fault.COMMUNITY_GONE, (code,))


def _is_area(row: CommunityDrawn) -> bool:
    try:
        outline = shape(row.outline)
        return outline.geom_type in ("Polygon", "MultiPolygon") and bool(outline.is_valid) and outline.area > 0
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.ShapelyError):
        return False


def _responsibility_grids(drawing: Drawing, known: Known) -> Iterator[Problem]:
    units = known.units if drawing.unit_grids is None else {grid.code for grid in drawing.unit_grids}
    owner: dict[str, str] = {}
    names: set[str] = set()
    for grid in drawing.responsibility_grids or []:
        if grid.name in names:
            yield Problem(Fault.NAME_TWICE, (grid.name,))
        if not grid.codes:
            yield Problem(Fault.NO_MEMBERS, (grid.name,))
        if grid.worker and grid.worker not in known.workers:
            yield Problem(Fault.UNKNOWN_WORKER, (grid.name, grid.worker))
        for code in grid.codes:
            if code not in units:
                yield Problem(Fault.UNKNOWN_GRID, (grid.name, code))
            elif owner.setdefault(code, grid.name) != grid.name:
                yield Problem(Fault.GRID_TAKEN, (code, owner[code]))
        names.add(grid.name)


def _points(drawing: Drawing) -> Iterator[Problem]:
    seen: set[str] = set()
    for point in drawing.points or []:
        if point.code in seen:
            yield Problem(Fault.NAME_TWICE, (point.code,))
        if point.kind not in POINT_KINDS:
            yield Problem(Fault.BAD_KIND, (point.code, point.kind))
        if point.risk_class not in RISK_CLASSES:
            yield Problem(Fault.BAD_KIND, (point.code, point.risk_class))
        seen.add(point.code)


def _places(drawing: Drawing, communities: set[str], known: Known) -> Iterator[Problem]:
    anchors = set(known.places) | {(p.community, p.name) for p in drawing.places or [] if p.kind != "landmark"}
    seen: set[tuple[str, str, str]] = set()
    for place in drawing.places or []:
        key = place.community, place.kind, place.name
        if key in seen:
            yield Problem(Fault.NAME_TWICE, (place.name,))
        if place.kind not in PLACE_KINDS:
            yield Problem(Fault.BAD_KIND, (place.name, place.kind))
        if place.community not in communities:
            yield Problem(Fault.PLACE_NO_COMMUNITY, (place.name, place.community))
        elif place.beside and (place.community, place.beside) not in anchors:
            yield Problem(Fault.UNKNOWN_BESIDE, (place.name, place.beside))
        seen.add(key)


def _names_too_long(drawing: Drawing) -> Iterator[Problem]:
    codes = [point.code for point in drawing.points or []]
    names = [row.name_zh for row in drawing.communities or []]
    names += [grid.name for grid in drawing.responsibility_grids or []]
    for point in drawing.points or []:
        names += [point.name, point.area]
    for place in drawing.places or []:
        names += [place.name, *place.aliases]
    too_long = [name for name in names if len(name) > LONGEST_NAME] + [code for code in codes if len(code) > 20]
    for name in too_long:
        yield Problem(Fault.TOO_LONG, (name[:LONGEST_NAME],))
