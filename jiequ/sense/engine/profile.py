"""The heights of both dates along a line, for an analyst's eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely

from jiequ.sense.engine.areas import DEGREES, moved, utm
from jiequ.sense.engine.rasters import ENVIRONMENT, HIGHEST_M, LOWEST_M


def profile(before: Path, after: Path, line: Sequence[Sequence[float]], *, samples: int = 64) -> dict[str, list[float | None]]:
    """``line``: [[lon, lat], …]. Answers "distance_m", "before_m", "after_m"; None where there is no data."""
    drawn = shapely.LineString(line)
    lon, lat = shapely.get_coordinates(drawn)[0]
    metric = moved(drawn, DEGREES, utm(lon, lat))
    steps = np.linspace(0.0, 1.0, samples)
    points = shapely.line_interpolate_point(drawn, steps, normalized=True)
    with rasterio.Env(**ENVIRONMENT):
        heights = {"before_m": _heights(before, points), "after_m": _heights(after, points)}
    return {"distance_m": [round(float(step) * metric.length, 2) for step in steps], **heights}


def _heights(path: Path, points: Any) -> list[float | None]:
    with rasterio.open(path) as file:
        there = [moved(point, DEGREES, file.crs) for point in points]
        found = [float(one[0]) for one in file.sample([(point.x, point.y) for point in there], indexes=1)]
        nodata = file.nodata
    return [round(one, 2) if LOWEST_M < one < HIGHEST_M and one != nodata else None for one in found]
