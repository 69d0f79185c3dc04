"""Phase correlation of two images (Kuglin and Hines 1975), the same to the bit in every process.

``cv2.phaseCorrelate`` of OpenCV 5.0.0 is not: it reads memory that nobody wrote, so that what the process did before moves its
answer by up to a twentieth of a pixel (tests/unit/sense/test_phase.py). Hence numpy's transform here, otherwise the same steps.
And ``cv2.magnitude`` rounds by where its input lies in memory.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 2  # pixels around the peak whose centre of gravity is the answer
Floats = NDArray[np.float32]


def correlated(first: Floats, second: Floats, window: Floats) -> tuple[float, float, float]:
    """(dx, dy, response) in pixels and [0, 1]: second(x + dx) looks like first(x). All (h, w); ``window`` tapers both."""
    spectrum = np.conj(np.fft.rfft2(first * window)) * np.fft.rfft2(second * window)
    power = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    spectrum *= 1 / np.sqrt(np.maximum(power, np.float32(1e-30)))
    surface = np.fft.irfft2(spectrum, s=first.shape)
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    near = np.arange(-REACH, REACH + 1)
    height, width = surface.shape
    weights = surface[np.ix_((row + near) % height, (column + near) % width)].astype(np.float64)
    response = float(weights.sum())
    if response <= 0:
        return 0.0, 0.0, 0.0
    dy, dx = (float((weights.sum(1 - axis) * near).sum()) / response for axis in (0, 1))
    return _centred(column, width) + dx, _centred(row, height) + dy, response


def steepness(image: Floats) -> Floats:
    """The length of the slope at each pixel, by Sobel's operator."""
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt(across * across + down * down), np.float32)


def _centred(place: np.intp, length: int) -> int:
    return int(place) - (length if 2 * int(place) >= length else 0)
