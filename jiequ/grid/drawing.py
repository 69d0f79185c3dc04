"""A street's map as plain values: what a GeoJSON file holds, what the demonstration draws, what is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .lines import Lines
from .topology import Drawn

Geometry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommunityDrawn:
    """A community; an outline, where given, must be filled exactly by its unit grids."""

    code: str
    name_zh: str
    name_en: str = ""
    outline: Geometry | None = None


@dataclass(frozen=True, slots=True)
class ResponsibilityDrawn:
    """A responsibility grid: its name, the codes of its unit grids, and its worker's user name or ""."""

    name: str
    codes: tuple[str, ...]
    worker: str = ""


@dataclass(frozen=True, slots=True)
class PointDrawn:
    """A monitoring point; x and y are in ``system``."""

    code: str
    name: str
    kind: str
    x: float
    y: float
    area: str = ""
    risk_class: str = "medium"
    system: str = "cgcs2000"


@dataclass(frozen=True, slots=True)
class PlaceDrawn:
    """A place of a community; ``beside`` names the road, estate or village of the same community it stands at.

    ``line``: the course of a road or a river, coarse, in CGCS2000 (``lines.coarse``); x and y then are a point of it.
    """

    community: str
    kind: str
    name: str
    x: float
    y: float
    aliases: tuple[str, ...] = ()
    beside: str = ""
    system: str = "cgcs2000"
    line: Lines = ()


@dataclass(frozen=True, slots=True)
class FeatureDrawn:
    """Something for the base map."""

    kind: str
    name: str
    geometry: Geometry


@dataclass(slots=True)
class Drawing:
    """Everything of one street; a layer left as None is not in the file and stays as it is."""

    communities: list[CommunityDrawn] | None = None
    unit_grids: list[Drawn] | None = None
    responsibility_grids: list[ResponsibilityDrawn] | None = None
    points: list[PointDrawn] | None = None
    places: list[PlaceDrawn] | None = None
    features: list[FeatureDrawn] = field(default_factory=list)
