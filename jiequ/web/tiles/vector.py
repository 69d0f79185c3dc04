"""Our own vector layers, made from the database: ``basemap`` (the sketch of roads and waters) and ``grids`` (unit grids)."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mapbox_vector_tile  # type: ignore[import-untyped]
import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from jiequ.grid.models import Community, MapFeature, MapVersion, UnitGrid

HALF = 20037508.342789244  # metres from the middle of the web-mercator square to its edge
EXTENT = 4096
BUFFER = 1 / 32
LOOK_SECONDS = 2.0
MOST_KEPT = 4000
FROM_ZOOM = {"building": 14, "lane": 12}
"""What is drawn only from a zoom on: further out it would be a grey mist of many kilobytes."""
Streets = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Layer:
    """Shapes in web-mercator metres, what each says, its street, and an index over all of them."""

    shapes: np.ndarray[Any, Any]
    facts: list[dict[str, Any]]
    streets: list[int]
    index: shapely.STRtree


class Layers:
    """The layers as of the streets' map tokens, which are looked at again every two seconds, and the tiles made from them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = -math.inf
        self._version = ""
        self._made: dict[str, Layer] = {}
        self._tiles: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def version(self) -> str:
        """Another one whenever a street's map changed."""
        with self._lock:
            if time.monotonic() - self._looked > LOOK_SECONDS:
                tokens = MapVersion.objects.order_by("street_id").values_list("street_id", "token")
                version = ",".join(f"{street}:{token}" for street, token in tokens)
                if version != self._version:
                    self._version, self._made = version, {}
                    self._tiles.clear()
                self._looked = time.monotonic()
            return self._version

    def tile(self, name: str, z: int, x: int, y: int, streets: Streets) -> bytes:
        """One tile of a layer, b"" where nothing lies; ``streets`` narrows the grids to those of a reader."""
        key = (self.version(), name, z, x, y, streets if name == "grids" else None)  # a late one is kept as the old map's
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
            if name not in self._made:
                self._made[name] = _grids() if name == "grids" else _basemap()
            layer = self._made[name]
        made = encoded(name, layer, z, x, y, streets if name == "grids" else None)
        with self._lock:
            self._tiles[key] = made
            if len(self._tiles) > MOST_KEPT:
                self._tiles.popitem(last=False)
        return made


def encoded(name: str, layer: Layer, z: int, x: int, y: int, streets: Streets) -> bytes:
    """The Mapbox vector tile of what lies in a tile, clipped a little beyond its edge, simplified to a quarter of a pixel."""
    side = 2 * HALF / (1 << z)
    west, north = x * side - HALF, HALF - y * side
    more = side * BUFFER
    around = (west - more, north - side - more, west + side + more, north + more)
    corner, scale = np.array([west, north - side]), EXTENT / side
    features = []
    for at in sorted(layer.index.query(shapely.box(*around)).tolist()):
        facts = layer.facts[at]
        if z < FROM_ZOOM.get(facts.get("kind", ""), 0) or (streets is not None and layer.streets[at] not in streets):
            continue
        cut = shapely.clip_by_rect(shapely.simplify(layer.shapes[at], side / EXTENT * 4), *around)
        if not cut.is_empty:
            whole = shapely.transform(cut, lambda metres: np.round((metres - corner) * scale))
            features.append({"geometry": whole, "properties": facts})
    if not features:
        return b""
    made: bytes = mapbox_vector_tile.encode([{"name": name, "features": features}], default_options={"extents": EXTENT})
    return made


def _basemap() -> Layer:
    rows = [
        (row.geometry, {"kind": row.kind} | ({"name": row.name} if row.name else {}), row.street_id)
        for row in MapFeature.objects.all()
    ]
    communities = Community.objects.filter(retired_at=None)
    rows += [(row.outline, {"kind": "other", "name": row.name_zh}, row.street_id) for row in communities if row.outline]
    return _layer(rows)


def _grids() -> Layer:
    units = UnitGrid.objects.filter(retired_at=None).order_by("code15")
    rows = units.values_list("geometry", "code15", "community__name_zh", "street_id")
    return _layer((geometry, {"code": code, "community": name}, street) for geometry, code, name, street in rows)


def _layer(rows: Iterable[tuple[dict[str, Any], dict[str, Any], int]]) -> Layer:
    found = [(_mercator(shape(geometry)), facts, street) for geometry, facts, street in rows]
    shapes = np.array([one[0] for one in found], dtype=object)
    return Layer(shapes, [one[1] for one in found], [one[2] for one in found], shapely.STRtree(shapes))


def _mercator(geometry: BaseGeometry) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(geometry, _metres)
    return moved


def _metres(degrees: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    lon, lat = degrees[:, 0], np.clip(degrees[:, 1], -85.05, 85.05)
    return np.column_stack([lon / 180 * HALF, np.log(np.tan(np.radians(90 + lat) / 2)) / math.pi * HALF])
