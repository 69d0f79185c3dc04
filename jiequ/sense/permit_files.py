"""Permits and masks as files: GeoJSON, GeoPackage, KML and KMZ, CSV with WKT. Read here into plain rows; nothing is stored.

Runs in the child only: files of strangers, and GDAL for GeoPackage.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import wkt
from shapely.geometry.base import BaseGeometry

from . import ground

MOST_ROWS = 20_000
DAYS = ("valid_from", "valid_to")
DEGREES = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4490", "EPSG:4490")
NAMES: dict[str, Sequence[str]] = {
    "number": ("number", "编号", "许可证号", "证号", "no", "id", "name"),
    "kind": ("kind", "种类", "类型", "type"),
    "title": ("title", "名称", "项目名称", "项目", "description"),
    "authority": ("authority", "发证机关", "机关"),
    "height_m": ("height_m", "限高", "建筑高度", "height"),
    "valid_from": ("valid_from", "有效期起", "发证日期", "起", "from"),
    "valid_to": ("valid_to", "有效期止", "有效期至", "止", "to"),
}
KINDS = {
    "planning": ("建设工程规划许可", "规划许可", "规划"),
    "rural": ("乡村建设规划许可", "乡村许可", "乡村"),
    "temporary": ("临时建设", "临时", "临建"),
    "demolition": ("登记的拆除工程", "拆除工程", "拆除"),
    "water": ("水面", "水域"),
    "vegetation": ("植被", "绿地"),
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Row:
    """One permit as a file tells it; ``line`` counts from 1. ``fault`` is a code, empty where all is well."""

    line: int
    number: str = ""
    kind: str = ""
    title: str = ""
    authority: str = ""
    height_m: float | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    geometry: dict[str, Any] | None = None
    fault: str = ""

    def as_data(self) -> dict[str, Any]:
        """The row as JSON holds it."""
        return asdict(self) | {name: day.isoformat() if (day := getattr(self, name)) else None for name in DAYS}

    @classmethod
    def from_data(cls, told: Mapping[str, Any]) -> Row:
        """The row that ``as_data`` told."""
        return cls(**{**told, **{name: date.fromisoformat(told[name]) if told[name] else None for name in DAYS}})


class Unreadable(ValueError):
    """The file as a whole is none of the kinds we read."""


Told = Iterator[tuple[Mapping[str, Any], Any]]
Move = Callable[[float, float], tuple[float, float]]


def rows_of(file: Path, name: str, *, kind: str = "", move: Move | None = None) -> list[Row]:
    """The file's rows, faulty ones told with their fault. ``kind`` is for rows that tell none; ``move`` turns each position
    into ours. Unreadable for a file that is none, or has more than 20,000 rows."""
    suffix = name.rsplit(".", 1)[-1].lower()
    readers = {"kml": _from_kml, "kmz": _from_kml, "csv": _from_csv, "txt": _from_csv, "gpkg": _from_geopackage}
    try:
        rows = []
        for line, (facts, geometry) in enumerate(readers.get(suffix, _from_json)(file), 1):
            if line > MOST_ROWS:
                raise Unreadable("too_many")
            rows.append(_row(line, facts, geometry, kind, move))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, csv.Error, KeyError, TypeError, AttributeError) as error:
        raise Unreadable("unreadable") from error
    if not rows:
        raise Unreadable("empty")
    return rows


def _from_json(file: Path) -> Told:
    told = json.loads(file.read_bytes().decode("utf-8-sig"))
    crs = str(((told.get("crs") or {}).get("properties") or {}).get("name", ""))  # as GIS programs wrote before RFC 7946
    for feature in told["features"]:
        yield feature.get("properties") or {}, _in_degrees(feature.get("geometry"), crs)


def _from_csv(file: Path) -> Told:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    for facts in csv.DictReader(io.StringIO(text)):
        words = next((facts[name] for name in ("geometry", "wkt", "WKT", "范围", "坐标") if facts.get(name)), "")  # data
        try:
            yield facts, wkt.loads(words).__geo_interface__
        except Exception:  # shapely raises its own kinds for what is no WKT
            yield facts, None


def _from_kml(file: Path) -> Told:
    from .engine.kmz import read_kmz
    from .engine.shapes import Unusable

    try:
        placed = read_kmz(file)
    except Unusable as fault:
        raise Unreadable(fault.code) from None
    for label, geometry in placed:
        yield {"number": label}, geometry


def _from_geopackage(file: Path) -> Told:
    """The first layer with shapes, by GDAL."""
    from pyogrio import list_layers, raw
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        layer = next((str(name) for name, kind in list_layers(file) if kind is not None), "")
        meta, _fids, shapes, columns = raw.read(file, layer=layer, max_features=MOST_ROWS + 1, force_2d=True)
    except (DataSourceError, DataLayerError, ValueError) as fault:
        raise Unreadable("unreadable") from fault
    for number, data in enumerate(shapes):
        facts = {name: _plain(column[number]) for name, column in zip(meta["fields"], columns, strict=True)}
        yield facts, _in_degrees(shapely.from_wkb(data).__geo_interface__ if data is not None else None, meta["crs"] or "")


def _plain(value: Any) -> Any:
    """A cell as text would have it; nothing for NaN and for no time."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return None
    return str(value)[:10] if isinstance(value, np.datetime64) else value


