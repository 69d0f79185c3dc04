"""GeoJSON in and out: one FeatureCollection holds a street's whole map. Pure.

A feature's ``layer`` property says what it is (community, unit_grid, responsibility_grid, monitoring_point, place). Where it
is missing, a polygon with a 15-digit ``code`` is a unit grid, one with 12 digits a community. The collection may name its
``coordinate_system`` (cgcs2000, wgs84, gcj02, bd09). A place is a point, or a line where it is a road or a river, which is made
coarse. Base map features are not taken in: continuous large-scale vector maps are state secrets (DOMAIN §4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import lines
from .drawing import CommunityDrawn, Drawing, PlaceDrawn, PointDrawn, ResponsibilityDrawn
from .rules import CoordinateSystem, is_position, to_canonical
from .topology import Drawn

MAX_BYTES = 30 * 1024 * 1024
MAX_FEATURES = 20_000
OURS = CoordinateSystem.CGCS2000
LAYERS = ("community", "unit_grid", "responsibility_grid", "monitoring_point", "place")


class Unreadable(ValueError):
    """The file cannot be taken in at all; ``reason`` is a word for it and ``number`` the feature's place from 1, or 0."""

    def __init__(self, reason: str, number: int = 0, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.number, self.detail = reason, number, detail


def read(data: bytes) -> Drawing:
    """The drawing in a file; Unreadable if it is none. Says nothing yet about whether the drawing is sound."""
    features, system = _collection(data)
    drawing = Drawing()
    for number, feature in enumerate(features, start=1):
        try:
            _take(drawing, feature, system)
        except Unreadable as fault:
            raise Unreadable(fault.reason, number, fault.detail) from None
    return drawing


def _collection(data: bytes) -> tuple[list[Any], CoordinateSystem]:
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise Unreadable("not_json") from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise Unreadable("not_collection")
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise Unreadable("no_features")
    if len(features) > MAX_FEATURES:
        raise Unreadable("too_many")
    try:
        return features, CoordinateSystem(document.get("coordinate_system", "cgcs2000"))
    except ValueError:
        raise Unreadable("bad_system", detail=str(document.get("coordinate_system"))[:20]) from None


def _take(drawing: Drawing, feature: Any, system: CoordinateSystem) -> None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise Unreadable("not_feature")
    geometry = feature.get("geometry") or {}
    if not isinstance(geometry, dict):
        raise Unreadable("not_feature")
    layer = properties.get("layer") or _guess(properties, geometry)
    match layer:
        case "community":
            outline = _canonical(geometry, system) if geometry.get("coordinates") else None
            names = _text(properties, "name"), _text(properties, "name_en", "")
            row = CommunityDrawn(_text(properties, "code"), *names, outline)
            drawing.communities = [*(drawing.communities or []), row]
        case "unit_grid":
            if drawing.unit_grids is None:
                drawing.unit_grids = []
            drawing.unit_grids.append(Drawn(_text(properties, "code"), _canonical(geometry, system)))
        case "responsibility_grid":
            grid = ResponsibilityDrawn(_text(properties, "name"), _texts(properties, "grids"), _text(properties, "worker", ""))
            drawing.responsibility_grids = [*(drawing.responsibility_grids or []), grid]
        case "monitoring_point":
            drawing.points = [*(drawing.points or []), _point(properties, geometry, system)]
        case "place":
            drawing.places = [*(drawing.places or []), _place(properties, geometry, system)]
        case _:
            raise Unreadable("unknown_layer", detail=str(layer)[:30])


def _guess(properties: Mapping[str, Any], geometry: Mapping[str, Any]) -> str:
    length = len(str(properties.get("code", "")))
    return {15: "unit_grid", 12: "community"}.get(length, "") if "Polygon" in str(geometry.get("type")) else ""


def _point(properties: Mapping[str, Any], geometry: Mapping[str, Any], system: CoordinateSystem) -> PointDrawn:
    x, y, own_system = _pair(properties, geometry, system)
    return PointDrawn(
        _text(properties, "code"),
        _text(properties, "name"),
        _text(properties, "kind"),
        x,
        y,
        _text(properties, "area", ""),
        _text(properties, "risk_class", "medium"),
        own_system,
    )


def _place(properties: Mapping[str, Any], geometry: Mapping[str, Any], system: CoordinateSystem) -> PlaceDrawn:
    line = _line(geometry, system)
    x, y, own_system = _pair(properties, geometry if not line else _as_point(line), system if not line else OURS)
    return PlaceDrawn(
        _text(properties, "community"),
        _text(properties, "kind"),
        _text(properties, "name"),
        x,
        y,
        _texts(properties, "aliases"),
        _text(properties, "beside", ""),
        own_system,
        line,
    )


def _line(geometry: Mapping[str, Any], system: CoordinateSystem) -> lines.Lines:
    """The course of a road or a river, made coarse; () where the geometry is no line."""
    kind, parts = geometry.get("type"), _canonical(geometry, system).get("coordinates") or ()
    if kind not in ("LineString", "MultiLineString"):
        return ()
    try:
        return lines.coarse([[(x, y) for x, y, *_height in part] for part in ([parts] if kind == "LineString" else parts)])
    except (TypeError, ValueError):
        raise Unreadable("bad_line") from None


def _as_point(line: lines.Lines) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(lines.middle(line))}


