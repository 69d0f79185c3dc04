"""The Open311 door: CPU for a list of a thousand requests, as JSON and as XML, and for a page of a hundred.

In-process through Django's handler, so the server's own share is left out. Answers are checked before the time counts.
``./run bench open311 [--database D] [--cases N] [--times N]``. ``--document``: write docs/openapi-open311.json anew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench import database
from bench.documents import write_document


def measured(what: str, do: Callable[[], Any], *, times: int) -> None:
    """CPU and wall milliseconds a call."""
    do()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        do()
    wall, cpu = (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times
    print(f"{what:<56} {cpu * 1000:7.2f} ms CPU {wall * 1000:8.2f} ms wall   n = {times}")


def checked(answer: Any) -> Any:
    if answer.status_code != 200:
        sys.exit(f"wrong answer: {answer.status_code} {answer.content[:300]!r}")
    return answer


def times_of_the_door(cases: int, times: int) -> None:
    """A street with ``cases`` cases of the last ninety days, then each kind of list."""
    from django.test import Client

    from jiequ.core import clock
    from jiequ.doors.open311 import keys
    from jiequ.doors.open311.services.opening import open_street
    from tests.actors import make_world
    from tests.casework import Casework, make_condition
    from tests.programs import program_of

    keys.CALLS_A_MINUTE = keys.KEY_CALLS_A_MINUTE = 10_000_000
    work = Casework(make_world(), make_condition())
    open_street(street_id=work.world.street.pk, contact="bench", by=work.actor("xi"), at=clock.now())
    fill(work, cases)
    key = program_of(work.world, "lin", "open311", at=clock.now()).token
    client = Client()

    def ask(what: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {query.pop('key')}"} if "key" in query else {}
        return checked(client.get(f"/open311/v2/{what}", query, headers=headers))

    found = ask("requests.json").json()
    if len(found) != min(1000, cases) or found != sorted(found, key=lambda row: row["requested_datetime"], reverse=True):
        sys.exit("the list is told wrong")
    print(f"{database.machine_line()} · {cases} cases")
    measured("GET requests.json, 1,000 newest of 90 days", lambda: ask("requests.json"), times=times)
    measured("GET requests.xml, 1,000 newest of 90 days", lambda: ask("requests.xml"), times=times)
    measured("GET requests.json, 1,000, with a key", lambda: ask("requests.json", key=key), times=times)
    measured("GET requests.json?page_size=100", lambda: ask("requests.json", page_size="100"), times=times)
    measured("GET requests.json?page_size=100&page=50", lambda: ask("requests.json", page_size="100", page="50"), times=times)
    last = found[-1]["requested_datetime"]
    measured("GET requests.json?end_date=… (a later thousand)", lambda: ask("requests.json", end_date=last), times=times)
    number = found[0]["service_request_id"]
    measured("GET one request", lambda: ask(f"requests/{number}.json"), times=times * 10)


def fill(work: Any, cases: int) -> None:
    """``cases`` filed cases: one made by the real services, copied with other numbers and moments."""
    from jiequ.cases.models import Case, Report
    from jiequ.core import clock

    at = clock.now()
    first = work.dispatched(at=at)
    report = Report.objects.get(case=first)
    names = [f.attname for f in Case._meta.concrete_fields if f.attname != "id"]
    values = {name: getattr(Case.objects.get(pk=first.pk), name) for name in names}
    step = timedelta(days=90) / cases
    for start in range(1, cases, 2000):
        rows = []
        for n in range(start, min(start + 2000, cases)):
            moment = at - step * n
            rows.append(Case(**values | {"number": f"LG-2026-B{n:07d}", "reported_at": moment, "changed_at": moment}))
        made = Case.objects.bulk_create(rows)
        Report.objects.bulk_create(
            [
                Report(case=one, origin=one, street_id=one.street_id, source="resident", words=report.words, at=one.reported_at)
                for one in made
            ]
        )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--cases", type=int, default=20_000)
    ask.add_argument("--times", type=int, default=20)
    ask.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    ask.add_argument("--document", action="store_true")
    given = ask.parse_args()
    database.begin(given.database)
    if given.document:
        from jiequ.doors.open311.document import document

        write_document(document, "openapi-open311.json")
    else:
        times_of_the_door(given.cases, given.times)


if __name__ == "__main__":
    main()
