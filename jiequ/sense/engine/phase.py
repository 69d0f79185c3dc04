"""Phase correlation of two images (Kuglin and Hines 1975), the same to the bit in every process.

``cv2.phaseCorrelate`` of OpenCV 5.0.0 is not: it reads memory that nobody wrote, so that what the process did before moves its
answer by up to a twentieth of a pixel (tests/unit/sense/test_phase.py). Hence scipy's transform here, otherwise the same steps.
And ``cv2.magnitude`` rounds by where its input lies in memory.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2

REACH = 2  # pixels around the peak whose centre of gravity is the answer
NEAR = np.arange(-REACH, REACH + 1)
Floats = NDArray[np.float32]


def correlated(first: Floats, second: Floats, window: Floats) -> tuple[float, float, float]:
    """(dx, dy, response) in pixels and [0, 1]: second(x + dx) looks like first(x). All (h, w); ``window`` tapers both."""
    dx, dy, response = all_correlated(first[None], second[None], window)
    return float(dx[0]), float(dy[0]), float(response[0])


def all_correlated(first: Floats, second: Floats, window: Floats) -> NDArray[np.float64]:
    """The same of n pairs, (n, h, w) each, at once: (3, n)."""
    spectrum, other = rfft2(first * window), rfft2(second * window)
    spectrum = np.conj(spectrum, out=spectrum)
    spectrum *= other
    power = spectrum.real * spectrum.real
    power += spectrum.imag * spectrum.imag
    spectrum *= 1 / np.sqrt(np.maximum(power, np.float32(1e-30)))
    surface = irfft2(spectrum, s=first.shape[1:], overwrite_x=True)
    height, width = first.shape[1:]
    rows, columns = np.divmod(surface.reshape(len(surface), -1).argmax(1), width)
    down, right = (rows[:, None] + NEAR) % height, (columns[:, None] + NEAR) % width
    weights = surface[np.arange(len(surface))[:, None, None], down[:, :, None], right[:, None, :]].astype(np.float64)
    response = weights.sum((1, 2))
    found = np.zeros((3, len(surface)))
    has = response > 0
    found[0, has] = (_centred(columns, width) + (weights.sum(1) * NEAR).sum(1) / np.where(has, response, 1))[has]
    found[1, has] = (_centred(rows, height) + (weights.sum(2) * NEAR).sum(1) / np.where(has, response, 1))[has]
    found[2, has] = response[has]
    return found


def steepness(image: Floats) -> Floats:
    """The length of the slope at each pixel, by Sobel's operator."""
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt(across * across + down * down), np.float32)


def _centred(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    return places - np.where(2 * places >= length, length, 0)