def _pair(properties: Mapping[str, Any], geometry: Mapping[str, Any], system: CoordinateSystem) -> tuple[float, float, str]:
    """The position as it was given: the raw pair with its system where the feature carries it, else its point."""
    raw = properties.get("raw")
    pair: Any = geometry.get("coordinates") if geometry.get("type") == "Point" else None
    name: Any = system.value
    if isinstance(raw, dict):
        pair, name = [raw.get("x"), raw.get("y")], raw.get("system")
    if not isinstance(pair, list) or len(pair) < 2 or not all(_is_number(n) for n in pair[:2]):
        raise Unreadable("bad_point")
    if name not in set(CoordinateSystem) or not is_position(*to_canonical(pair[0], pair[1], name)):
        raise Unreadable("bad_point")
    return float(pair[0]), float(pair[1]), str(name)


def _canonical(geometry: Mapping[str, Any], system: CoordinateSystem) -> dict[str, Any]:
    """The geometry in CGCS2000; positions that are none are left for the topology check to name."""
    if system in (CoordinateSystem.CGCS2000, CoordinateSystem.WGS84):
        return dict(geometry)

    def moved(node: Any, depth: int) -> Any:
        if depth > 4 or not isinstance(node, list):
            return node
        if len(node) >= 2 and all(_is_number(n) for n in node[:2]):
            lon, lat = to_canonical(node[0], node[1], system)
            return [round(lon, 8), round(lat, 8)]
        return [moved(inner, depth + 1) for inner in node]

    return {**geometry, "coordinates": moved(geometry.get("coordinates"), 0)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _text(properties: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = properties.get(key, default)
    if value is None and default is not None:
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or (default is None and not value.strip()) or "\x00" in value or len(value) > 200:
        raise Unreadable("missing_property", detail=key)
    return value.strip()


def _texts(properties: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = properties.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) and "\x00" not in one for one in value):
        raise Unreadable("missing_property", detail=key)
    return tuple(one.strip() for one in value if one.strip())


# ---- out


def write(drawing: Drawing) -> dict[str, Any]:
    """The FeatureCollection of a drawing, which ``read`` takes back unchanged."""
    return {
        "type": "FeatureCollection",
        "coordinate_system": CoordinateSystem.CGCS2000.value,
        "features": list(_features(drawing)),
    }


def _features(drawing: Drawing) -> Iterator[dict[str, Any]]:
    for community in drawing.communities or []:
        names = {"code": community.code, "name": community.name_zh, "name_en": community.name_en}
        yield _feature("community", names, community.outline)
    for unit in drawing.unit_grids or []:
        yield _feature("unit_grid", {"code": unit.code}, unit.geometry)
    for grid in drawing.responsibility_grids or []:
        yield _feature("responsibility_grid", {"name": grid.name, "grids": list(grid.codes), "worker": grid.worker}, None)
    for point in drawing.points or []:
        known = {"code": point.code, "name": point.name, "kind": point.kind, "area": point.area, "risk_class": point.risk_class}
        yield _feature("monitoring_point", known | _raw(point), _at(point))
    for place in drawing.places or []:
        named = {"community": place.community, "kind": place.kind, "name": place.name, "beside": place.beside}
        raw = _raw(place) if not place.line else {"raw": {"x": place.x, "y": place.y, "system": place.system}}
        yield _feature("place", named | {"aliases": list(place.aliases)} | raw, _course(place) if place.line else _at(place))


def _feature(layer: str, properties: Mapping[str, Any], geometry: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"layer": layer, **properties}, "geometry": geometry}


def _raw(spot: PointDrawn | PlaceDrawn) -> dict[str, Any]:
    return {} if spot.system == "cgcs2000" else {"raw": {"x": spot.x, "y": spot.y, "system": spot.system}}


def _course(place: PlaceDrawn) -> dict[str, Any]:
    return {"type": "MultiLineString", "coordinates": [[list(point) for point in part] for part in place.line]}


def _at(spot: PointDrawn | PlaceDrawn) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(to_canonical(spot.x, spot.y, spot.system))}
