"""Whatever is found: one thing is one suspect, growth is seen, areas are true, what is not registered is blind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from rasterio.crs import CRS
from shapely.geometry import mapping, shape

from jiequ.sense.engine import matching
from jiequ.sense.engine.areas import DEGREES, area_m2, moved, utm
from jiequ.sense.engine.compare import compare
from jiequ.sense.engine.matching import GROWN, LEAST_IOU, MOST_METRES, STOREY_M, match, overlap
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.shapes import Finding, Hint, Known, Sources
from tests.support.rasters import CORNER, UTM49, picture, terrain, with_house, write

pytestmark = [pytest.mark.sqlite, pytest.mark.filterwarnings("ignore:Use `@` matmul")]  # touches no database; affine 3.1
EARTH = Geod(ellps="WGS84")
CHINA = st.tuples(st.floats(74, 134), st.floats(18.5, 53))
BOX = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(3, 30), st.integers(3, 30))


def placed(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    """A rectangle in metres near the corner of the tests' street, in degrees."""
    box = shapely.box(CORNER[0] + x, CORNER[1] + y, CORNER[0] + x + width, CORNER[1] + y + height)
    return moved(box, CRS.from_string(UTM49), DEGREES)


def finding(key: str, polygon: shapely.Polygon, height: float | None = 3.0) -> Finding:
    return Finding(key, mapping(polygon), area_m2(polygon), height, None, Hint.OTHER, False, 0.5)


def known(key: str, polygon: shapely.Polygon, height: float | None = 3.0) -> Known:
    return Known(key, mapping(polygon), area_m2(polygon), height, closed=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(BOX, max_size=7), st.lists(BOX, max_size=7))
def test_a_polygon_is_never_two_suspects_nor_a_suspect_two_polygons(here: list[tuple[int, ...]], there: list[tuple[int, ...]]):
    findings = [finding(f"f{n}", placed(*box)) for n, box in enumerate(here)]
    suspects = [known(f"s{n}", placed(*box)) for n, box in enumerate(there)]
    told = match(findings, suspects)
    assert [one.key for one in told] == [one.key for one in findings]
    taken = [one.suspect for one in told if one.suspect]
    assert len(taken) == len(set(taken))
    by_key = {one.id: one for one in suspects}
    for one, of in zip(told, findings, strict=True):
        assert (one.suspect is None) == (one.change == "new")
        if one.suspect is None:  # only because each that is near enough was a better match of another
            near = [s.id for s in suspects if overlap(of, finding("", shape(s.geometry))) > LEAST_IOU + 1e-6]
            assert set(near) <= set(taken)
        else:
            assert one.iou >= LEAST_IOU - 1e-3 or one.metres < MOST_METRES + 1e-2
            assert by_key[one.suspect].closed


def test_the_nearest_first_twin_takes_one_suspect_for_two_polygons(monkeypatch: pytest.MonkeyPatch):
    suspect, findings = known("s", placed(0, 0, 20, 20)), [finding(f"f{n}", placed(n, 0, 20, 20)) for n in (0, 4)]
    assert [one.suspect for one in match(findings, [suspect])] == ["s", None]
    monkeypatch.setattr(matching, "_assigned", lambda cost: {row: int(np.argmin(line)) for row, line in enumerate(cost)})
    assert [one.suspect for one in match(findings, [suspect])] == ["s", "s"]


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 40), st.integers(6, 40), st.floats(0, 0.6), st.floats(0, 6))
def test_growth_beyond_a_tenth_and_a_storey_are_seen_and_reopen(width: int, height: int, longer: float, higher: float):
    before, after = placed(0, 0, width, height), placed(0, 0, width * (1 + longer), height)
    suspect = known("s", before, 3.0)
    (told,) = match([finding("f", after, 3.0 + higher)], [suspect])
    if abs(higher - STOREY_M) > 1e-6 and abs(1 + longer - GROWN) > 1e-6:
        wanted = "storey" if higher > STOREY_M else "grown" if 1 + longer > GROWN else "same"
        assert (told.suspect, told.change) == ("s", wanted)
        assert matching.reopens(told, suspect) == (wanted != "same")


@settings(max_examples=80, deadline=None)
@given(CHINA, st.floats(5, 2000), st.floats(0.2, 5), st.floats(0, 90))
def test_an_area_differs_from_the_geodesic_one_by_less_than_a_thousandth(
    place: tuple[float, float], side: float, ratio: float, angle: float
):
    zone = utm(*place)
    x, y = shapely.get_coordinates(moved(shapely.Point(place), DEGREES, zone))[0]
    drawn = shapely.affinity.rotate(shapely.box(x, y, x + side, y + side * ratio), angle)
    true = abs(EARTH.geometry_area_perimeter(shapely.segmentize(moved(drawn, zone, DEGREES), 1e-4))[0])
    assert area_m2(drawn, zone.to_wkt()) == pytest.approx(true, rel=1e-3)
    assert area_m2(moved(drawn, zone, DEGREES)) == pytest.approx(true, rel=1e-3)


