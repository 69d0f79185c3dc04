"""The index answers what looking at every polygon answers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point
from shapely.geometry import shape

from jiequ.grid.index import Cell, Spot, SpotIndex

from .drawings import SOUTH, STEP, WEST, board, demo_geography, polygon, square


def index_of(geometries: list[dict], grids: list[int | None] | None = None) -> SpotIndex:
    """Unit grids 1, 2, … ; responsibility grid n has worker 100 + n."""
    owners = grids or [None] * len(geometries)
    return SpotIndex(
        [
            Cell(Spot(1, 1, number, owner, None if owner is None else 100 + owner), geometry)
            for number, (geometry, owner) in enumerate(zip(geometries, owners, strict=True), start=1)
        ]
    )


def brute_force(geometries: list[dict], lon: float, lat: float) -> int | None:
    """The first polygon that covers the position."""
    return next((n for n, geometry in enumerate(geometries, start=1) if shape(geometry).intersects(Point(lon, lat))), None)


NEAR = st.floats(-0.5, 4.5)
CORNERS = st.sampled_from([0, 0.5, 1, 2, 3, 4])


@given(st.one_of(NEAR, CORNERS), st.one_of(NEAR, CORNERS))
def test_the_index_finds_what_brute_force_finds_on_a_chessboard(across: float, up: float) -> None:
    geometries = [grid.geometry for grid in board(4, 4)]
    lon, lat = round(WEST + across * STEP, 7), round(SOUTH + up * STEP, 7)
    spot = CHESSBOARD.locate(lon, lat)
    assert (spot.unit_grid_id if spot else None) == brute_force(geometries, lon, lat)


CHESSBOARD = index_of([grid.geometry for grid in board(4, 4)])
DEMO = [grid.geometry for grid in demo_geography().streets[1].drawing.unit_grids or []]
DEMO_INDEX = index_of(DEMO)


@settings(deadline=None)
@given(st.floats(113.44, 113.49), st.floats(23.15, 23.21))
def test_the_index_finds_what_brute_force_finds_in_a_drawn_street(lon: float, lat: float) -> None:
    spot = DEMO_INDEX.locate(lon, lat)
    assert (spot.unit_grid_id if spot else None) == brute_force(DEMO, lon, lat)


@settings(deadline=None)
@given(st.integers(0, len(DEMO) - 1), st.data())
def test_every_corner_of_a_drawn_grid_lies_in_the_first_grid_that_has_it(at: int, data: st.DataObject) -> None:
    lon, lat = data.draw(st.sampled_from(DEMO[at]["coordinates"][0]))
    spot = DEMO_INDEX.locate(lon, lat)
    assert spot is not None
    assert spot.unit_grid_id == brute_force(DEMO, lon, lat)


def test_a_position_in_a_hole_belongs_to_the_grid_in_the_hole() -> None:
    ring = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]
    hole = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
    index = index_of([polygon(ring, hole), polygon(hole)])
    assert index.locate(1.5, 1.5).unit_grid_id == 2  # type: ignore[union-attr]
    assert index.locate(0.5, 0.5).unit_grid_id == 1  # type: ignore[union-attr]
    assert index.locate(1, 1).unit_grid_id == 1  # type: ignore[union-attr]


def test_an_empty_street_has_nothing_anywhere() -> None:
    empty = SpotIndex([])
    assert empty.locate(113.5, 23.18) is None
    assert empty.neighbours(1) == []
    assert len(empty) == 0


def test_neighbours_are_the_grids_beside_ours_nearest_first() -> None:
    # west to east: own (two squares), near, far; and one alone beyond a gap
    row = [square(column, 0) for column in (0, 1, 2, 3, 4, 6)]
    index = index_of(row, [1, 1, 2, 2, 3, 4])
    assert [spot.responsibility_grid_id for spot in index.neighbours(1)] == [2]
    assert [spot.worker_id for spot in index.neighbours(4)] == [103, 101]
    assert index.neighbours(6) == []
    assert index.neighbours(99) == []


def test_a_unit_grid_of_nobody_still_has_neighbours() -> None:
    index = index_of([square(0, 0), square(1, 0), square(2, 0)], [None, 1, 2])
    assert [spot.responsibility_grid_id for spot in index.neighbours(1)] == [1]


def test_a_unit_grid_is_found_by_its_id_and_by_its_responsibility_grid() -> None:
    index = index_of([square(0, 0), square(1, 0), square(2, 0)], [1, 2, 1])
    assert index.spot_of(2).responsibility_grid_id == 2  # type: ignore[union-attr]
    assert index.spot_of(9) is None
    assert index.units_of([1]) == [1, 3]
