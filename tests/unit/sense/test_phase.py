"""The shift between two images is the same to the bit, whatever the process did before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from jiequ.sense.engine.phase import all_correlated, correlated, steepness

pytestmark = pytest.mark.sqlite  # touches no database
HANN = np.asarray(cv2.createHanningWindow((128, 128), cv2.CV_32F))


def two(seed: int, dx: float, dy: float) -> tuple[Any, Any]:
    """An image, and the same moved by (dx, dy) pixels with noise of its own; both without their mean."""
    rng = np.random.default_rng(seed)
    one = np.abs(cv2.GaussianBlur(rng.normal(size=(160, 160)).astype(np.float32), (0, 0), 1))
    other = cv2.warpAffine(one, np.array([[1, 0, dx], [0, 1, dy]], np.float64), (160, 160))
    other += rng.normal(scale=0.05, size=other.shape).astype(np.float32)
    inner = slice(16, 144), slice(16, 144)
    return one[inner] - one.mean(), other[inner] - other.mean()


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (2.4, -1.7), (-9.3, 14.6)])
def test_a_shift_is_found_to_a_tenth_of_a_pixel_and_strangers_have_little_in_common(dx: float, dy: float):
    one, other = two(1, dx, dy)
    found = correlated(one, other, HANN)
    assert found[:2] == pytest.approx((dx, dy), abs=0.1)
    assert found[2] > 0.8
    assert correlated(one, two(2, 0, 0)[1], HANN)[2] < 0.15
    several = all_correlated(np.stack([one, other, one]), np.stack([other, one, np.zeros_like(one)]), HANN)
    assert several[:, 0] == pytest.approx(found, abs=1e-3)
    assert several[:, 1] == pytest.approx(correlated(other, one, HANN), abs=1e-3)
    assert several[2, 2] < 0.15


def answers(ask: Callable[..., Any]) -> set[Any]:
    """What is answered to one and the same question after other work has left its numbers in memory."""
    (one, other), rng, found = two(3, 1.3, 0.8), np.random.default_rng(4), set()
    for power in range(12):
        waste = rng.normal(scale=10.0 ** (power % 5), size=(100 + 17 * power,) * 2).astype(np.float32)
        cv2.dft(waste)
        cv2.GaussianBlur(waste, (0, 0), 1)
        found.add(ask(one, other, HANN))
    return found


def test_what_was_done_before_moves_no_answer_and_the_twin_by_opencv_is_moved():
    assert len(answers(correlated)) == 1
    assert len(answers(lambda one, other, window: all_correlated(one[None], other[None], window).tobytes())) == 1
    assert len(answers(cv2.phaseCorrelate)) > 1  # of OpenCV 5.0.0; once mended there, ``phase`` can go


def laid(image: Any, at: int) -> Any:
    """The same numbers so many bytes behind where memory begins."""
    place = np.empty(image.nbytes + 64, np.uint8)[at:][: image.nbytes].view(np.float32).reshape(image.shape)
    place[:] = image
    return place


def test_where_an_image_lies_in_memory_changes_no_slope_and_the_twin_by_opencv_is_changed():
    image = cv2.GaussianBlur(np.random.default_rng(5).normal(100, 40, (301, 301)).astype(np.float32), (0, 0), 1)
    assert len({steepness(laid(image, at)).tobytes() for at in range(0, 64, 4)}) == 1
    some = image[:128, :128][None], image[2:130, 3:131][None]
    assert len({all_correlated(*(laid(one, at) for one in some), laid(HANN, at)).tobytes() for at in range(0, 64, 4)}) == 1
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    assert len({cv2.magnitude(across, down, laid(across, at)).tobytes() for at in range(0, 64, 4)}) > 1
