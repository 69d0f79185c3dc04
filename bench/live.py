"""Live events: a report is made, and how soon every open page that shows it has it.

One server (two web workers and the process of live events), 100 open pages of as many persons: leader's pages, desks and lists
of cases by turns. Each behaves as live.js and renew.js do: it listens, asks for the changed row a moment later from where its
own page says, and for the desk's numbers some seconds later. It counts when the case's number stands in the row that came.
Latency from the moment the report's POST is sent. The pages live in one thread of a process of their own, so that they take
little from the server. Options: ``--database sqlite|postgresql --pages 100 --reports 40 --of leader,desk,list``.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.database import begin, machine_line, on_each
from bench.live_pages import NUMBERS_SECONDS, Pages

ROOT = Path(__file__).resolve().parents[1]
PAUSE_SECONDS = 1.0
TOO_LATE_SECONDS = 10.0


def main() -> int:
    """Both databases, or the one asked for. Fails if a page misses a report."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--database", choices=["sqlite", "postgresql"])
    ask.add_argument("--pages", type=int, default=100)
    ask.add_argument("--reports", type=int, default=40)
    ask.add_argument("--of", default="leader,desk,list")
    given = ask.parse_args()
    if not given.database:
        return on_each("bench.live", ["--pages", str(given.pages), "--reports", str(given.reports), "--of", given.of])
    begin(given.database)
    return measure(given.pages, Given(given.reports, given.of.split(",")))


@dataclass(frozen=True, slots=True)
class Given:
    """How many reports, and which pages are open, by turns."""

    reports: int
    of: list[str]


def measure(pages: int, given: Given) -> int:
    """Start, open the pages, report, and say how it went."""
    from tests.actors import make_world
    from tests.support.live import database_url, free_port, soon

    world = make_world()
    sessions = [session_of(person) for person in leaders(world, pages)]
    reporter = session_of(world.people["chen"])
    port = free_port()
    env = {**os.environ, "JIEQU_MODE": "test", "DATABASE_URL": database_url(), "JIEQU_LIVE_URL": ""}
    words = [sys.executable, "-m", "jiequ.web.cli", "serve", "--port", str(port), "--workers", "2", "--no-jobs"]
    server = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        soon(lambda: answers(port, "/healthz") and answers(port + 1, "/live/healthz"), within=60)
        return listen_and_report(port, sessions, reporter, given, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def leaders(world: Any, count: int) -> list[Any]:
    """As many persons of the street's desk."""
    from jiequ.people.models import Person, Post
    from jiequ.people.rules import Role
    from tests.actors import BEGAN, SINCE

    made = Person.objects.bulk_create(
        Person(username=f"l{n}", name=f"L{n}", phone=f"139{n:08d}", account="staff", street=world.street, created_at=BEGAN)
        for n in range(count)
    )
    Post.objects.bulk_create(
        Post(person=person, account="staff", role=Role.LEADER.value, street=world.street, starts_on=SINCE) for person in made
    )
    return list(made)


def session_of(person: Any) -> str:
    from tests.actors import client_of

    return str(client_of(person).cookies["jiequ_session"].value)


def answers(port: int, path: str) -> bool:
    try:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        asked.request("GET", path)
        return asked.getresponse().status == 200
    except OSError:
        return False


def listen_and_report(port: int, sessions: list[str], reporter: str, given: Given, server: int) -> int:
    """Open the pages, report, and say how it went. Fails if a page misses a report."""
    pages = Pages(port, sessions, given.of)
    pages.opened()
    family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    idle = cpu_of(family)
    time.sleep(5)
    resting = (cpu_of(family) - idle) / 5
    began, waits, seconds = cpu_of(family), [], time.monotonic()
    for n in range(given.reports):
        number, sent_at = report(port, reporter, n)
        seen = pages.seen(number, give_up_at=sent_at + TOO_LATE_SECONDS)
        if len(seen) < len(pages):
            print(f"FAILED: {len(pages) - len(seen)} of {len(pages)} pages never saw {number}")
            return 1
        waits += [at - sent_at for at in seen]
        time.sleep(PAUSE_SECONDS)
    time.sleep(NUMBERS_SECONDS)  # what follows a little later counts too
    used = cpu_of(family) - began - resting * (time.monotonic() - seconds)
    cuts = statistics.quantiles(waits, n=100)
    print(machine_line())
    print(f"{len(pages)} pages open ({', '.join(given.of)}), {given.reports} reports: ", end="")
    print(f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, worst {max(waits):.2f} s")
    print(f"CPU of all server processes: {used / given.reports:.2f} s a report; resting {resting:.2f} s a second")
    return 0


def cpu_of(family: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in family if one.is_running())


def report(port: int, session: str, n: int) -> tuple[str, float]:
    """A grid worker's report over HTTP; its number, and when its POST was sent. The form's page gives the CSRF token first."""
    import re
    from urllib.parse import urlencode

    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked.request("GET", "/report/", headers={"Cookie": f"jiequ_session={session}"})
    answer = asked.getresponse()
    page = answer.read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    cookie = next(v.split(";")[0] for k, v in answer.getheaders() if k.lower() == "set-cookie" and v.startswith("csrftoken"))
    fields = {
        "csrfmiddlewaretoken": token.group(1) if token else "",
        "words": f"河边有一堆垃圾 {n}",
        "lon": "113.5005",
        "lat": "23.1805",
        "accuracy_m": "8",
        "place_words": "东涌桥下",
    }
    headers = {"Cookie": f"jiequ_session={session}; {cookie}", "Content-Type": "application/x-www-form-urlencoded"}
    sent_at = time.monotonic()
    asked.request("POST", "/report/", urlencode(fields), headers)
    done = asked.getresponse()
    where, body = done.getheader("Location") or "", done.read().decode()
    asked.close()
    found = re.search(r"[A-Z]{2}-\d{4}-\d{6}", where + body)
    if not found:
        raise RuntimeError(f"the report was not taken: {done.status} {body[:300]}")
    return found.group(0), sent_at


if __name__ == "__main__":
    sys.exit(main())
