"""What counts as a whole number that somebody sent."""

from __future__ import annotations

import pytest

from jiequ.core.numbers import whole, wholes


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("17", 17), ("007", 7), (12, 12), ("9" * 18, 10**18 - 1)])
def test_a_number_is_read(text: object, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("text", ["", " 1", "-1", "1.0", "²", "١٢", "１２", "9" * 19, "x", None])
def test_anything_else_is_none(text: object) -> None:
    assert whole(text) is None


def test_so_many_digits_and_no_more() -> None:
    assert (whole("999", 3), whole("1000", 3)) == (999, None)


def test_of_several_those_that_are_ids_stay_in_order() -> None:
    assert wholes(["3", "", "²", "1", "9" * 40]) == [3, 1]
