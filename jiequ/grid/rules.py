"""Where things are, as pure rules: tile keys, distances, coordinate systems, grid codes. Imports nothing of Django.

Stored positions are CGCS2000 degrees (equal to WGS-84 at our accuracy); other systems are converted at the door.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import prcoords

ZOOM = 18
TILES = 1 << ZOOM
EARTH_RADIUS_M = 6_371_008.8
MERCATOR_LAT = 85.051128779806604
# GB/T 2260: the first two digits of a district code name a province-level division.
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82".split()
)


class CoordinateSystem(StrEnum):
    """Where a pair of numbers comes from: CGCS2000 (ours), WGS-84 (drones, GPS), GCJ-02 (WeChat, AMap), BD-09 (Baidu)."""

    CGCS2000 = "cgcs2000"
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class BBox(NamedTuple):
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float


# ---- coordinate systems


def to_canonical(x: float, y: float, system: CoordinateSystem | str) -> tuple[float, float]:
    """(longitude, latitude) in CGCS2000 of a pair in ``system``; good to 1 cm. ValueError for an unknown system."""
    match CoordinateSystem(system):
        case CoordinateSystem.GCJ02 if _is_shifted(x, y):
            found = prcoords.gcj_wgs_bored((y, x), False)
        case CoordinateSystem.BD09 if _is_shifted(x, y):
            found = prcoords.bd_wgs_bored((y, x), False)
        case _:
            return x, y
    return found.lon, found.lat


def from_canonical(lon: float, lat: float, system: CoordinateSystem | str) -> tuple[float, float]:
    """The pair (x, y) that ``system`` writes for a CGCS2000 position. ValueError for an unknown system."""
    match CoordinateSystem(system):
        case CoordinateSystem.GCJ02 if _is_shifted(lon, lat):
            found = prcoords.wgs_gcj((lat, lon), False)
        case CoordinateSystem.BD09 if _is_shifted(lon, lat):
            found = prcoords.wgs_bd((lat, lon), False)
        case _:
            return lon, lat
    return found.lon, found.lat


def _is_shifted(lon: float, lat: float) -> bool:
    """True inside the rectangle in which the map services shift coordinates."""
    return bool(prcoords.sanity_in_china_p(prcoords.Coords(lat, lon)))


def is_position(lon: float, lat: float) -> bool:
    """True for a finite pair of degrees that a web map can show."""
    return -180 <= lon <= 180 and -MERCATOR_LAT <= lat <= MERCATOR_LAT


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance in metres between two CGCS2000 positions (spherical: within 0.5 % everywhere)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def metres_per_degree(lat: float) -> tuple[float, float]:
    """(metres in a degree of longitude, of latitude) near ``lat``, on the same sphere as ``distance_m``."""
    north = math.radians(EARTH_RADIUS_M)
    return north * math.cos(math.radians(lat)), north


def bbox_around(lon: float, lat: float, radius_m: float) -> BBox:
    """The rectangle that holds every position within ``radius_m`` metres."""
    east, north = metres_per_degree(lat)
    across, up = radius_m / max(east, 1.0), radius_m / north
    return BBox(lon - across, lat - up, lon + across, lat + up)


# ---- q18: the z-order key of the zoom-18 tile (DESIGN §1)


def tile(lon: float, lat: float) -> tuple[int, int]:
    """(column, row) of the web-mercator tile at zoom 18; positions off the map are moved to its edge."""
    column = math.floor((lon + 180) / 360 * TILES)
    sine = math.sin(math.radians(max(-MERCATOR_LAT, min(MERCATOR_LAT, lat))))
    row = math.floor((0.5 - math.atanh(sine) / (2 * math.pi)) * TILES)
    return max(0, min(TILES - 1, column)), max(0, min(TILES - 1, row))


def _spread(number: int) -> int:
    """The 18 bits of ``number`` moved to the even places of a 36-bit number."""
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & 0x5555555555555555


def q18(lon: float, lat: float) -> int:
    """The z-order key of the zoom-18 tile of a position: near positions mostly get near keys; fits a BIGINT."""
    column, row = tile(lon, lat)
    return _spread(column) | _spread(row) << 1


def q18_ranges(bbox: BBox | tuple[float, float, float, float], limit: int = 16) -> list[tuple[int, int]]:
    """At most ``limit`` (four or more) inclusive key ranges that together cover ``bbox`` (west, south, east, north).

    They may cover more than the rectangle: compare lon and lat as well. The largest square that is only partly inside
    is split first, so that the ranges grow tighter evenly.
    """
    west, south, east, north = bbox
    x0, y0 = tile(west, north)
    x1, y1 = tile(east, south)
    whole: list[tuple[int, int]] = []
    partly = [(-ZOOM, 0, 0)]
    while partly and len(whole) + len(partly) + 3 <= max(limit, 4):
        bits, x, y = heapq.heappop(partly)
        side = 1 << -bits
        if x0 <= x and x + side - 1 <= x1 and y0 <= y and y + side - 1 <= y1:
            whole.append(_square(x, y, -bits))
            continue
        half = side >> 1
        for cx, cy in ((x, y), (x + half, y), (x, y + half), (x + half, y + half)):
            if cx <= x1 and cx + half > x0 and cy <= y1 and cy + half > y0:
                heapq.heappush(partly, (bits + 1, cx, cy))
    return _merged(whole + [_square(x, y, -bits) for bits, x, y in partly])


def _square(x: int, y: int, bits: int) -> tuple[int, int]:
    """The keys of a square of 2^bits tiles on a side, which follow each other."""
    first = _spread(x) | _spread(y) << 1
    return first, first + (1 << 2 * bits) - 1


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


# ---- codes (DOMAIN §4): 6 district + 3 street + 3 community + 3 serial


@dataclass(frozen=True, slots=True)
class UnitCode:
    """The parts of a unit grid's 15 digits."""

    district: str
    street: str
    community: str
    serial: str

    @property
    def code9(self) -> str:
        return self.district + self.street

    @property
    def code12(self) -> str:
        return self.code9 + self.community


