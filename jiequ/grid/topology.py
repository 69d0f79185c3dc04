"""Is a drawing of unit grids sound? Closed, valid, no gaps, no overlaps, each in one community (DOMAIN §4). Pure.

Two drawings of one border differ by centimetres, so an overlap or gap counts only when it is larger than
``MIN_AREA_M2`` and wider on average than ``MIN_WIDTH_M``. A gap is a hole in the street, or a crack up to
``CRACK_M`` wide that opens to its outer border; a hole filled by another street is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy
import shapely
from shapely import Polygon, STRtree
from shapely.geometry import shape

from .rules import BadCode, is_position, metres_per_degree, parse_code15

MIN_AREA_M2 = 0.5
MIN_WIDTH_M = 0.05
CRACK_M = 1.0
MAX_POSITIONS = 5_000


class Fault(StrEnum):
    """What can be wrong with a drawing."""

    BAD_CODE = "bad_code"
    TWICE = "twice"
    OTHER_STREET = "other_street"
    NO_COMMUNITY = "no_community"
    NOT_POLYGON = "not_polygon"
    NOT_CLOSED = "not_closed"
    OFF_EARTH = "off_earth"
    CROSSES_ITSELF = "crosses_itself"
    NO_AREA = "no_area"
    OVERLAP = "overlap"
    TWO_COMMUNITIES = "two_communities"
    GAP = "gap"
    OUTSIDE = "outside"
    BAD_COMMUNITY = "bad_community"
    COMMUNITY_TWICE = "community_twice"
    BAD_OUTLINE = "bad_outline"
    COMMUNITY_GONE = "community_gone"
    UNKNOWN_GRID = "unknown_grid"
    GRID_TAKEN = "grid_taken"
    NAME_TWICE = "name_twice"
    NO_MEMBERS = "no_members"
    UNKNOWN_WORKER = "unknown_worker"
    BAD_KIND = "bad_kind"
    TOO_LONG = "too_long"
    PLACE_NO_COMMUNITY = "place_no_community"
    UNKNOWN_BESIDE = "unknown_beside"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the codes it concerns, a position on the spot (degrees), and square metres where that says something."""

    fault: Fault
    codes: tuple[str, ...]
    lon: float | None = None
    lat: float | None = None
    area_m2: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A unit grid as drawn: its code and a GeoJSON geometry in degrees."""

    code: str
    geometry: Mapping[str, Any]

    @property
    def code12(self) -> str:
        return self.code[:12]


def code_problems(grids: Sequence[Drawn], *, code9: str, communities: Iterable[str]) -> Iterator[Problem]:
    """Faults of codes: malformed, used twice, of another street, of a community that is not listed."""
    known, seen = set(communities), set()
    for grid in grids:
        try:
            parts = parse_code15(grid.code)
        except BadCode:
            yield Problem(Fault.BAD_CODE, (grid.code,), *_first_position(grid.geometry))
            continue
        if grid.code in seen:
            yield Problem(Fault.TWICE, (grid.code,), *_first_position(grid.geometry))
        elif parts.code9 != code9:
            yield Problem(Fault.OTHER_STREET, (grid.code,), *_first_position(grid.geometry))
        elif parts.code12 not in known:
            yield Problem(Fault.NO_COMMUNITY, (grid.code, parts.code12), *_first_position(grid.geometry))
        seen.add(grid.code)


def shape_problem(code: str, geometry: Mapping[str, Any]) -> Problem | None:
    """The first fault of one polygon by itself: its type, its rings, its positions, crossings, area."""
    rings = geometry.get("coordinates") if geometry.get("type") == "Polygon" else None
    if not isinstance(rings, list) or not rings or not all(isinstance(ring, list) and ring for ring in rings):
        return Problem(Fault.NOT_POLYGON, (code,))
    if sum(map(len, rings)) > MAX_POSITIONS or not all(_is_pair(pair) for ring in rings for pair in ring):
        return Problem(Fault.NOT_POLYGON, (code,))
    for pair in (pair for ring in rings for pair in ring):
        if not is_position(pair[0], pair[1]):
            return Problem(Fault.OFF_EARTH, (code,))
    for ring in rings:
        if len(ring) < 4 or ring[0][:2] != ring[-1][:2]:
            return Problem(Fault.NOT_CLOSED, (code,), ring[0][0], ring[0][1])
    polygon = shape(geometry)
    if not polygon.is_valid:
        return Problem(Fault.CROSSES_ITSELF, (code,), *_reason_position(polygon))
    across, up = metres_per_degree(rings[0][0][1])
    if polygon.area * across * up < MIN_AREA_M2:
        return Problem(Fault.NO_AREA, (code,), rings[0][0][0], rings[0][0][1])
    return None


def coverage_problems(
    grids: Sequence[Drawn],
    *,
    outlines: Mapping[str, Mapping[str, Any]] | None = None,
    elsewhere: Sequence[Drawn] = (),
) -> list[Problem]:
    """Overlaps, gaps, and grids outside their community's outline. ``grids`` must be sound one by one.

    ``outlines``: community code -> polygon, where the drawing has one. ``elsewhere``: other streets' grids around.
    """
    if not grids:
        return []
    plane = _Plane([shape(grid.geometry) for grid in grids])
    others = plane.flat([shape(grid.geometry) for grid in elsewhere])
    faults = list(_overlaps(plane, grids, others, elsewhere))
    covered = shapely.union_all(plane.shapes)
    gaps = list(_gaps(covered, others))
    faults += [plane.problem(Fault.GAP, piece, plane.codes_beside(piece, grids)) for piece in gaps]
    named = shapely.union_all(gaps)
    for code12, outline in (outlines or {}).items():
        faults.extend(_against_outline(plane, grids, code12, plane.flat([shape(outline)])[0], named))
    return faults


class _Plane:
    """The drawing in metres around its middle, where areas and widths can be compared."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        west, south, east, north = shapely.total_bounds(polygons)
        self._origin = numpy.array([(west + east) / 2, (south + north) / 2])
        self._scale = numpy.array(metres_per_degree((south + north) / 2))
        self.shapes = self.flat(polygons)
        self.tree = STRtree(self.shapes)

    def flat(self, polygons: Sequence[Any]) -> Any:
        """The same shapes in metres."""
        array = numpy.array(polygons, dtype=object)
        return shapely.transform(array, lambda pairs: (pairs - self._origin) * self._scale) if len(array) else array

    def codes_beside(self, piece: Any, grids: Sequence[Drawn]) -> tuple[str, ...]:
        """The codes of at most four grids with the most border along a piece."""
        near = self.tree.query(piece, predicate="dwithin", distance=0.1)
        contact = shapely.area(shapely.intersection(self.shapes[near], piece.buffer(0.5)))
        return tuple(sorted(grids[i].code for i in near[numpy.argsort(-contact, kind="stable")[:4]]))

    def problem(self, fault: Fault, piece: Any, codes: tuple[str, ...]) -> Problem:
        inside = piece.representative_point()
        lon, lat = numpy.array([inside.x, inside.y]) / self._scale + self._origin
        return Problem(fault, codes, round(float(lon), 6), round(float(lat), 6), round(float(piece.area), 1))


