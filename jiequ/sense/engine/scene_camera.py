"""What a camera and the air make of a synthetic scene: colour casts, haze, focus, shift, noise, JPEG."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.scene_parts import Floats, floats

Bytes = NDArray[np.uint8]


def develop(image: Floats, rng: np.random.Generator, strength: float = 1.0) -> Floats:
    """Whole-scene colour of a date: gains, mixed channels, curve, contrast, haze. Same shape, [0, 255]."""
    mixed = np.eye(3) + rng.normal(0, 0.05 * strength, (3, 3))
    mixed = mixed / mixed.sum(1, keepdims=True) * np.exp(rng.normal(0, 0.07 * strength, (3, 1)))
    picture = np.clip(image @ floats(mixed.T) / 255, 0, 1.4)
    picture = picture ** floats(np.exp(rng.normal(0, 0.22 * strength)))
    middle = picture.mean((0, 1), keepdims=True)
    picture = middle + (picture - middle) * floats(np.exp(rng.normal(0.1, 0.28 * strength)))
    picture = picture * floats(np.exp(rng.normal(0, 0.18 * strength))) + floats(rng.normal(0, 0.03 * strength, 3))
    if rng.random() < 0.15 * strength:
        picture = picture[..., ::-1]  # sensors and exports that swap red and blue
    grey = picture.mean(-1, keepdims=True)
    picture = grey + (picture - grey) * floats(rng.uniform(0.3, 1.05))  # satellites and haze show less colour than paint
    return np.asarray(np.clip(picture, 0, 1) * 255, np.float32)


def drift(size: int, rng: np.random.Generator, most: float = 2.0) -> tuple[Floats, Floats]:
    """Mis-registration of up to ``most`` pixels: a shift and a slow field. Maps for ``cv2.remap``, each (size, size)."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    shift = rng.uniform(-most, most, 2) * rng.random() * 0.75
    field = [cv2.resize(floats(rng.normal(0, most / 5, (4, 4))), (size, size), interpolation=cv2.INTER_CUBIC) for _ in "xy"]
    return floats(x + shift[0] + field[0]), floats(y + shift[1] + field[1])


def expose(image: Floats, rng: np.random.Generator) -> Bytes:
    """Focus or sharpening, sensor noise, JPEG. uint8."""
    kind = rng.random()
    if kind < 0.45:
        image = floats(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.0)))
    elif kind < 0.65:
        image = image + floats(image - cv2.GaussianBlur(image, (0, 0), 1.2)) * floats(rng.uniform(0.3, 1.2))
    image = image + rng.standard_normal(image.shape, dtype=np.float32) * floats(abs(rng.normal(0, 3.5)))
    picture: Any = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(45, 95))
        done, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)
