"""Outlines as people write them: GeoJSON, or one corner a line as longitude, latitude. Django-free."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from shapely.geometry import mapping
from shapely.ops import unary_union

from .ground import BadShape, polygon_of

_PLACE = re.compile(r"(-?\d{1,3}(?:\.\d{1,16})?)[\s,，]+(-?\d{1,2}(?:\.\d{1,16})?)")
LONGEST = 200_000  # characters
MOST_PARTS = 200


def polygon_in(text: str) -> Any:
    """The polygon that a text tells, as a GeoJSON geometry that nobody checked yet; None where there is none.

    A Feature or a FeatureCollection is what its polygons cover together.
    """
    text = text[:LONGEST]
    if text.lstrip().startswith("{"):
        try:
            return _together(list(_geometries(json.loads(text))))
        except (ValueError, RecursionError):
            return None
    ring = places_in(text)
    return {"type": "Polygon", "coordinates": [[*ring, *ring[:1]]]} if len(ring) > 2 else None


def places_in(text: str) -> list[list[float]]:
    """Each pair of numbers, longitude first."""
    return [[float(lon), float(lat)] for lon, lat in _PLACE.findall(text[:LONGEST])]


def _geometries(told: Any) -> Iterator[Any]:
    if isinstance(told, dict) and told.get("type") == "FeatureCollection" and isinstance(told.get("features"), list):
        for one in told["features"][:MOST_PARTS]:
            yield from _geometries(one)
    elif isinstance(told, dict) and told.get("type") == "Feature":
        yield told.get("geometry")
    else:
        yield told


def _together(parts: list[Any]) -> Any:
    """All of them as one; the first that is no polygon, for the check to name."""
    if len(parts) < 2:
        return parts[0] if parts else None
    sound = []
    for part in parts:
        try:
            sound.append(polygon_of(part))
        except BadShape:
            return part
    return mapping(unary_union(sound))
