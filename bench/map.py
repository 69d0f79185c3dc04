"""The map at a million cases: points, clusters, the pyramid's weight, and that it equals a recount after 10,000 random moves.

The moves are those of the tests' walks (every service, by everybody, refusals and undo among them), on a database of their own;
the counts are compared after every five hundred. The pages are asked over HTTP as ``bench.cases`` does: statements with session
and sign-in, CPU of web and database. Run: ``./run bench map [--cases N] [--moves N] [--database sqlite|postgresql|both]``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from bench import cases as desk
from bench.cases import Asked, Server
from bench.database import begin, machine_line, on_each

ANCHOR = dict.fromkeys(("4,000 points of a street", "4,000 of the district", "4,000 of some blocks"), "4, 149 ms, 638 KB")
"""The best-known open system with 100,000 reports on the same kind of machine (issue 3): statements, CPU, payload."""
CLUSTERS, POINTS = "/cases/clusters.json", "/map/points.json"
Box = tuple[float, float, float, float]
STEPS, LOOK_EVERY, SHARE, FOUR_THOUSAND = 45, 500, 0.05, 4000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--moves", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    if options.database == "both":
        return on_each("bench.map", [f"--{name}={getattr(options, name)}" for name in ("cases", "moves", "times")])
    from tests import postgres

    postgres.OPTIONS |= {"shared_buffers": "512MB", "max_wal_size": "4GB", "work_mem": "16MB"}
    database = begin(options.database)
    print(machine_line())
    walked(options.moves)
    database.reset()
    measure(options.cases, options.times)
    return 0


# -- the proof ---------------------------------------------------------------------------------------------------------


def walked(moves: int) -> None:
    """Random moves until that many were made; ends the run at a count that differs from a recount."""
    from tests.actors import make_world
    from tests.casework import Casework, make_condition
    from tests.walks import Walk

    began, work, made, steps, seed = time.perf_counter(), Casework(make_world(), make_condition()), Counter[str](), 0, 0
    while made.total() < moves:
        walk, seed = Walk(work, seed), seed + 1
        before = made.total() // LOOK_EVERY
        for _ in range(STEPS):
            walk.step()
        made.update(walk.done)
        steps += STEPS
        if made.total() // LOOK_EVERY > before:
            _refuse_wrong_counts(f"after {made.total():,} moves")
    rows = _refuse_wrong_counts("at the end")
    took = time.perf_counter() - began
    print(
        f"{made.total():,} random moves of {len(made)} kinds ({steps:,} tries, {seed} walks) in {took:.0f} s: {rows} rows equal"
    )


def _refuse_wrong_counts(when: str) -> int:
    """How many rows are right; ends the run if one is not."""
    from jiequ.cases.services import rollups

    found = rollups.recount(repair=False)
    if wrong := sum(one.wrong for one in found):
        raise SystemExit(f"{when}: {wrong} rows of the pyramid differ from a recount")
    return sum(one.right for one in found)


# -- the figures -------------------------------------------------------------------------------------------------------


def measure(cases: int, times: int) -> None:
    """Fill, weigh, serve, ask, tell."""
    from bench import kept

    told = kept.year_of(cases)
    print(f"{machine_line()}; {told}", flush=True)
    _weigh(cases)
    desk.ANCHOR.update(ANCHOR)
    lin, district = desk.session()[0], district_session()
    server = Server()
    try:
        for key, asked in requests(lin, district):
            desk.tell(asked, server, key, times)
    finally:
        server.stop()


def _weigh(cases: int) -> None:
    began, rows = time.perf_counter(), _refuse_wrong_counts("after the fill")
    print(f"the pyramid: {rows:,} rows, {rows / cases:.2%} of the cases; recounted in {time.perf_counter() - began:.1f} s")
    if cases >= 1_000_000 and rows > cases * SHARE:
        raise SystemExit("more than 5 % of the cases")


def district_session() -> str:
    """The key of a supervisor's session who has the whole district."""
    from django.utils import timezone

    from jiequ.people.models import Person, Post
    from jiequ.people.rules import Role
    from tests.actors import client_of

    person = Person.objects.create(username="district", name="区", created_at=timezone.now())
    Post.objects.create(person=person, role=Role.SUPERVISOR, starts_on=timezone.now().date(), account=person.account)
    return str(client_of(person).cookies["jiequ_session"].value)


