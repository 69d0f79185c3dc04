"""Heights along a line as one drawing: an address that is none of ours, and surfaces no street has, break nothing."""

from __future__ import annotations

import pytest

from jiequ.web.tiles import profiles

LINE = "113.5,23.1,113.501,23.101"


@pytest.mark.parametrize(
    "line", ["113.5,23.1,113.501", "113.5,23.1,113.501,..", "٣,23.1,113.501,23.101", "1e9,1,2,3", "1,2,3,4" * 90]
)
def test_an_address_with_another_line_is_no_profile(line: str) -> None:
    assert profiles.PROFILE.fullmatch(f"/tiles/sense/profile/1/2/{LINE}.svg")
    assert profiles.PROFILE.fullmatch(f"/tiles/sense/profile/1/2/{line}.svg") is None


def test_a_line_of_no_length_or_of_many_kilometres_is_none() -> None:
    assert profiles.line_of(LINE.split(",")) == ((113.5, 23.1), (113.501, 23.101))
    assert profiles.line_of(["113.5", "23.1"] * 2) is None
    assert profiles.line_of(["113.5", "23.1", "114.5", "23.1"]) is None


def test_heights_are_drawn_with_a_scale_whatever_they_are() -> None:
    drawn = profiles.svg([0.0, 1.0, 2.0], [10.0, 10.0, None], [10.0, 13.0, 13.0])
    assert drawn.count("<path") >= 3
    assert ">12</text>" in drawn
    assert ">20000</text>" in profiles.svg([0.0, 1.0], [0.0, 30_000.0], [0.0, 0.0])
    assert "<path" not in profiles.svg([0.0, 1.0], [None, None], [None, None])
