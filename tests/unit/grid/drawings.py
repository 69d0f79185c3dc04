"""A small sound map to spoil: a chessboard of unit grids in two communities."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jiequ.grid import geojson
from jiequ.grid.demo import DemoGeography, build
from jiequ.grid.drawing import CommunityDrawn, Drawing, PlaceDrawn, PointDrawn, ResponsibilityDrawn
from jiequ.grid.topology import Drawn

STREET = "440198001"
WEST, SOUTH, STEP = 113.500, 23.180, 0.001


def code(community: int, serial: int, street: str = STREET) -> str:
    return f"{street}{community:03d}{serial:03d}"


def square(column: float, row: float, wide: float = 1, high: float = 1) -> dict[str, Any]:
    """A rectangle ``column`` steps east and ``row`` steps north of the corner."""
    west, south = WEST + column * STEP, SOUTH + row * STEP
    east, north = west + wide * STEP, south + high * STEP
    return polygon([[west, south], [east, south], [east, north], [west, north], [west, south]])


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[round(x, 7), round(y, 7)] for x, y in ring] for ring in rings]}


def board(columns: int = 4, rows: int = 3, street: str = STREET, shift: float = 0) -> list[Drawn]:
    """``columns`` × ``rows`` unit grids; the western half is community 1, the eastern half community 2."""
    found = []
    for row in range(rows):
        for column in range(columns):
            is_west = column < columns / 2
            half = columns // 2
            serial = (rows - 1 - row) * half + (column if is_west else column - half) + 1
            found.append(Drawn(code(1 if is_west else 2, serial, street), square(column + shift, row)))
    return sorted(found, key=lambda grid: grid.code)


def drawing(**changes: Any) -> Drawing:
    """Two communities, twelve unit grids, two responsibility grids, a point and three places: sound."""
    grids = board()
    whole = Drawing(
        communities=[CommunityDrawn(f"{STREET}001", "榕岸社区", "Rong'an"), CommunityDrawn(f"{STREET}002", "禾渡社区", "Hedu")],
        unit_grids=grids,
        responsibility_grids=[
            ResponsibilityDrawn("西片", tuple(grid.code for grid in grids[:6])),
            ResponsibilityDrawn("东片", tuple(grid.code for grid in grids[6:])),
        ],
        points=[PointDrawn("JK001", "桥头", "camera", WEST + 0.0005, SOUTH + 0.0005, "河边", "high")],
        places=[
            PlaceDrawn(f"{STREET}001", "road", "砚池路", WEST + 0.001, SOUTH + 0.001),
            PlaceDrawn(f"{STREET}001", "estate", "Garden 花园", WEST + 0.0015, SOUTH + 0.001, ("老糖厂",)),
            PlaceDrawn(f"{STREET}001", "landmark", "榕岸小学", WEST + 0.0012, SOUTH + 0.001, (), "砚池路"),
        ],
    )
    for name, value in changes.items():
        setattr(whole, name, value)
    return whole


def file_of(whole: Drawing) -> bytes:
    """The drawing as a GeoJSON file."""
    return json.dumps(geojson.write(whole), ensure_ascii=False).encode()


@cache
def demo_geography() -> DemoGeography:
    """The demonstration's district, drawn once a process."""
    return build()
