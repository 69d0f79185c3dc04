"""Rows with shapes become a file that a GIS program opens: GeoJSON by hand, GeoPackage by GDAL, CSV with WKT."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from jiequ.sense import places

Tell = Callable[[dict[str, Any]], None]
BOM = "\ufeff"  # so that a spreadsheet reads the Chinese
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Reads ``rows`` (a file of JSON lines: {"layer", "geometry", …columns}), writes them in the form asked for, and places the
    file in the store under ``key``; ``target``: where it lies until then."""
    target = Path(request["target"])
    rows = [json.loads(line) for line in Path(request["rows"]).read_text("utf-8").splitlines()]
    {"geojson": _geojson, "gpkg": _geopackage, "csv": _csv}[request["form"]](rows, request["columns"], target)
    told = {"rows": len(rows), "size": target.stat().st_size}
    places.store_of(request["place"]).place(target, request["key"])
    return told


def _geojson(rows: list[dict[str, Any]], columns: list[list[str]], target: Path) -> None:
    """RFC 7946: WGS-84, longitude first, outer rings counter-clockwise."""
    with target.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[\n')
        for number, row in enumerate(rows):
            told = {"layer": row["layer"]} | {name: row.get(name) for name, _kind in columns}
            geometry = shapely.geometry.mapping(shapely.orient_polygons(shape(row["geometry"])))
            feature = {"type": "Feature", "properties": told, "geometry": geometry}
            file.write((",\n" if number else "") + json.dumps(feature, ensure_ascii=False))
        file.write("\n]}\n")


def _geopackage(rows: list[dict[str, Any]], columns: list[list[str]], target: Path) -> None:
    """A layer for each sort of row, in WGS-84; an empty file has the layer of suspects without rows."""
    from pyogrio import raw

    target.unlink(missing_ok=True)
    layers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        layers.setdefault(row["layer"], []).append(row)
    for number, (layer, some) in enumerate(layers.items() or [("suspects", [])]):
        shapes = np.array([shapely.to_wkb(shapely.multipolygons(list(_parts(row["geometry"])))) for row in some], dtype=object)
        data = [_column([row.get(name) for row in some], kind) for name, kind in columns]
        raw.write(
            target, shapes, data, [name for name, _kind in columns], layer=layer, driver="GPKG", geometry_type="MultiPolygon",
            crs="EPSG:4326", append=number > 0,
        )  # fmt: skip


def _parts(geometry: dict[str, Any]) -> Iterator[Any]:
    yield from (part for part in shapely.get_parts(shape(geometry)) if part.geom_type == "Polygon")


def _column(values: list[Any], kind: str) -> np.ndarray[Any, Any]:
    if kind == "number":
        return np.array([np.nan if value is None else float(value) for value in values], np.float64)
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _csv(rows: list[dict[str, Any]], columns: list[list[str]], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        file.write(BOM)
        writer = csv.writer(file)
        writer.writerow(["layer", *[name for name, _kind in columns], "wkt"])
        for row in rows:
            cells = [_cell(row.get(name)) for name, _kind in columns]
            writer.writerow([row["layer"], *cells, shape(row["geometry"]).wkt])


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
