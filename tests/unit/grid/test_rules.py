"""Tile keys, distances, coordinate systems, codes and numbering."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.grid.rules import (
    BadCode,
    BBox,
    CoordinateSystem,
    bbox_around,
    distance_m,
    from_canonical,
    is_position,
    parse_code12,
    parse_code15,
    q18,
    q18_ranges,
    serials,
    tile,
    to_canonical,
)

LON = st.floats(min_value=-180, max_value=180)
LAT = st.floats(min_value=-85, max_value=85)
IN_CHINA = st.tuples(st.floats(min_value=76, max_value=131), st.floats(min_value=18.5, max_value=52))


def test_the_vectors_of_another_library_are_met_to_a_centimetre(shared: Path) -> None:
    vectors = json.loads((shared / "data" / "geo_vectors.json").read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) == 4
    for vector in vectors:
        for system in (CoordinateSystem.GCJ02, CoordinateSystem.BD09):
            there = from_canonical(*vector["wgs84"], system)
            back = to_canonical(*vector[system.value], system)
            assert distance_m(*there, *vector[system.value]) < 0.01
            assert distance_m(*back, *vector["wgs84"]) < 0.01


def test_the_shift_of_gcj02_is_as_large_as_the_vectors_say(shared: Path) -> None:
    vectors = json.loads((shared / "data" / "geo_vectors.json").read_text(encoding="utf-8"))["vectors"]
    for vector in vectors:
        shifted = from_canonical(*vector["wgs84"], CoordinateSystem.GCJ02)
        assert distance_m(*vector["wgs84"], *shifted) == pytest.approx(vector["offset_m"], rel=0.01)


@given(IN_CHINA, st.sampled_from(list(CoordinateSystem)))
def test_there_and_back_again_is_the_same_place(place: tuple[float, float], system: CoordinateSystem) -> None:
    back = to_canonical(*from_canonical(*place, system), system)
    assert abs(back[0] - place[0]) < 1e-6
    assert abs(back[1] - place[1]) < 1e-6


@given(LON, LAT)
def test_abroad_nothing_is_shifted_and_nothing_warns(lon: float, lat: float) -> None:
    if 72 < lon < 138 and 0.8 < lat < 56:
        return
    assert from_canonical(lon, lat, "gcj02") == (lon, lat)
    assert to_canonical(lon, lat, "bd09") == (lon, lat)


def test_an_unknown_coordinate_system_is_refused() -> None:
    with pytest.raises(ValueError, match="beijing54"):
        to_canonical(113.5, 23.18, "beijing54")


def test_what_is_no_number_is_no_position() -> None:
    assert is_position(113.5, 23.18)
    for pair in ((math.nan, 23.0), (113.0, math.inf), (181.0, 0.0), (0.0, 89.0)):
        assert not is_position(*pair)


def _slow_key(lon: float, lat: float) -> int:
    """The same key bit by bit."""
    column, row = tile(lon, lat)
    return sum(((column >> bit & 1) << 2 * bit) | ((row >> bit & 1) << 2 * bit + 1) for bit in range(18))


@given(LON, LAT)
def test_the_key_interleaves_column_and_row(lon: float, lat: float) -> None:
    assert q18(lon, lat) == _slow_key(lon, lat)
    assert 0 <= q18(lon, lat) < 1 << 36


def test_a_known_tile_has_the_column_and_row_every_web_map_gives_it() -> None:
    phi = math.radians(23.18)
    row = (1 - math.log(math.tan(phi) + 1 / math.cos(phi)) / math.pi) / 2 * 2**18
    assert tile(113.5, 23.18) == (int(293.5 / 360 * 2**18), int(row)) == (213720, 113712)
    assert tile(-180, 85.06) == (0, 0)
    assert tile(180, -90) == (2**18 - 1, 2**18 - 1)


BOX = st.builds(
    lambda lon, lat, wide, high: BBox(lon, lat, min(lon + wide, 180), min(lat + high, 85)),
    st.floats(min_value=-179, max_value=179),
    st.floats(min_value=-84, max_value=84),
    st.floats(min_value=0, max_value=3),
    st.floats(min_value=0, max_value=3),
)


@given(BOX, st.floats(0, 1), st.floats(0, 1), st.integers(4, 64))
def test_the_ranges_hold_every_key_of_the_box(box: BBox, across: float, up: float, limit: int) -> None:
    ranges = q18_ranges(box, limit)
    inside = q18(box.west + (box.east - box.west) * across, box.south + (box.north - box.south) * up)
    assert any(low <= inside <= high for low, high in ranges)
    assert len(ranges) <= limit
    assert all(a[1] < b[0] for a, b in pairwise(ranges))


def test_the_ranges_around_a_point_do_not_hold_the_whole_town() -> None:
    ranges = q18_ranges(bbox_around(113.5, 23.18, 300))
    keys = sum(high - low + 1 for low, high in ranges)
    x0, y0 = tile(*bbox_around(113.5, 23.18, 300)[:2])
    x1, y1 = tile(*bbox_around(113.5, 23.18, 300)[2:])
    assert keys <= 3 * (x1 - x0 + 1) * (y0 - y1 + 1)


@given(LON, LAT, st.floats(1, 5000), st.floats(0, 2 * math.pi))
def test_whatever_is_near_lies_in_the_box_around(lon: float, lat: float, radius: float, angle: float) -> None:
    if abs(lat) > 80 or abs(lon) > 179:
        return
    box = bbox_around(lon, lat, radius)
    lon2 = lon + math.cos(angle) * (box.east - lon) * 0.99
    lat2 = lat + math.sin(angle) * (box.north - lat) * 0.99
    assert box.west <= lon2 <= box.east
    assert box.south <= lat2 <= box.north
    assert distance_m(lon, lat, lon2, lat2) <= radius * 1.05


def test_a_thousandth_of_a_degree_is_as_long_as_it_should_be() -> None:
    assert distance_m(113.5, 23.18, 113.5, 23.181) == pytest.approx(111.2, abs=0.1)
    assert distance_m(113.5, 23.18, 113.501, 23.18) == pytest.approx(102.2, abs=0.1)


def test_fifteen_digits_are_district_street_community_and_serial() -> None:
    parts = parse_code15("440198001005098")
    assert (parts.district, parts.street, parts.community, parts.serial) == ("440198", "001", "005", "098")
    assert (parts.code9, parts.code12) == ("440198001", "440198001005")
    assert parse_code12("440198001005") == ("440198", "001", "005")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "length"),
        ("44019800100509", "length"),
        ("4401980010050981", "length"),
        ("44019800100509x", "length"),
        ("４４0198001005098", "length"),
        ("990198001005098", "province"),
        ("440198000005098", "zero"),
        ("440198001000098", "zero"),
        ("440198001005000", "zero"),
    ],
)
def test_a_wrong_code_says_what_is_wrong(code: str, reason: str) -> None:
    with pytest.raises(BadCode) as caught:
        parse_code15(code)
    assert caught.value.reason == reason


def test_grids_are_numbered_west_to_east_and_north_to_south() -> None:
    step = 0.001
    north_west, north_east = (113.5, 23.18 + step), (113.5 + step, 23.18 + step)
    south_west, south_east = (113.5, 23.18), (113.5 + step, 23.18)
    assert serials([south_east, north_east, south_west, north_west]) == [4, 2, 3, 1]
    assert serials([]) == []


@given(st.lists(st.tuples(st.floats(113, 114), st.floats(23, 24)), max_size=40))
def test_every_grid_gets_a_number_of_its_own(centres: list[tuple[float, float]]) -> None:
    assert sorted(serials(centres)) == list(range(1, len(centres) + 1))