def _overlaps(plane: _Plane, grids: Sequence[Drawn], others: Any, elsewhere: Sequence[Drawn]) -> Iterator[Problem]:
    first, second = plane.tree.query(plane.shapes, predicate="intersects")
    once = first < second
    pairs = [(grids[a], plane.shapes[a], grids[b], plane.shapes[b]) for a, b in zip(first[once], second[once], strict=True)]
    if len(others):
        far, near = plane.tree.query(others, predicate="intersects")
        pairs += [(grids[b], plane.shapes[b], elsewhere[a], others[a]) for a, b in zip(far, near, strict=True)]
    if not pairs:
        return
    common = shapely.intersection([pair[1] for pair in pairs], [pair[3] for pair in pairs])
    for at in numpy.flatnonzero(shapely.area(common) > MIN_AREA_M2):
        one, one_shape, other, other_shape = pairs[at]
        for piece in _real(common[at]):
            is_same_ground = piece.area > 0.5 * min(one_shape.area, other_shape.area)
            fault = Fault.TWO_COMMUNITIES if is_same_ground and one.code12 != other.code12 else Fault.OVERLAP
            yield plane.problem(fault, piece, tuple(sorted((one.code, other.code))))


def _gaps(covered: Any, others: Any) -> Iterator[Any]:
    """Holes of the covered ground and cracks that open to its border, less what other streets cover."""
    closed = covered.buffer(CRACK_M / 2, join_style="mitre").buffer(-CRACK_M / 2, join_style="mitre")
    filled = shapely.union_all([Polygon(part.exterior) for part in _polygons(closed)])
    missing = filled.difference(covered)
    if len(others):
        missing = missing.difference(shapely.union_all(others))
    yield from _real(missing)


def _against_outline(plane: _Plane, grids: Sequence[Drawn], code12: str, outline: Any, gaps: Any) -> Iterator[Problem]:
    """Grids that leave their community's outline, and parts of it that none of them fills (``gaps`` are named already)."""
    members = [i for i, grid in enumerate(grids) if grid.code12 == code12]
    for i in members:
        for piece in _real(plane.shapes[i].difference(outline)):
            yield plane.problem(Fault.OUTSIDE, piece, (grids[i].code, code12))
    for piece in _real(outline.difference(shapely.union_all(plane.shapes[members])).difference(gaps)):
        beside = plane.codes_beside(piece, grids)
        yield plane.problem(Fault.GAP, piece, beside or (code12,))


def _real(piece: Any) -> Iterator[Polygon]:
    """The parts that are more than drawing noise."""
    for part in _polygons(piece):
        if part.area > MIN_AREA_M2 and 2 * part.area / part.length > MIN_WIDTH_M:
            yield part


def _polygons(geometry: Any) -> list[Polygon]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and 2 <= len(pair) <= 3
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in pair)
    )


def _first_position(geometry: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    try:
        pair = geometry["coordinates"][0][0]
        return float(pair[0]), float(pair[1])
    except (KeyError, IndexError, TypeError, ValueError):
        return None, None


def _reason_position(polygon: Polygon) -> tuple[float, float] | tuple[None, None]:
    """The position GEOS names: "Self-intersection[113.5 23.1]"."""
    _, _, tail = shapely.is_valid_reason(polygon).partition("[")
    numbers = tail.rstrip("]").split()
    return (float(numbers[0]), float(numbers[1])) if len(numbers) >= 2 else (None, None)