def _in_degrees(geometry: Any, crs: str) -> Any:
    """The geometry in degrees, where the file names a map projection; as it is otherwise."""
    if not crs or geometry is None or any(name in crs for name in DEGREES):
        return geometry
    from rasterio.crs import CRS
    from rasterio.errors import RasterioError
    from rasterio.warp import transform_geom

    try:
        found = CRS.from_user_input(crs)
        return geometry if found.is_geographic else transform_geom(found, "EPSG:4326", geometry, precision=ground.DIGITS)
    except (RasterioError, ValueError):
        return None


def _row(line: int, facts: Mapping[str, Any], geometry: Any, kind: str, move: Any) -> Row:
    told = {name: _said(facts, NAMES[name]) for name in NAMES}
    said_kind = KIND_OF.get(told["kind"], told["kind"].lower()) or kind
    try:
        shape = ground.polygon_of(geometry)
        if move is not None:
            shape = ground.polygon_of(_moved(shape, move).__geo_interface__)
        return Row(
            line, told["number"][:80], said_kind, told["title"][:120], told["authority"][:80], _height(told["height_m"]),
            day_of(told["valid_from"]), day_of(told["valid_to"]), ground.to_json(shape),
        )  # fmt: skip
    except ground.BadShape as fault:
        return Row(line, told["number"][:80], said_kind, fault=fault.code)
    except ValueError:
        return Row(line, told["number"][:80], said_kind, fault="bad_date_or_height")


def _said(facts: Mapping[str, Any], names: Sequence[str]) -> str:
    lower = {str(name).strip().lower(): value for name, value in facts.items() if name is not None}
    found = next((lower[name] for name in names if lower.get(name) not in (None, "")), "")
    return str(found).strip()


def _height(text: str) -> float | None:
    if not text:
        return None
    height = float(text)
    if not 0 < height < 1000:
        raise ValueError(text)
    return height


def day_of(text: str) -> date | None:
    """2026-11-27, 2026/11/27, 2026.11.27, 20261127 or 2026年11月27日; None for nothing. ValueError otherwise."""
    text = text.strip().replace("年", "-").replace("月", "-").replace("日", "").replace("/", "-").replace(".", "-")[:10]
    if not text:
        return None
    if text.isdigit() and len(text) == 8:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    year, month, day = (int(part) for part in text.split("-"))
    return datetime(year, month, day).date()  # noqa: DTZ001 (a day has no zone)


def _moved(shape: BaseGeometry, move: Callable[[float, float], tuple[float, float]]) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(shape, lambda points: np.array([move(x, y) for x, y in points]))
    return moved
