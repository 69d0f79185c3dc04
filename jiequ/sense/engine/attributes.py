"""The evidence on one candidate: heights of the surface, odds of the net, tin and green of the picture, within its polygon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry.polygon import Polygon

from jiequ.sense.engine.grid import Grid, Window
from jiequ.sense.engine.rasters import Bools, Bytes, Floats
from jiequ.sense.engine.surface import Difference, heights_counted
from jiequ.sense.engine.vector import in_pixels

MOST_PX = 1024  # along a side: a larger polygon is looked at more coarsely
BLUE = (90, 130)  # OpenCV's hue of 0 … 180: painted steel
BLUE_SATURATION = 70
GREY_SATURATION, GREY_VALUE = 28, 120  # galvanised steel: without colour and bright
FLAT = 14.0  # levels of local deviation: sheets are even
GREEN_LEAST = 0.06  # of (2g − r − b)/(r + g + b), Woebbecke 1995


def window_of(polygon: Polygon, grid: Grid, margin: int = 2) -> tuple[Window, int]:
    """(the pixels that a polygon in the grid's projection covers, how much coarser to look at them)."""
    left, top, right, bottom = shapely.bounds(in_pixels(polygon, grid))
    column, row = int(np.floor(left)) - margin, int(np.floor(top)) - margin
    width, height = int(np.ceil(right)) + margin - column, int(np.ceil(bottom)) + margin - row
    shrink = max(1, -(-max(width, height) // MOST_PX))
    return Window(row, column, height + -height % shrink, width + -width % shrink), shrink


def covered(polygon: Polygon, grid: Grid, window: Window, shrink: int) -> Bools:
    """Which (coarse) pixels of a window have their middle in a polygon; at least one."""
    shape = (window.height // shrink, window.width // shrink)
    own = shapely.transform(in_pixels(polygon, grid), lambda points: (points - (window.column, window.row)) / shrink)
    inside = middles_in(own, shape)
    if not inside.any():
        inside = rasterize([own], shape, transform=Affine.identity(), all_touched=True) > 0
    return inside


def middles_in(polygon: Polygon, shape: tuple[int, int]) -> Bools:
    """Which pixels of an array have their middle in a polygon in its pixels: an odd number of sides lies left of it.

    The same pixels as GDAL fills, sooner for a small window (tests/unit/sense/test_tracing.py).
    """
    points, ring = shapely.get_coordinates(shapely.get_rings(polygon), return_index=True)
    one, other = points[:-1][ring[:-1] == ring[1:]], points[1:][ring[:-1] == ring[1:]]
    middles = np.arange(shape[0])[:, None] + 0.5
    side, row = np.nonzero(((one[:, 1] <= middles) != (other[:, 1] <= middles)).T)
    (x, y), (along, down) = one[side].T, (other - one)[side].T
    left = np.clip(np.floor(x + (row + 0.5 - y) * along / down + 0.5), 0, shape[1]).astype(np.intp)
    width = shape[1] + 1
    crossed = np.bincount(row * width + left, minlength=shape[0] * width).reshape(shape[0], width)
    return np.asarray(np.cumsum(crossed[:, :-1], axis=1) % 2 == 1)


def of_surface(found: Difference, inside: Bools, above_ground: Floats, pixel_m2: float, least: float) -> dict[str, float]:
    """Numbers of the surface: median change, m³, share changed, roughness, height above ground before, share of its roof."""
    seen = inside & found.valid
    if not seen.any():
        return {}
    dz = found.dz[seen]
    counts = heights_counted(dz)
    median = (int(np.searchsorted(np.cumsum(counts), counts.sum() / 2)) - 500) / 10
    same = (np.sign(dz) == np.sign(median)) & (np.abs(dz) > least)
    base = _median(above_ground[seen])
    return {
        "median_m": round(median, 2),
        "volume_m3": round(float(dz.sum()) * pixel_m2, 1),
        "share": round(int(np.count_nonzero(same)) / dz.size, 3),
        "rough_m": round(_rough(found.after, seen), 2),
        "base_m": round(base, 1),
        "roof_share": round(_roof_share(above_ground, seen, base), 2),
    }


def _median(values: Floats) -> float:
    """The middle value, the upper one of two: for some hundred values most of numpy's own median is looking at its axes."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])


def _rough(heights: Floats, seen: Bools) -> float:
    """The median distance from a local mean: leaves are rough, sheets and slabs are not."""
    left, top, width, height = cv2.boundingRect(seen.view(np.uint8))
    part = slice(max(top - 2, 0), top + height + 2), slice(max(left - 2, 0), left + width + 2)
    near = np.ascontiguousarray(heights[part])
    return _median(np.abs(near - cv2.medianBlur(near, 5))[seen[part]])


def _roof_share(above_ground: Floats, seen: Bools, base: float) -> float:
    """How much of the roof within the window lies inside the polygon; ``base``: how high it stands above the ground."""
    roof = (np.abs(above_ground - base) < 1.5).astype(np.uint8)
    count, labels = cv2.connectedComponents(roof, connectivity=4)
    is_own = np.zeros(count, np.bool_)
    is_own[labels[seen]] = True
    is_own[0] = False
    whole = np.count_nonzero(is_own[labels])
    return float(min(1.0, seen.sum() / whole)) if whole else 1.0


def of_picture(later: Bytes, earlier: Bytes | None, inside: Bools) -> dict[str, dict[str, float]]:
    """Tin: the share that looks like painted or galvanised sheet. Green: the share that is plants, before and after."""
    if not inside.any():
        return {}
    green = {"after": _share(green_of(later), inside)}
    if earlier is not None:
        green["before"] = _share(green_of(earlier), inside)
    return {"tin": {"share": _share(tin_of(later), inside)}, "green": green}


def tin_of(picture: Bytes) -> Bools:
    """Which pixels look like sheet metal: blue or bright grey, and even."""
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
    blue = (hue >= BLUE[0]) & (hue <= BLUE[1]) & (saturation >= BLUE_SATURATION) & (value > 60)
    grey = (saturation <= GREY_SATURATION) & (value >= GREY_VALUE)
    tones = value.astype(np.float32)
    mean = cv2.blur(tones, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(tones * tones, (5, 5)) - mean * mean, 0))
    return np.asarray((blue | grey) & (spread < FLAT))


def green_of(picture: Bytes) -> Bools:
    """Which pixels are plants by the excess of green."""
    red, green, blue = (picture[..., band].astype(np.float32) for band in range(3))
    return np.asarray((2 * green - red - blue) > GREEN_LEAST * np.maximum(red + green + blue, 1))


def _share(mask: Bools, inside: Bools) -> float:
    return round(float(mask[inside].mean()), 3)


def of_odds(odds: NDArray[Any], inside: Bools) -> dict[str, float]:
    """Numbers of the net, from odds in 1/255, (h, w)."""
    found = odds[inside]
    return {"mean": round(float(found.mean()) / 255, 3), "most": round(float(np.quantile(found, 0.95)) / 255, 3)}


Sampler = Callable[[Polygon], dict[str, dict[str, float]]]
