"""Heights of two dates along a line, drawn as one SVG: read by the engine in the tile process, never in a web worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from jiequ.sense import files

from . import imagery

_PLACES = ",".join([f"({imagery.NUMBER})"] * 4)
PROFILE = re.compile(rf"/tiles/sense/profile/(\d{{1,18}})/(\d{{1,18}})/{_PLACES}\.svg", re.ASCII)
LONGEST_DEGREES = 0.02  # two kilometres
WIDTH, HEIGHT, LEFT, FOOT, TOP = 640, 200, 44, 24, 10
BEFORE, AFTER, GROWN, GRID = "#6b7c83", "#a81e1a", "#c9302b", "#8fa0a6"
Level = Callable[[float], float]
Line = tuple[tuple[float, float], tuple[float, float]]


def line_of(words: Sequence[str]) -> Line | None:
    """Two places in degrees; None for what is no line of a street."""
    lon, lat, lon_2, lat_2 = (float(word) for word in words)
    length = max(abs(lon - lon_2), abs(lat - lat_2))
    return ((lon, lat), (lon_2, lat_2)) if 0 < length <= LONGEST_DEGREES else None


def drawn(before: tuple[int, int], after: tuple[int, int], line: Line) -> bytes | None:
    """The SVG for two surface models (street, asset each); None where one cannot be read."""
    imagery.load()
    from rasterio.errors import RasterioError

    from jiequ.sense.engine.profile import profile

    store = files.store()
    paths = [Path(store.source(files.image_key(street_id, asset_id))) for street_id, asset_id in (before, after)]
    try:
        with imagery.environment():
            told = profile(paths[0], paths[1], [list(point) for point in line], samples=96)
    except RasterioError:
        return None
    return svg(told["distance_m"], told["before_m"], told["after_m"]).encode()


def svg(distance: Sequence[float | None], before: Sequence[float | None], after: Sequence[float | None]) -> str:
    """Both lines over the distance, what is higher now filled; heights in metres at the left, metres along below."""
    known = [value for value in (*before, *after) if value is not None]
    if not known:
        return _frame("")
    low, high = min(known) - 0.5, max(known) + 1.0
    far = float(distance[-1] or 1.0) or 1.0
    places = [LEFT + (WIDTH - LEFT - 8) * float(one or 0.0) / far for one in distance]
    room = HEIGHT - FOOT - TOP

    def level(value: float) -> float:
        return TOP + room * (high - value) / (high - low)

    parts = [_scale(low, high, level), _along(far)]
    parts.append(f'<path d="{_between(places, before, after, level)}" fill="{GROWN}" fill-opacity=".22"/>')
    for values, colour, dash in ((before, BEFORE, ' stroke-dasharray="5 4"'), (after, AFTER, "")):
        parts.append(f'<path d="{_path(places, values, level)}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    return _frame("".join(parts))


def _frame(inside: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'{head} font-family="sans-serif" font-size="12" fill="{BEFORE}">{inside}</svg>'


def _path(places: Sequence[float], values: Sequence[float | None], level: Level) -> str:
    """Broken where there is no data."""
    words, is_down = [], False
    for x, value in zip(places, values, strict=True):
        if value is not None:
            words.append(f"{'L' if is_down else 'M'}{x:.1f} {level(value):.1f}")
        is_down = value is not None
    return "".join(words)


def _between(places: Sequence[float], before: Sequence[float | None], after: Sequence[float | None], level: Level) -> str:
    """Strips where the later surface is higher."""
    words = []
    rows = list(zip(places, before, after, strict=True))
    for (x, low, high), (x_2, low_2, high_2) in pairwise(rows):
        if low is None or high is None or low_2 is None or high_2 is None or not (high > low or high_2 > low_2):
            continue
        corners = ((x, low), (x, max(low, high)), (x_2, max(low_2, high_2)), (x_2, low_2))
        words.append("M" + "L".join(f"{at:.1f} {level(value):.1f}" for at, value in corners) + "Z")
    return "".join(words)


def _scale(low: float, high: float, level: Level) -> str:
    step = next((one for one in (1, 2, 5, 10, 20, 50, 100) if (high - low) / one <= 5), 1000)
    first = int(low // step + 1) * step
    parts = []
    for value in range(first, int(high) + 1, step):
        y = level(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 8}" stroke="{GRID}" stroke-width=".6"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    return "".join(parts)


def _along(far: float) -> str:
    step = next(one for one in (2, 5, 10, 20, 50, 100, 500, 5000) if far / one <= 8)
    places = [(value, LEFT + (WIDTH - LEFT - 8) * value / far) for value in range(0, int(far) + 1, step)]
    return "".join(f'<text x="{x:.1f}" y="{HEIGHT - 7}" text-anchor="middle">{value}</text>' for value, x in places)
