"""The invented district: same seed, same map; sound by its own check; as large as the story needs."""

from __future__ import annotations

from collections import Counter

import pytest
from shapely import Point, union_all
from shapely.geometry import shape

from jiequ.grid.check import Known, problems
from jiequ.grid.demo import DemoGeography, build
from jiequ.grid.rules import distance_m, metres_per_degree

from .drawings import demo_geography


@pytest.fixture(scope="module")
def demo() -> DemoGeography:
    return demo_geography()


def test_the_same_seed_draws_the_same_district(demo: DemoGeography) -> None:
    assert build() == demo
    other = build(2)
    assert other != demo
    assert len(other.streets[0].drawing.unit_grids or []) > 2000


def test_every_street_passes_the_check_that_imports_pass(demo: DemoGeography) -> None:
    for street in demo.streets:
        elsewhere = [grid for other in demo.streets if other is not street for grid in other.drawing.unit_grids or []]
        assert problems(street.drawing, Known(street.code9, elsewhere=elsewhere)) == []


def test_the_main_street_is_as_large_as_the_story_needs(demo: DemoGeography) -> None:
    main = demo.streets[0].drawing
    assert len(demo.streets) == 3
    assert len(main.communities or []) == 12
    assert 2300 <= len(main.unit_grids or []) <= 2700
    assert 55 <= len(main.responsibility_grids or []) <= 65
    assert len(main.points or []) == 81
    across, up = metres_per_degree(23.18)
    areas = sorted(shape(grid.geometry).area * across * up for grid in main.unit_grids or [])
    assert 24e6 <= sum(areas) <= 27e6
    assert 8_000 <= areas[len(areas) // 2] <= 12_000
    assert areas[0] > 1_500
    assert distance_m(113.50, 23.18, *union_all([shape(g.geometry) for g in main.unit_grids or []]).centroid.coords[0]) < 700


def test_all_kinds_of_points_and_places_are_there(demo: DemoGeography) -> None:
    main = demo.streets[0].drawing
    assert min(Counter(point.kind for point in main.points or []).values()) >= 10
    kinds = Counter(place.kind for place in main.places or [])
    assert set(kinds) == {"road", "estate", "village", "landmark", "river"}
    assert all(bool(place.line) == (place.kind in {"road", "river"}) for place in main.places or [])
    assert {"鹭溪河", "禾塘涌"} <= {place.name for place in main.places or [] if place.kind == "river"}
    assert any(place.name.endswith("禾塘涌桥") for place in main.places or [])
    assert {"water", "river", "park", "building", "lane", "road", "trunk"} <= {feature.kind for feature in main.features}


def test_every_point_place_and_the_storys_spot_lie_in_the_street(demo: DemoGeography) -> None:
    for street in demo.streets:
        ground = union_all([shape(grid.geometry) for grid in street.drawing.unit_grids or []]).buffer(1e-6)
        for spot in [*(street.drawing.points or []), *(street.drawing.places or [])]:
            assert ground.distance(Point(spot.x, spot.y)) * 111_000 < 70, spot
    main = union_all([shape(grid.geometry) for grid in demo.streets[0].drawing.unit_grids or []])
    assert main.contains(Point(demo.story_spot))


def test_every_unit_grid_has_exactly_one_responsibility_grid_of_one_community(demo: DemoGeography) -> None:
    for street in demo.streets:
        grids = street.drawing.responsibility_grids or []
        members = [code for grid in grids for code in grid.codes]
        assert sorted(members) == sorted(grid.code for grid in street.drawing.unit_grids or [])
        assert all(len({code[:12] for code in grid.codes}) == 1 for grid in grids)


def test_responsibility_grids_hang_together(demo: DemoGeography) -> None:
    main = demo.streets[0].drawing
    shapes = {grid.code: shape(grid.geometry) for grid in main.unit_grids or []}
    for grid in main.responsibility_grids or []:
        whole = union_all([shapes[code] for code in grid.codes])
        assert whole.geom_type == "Polygon", grid.name


def test_serial_numbers_run_without_a_gap_and_north_before_south(demo: DemoGeography) -> None:
    main = demo.streets[0].drawing
    for community in main.communities or []:
        own = [grid for grid in main.unit_grids or [] if grid.code12 == community.code]
        assert [int(grid.code[-3:]) for grid in own] == list(range(1, len(own) + 1))
        north = sum(shape(grid.geometry).centroid.y for grid in own[:10]) / 10
        south = sum(shape(grid.geometry).centroid.y for grid in own[-10:]) / 10
        assert north > south


def test_names_are_used_once_where_they_must_be(demo: DemoGeography) -> None:
    main = demo.streets[0].drawing
    for kind in ("estate", "village"):
        names = [place.name for place in main.places or [] if place.kind == kind]
        assert len(names) == len(set(names))