def test_the_plane_area_of_utm_itself_would_miss_by_more_than_a_thousandth_at_a_zones_rim():
    zone = utm(113.9, 22.5)
    x, y = shapely.get_coordinates(moved(shapely.Point(113.99, 22.5), DEGREES, zone))[0]
    drawn = shapely.box(x, y, x + 100, y + 100)
    true = abs(EARTH.geometry_area_perimeter(moved(drawn, zone, DEGREES))[0])
    assert abs(drawn.area / true - 1) > 1e-3
    assert area_m2(drawn, zone.to_wkt()) == pytest.approx(true, rel=1e-4)


@pytest.mark.parametrize("tile", [96, 128, 200])
def test_moving_the_tile_grid_moves_no_polygon_of_the_net_by_more_than_a_pixel(tmp_path: Path, tile: int):
    """Both paths at once, over seams of other tiles and other offsets."""
    size, houses = 520, [(250, 240, 40, 30, 5.0), (90, 380, 24, 24, 4.0)]
    before, ground = picture(size), terrain(size)
    after = before.copy()
    for row, column, height, width, _ in houses:
        after[:, row : row + height, column : column + width] = np.array([40, 90, 190], np.uint8)[:, None, None]
    told = {"resolution": 0.4}
    one, other = (
        Sources(write(tmp_path / f"o{n}.tif", image, **told), write(tmp_path / f"d{n}.tif", heights, nodata=-9999, **told))
        for n, image, heights in ((0, before, ground), (1, after, with_house(ground, *houses)))
    )
    found = [
        compare(one, other, work=tmp_path / f"w{size}{offset}", processes=1,
                parameters=Parameters(tile_px=size, halo_px=64, offset_px=offset, opening_m=2.0))
        for size, offset in ((512, 0), (tile, tile // 3))
    ]  # fmt: skip
    here, there = ([moved(shape(x.geometry), DEGREES, CRS.from_string(UTM49)) for x in each.findings] for each in found)
    assert len(here) == len(there) >= 2
    for polygon in here:
        assert min(polygon.hausdorff_distance(candidate) for candidate in there) <= 0.4


def test_two_places_that_are_not_the_same_are_blind_everywhere_and_unchanged_nowhere(tmp_path: Path):
    """No tile can be registered: all of it "cannot compare" on both paths, nothing compared, nothing found."""
    sources = [
        Sources(write(tmp_path / f"o{n}.tif", picture(512, seed)), write(tmp_path / f"d{n}.tif", terrain(512, seed)))
        for n, seed in enumerate((1, 2))
    ]
    told = compare(*sources, work=tmp_path / "work", processes=1)
    whole = moved(shapely.box(CORNER[0], CORNER[1] - 256, CORNER[0] + 256, CORNER[1]), CRS.from_string(UTM49), DEGREES)
    for path in ("dsm", "net"):
        unseen = shapely.union_all([shape(one.geometry) for one in told.blind if one.path == path])
        assert whole.difference(unseen).area < 1e-5 * whole.area  # sides straight in metres bend in degrees
    assert told.compared_m2 == 0
    assert not told.findings


def test_a_turned_file_without_nodata_of_sixteen_bits_shows_the_same_house(tmp_path: Path):
    """A rotated geotransform and odd numbers are read on the same ground."""
    ground = terrain(300)
    houses = with_house(ground, (120, 130, 30, 24, 6.0))
    straight = [Sources(dsm=write(tmp_path / f"{n}.tif", one, nodata=-9999)) for n, one in enumerate((ground, houses))]
    turned = Affine.translation(CORNER[0], CORNER[1]) @ Affine(0, 0.5, 0, -0.5, 0, 0)  # columns run south
    again = Sources(dsm=write(tmp_path / "turned.tif", np.rint(houses.T * 100).astype(np.int16), transform=turned))
    again_before = Sources(dsm=write(tmp_path / "turned0.tif", np.rint(ground.T * 100).astype(np.int16), transform=turned))
    one = compare(*straight, work=tmp_path / "one", processes=1)
    other = compare(again_before, again, work=tmp_path / "other", processes=1)
    (first,), second = one.findings, max(other.findings, key=lambda each: each.area_m2)
    assert overlap(first, second) > 0.9


def test_a_surface_goes_on_alone_without_the_net_and_says_so(tmp_path: Path):
    """Missing weights cost the net's path and its evidence, not the comparison."""
    ground = terrain(300)
    houses = with_house(ground, (120, 130, 30, 24, 6.0))
    sources = [
        Sources(write(tmp_path / f"o{n}.tif", picture(300)), write(tmp_path / f"d{n}.tif", each))
        for n, each in enumerate((ground, houses))
    ]
    spoilt = tmp_path / "change.onnx"
    spoilt.write_bytes(b"not the net that its sum names")
    spoilt.with_name("change.onnx.sha256").write_text("0" * 64 + "  change.onnx\n")
    told = compare(*sources, work=tmp_path / "work", weights=spoilt, processes=1)
    assert {"code": "net_missing", "why": "weights_mismatch"} in told.notes
    assert told.provenance["model"] == ""
    assert [set(one.evidence) & {"dsm", "net"} for one in told.findings] == [{"dsm"}]
