"""A road's or river's course: kept coarse, packed in a column, and the point of it that is nearest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.grid import lines
from jiequ.grid.rules import distance_m

LON, LAT = 113.5, 23.18
DEGREE_M = 111_195.0
WIDE_M = DEGREE_M * math.cos(math.radians(LAT))


def at(east_m: float, north_m: float) -> tuple[float, float]:
    return LON + east_m / WIDE_M, LAT + north_m / DEGREE_M


ROAD = lines.coarse([[at(0, 0), at(500, 5), at(1000, 0)], [at(1000, 300), at(1000, 900)]])


def test_a_course_is_kept_within_twenty_five_metres_and_no_finer() -> None:
    wiggly = [at(10 * n, 12 * math.sin(n)) for n in range(200)]
    (kept,) = lines.coarse([wiggly])
    assert len(kept) < 20
    assert max(distance_m(x, y, *lines.nearest([kept], x, y)) for x, y in wiggly) <= lines.TOLERANCE_M + 2
    assert len(ROAD[0]) == 2, "a bend of five metres is left out"


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)), min_size=2, max_size=60))
def test_what_was_made_coarse_once_is_taken_back_as_it_is(metres: list[tuple[float, float]]) -> None:
    kept = lines.coarse([[at(*pair) for pair in metres]])
    assert lines.coarse(kept) == kept == lines.unpacked(lines.packed(kept))


@pytest.mark.parametrize(
    ("here", "metres", "foot"),
    [
        *(((500, 280), 280, (500, 0)), ((-300, 0), 300, (0, 0))),  # beside the road; beyond its end
        *(((1100, 600), 100, (1000, 600)), ((1000, 150), 150, None)),  # its other part; between the two
    ],
)
def test_the_nearest_point_of_a_line_and_how_far_it_is(
    here: tuple[float, float], metres: float, foot: tuple[float, float] | None
) -> None:
    spot = lines.nearest(ROAD, *at(*here))
    assert distance_m(*at(*here), *spot) == pytest.approx(metres, abs=2)
    assert foot is None or distance_m(*at(*foot), *spot) < 2


def test_the_middle_lies_half_way_along_the_longest_part() -> None:
    assert distance_m(*lines.middle(ROAD), *at(500, 0)) < 3


@pytest.mark.parametrize(
    "wrong",
    [
        *([], [[at(0, 0)]], [[at(0, 0), (999.0, 0.0)]], [[at(0, 0), (math.nan, 23.0)]]),
        [[at(60 * n, 60 * (n % 2)) for n in range(600)]],  # six hundred bends
    ],
)
def test_what_is_no_line_of_a_district_is_refused(wrong: list[list[tuple[float, float]]]) -> None:
    with pytest.raises(ValueError, match="line|earth|long"):
        lines.coarse(wrong)