def requests(lin: str, district: str) -> list[tuple[str, Asked]]:
    """Whose key, and what a map asks for: everything from afar, points from everywhere, some blocks."""
    whole = bounds()
    near = blocks(FOUR_THOUSAND)
    return [
        (lin, _asked("clusters of a street", CLUSTERS, whole, counts, zoom="12")),
        (district, _asked("clusters of the district", CLUSTERS, whole, counts, zoom="12")),
        (district, _asked("the same, closer", CLUSTERS, whole, counts, zoom="15")),
        (lin, _asked("4,000 points of a street", POINTS, whole, four_thousand)),
        (district, _asked("4,000 of the district", POINTS, whole, four_thousand)),
        (lin, _asked("4,000 of some blocks", POINTS, near, nearly_four_thousand)),
        (lin, _asked("open points of a street", POINTS, whole, some, open="1")),
        (
            lin,
            Asked("the page, without scripts", lambda _n: ("GET", "/map/", {}), lambda _n, body, _p: 'id="map-rows"' in body),
        ),
    ]


def _asked(name: str, path: str, box: Box, is_right: Callable[[dict[str, Any]], bool], **query: str) -> Asked:
    """A request whose box moves a metre each time, so that nothing can be answered from before."""

    def make(n: int) -> tuple[str, str, dict[str, str]]:
        moved = ",".join(f"{degrees + n * 1e-5:.6f}" for degrees in box)
        return "GET", f"{path}?{urlencode({'bbox': moved, **query})}", {}

    return Asked(name, make, lambda _n, body, _place: is_right(json.loads(body)))


def bounds() -> Box:
    """West, south, east, north of all cases."""
    from django.db.models import Max, Min

    from jiequ.cases.models import Case

    found = Case.objects.aggregate(w=Min("lon"), s=Min("lat"), e=Max("lon"), n=Max("lat"))
    return found["w"] - 0.001, found["s"] - 0.001, found["e"] + 0.001, found["n"] + 0.001


def blocks(wanted: int) -> Box:
    """A box in the middle of the main street that holds a little less than so many of its cases."""
    from jiequ.cases.models import Case
    from jiequ.core.models import Street

    street = Case.objects.filter(street=Street.objects.order_by("code9")[0])
    west, south, east, north = bounds()
    x, y, least, most = (west + east) / 2, (south + north) / 2, 0.0, 0.05
    for _ in range(12):
        half = (least + most) / 2
        box = x - half, y - half * 0.75, x + half, y + half * 0.75
        found = street.filter(lon__range=(box[0], box[2]), lat__range=(box[1], box[3])).count()
        least, most = (half, most) if found < wanted else (least, half)
    return x - least, y - least * 0.75, x + least, y + least * 0.75


def counts(told: dict[str, Any]) -> bool:
    """Clusters were counted, and there are some."""
    return bool(told["is_counted"]) and len(told["lon"]) > 3


def some(told: dict[str, Any]) -> bool:
    """More than a hundred points."""
    return len(told["id"]) > 100


def four_thousand(told: dict[str, Any]) -> bool:
    """All that a map shows, and there are more."""
    return len(told["id"]) == FOUR_THOUSAND and bool(told["more"])


def nearly_four_thousand(told: dict[str, Any]) -> bool:
    """All there are, and that is about as many."""
    return FOUR_THOUSAND * 0.9 <= len(told["id"]) <= FOUR_THOUSAND and len(set(told["id"])) == len(told["number"])


if __name__ == "__main__":
    sys.exit(main())
