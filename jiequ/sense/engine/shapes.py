"""What goes in and what comes out of the engine: plain frozen data, codes and numbers. Words are made where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

Geometry = Mapping[str, Any]  # GeoJSON, WGS-84 degrees (for a snapshot: pixels, x right, y down)
Facts = Mapping[str, Any]


class Unusable(Exception):
    """A file that the engine does not take: ``code`` says why, ``facts`` with which numbers; nothing was kept of it."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _unusable, (self.code, self.facts)


def _unusable(code: str, facts: dict[str, Any]) -> Unusable:
    return Unusable(code, **facts)


class Kind(StrEnum):
    """What a file shows."""

    PHOTO = "photo"
    ORTHO = "ortho"
    DSM = "dsm"
    SNAPSHOT = "snapshot"


class Hint(StrEnum):
    """What a change may be; a person decides."""

    NEW_BUILDING = "new_building"
    ADDED_FLOOR = "added_floor"
    ROOF_SHED = "roof_shed"
    EARTHWORKS = "earthworks"
    DEMOLITION = "demolition"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asset:
    """What is known of one usable file. Lengths in metres, angles in degrees, ``bounds`` west south east north in WGS-84."""

    kind: Kind
    width: int
    height: int
    bands: int
    dtype: str
    epsg: int | None = None
    gsd_m: float | None = None
    bounds: tuple[float, float, float, float] | None = None
    footprint: Geometry | None = None
    taken_at: datetime | None = None  # as the camera says; naive where it tells no zone
    aircraft: str = ""
    height_above_ground_m: float | None = None
    pitch: float | None = None
    pose: Pose | None = None
    notes: tuple[str, ...] = ()  # "rtk", "no_nodata", "sixteen_bit", "extra_bands", "rotated", "heights_over_sea" …


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a camera stood and looked: degrees WGS-84, metres; yaw clockwise from north, pitch −90 straight down."""

    lon: float
    lat: float
    above_ground_m: float
    yaw: float
    pitch: float
    roll: float
    focal_px: float  # focal length over the size of one pixel


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one date, on this machine (or on storage that all Dask workers see under the same path)."""

    ortho: Path | None = None
    dsm: Path | None = None
    snapshot: Path | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One polygon. ``evidence``: per path ("dsm", "net", "tin", "green") plain numbers, kept whatever fusion made of them."""

    key: str  # stable: hash of inputs, parameters, model and geometry
    geometry: Geometry
    area_m2: float
    height_m: float | None  # median change of height, negative = lower; None: no surface model here
    volume_m3: float | None
    hint: Hint
    tin_roof: bool
    confidence: float  # [0, 1], not yet calibrated on this district's verdicts
    evidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blind:
    """A place that cannot be compared, never "no change"; why: "not_registered", "no_overlap", "no_data", "no_texture"."""

    geometry: Geometry
    reason: str
    path: str  # "net" or "dsm": the path that is blind here
    area_m2: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison found. ``notes``: codes with facts ("net_missing", "no_surface_model", "not_the_same_place" …)."""

    findings: tuple[Finding, ...]
    blind: tuple[Blind, ...]
    notes: tuple[Mapping[str, Any], ...]
    provenance: Mapping[str, Any]  # sha256 of each input, parameters, model id, engine version, registration
    compared_m2: float
    tiles: int


@dataclass(frozen=True, slots=True)
class Mask:
    """Something registered that explains a change, from the first to the last day that it holds (None: open)."""

    id: str
    kind: str  # planning | rural | temporary | demolition | water | vegetation
    geometry: Geometry
    valid_from: date | None = None
    valid_to: date | None = None
    height_m: float | None = None  # what a permit allows; more than that is not explained


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding that a mask explains, by which rule, and how much of it the mask covers."""

    key: str
    mask: str
    rule: str
    covered: float


@dataclass(frozen=True, slots=True)
class Known:
    """A suspect that stands in the register already."""

    id: str
    geometry: Geometry
    area_m2: float
    height_m: float | None = None
    closed: bool = False
    patrols: int = 1


@dataclass(frozen=True, slots=True)
class Match:
    """What a finding is to the register: ``change`` is "new", "same", "grown" or "storey"; the last two reopen."""

    key: str
    suspect: str | None
    change: str
    iou: float = 0.0
    metres: float = 0.0  # between the centroids
