"""Is it known, from the database: one look-up among many open and recent reports, at the desk and while a resident types.

``--reports`` reports of the last thirty days lie over 25 km², their words invented (``triage.engine.generator``), each with its
sketch. Before a figure counts: a report of the last three days said again in the same words fifteen metres beside comes back
among the first five (at least 99 of 100; of the whole month the share is only told: age speaks against a report). Timed:
``known_cases`` alone and the whole request of the report page (``/report/suggest``, types, places and times told too), each by
wall and by CPU of this process; and how much bigger the process got by them.
"""

from __future__ import annotations

import argparse
import gc
import logging
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

from bench import database

SEED = 20261127
WEST, SOUTH, WIDTH, HEIGHT = 113.48, 23.16, 0.0489, 0.0451  # degrees: 5 km each way
ASKS, NOT_TIMED, BATCH, STEP_DEGREES = 400, 20, 2_000, 0.0001
LEAST_FOUND = 0.99
_browsers: list[Any] = []


def main() -> int:
    """Fill, check, time. Fails if what was said before is not found."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--reports", type=int, default=100_000)
    ask.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = ask.parse_args()
    database.begin(given.database)
    from jiequ.core import clock
    from tests.actors import make_world
    from tests.casework import Casework, make_condition

    at = clock.now()
    fill(Casework(make_world(), make_condition()), given.reports, at)
    print(f"{database.machine_line()} · {given.reports:,} open reports of 30 days on 25 km²")
    return measure(at + timedelta(minutes=1))


def fill(work: Any, reports: int, at: Any) -> None:
    """Accepted cases with a report each, copied from one that the services made; then the n-grams are counted as at night."""
    from django.db import connection

    from jiequ.cases.models import Case, Report
    from jiequ.cases.services import knowing
    from jiequ.grid.rules import q18
    from jiequ.triage.engine.generator import generate
    from jiequ.triage.engine.sketches import sketch

    first = work.accepted(at=at)
    values = {f.attname: getattr(first, f.attname) for f in Case._meta.concrete_fields if f.attname != "id"}
    chance, step = Random(SEED), timedelta(days=30) / reports
    told = {"source": "resident"}
    said = (one.report.words for one in generate(reports, seed=SEED))
    for start in range(0, reports, BATCH):
        count, cases = min(BATCH, reports - start), []
        for n in range(start, start + count):
            lon, lat = WEST + chance.random() * WIDTH, SOUTH + chance.random() * HEIGHT
            when = at - timedelta(days=30) + step * n
            place = {"lon": lon, "lat": lat, "q18": q18(lon, lat)}
            cases.append(Case(**values | place | {"number": f"LG-2026-B{n:07d}", "reported_at": when, "changed_at": when}))
        made = Case.objects.bulk_create(cases)
        Report.objects.bulk_create(
            Report(case=one, origin=one, street_id=one.street_id, words=words, sketch=sketch(words), at=one.reported_at, **told)
            for one, words in zip(made, said, strict=False)
        )
    knowing.learn_weights(at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(at: Any) -> int:
    """The figures; 1 if they are of wrong answers."""
    from jiequ.cases.models import Report
    from jiequ.cases.queries.known import known_cases

    ids = list(Report.objects.filter(case__number__startswith="LG-2026-B").order_by("pk").values_list("pk", flat=True))
    month, grown = sampled(ids, at), rss()
    found, times = [], []
    for case_id, one in month:
        began, used = time.perf_counter(), time.process_time()
        answer = known_cases(one)
        times.append((time.perf_counter() - began, time.process_time() - used))
        found.append(case_id in [known.case.pk for known in answer])
    grown = rss() - grown
    newest = sampled(ids[-len(ids) // 10 :], at)
    share = sum(case_id in [known.case.pk for known in known_cases(one)] for case_id, one in newest) / len(newest)
    tell("one look-up", times[NOT_TIMED:])
    print(
        f"said again in the same words, 15 m beside, found among five: {share:.3f} of three days, "
        f"{sum(found) / len(found):.3f} of the month; the process grew by {grown:.1f} MB"
    )
    logging.disable(logging.INFO)
    tell("the part of the report page, whole request", [pages(one) for _case_id, one in month][NOT_TIMED:])
    return 0 if share >= LEAST_FOUND else 1


def sampled(ids: Sequence[int], at: Any) -> list[tuple[int, Any]]:
    """(case, what is asked) of some reports, each as if it were said again a few metres beside."""
    from jiequ.cases.models import Report
    from jiequ.cases.queries.known import Asked

    rows = Report.objects.select_related("case").in_bulk(Random(SEED + 1).sample(ids, min(len(ids), ASKS + NOT_TIMED)))
    return [
        (one.case_id, Asked(one.words, at, one.case.lon + STEP_DEGREES, one.case.lat + STEP_DEGREES)) for one in rows.values()
    ]


def pages(asked: Any) -> tuple[float, float]:
    """Wall and CPU of one POST by a resident without an account."""
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    if not _browsers:  # one for all: a new one reads the settings and every static file anew
        _browsers.append(Client(headers={"HX-Request": "true"}))
    browser = _browsers[0]
    browser.cookies.clear()
    data = {"words": asked.words, "lon": asked.lon, "lat": asked.lat, "system": "cgcs2000", "accuracy_m": "10"}
    began, used = time.perf_counter(), time.process_time()
    answer = browser.post("/report/suggest", data)
    took = time.perf_counter() - began, time.process_time() - used
    if answer.status_code != 200:
        sys.exit(f"answered {answer.status_code}")
    return took


def tell(what: str, times: Sequence[tuple[float, float]]) -> None:
    """Median and p95 of wall and CPU."""
    parts = []
    for name, of in (("wall", [one for one, _ in times]), ("CPU", [one for _, one in times])):
        cuts = statistics.quantiles(of, n=100)
        parts.append(f"{name} median {cuts[49] * 1000:.1f} ms, p95 {cuts[94] * 1000:.1f} ms")
    print(f"{what}: " + "; ".join(parts))


def rss() -> float:
    """This process's resident memory in MB, after a collection."""
    import psutil

    gc.collect()
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    sys.exit(main())
