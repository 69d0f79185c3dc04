"""The Open311 door: CPU for a list of a thousand requests, as JSON and as XML, and for a page of a hundred.

In-process through Django's handler, so the server's own share is left out. Answers are checked before the time counts.
``./run bench open311 [--database D] [--cases N] [--times N]``. ``--document``: write docs/openapi-open311.json anew.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
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
    """``cases`` cases of a year, half of them in the street that is open to everybody; each kind of list of it."""
    from django.test import Client

    from bench import kept
    from jiequ.core import clock
    from jiequ.doors.open311 import keys
    from jiequ.people.access import actor_for
    from jiequ.people.models import Person
    from jiequ.people.rules import Actor
    from tests.programs import drawn

    logging.getLogger("jiequ.request").setLevel(logging.WARNING)
    told = kept.year_of(cases)
    keys.CALLS_A_MINUTE = keys.KEY_CALLS_A_MINUTE = 10_000_000
    at, lin = clock.now(), Person.objects.get(username="lin")
    key = drawn(lin.pk, "open311", allowed_by=Actor.system(), by=actor_for(lin, at=at), at=at).token
    client = Client()

    def ask(what: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {query.pop('key')}"} if "key" in query else {}
        return checked(client.get(f"/open311/v2/{what}", query, headers=headers))

    found = ask("requests.json").json()
    if len(found) != min(1000, recent(at)) or found != sorted(found, key=lambda row: row["requested_datetime"], reverse=True):
        sys.exit("the list is told wrong")
    print(f"{database.machine_line()} · {told}; public of the last ninety days: {recent(at):,}")
    measured("GET requests.json, 1,000 newest of 90 days", lambda: ask("requests.json"), times=times)
    measured("GET requests.xml, 1,000 newest of 90 days", lambda: ask("requests.xml"), times=times)
    measured("GET requests.json, 1,000, with a key", lambda: ask("requests.json", key=key), times=times)
    measured("GET requests.json?page_size=100", lambda: ask("requests.json", page_size="100"), times=times)
    measured("GET requests.json?page_size=100&page=50", lambda: ask("requests.json", page_size="100", page="50"), times=times)
    last = found[-1]["requested_datetime"]
    measured("GET requests.json?end_date=… (a later thousand)", lambda: ask("requests.json", end_date=last), times=times)
    number = found[0]["service_request_id"]
    measured("GET one request", lambda: ask(f"requests/{number}.json"), times=times * 10)


def recent(at: datetime) -> int:
    """How many cases the list chooses from."""
    from jiequ.core.models import Street
    from jiequ.doors.open311.queries import requests

    street = Street.objects.order_by("code9")[0]
    return requests.published(street.pk).filter(reported_at__gte=at - timedelta(days=90)).count()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--cases", type=int, default=1_000_000)
    ask.add_argument("--times", type=int, default=20)
    ask.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    ask.add_argument("--document", action="store_true")
    given = ask.parse_args()
    from tests import postgres

    postgres.OPTIONS |= {"shared_buffers": "512MB", "max_wal_size": "4GB", "work_mem": "16MB"}
    database.begin(given.database)
    if given.document:
        from jiequ.doors.open311.document import document

        write_document(document, "openapi-open311.json")
    else:
        times_of_the_door(given.cases, given.times)


if __name__ == "__main__":
    main()
