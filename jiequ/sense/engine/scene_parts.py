"""What a synthetic aerial scene is made of: boxes with roofs, roads, ground regions, trees, cars, and the light of a date.

Lengths are metres, places are pixels of the drawing (x to the right, y down), angles radians, colours RGB in [0, 255].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]


def floats(values: Any) -> Floats:
    """As an array of float32."""
    return np.asarray(values, np.float32)


def ints(values: Any) -> NDArray[np.int32]:
    """As an array of int32, cut off towards zero: what OpenCV draws with."""
    return np.asarray(values).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Box:
    """One cuboid with a roof; a building is one or more of them with the same ``building`` number."""

    x: float
    y: float
    length: float
    width: float
    angle: float
    height: float
    roof: str
    colour: Colour
    building: int
    seed: int
    base: float = 0.0
    is_building: bool = True

    def corners(self, gsd: float) -> NDArray[np.float64]:
        """The four corners of the footprint in pixels, shape (4, 2); ``gsd`` is metres per pixel."""
        along = np.array([np.cos(self.angle), np.sin(self.angle)]) * self.length / 2 / gsd
        across = np.array([-np.sin(self.angle), np.cos(self.angle)]) * self.width / 2 / gsd
        middle = np.array([self.x, self.y])
        return np.stack([middle + along + across, middle + along - across, middle - along - across, middle - along + across])


@dataclass(frozen=True, slots=True)
class Road:
    """A band along a line of pixel places, shape (n, 2)."""

    line: NDArray[np.float64]
    width: float
    material: str
    has_marks: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of ground: how much of it each pixel is (0 to 1), of what, and its grain (mean 0)."""

    cover: Floats
    material: str
    grain: Floats


@dataclass(frozen=True, slots=True)
class Tree:
    x: float
    y: float
    radius: float
    seed: int
    tone: float


@dataclass(frozen=True, slots=True)
class Car:
    x: float
    y: float
    angle: float
    length: float
    colour: Colour


@dataclass(slots=True)
class Scene:
    """A place: what lies on the ground and what stands on it."""

    size: int
    gsd: float
    regions: list[Region] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    cars: list[Car] = field(default_factory=list)
    photo: NDArray[Any] | None = None  # a real frame to stand on instead of regions
    rows: bool = False  # buildings so close that people draw one polygon around a row


@dataclass(frozen=True, slots=True)
class Light:
    """One date's sun and camera: where shadows fall and how roofs lean, in pixels per metre of height."""

    shadow: tuple[float, float]
    lean: tuple[float, float]
    darkness: float
    season: float  # 0 lush green, 1 dry or bare


def light_of(rng: np.random.Generator, gsd: float) -> Light:
    """A sun 25–70° high, a camera up to 15° off the vertical."""
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(25, 70))
    lean_to, off = rng.uniform(0, 2 * np.pi), np.tan(np.radians(min(abs(rng.normal(0, 7)), 20)))
    length = 1 / np.tan(height) / gsd
    return Light(
        (float(np.cos(azimuth) * length), float(np.sin(azimuth) * length)),
        (float(np.cos(lean_to) * off / gsd), float(np.sin(lean_to) * off / gsd)),
        float(rng.uniform(0.35, 0.7)),
        float(rng.beta(0.7, 0.7)),
    )
