"""Buildings of a synthetic scene: their shadows, their walls where the camera looks from the side, and roofs of many kinds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine.scene_parts import Box, Colour, Floats, Light, floats, ints

GREY, BROWN = [(112, 110, 108), (96, 94, 94), (130, 126, 120), (84, 84, 88)], [(124, 102, 86), (104, 88, 76), (138, 118, 102)]
TILE = [(150, 90, 70), (134, 80, 66), (166, 106, 84), (124, 84, 72)]
PALE = [(224, 222, 216), (206, 204, 200), (238, 236, 230), (184, 178, 168), (206, 198, 182), (168, 164, 158)]
TIN = [
    (78, 112, 158),
    (100, 134, 176),
    (70, 98, 142),
    (176, 184, 190),
    (206, 210, 212),
    (150, 158, 166),
    (158, 70, 62),
    (96, 140, 120),
]
COLOURS: dict[str, list[tuple[int, int, int]]] = {
    "hip": GREY + BROWN + TILE,
    "gable": GREY + BROWN + TILE + TILE,
    "flat": [*PALE, *PALE, (142, 138, 132), (120, 116, 112), (160, 140, 122), (190, 150, 128)],
    "tin": TIN,
    "shed": [*TIN, (228, 230, 230), (216, 216, 210)],
    "greenhouse": [(206, 214, 216), (188, 198, 198), (222, 226, 224)],
    "trellis": [(88, 120, 62), (104, 132, 76)],
}


def colour_for(rng: np.random.Generator, roof: str) -> Colour:
    """A colour that roofs of this kind have."""
    base = np.array(COLOURS[roof][rng.integers(len(COLOURS[roof]))], float)
    red, green, blue = np.clip(base * rng.normal(1, 0.06) + rng.normal(0, 4, 3), 10, 245)
    return (float(red), float(green), float(blue))


def shadow_of(mask: Floats, box: Box, light: Light, gsd: float, level: float = 0.0) -> None:
    """Add the shadow of ``box`` on a plane ``level`` metres above the ground to ``mask``."""
    low, high = max(box.base - level, 0.0), box.height - level
    if high > 0.3:
        way = np.array(light.shadow)
        lifted = np.array(light.lean) * level
        corners = box.corners(gsd) + lifted
        _fill(mask, np.concatenate([corners + way * low, corners + way * high]), 1.0)


def paint_walls(image: Floats, box: Box, light: Light, gsd: float, wall: Floats) -> None:
    """The sides that an oblique camera sees, darker where the sun does not reach."""
    bottom = box.corners(gsd) + np.array(light.lean) * box.base
    top = box.corners(gsd) + np.array(light.lean) * box.height
    for one, two in ((0, 1), (1, 2), (2, 3), (3, 0)):
        outward = (bottom[one] + bottom[two]) / 2 - bottom.mean(0)
        if outward @ np.array(light.lean) < 0:  # seen, because the roof leans away from this side
            faces = -(outward @ np.array(light.shadow)) / max(float(np.hypot(*outward) * np.hypot(*light.shadow)), 1e-6)
            shade = 0.75 + 0.3 * faces
            _fill(image, np.stack([bottom[one], bottom[two], top[two], top[one]]), tuple(map(float, wall * shade)))


def paint_roof(image: Floats, covered: Floats, box: Box, light: Light, gsd: float) -> None:
    """Draw the roof and add it to ``covered`` (how much of each pixel is roof of a building)."""
    x, y = box.x + light.lean[0] * box.height, box.y + light.lean[1] * box.height
    reach = int(np.hypot(box.length, box.width) / 2 / gsd) + 2
    y0, y1 = max(round(y) - reach, 0), min(round(y) + reach + 1, image.shape[0])
    x0, x1 = max(round(x) - reach, 0), min(round(x) + reach + 1, image.shape[1])
    if y1 <= y0 or x1 <= x0:
        return
    v, u = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    u, v = u - floats(x), v - floats(y)
    cosine, sine = floats(np.cos(box.angle)), floats(np.sin(box.angle))
    u, v = (u * cosine + v * sine) * floats(gsd), (v * cosine - u * sine) * floats(gsd)
    edge = np.minimum(box.length / 2 - np.abs(u), box.width / 2 - np.abs(v)) / gsd
    alpha = np.clip(edge + 0.5, 0, 1)
    rng = np.random.default_rng(box.seed)
    shade = SHADERS[box.roof](rng, box, u, v, _sun_in(box, light), gsd)
    colour = shade if shade.ndim == 3 else np.asarray(box.colour, np.float32) * shade[..., None]
    patch = image[y0:y1, x0:x1]
    patch += (colour - patch) * (alpha * (0.75 if box.roof == "trellis" else 1.0))[..., None]
    if box.is_building:
        np.maximum(covered[y0:y1, x0:x1], alpha, out=covered[y0:y1, x0:x1])
    else:
        covered[y0:y1, x0:x1] *= 1 - alpha


def _sun_in(box: Box, light: Light) -> tuple[float, float, float]:
    """Where the sun stands, in the box's own axes (unit), and how long a metre's shadow is in metres."""
    cosine, sine = np.cos(box.angle), np.sin(box.angle)
    sx, sy = -light.shadow[0], -light.shadow[1]
    u, v = sx * cosine + sy * sine, sy * cosine - sx * sine
    length = max(float(np.hypot(u, v)), 1e-6)
    return float(u / length), float(v / length), length


def _speckle(rng: np.random.Generator, like: Floats, strength: float) -> Floats:
    return np.asarray(rng.standard_normal(like.shape, dtype=np.float32) * strength, np.float32)


def _hip(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    ends = box.length / 2 - np.abs(u) < (box.width / 2 - np.abs(v)) * rng.uniform(0.85, 1.15)
    slope = rng.uniform(0.2, 0.42)
    facing = np.where(ends, np.sign(u) * sun[0], np.sign(v) * sun[1])
    ridge = np.exp(-(((box.width / 2 - np.abs(v)) - box.width / 2) ** 2) / (0.25 * gsd + 0.02)) * ~ends
    return np.asarray(1 + slope * facing + 0.08 * ridge + _speckle(rng, u, 0.045), np.float32)


def _gable(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    ridge = np.exp(-(v**2) / (gsd * gsd))
    rows = np.sin(2 * np.pi * u / max(rng.uniform(0.6, 1.4), 2.2 * gsd)) * rng.uniform(0, 0.06)
    return np.asarray(
        1 + rng.uniform(0.15, 0.4) * np.sign(v) * sun[1] + 0.12 * ridge + rows + _speckle(rng, u, 0.05), np.float32
    )


def _tin(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    """One slope of ribbed metal, with rust or new sheets."""
    ribs = np.sin(2 * np.pi * u / max(rng.uniform(0.5, 1.1), 2.1 * gsd)) * rng.uniform(0.02, 0.09)
    patches = (np.floor(u / rng.uniform(1.5, 4)) * 7.13 % 1 - 0.5) * rng.uniform(0, 0.12)
    return np.asarray(1 + 0.18 * sun[1] + ribs + patches + _speckle(rng, u, 0.02), np.float32)


def _shed(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    """A hall: a low gable, ribs across, strips of skylight, vents on the ridge."""
    bays = max(1, int(rng.integers(1, 4))) if box.width > 25 else 1
    bay = box.width / bays
    inside = (v + box.width / 2) % bay - bay / 2
    shade = 1 + rng.uniform(0.05, 0.22) * np.sign(inside) * sun[1]
    shade = shade + np.sin(2 * np.pi * u / max(rng.uniform(0.8, 1.6), 2.1 * gsd)) * rng.uniform(0.01, 0.06)
    if rng.random() < 0.5:
        step = rng.uniform(5, 9)
        lights = (np.abs((u % step) - step / 2) < 0.6) & (np.abs(np.abs(inside) - bay / 4) < bay / 7)
        shade = shade + lights * rng.uniform(-0.2, 0.3)
    if rng.random() < 0.4:
        step = rng.uniform(6, 12)
        vents = (np.hypot((u % step) - step / 2, inside - bay / 5) < 0.8) * 0.5
        shade = shade - vents
    return np.asarray(shade + 0.1 * np.exp(-(inside**2) / (gsd * gsd)) + _speckle(rng, u, 0.02), np.float32)


def _flat(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    """A flat roof: stains, a parapet with its inner shadow, levels, stair house, boxes, tanks, pipes."""
    base = np.asarray(box.colour, np.float32)
    shade = (
        1 + _speckle(rng, u, 0.03) + 0.04 * np.sin(u / rng.uniform(1, 4) + rng.uniform(0, 6)) * np.sin(v / rng.uniform(1, 4))
    )
    image = base * np.asarray(shade, np.float32)[..., None]
    levels = int(rng.integers(0, 4)) if box.length > 8 else 0
    for _ in range(levels):
        size = (box.length * rng.uniform(0.25, 0.7), box.width * rng.uniform(0.25, 0.8))
        _stand(rng, image, box, u, v, sun, size, rng.uniform(0.5, 3.2), base * rng.uniform(0.8, 1.2) + rng.normal(0, 6))
    for _ in range(min(int(rng.gamma(1.3, box.length * box.width / 35)), 18)):
        size = (rng.uniform(0.8, 3.5), rng.uniform(0.8, 3.0))
        tone = base * rng.uniform(0.45, 1.3) if rng.random() < 0.8 else np.array(TIN[rng.integers(len(TIN))], np.float32)
        _stand(rng, image, box, u, v, sun, size, rng.uniform(0.3, 2.8), tone)
    _parapet(rng, image, box, u, v, sun, gsd)
    return image


def _parapet(
    rng: np.random.Generator, image: Floats, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float
) -> None:
    high, thick = rng.uniform(0.3, 1.4), max(0.3, 0.8 * gsd)
    reach = high * sun[2] * gsd
    edge_u, edge_v = box.length / 2 - u * np.sign(sun[0]), box.width / 2 - v * np.sign(sun[1])
    dark = (edge_u < thick + reach * abs(sun[0])) | (edge_v < thick + reach * abs(sun[1]))
    image *= np.where(dark, rng.uniform(0.5, 0.75), 1.0)[..., None]
    rim = np.minimum(box.length / 2 - np.abs(u), box.width / 2 - np.abs(v)) < thick
    image[rim] = np.asarray(box.colour, np.float32) * rng.uniform(0.9, 1.25)


def _stand(
    rng: np.random.Generator,
    image: Floats,
    box: Box,
    u: Floats,
    v: Floats,
    sun: tuple[float, float, float],
    size: tuple[float, float],
    high: float,
    tone: Floats,
) -> None:
    """Something that stands on a roof: its shadow on the roof, then itself."""
    middle_u = rng.uniform(-0.5, 0.5) * max(box.length - size[0], 0)
    middle_v = rng.uniform(-0.5, 0.5) * max(box.width - size[1], 0)
    reach = min(high * sun[2], 3.0) * 0.6
    for part in (1.0, 0.5):
        du, dv = middle_u - sun[0] * reach * part, middle_v - sun[1] * reach * part
        cast = (np.abs(u - du) < size[0] / 2) & (np.abs(v - dv) < size[1] / 2)
        image[cast] *= 0.74 if part == 1.0 else 0.85
    image[(np.abs(u - middle_u) < size[0] / 2) & (np.abs(v - middle_v) < size[1] / 2)] = np.clip(tone, 8, 250)


def _greenhouse(
    rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float
) -> Floats:
    bow = np.sqrt(np.clip(1 - (2 * v / box.width) ** 2, 0, 1))
    ribs = np.sin(2 * np.pi * u / max(1.2, 2.2 * gsd)) * 0.05
    return np.asarray(0.85 + 0.2 * bow + 0.1 * np.sign(v) * sun[1] + ribs + _speckle(rng, u, 0.03), np.float32)


def _trellis(rng: np.random.Generator, box: Box, u: Floats, v: Floats, sun: tuple[float, float, float], gsd: float) -> Floats:
    """A frame overgrown with loofah or grapes: leaves in rows."""
    rows = 0.15 * np.sin(2 * np.pi * v / max(1.2, 2.2 * gsd))
    leaves = cv2.GaussianBlur(_speckle(rng, u, 1.0), (0, 0), 0.9) * 0.35
    return np.asarray(0.9 + rows + leaves, np.float32)


SHADERS = {
    "hip": _hip,
    "gable": _gable,
    "flat": _flat,
    "tin": _tin,
    "shed": _shed,
    "greenhouse": _greenhouse,
    "trellis": _trellis,
}


def _fill(image: Floats, points: NDArray[np.float64], colour: float | tuple[float, ...]) -> None:
    hull = cv2.convexHull(floats(points))
    cv2.fillConvexPoly(image, ints(np.round(hull * 8)), colour, cv2.LINE_AA, 3)
