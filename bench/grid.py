"""Where is it: the time from a position to its unit grid, the load of a street's index, the check of an import.

Before a time counts, the answers are compared with a search through every polygon. The anchor is that search.
Run: ``./run bench grid``.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

import shapely
from shapely.geometry import shape

from jiequ.grid import geojson
from jiequ.grid.check import Known, problems
from jiequ.grid.demo import DemoGeography, build
from jiequ.grid.index import Cell, Spot, SpotIndex
from jiequ.grid.rules import from_canonical, q18, q18_ranges, to_canonical

POSITIONS = 20_000
COMPARED = 2_000
ROUNDS = 5


def best(do: Callable[[], Any], n: int) -> tuple[float, float]:
    """(wall, CPU) seconds for one of ``n``, the best of ROUNDS."""
    found = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        found.append(((time.perf_counter() - wall) / n, (time.process_time() - cpu) / n))
    return min(found)


def line(what: str, seconds: tuple[float, float], unit: str = "µs") -> None:
    factor = {"µs": 1e6, "ms": 1e3, "s": 1.0}[unit]
    print(f"{what:<58} {seconds[0] * factor:9.2f} {unit} wall {seconds[1] * factor:9.2f} {unit} CPU")


def index_of(geography: DemoGeography, street: int) -> SpotIndex:
    grids = geography.streets[street].drawing.unit_grids or []
    return SpotIndex([Cell(Spot(street, 1, n, n % 60, None), grid.geometry) for n, grid in enumerate(grids)])


def through_queries(geography: DemoGeography) -> Callable[[float, float], Any]:
    """``queries.locate`` itself, with the three streets held and no check falling due: what a view calls."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
    django.setup()
    from jiequ.grid import queries

    indexes = {street: index_of(geography, street) for street in range(len(geography.streets))}
    queries._held = queries._Held(time.monotonic() + 3600, {}, indexes)
    return queries.locate


def positions() -> list[tuple[float, float]]:
    rng = Random(7)
    return [(rng.uniform(113.46, 113.54), rng.uniform(23.155, 23.205)) for _ in range(POSITIONS)]


def refuse_wrong_answers(index: SpotIndex, polygons: Any, spots: list[tuple[float, float]]) -> None:
    """Every answer must be the first polygon that covers the position."""
    for lon, lat in spots[:COMPARED]:
        hits = shapely.intersects_xy(polygons, lon, lat).nonzero()[0]
        spot = index.locate(lon, lat)
        if (spot.unit_grid_id if spot else None) != (int(hits[0]) if len(hits) else None):
            sys.exit(f"wrong answer at {lon}, {lat}")


def main() -> None:
    versions = f"Python {platform.python_version()} · shapely {shapely.__version__} · GEOS {shapely.geos_version_string}"
    print(f"{platform.platform()} · {versions}")
    started = time.perf_counter()
    geography = build()
    print(f"district drawn in {time.perf_counter() - started:.2f} s")
    main_street = geography.streets[0]
    grids = main_street.drawing.unit_grids or []
    polygons = [shape(grid.geometry) for grid in grids]
    shapely.prepare(polygons)
    index, spots = index_of(geography, 0), positions()
    refuse_wrong_answers(index, polygons, spots)
    print(f"{len(grids)} unit grids, {POSITIONS} positions, {COMPARED} answers compared with every polygon: none wrong")
    locate = through_queries(geography)
    line("queries.locate, three streets held", best(lambda: [locate(*spot) for spot in spots], POSITIONS))
    line("the index of one street alone", best(lambda: [index.locate(*spot) for spot in spots], POSITIONS))
    line(
        "anchor: every polygon, prepared, in one call",
        best(lambda: [shapely.intersects_xy(polygons, *spot) for spot in spots[:200]], 200),
    )
    line("index of one street built from GeoJSON", best(lambda: index_of(geography, 0), 1), "ms")
    line("neighbouring responsibility grids of one unit grid", best(lambda: [index.neighbours(n) for n in range(200)], 200))
    elsewhere = [grid for street in geography.streets[1:] for grid in street.drawing.unit_grids or []]
    known = Known(main_street.code9, elsewhere=elsewhere)
    if problems(main_street.drawing, known):
        sys.exit("the demonstration is not sound")
    line("an import checked (codes, shapes, overlaps, gaps)", best(lambda: problems(main_street.drawing, known), 1), "s")
    data = json.dumps(geojson.write(main_street.drawing)).encode()
    line(f"a file of {len(data) / 1e6:.1f} MB read", best(lambda: geojson.read(data), 1), "s")
    line("GCJ-02 to CGCS2000", best(lambda: [to_canonical(*spot, "gcj02") for spot in spots], POSITIONS))
    line("CGCS2000 to GCJ-02", best(lambda: [from_canonical(*spot, "gcj02") for spot in spots], POSITIONS))
    line("q18 of a position", best(lambda: [q18(*spot) for spot in spots], POSITIONS))
    box = (113.49, 23.17, 113.51, 23.19)
    line("q18 ranges of 2 km × 2 km", best(lambda: [q18_ranges(box) for _ in range(500)], 500))


if __name__ == "__main__":
    main()
