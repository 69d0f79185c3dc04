"""What was written anew to be quicker gives what the slower way gives: outlines, filled pixels, lattices, areas, files."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.features import rasterize, shapes
from shapely.geometry import shape

from jiequ.sense.engine.areas import all_areas_m2, all_to_degrees, area_m2, to_degrees
from jiequ.sense.engine.attributes import middles_in
from jiequ.sense.engine.folder import packed, unpacked
from jiequ.sense.engine.grid import Window, between
from jiequ.sense.engine.tracing import Outlines, together, traced
from jiequ.sense.engine.vector import joined
from tests.support.rasters import CORNER, UTM49

pytestmark = pytest.mark.sqlite  # touches no database
CORNER_OF_TILE = Window(1000, 300, 0, 0)
SEEDS = st.integers(0, 2**32 - 1)


def classes_of(seed: int) -> Any:
    """A tile of specks or of blobs, of one to four classes."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 30, 2)
    if seed % 2:
        return (cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 1.5) > 0).astype(np.uint8)
    return rng.choice([0, 0, 1, 2, 20, 21][: rng.integers(3, 7)], (height, width)).astype(np.uint8)


def by_gdal(classes: Any) -> list[tuple[int, Any]]:
    found = shapes(classes, mask=classes > 0, connectivity=4)
    return [(int(value), shapely.transform(shape(one), lambda points: points + np.array([300, 1000]))) for one, value in found]


def in_order(found: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    valid = [(value, shapely.make_valid(polygon)) for value, polygon in found]
    return sorted(valid, key=lambda one: (one[0], one[1].area, one[1].bounds, one[1].representative_point().wkb))


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_tile_is_traced_as_gdal_traces_it(seed: int) -> None:
    classes = classes_of(seed)
    kept = Outlines.unpacked(unpacked(packed({"row": traced(classes, CORNER_OF_TILE).packed()}))[0]["row"])
    own = list(zip(map(int, kept.values), kept.polygons(), strict=True))
    ours, theirs = in_order(own), in_order(by_gdal(classes))
    assert [value for value, _ in ours] == [value for value, _ in theirs]
    assert sum(polygon.area for _, polygon in ours) == np.count_nonzero(classes)
    for value in set(map(int, kept.values)):
        one, other = (shapely.union_all([polygon for its, polygon in found if its == value]) for found in (ours, theirs))
        assert one.equals(other)
    assert [round(one.area) for _, one in ours] == [round(other.area) for _, other in theirs]


def test_nothing_has_no_outline_and_a_ring_of_walls_has_its_yard() -> None:
    empty = traced(np.zeros((5, 5), np.uint8), CORNER_OF_TILE)
    assert (len(empty.values), len(empty.polygons()), len(together([empty, empty])[0])) == (0, 0, 0)
    walls = np.ones((5, 5), np.uint8)
    walls[2, 2] = 0
    (polygon,) = traced(walls, CORNER_OF_TILE).polygons()
    assert (polygon.area, len(polygon.interiors), polygon.bounds) == (24, 1, (300, 1000, 305, 1005))


def test_what_a_seam_cuts_is_one_again_and_specks_go_only_where_no_seam_can_make_them_more() -> None:
    house = np.zeros((8, 8), np.uint8)
    house[2:6, 6:], house[0, 0] = 1, 1
    right = house[:, ::-1].copy()
    found = together([traced(house, Window(0, 0, 8, 8)), traced(right, Window(0, 8, 8, 8))])
    cuts = {0, 8}, {0, 8, 16}
    assert [(value, polygon.area) for value, polygon in joined(found, cuts, 5)] == [(1, 16.0)]
    assert sorted(polygon.area for _, polygon in joined(found, cuts, 0)) == [1, 1, 16]


def polygon_of(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return shapely.box(5.2, 7.7, 40.1, 33.3).difference(shapely.box(10.1, 12.3, *rng.uniform(15, 30, 2)))
    if seed % 3 == 1:
        return shapely.MultiPoint(rng.integers(-5, 60, (6, 2))).convex_hull.buffer(0.7, quad_segs=2)
    parts = shapely.get_parts(shapely.make_valid(shapely.Polygon(rng.uniform(-10, 70, (rng.integers(3, 12), 2)))))
    return max((one for one in parts if one.geom_type == "Polygon"), key=lambda one: one.area)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_pixels_in_a_polygon_are_those_that_gdal_fills(seed: int) -> None:
    polygon = polygon_of(seed)
    assert (middles_in(polygon, (60, 50)) == rasterize([polygon], (60, 50), transform=Affine.identity())).all()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_between_the_cells_of_a_lattice_lies_the_straight_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(*rng.integers(1, 8, 2), 3)).astype(np.float32)
    window, step = Window(*map(int, rng.integers(-90, 500, 2)), *map(int, rng.integers(1, 300, 2))), (37.0, 80.5)
    found = between(values, window, step, (1, 0))
    down, right = (
        np.clip((np.arange(length) + first + 0.5) / by - 0.5 - lead, 0, count - 1)
        for length, first, by, lead, count in (
            (window.height, window.row, step[0], 1, values.shape[0]),
            (window.width, window.column, step[1], 0, values.shape[1]),
        )
    )
    for band in range(3):
        across = np.stack([np.interp(right, np.arange(values.shape[1]), line[:, band]) for line in values])
        wanted = np.stack([np.interp(down, np.arange(values.shape[0]), line) for line in across.T], axis=1)
        assert np.abs(found[..., band] - wanted).max() < 1e-4
        assert (between(values[..., band], window, step, (1, 0)) == found[..., band]).all()


def test_areas_and_places_of_many_are_those_of_each() -> None:
    rng = np.random.default_rng(3)
    houses = [shapely.box(0, 0, *rng.uniform(3, 30, 2)) for _ in range(20)] + [shapely.Polygon()]
    apart = [(0, 0), (90_000, 4000), (-70_000, 0)]
    placed = [shapely.transform(one, lambda points, n=n: points + CORNER + apart[n % 3]) for n, one in enumerate(houses)]
    crs = CRS.from_string(UTM49).to_wkt()
    assert all_areas_m2(placed, crs) == [area_m2(one, crs) for one in placed]
    assert all_to_degrees(placed[:-1], crs) == [to_degrees(one, crs) for one in placed[:-1]]
    assert (all_areas_m2([], crs), all_areas_m2(houses, "")) == ([], [one.area for one in houses])


KEEPS = """
import resource, sys
import numpy as np
from jiequ.sense.engine.memory import keep_freed
if sys.argv[1] == "kept": keep_freed()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50): several = [np.full(1_500_000, 1, np.uint8) for _ in range(6)]; del several
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(); print(faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_arrays_are_used_again_without_asking_the_kernel_for_each_page() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", KEEPS, how], capture_output=True, text=True, check=True).stdout)
        for how in ("kept", "given_back")
    )
    assert kept < 1000 < 10_000 < given_back
