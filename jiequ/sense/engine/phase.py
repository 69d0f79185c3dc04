"""Phase correlation of two images (Kuglin and Hines 1975), the same to the bit in every process.

``cv2.phaseCorrelate`` of OpenCV 5.0.0 is not: it reads memory that nobody wrote, so that what the process did before moves its
answer by up to a twentieth of a pixel (tests/unit/sense/test_phase.py). Hence its transform alone, or numpy's, otherwise the
same steps. And ``cv2.magnitude`` rounds by where its input lies in memory.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 2  # pixels around the peak whose centre of gravity is the answer
NEAR = np.arange(-REACH, REACH + 1)
LEAST_POWER = np.float32(1e-30)
BACK = cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT
Floats = NDArray[np.float32]


def correlated(first: Floats, second: Floats, window: Floats) -> tuple[float, float, float]:
    """(dx, dy, response) in pixels and [0, 1]: second(x + dx) looks like first(x). All (h, w); ``window`` tapers both."""
    spectrum = np.conj(np.fft.rfft2(first * window)) * np.fft.rfft2(second * window)
    power = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    spectrum *= 1 / np.sqrt(np.maximum(power, LEAST_POWER))
    dx, dy, response = _peaks(np.asarray(np.fft.irfft2(spectrum, s=first.shape), np.float32)[None])
    return float(dx[0]), float(dy[0]), float(response[0])


def all_correlated(first: Floats, second: Floats, window: Floats) -> NDArray[np.float64]:
    """The same of n pairs, (n, h, w) each, h and w even: (3, n). OpenCV's transform takes a third of numpy's time."""
    first, second = first * window, second * window
    surfaces = np.empty_like(first)
    for one, other, into in zip(first, second, surfaces, strict=True):
        cv2.dft(one, one)
        cv2.dft(other, other)
        cv2.mulSpectrums(other, one, 0, into, True)
    _whitened(surfaces)
    for into in surfaces:
        cv2.dft(into, into, BACK)
    return _peaks(surfaces)


def _whitened(spectra: Floats) -> None:
    """Each number of (n, h, w) spectra brought to length one, in place, as OpenCV packs them.

    Along a row lie real and imaginary parts in turn, but the first and the last column are spectra of their own, packed
    downwards in the same way, and their first and last numbers have no imaginary part.
    """
    _shortened(spectra[:, :, 1:-1:2], spectra[:, :, 2:-1:2])
    for column in (spectra[:, :, 0], spectra[:, :, -1]):
        _shortened(column[:, 1:-1:2], column[:, 2:-1:2])
        for alone in (column[:, 0], column[:, -1]):
            alone[:] = np.sign(alone)


def _shortened(real: Floats, imaginary: Floats) -> None:
    power = real * real
    power += imaginary * imaginary
    factor = 1 / np.sqrt(np.maximum(power, LEAST_POWER))
    real *= factor
    imaginary *= factor


def _peaks(surfaces: Floats) -> NDArray[np.float64]:
    """(3, n): where the highest point of each of (n, h, w) lies, by the centre of gravity around it, and how much is there."""
    count, height, width = surfaces.shape
    rows, columns = np.divmod(surfaces.reshape(count, -1).argmax(1), width)
    down, right = (rows[:, None] + NEAR) % height, (columns[:, None] + NEAR) % width
    weights = surfaces[np.arange(count)[:, None, None], down[:, :, None], right[:, None, :]].astype(np.float64)
    response = weights.sum((1, 2))
    found, has = np.zeros((3, count)), response > 0
    total = np.where(has, response, 1)
    found[0, has] = (_centred(columns, width) + (weights.sum(1) * NEAR).sum(1) / total)[has]
    found[1, has] = (_centred(rows, height) + (weights.sum(2) * NEAR).sum(1) / total)[has]
    found[2, has] = response[has]
    return found


def steepness(image: Floats) -> Floats:
    """The length of the slope at each pixel, by Sobel's operator."""
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt(across * across + down * down), np.float32)


def _centred(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    return places - np.where(2 * places >= length, length, 0)
