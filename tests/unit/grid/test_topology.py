"""A drawing with a fault is refused, and the fault is named with its grids and a position on the spot."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point
from shapely.geometry import shape

from jiequ.grid.check import Known, problems
from jiequ.grid.drawing import CommunityDrawn, PlaceDrawn, PointDrawn, ResponsibilityDrawn
from jiequ.grid.topology import Drawn, Fault, coverage_problems, shape_problem

from .drawings import SOUTH, STEP, STREET, WEST, board, code, drawing, polygon, square


def known(**changes: object) -> Known:
    return Known(STREET, workers=frozenset({"chen"}), **changes)  # type: ignore[arg-type]


def test_a_sound_drawing_has_no_problems() -> None:
    assert problems(drawing(), known()) == []


def test_a_missing_grid_is_a_gap_between_its_neighbours() -> None:
    grids = [grid for grid in board(4, 3) if grid.code != code(1, 4)]
    (found,) = coverage_problems(grids)
    assert found.fault is Fault.GAP
    assert found.area_m2 == pytest.approx(11_360, rel=0.01)
    assert shape(square(1, 1)).contains(Point(found.lon, found.lat))
    assert set(found.codes) == {code(1, 2), code(1, 3), code(1, 6), code(2, 3)}


def test_a_crack_that_opens_to_the_border_is_a_gap() -> None:
    grids = board(2, 1)
    left = Drawn(grids[0].code, square(0, 0, wide=0.996))  # 40 cm short of its neighbour
    (found,) = coverage_problems([left, grids[1]])
    assert found.fault is Fault.GAP
    assert set(found.codes) == {left.code, grids[1].code}


def test_a_corner_missing_at_the_outer_border_is_the_shape_of_the_street() -> None:
    grids = [grid for grid in board(4, 3) if grid.code != code(1, 5)]
    assert coverage_problems(grids) == []


def test_an_overlap_names_both_grids_and_its_size() -> None:
    grids = board(4, 3)
    grids[0] = Drawn(grids[0].code, square(0, 2, wide=1.1))
    (found,) = coverage_problems(grids)
    assert found.fault is Fault.OVERLAP
    assert set(found.codes) == {code(1, 1), code(1, 2)}
    assert found.area_m2 == pytest.approx(1136, rel=0.02)
    assert shape(square(1, 2)).contains(Point(found.lon, found.lat))


def test_the_same_ground_in_two_communities_is_said_so() -> None:
    grids = [*board(4, 3), Drawn(code(2, 99), square(0, 0))]
    (found,) = coverage_problems(grids)
    assert found.fault is Fault.TWO_COMMUNITIES
    assert set(found.codes) == {code(1, 5), code(2, 99)}


def test_borders_drawn_a_centimetre_apart_are_one_border() -> None:
    random_shift = random.Random(4)
    rings = []
    for grid in board(6, 5):
        ring = [
            [x + random_shift.uniform(-1, 1) * 8e-8, y + random_shift.uniform(-1, 1) * 8e-8]
            for x, y in grid.geometry["coordinates"][0]
        ]
        rings.append(Drawn(grid.code, {"type": "Polygon", "coordinates": [[*ring[:-1], ring[0]]]}))
    assert coverage_problems(rings) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 11), st.integers(0, 3), st.floats(3, 30), st.floats(0, 6.28))
def test_a_corner_moved_by_metres_is_always_found_and_its_grid_named(at: int, corner: int, metres: float, angle: float) -> None:
    grids = board(4, 3)
    ring = [list(pair) for pair in grids[at].geometry["coordinates"][0]]
    x, y = ring[corner]
    if min(abs(x - WEST), abs(x - WEST - 4 * STEP), abs(y - SOUTH), abs(y - SOUTH - 3 * STEP)) < 1e-9:
        return  # a corner at the outer border may go where it likes
    moved = [x + metres * math.cos(angle) / 102_300, y + metres * math.sin(angle) / 111_200]
    ring[corner] = moved
    ring[-1] = ring[0]
    grids[at] = Drawn(grids[at].code, {"type": "Polygon", "coordinates": [ring]})
    found = coverage_problems(grids)
    assert found
    assert any(grids[at].code in problem.codes for problem in found)


def test_another_streets_grid_under_ours_is_an_overlap_and_beside_it_is_none() -> None:
    beside = board(2, 3, "440198002", shift=4)
    assert problems(drawing(), known(elsewhere=beside)) == []
    under = board(2, 3, "440198002", shift=3.7)
    found = problems(drawing(), known(elsewhere=under))
    assert {problem.fault for problem in found} == {Fault.OVERLAP}
    assert all(any(name.startswith("440198002") for name in problem.codes) for problem in found)


def test_a_hole_that_another_street_fills_is_no_gap() -> None:
    grids = [grid for grid in board(4, 3) if grid.code != code(1, 4)]
    enclave = [Drawn("440198002001001", square(1, 1))]
    assert coverage_problems(grids, elsewhere=enclave) == []


def test_a_community_whose_outline_is_not_filled_has_a_gap() -> None:
    outlines = {f"{STREET}001": square(-0.5, 0, wide=2.5, high=3), f"{STREET}002": square(2, 0, wide=2, high=3)}
    (found,) = coverage_problems(board(4, 3), outlines=outlines)
    assert found.fault is Fault.GAP
    assert found.lon is not None
    assert found.lon < WEST


def test_a_gap_inside_an_outline_is_named_once() -> None:
    grids = [grid for grid in board(4, 3) if grid.code != code(1, 4)]
    outlines = {f"{STREET}001": square(0, 0, wide=2, high=3), f"{STREET}002": square(2, 0, wide=2, high=3)}
    (found,) = coverage_problems(grids, outlines=outlines)
    assert found.fault is Fault.GAP


def test_a_grid_that_leaves_its_communitys_outline_is_named() -> None:
    outlines = {f"{STREET}001": square(0, 0, wide=2, high=2)}
    found = coverage_problems(board(4, 3), outlines=outlines)
    assert {(problem.fault, problem.codes[0]) for problem in found} == {
        (Fault.OUTSIDE, code(1, 1)),
        (Fault.OUTSIDE, code(1, 2)),
    }


@pytest.mark.parametrize(
    ("geometry", "fault"),
    [
        ({"type": "Point", "coordinates": [113.5, 23.18]}, Fault.NOT_POLYGON),
        ({"type": "MultiPolygon", "coordinates": []}, Fault.NOT_POLYGON),
        ({"type": "Polygon"}, Fault.NOT_POLYGON),
        ({"type": "Polygon", "coordinates": []}, Fault.NOT_POLYGON),
        ({"type": "Polygon", "coordinates": [[]]}, Fault.NOT_POLYGON),
        ({"type": "Polygon", "coordinates": [["a", "b", "c", "d"]]}, Fault.NOT_POLYGON),
        ({"type": "Polygon", "coordinates": [[[113.5, None], [1, 2], [3, 4], [113.5, None]]]}, Fault.NOT_POLYGON),
        ({"type": "Polygon", "coordinates": [[[113.5, 23.18]] * 6000]}, Fault.NOT_POLYGON),
        (polygon([[513.5, 23.18], [513.6, 23.18], [513.6, 23.19], [513.5, 23.18]]), Fault.OFF_EARTH),
        (polygon([[113.5, 23.18], [113.6, 23.18], [113.6, 23.19], [113.5, 23.19]]), Fault.NOT_CLOSED),
        (polygon([[113.5, 23.18], [113.6, 23.19], [113.6, 23.18], [113.5, 23.19], [113.5, 23.18]]), Fault.CROSSES_ITSELF),
        (polygon([[113.5, 23.18], [113.6, 23.18], [113.5, 23.18], [113.5, 23.18]]), Fault.CROSSES_ITSELF),
        (polygon([[113.5, 23.18], [113.500001, 23.18], [113.5, 23.180001], [113.5, 23.18]]), Fault.NO_AREA),
    ],
)
def test_a_shape_that_is_no_closed_polygon_is_named(geometry: dict, fault: Fault) -> None:
    found = shape_problem("x", geometry)
    assert found is not None
    assert found.fault is fault


def test_where_a_border_crosses_itself_is_told() -> None:
    bow = polygon([[113.50, 23.18], [113.52, 23.20], [113.52, 23.18], [113.50, 23.20], [113.50, 23.18]])
    found = shape_problem("x", bow)
    assert found is not None
    assert (found.lon, found.lat) == (pytest.approx(113.51), pytest.approx(23.19))


def test_faults_of_codes_are_named() -> None:
    grids = board(4, 3)
    spoiled = [
        Drawn("44019800100100", grids[0].geometry),
        grids[1],
        Drawn(grids[1].code, grids[2].geometry),
        Drawn("440198009001001", grids[3].geometry),
        Drawn(code(7, 1), grids[4].geometry),
    ]
    found = problems(drawing(unit_grids=spoiled, responsibility_grids=None, places=None), known())
    assert [problem.fault for problem in found] == [Fault.BAD_CODE, Fault.TWICE, Fault.OTHER_STREET, Fault.NO_COMMUNITY]
    assert found[3].codes == (code(7, 1), f"{STREET}007")
    assert all(problem.lon is not None for problem in found)


def test_faults_of_responsibility_grids_are_named() -> None:
    codes = tuple(grid.code for grid in board())
    spoiled = [
        ResponsibilityDrawn("甲", codes[:3], "nobody"),
        ResponsibilityDrawn("甲", codes[2:4]),
        ResponsibilityDrawn("乙", ("440198001001999", codes[0])),
        ResponsibilityDrawn("丙", ()),
    ]
    faults = [problem.fault for problem in problems(drawing(responsibility_grids=spoiled), known())]
    assert faults == [Fault.UNKNOWN_WORKER, Fault.NAME_TWICE, Fault.UNKNOWN_GRID, Fault.GRID_TAKEN, Fault.NO_MEMBERS]


def test_faults_of_points_and_places_are_named() -> None:
    points = [PointDrawn("JK1", "a", "balloon", 113.5, 23.18), PointDrawn("JK1", "b", "foot", 113.5, 23.18, "", "extreme")]
    places = [
        PlaceDrawn(f"{STREET}009", "road", "远路", 113.5, 23.18),
        PlaceDrawn(f"{STREET}001", "tower", "塔", 113.5, 23.18),
        PlaceDrawn(f"{STREET}001", "landmark", "桥", 113.5, 23.18, (), "没有的路"),
        PlaceDrawn(f"{STREET}001", "road", "路" * 61, 113.5, 23.18),
    ]
    faults = {problem.fault for problem in problems(drawing(points=points, places=places), known())}
    assert faults == {Fault.BAD_KIND, Fault.NAME_TWICE, Fault.PLACE_NO_COMMUNITY, Fault.UNKNOWN_BESIDE, Fault.TOO_LONG}


def test_communities_are_of_this_street_once_and_not_without_their_grids() -> None:
    communities = [
        CommunityDrawn("440198009001", "a"),
        CommunityDrawn(f"{STREET}001", "b"),
        CommunityDrawn(f"{STREET}001", "c"),
    ]
    lone = drawing(communities=communities, unit_grids=None, responsibility_grids=None, places=None)
    faults = [problem.fault for problem in problems(lone, known(units=frozenset({code(2, 1)})))]
    assert faults == [Fault.BAD_COMMUNITY, Fault.COMMUNITY_TWICE, Fault.COMMUNITY_GONE]


def test_an_outline_that_is_no_area_is_named() -> None:
    bow = polygon([[113.50, 23.18], [113.52, 23.20], [113.52, 23.18], [113.50, 23.20], [113.50, 23.18]])
    for outline in (bow, {"type": "Polygon", "coordinates": "x"}, {"type": "Point", "coordinates": [1, 2]}, {"nothing": 1}):
        communities = [CommunityDrawn(f"{STREET}001", "甲", "", outline), CommunityDrawn(f"{STREET}002", "乙")]
        (found,) = problems(drawing(communities=communities), known())
        assert (found.fault, found.codes) == (Fault.BAD_OUTLINE, (f"{STREET}001",))