class BadCode(ValueError):
    """Not a code; ``reason`` is one of length, province, zero."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_code15(code: str) -> UnitCode:
    """The parts of a 15-digit unit grid code; BadCode says what is wrong with it."""
    parts = UnitCode(*_digits(code, 6, 3, 3, 3))
    if "000" in (parts.street, parts.community, parts.serial):
        raise BadCode("zero")
    return parts


def parse_code12(code: str) -> tuple[str, str, str]:
    """(district, street, community) of a 12-digit community code; BadCode says what is wrong with it."""
    district, street, community = _digits(code, 6, 3, 3)
    if "000" in (street, community):
        raise BadCode("zero")
    return district, street, community


def _digits(code: str, *widths: int) -> list[str]:
    if len(code) != sum(widths) or not (code.isascii() and code.isdigit()):
        raise BadCode("length")
    if code[:2] not in PROVINCES:
        raise BadCode("province")
    parts, start = [], 0
    for width in widths:
        parts.append(code[start : start + width])
        start += width
    return parts


def serials(centres: Sequence[tuple[float, float]], row_m: float = 100.0) -> list[int]:
    """Serial numbers from 1 in reading order: rows of ``row_m`` metres north to south, west to east in a row."""
    if not centres:
        return []
    top = max(lat for _, lat in centres)
    row_degrees = row_m / metres_per_degree(top)[1]

    def reading_order(at: int) -> tuple[int, float, float]:
        lon, lat = centres[at]
        return math.floor((top - lat) / row_degrees), lon, -lat

    numbers = [0] * len(centres)
    for number, at in enumerate(sorted(range(len(centres)), key=reading_order), start=1):
        numbers[at] = number
    return numbers
