"""Live events: a report is made, and how soon every open page of the street's desk and its leader has it.

One server (two web workers and the process of live events), 100 open pages of as many persons, listening as a browser does:
told of a change, the page asks for its fresh part; it counts when the case's number stands in that part. Latency from the
moment the report's POST is sent. Options: ``--database sqlite|postgresql --pages 100 --reports 40``.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from bench.database import begin, machine_line, on_each

ROOT = Path(__file__).resolve().parents[1]
PAUSE_SECONDS = 1.0
TOO_LATE_SECONDS = 10.0


def main() -> int:
    """Both databases, or the one asked for. Fails if a page misses a report."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--database", choices=["sqlite", "postgresql"])
    ask.add_argument("--pages", type=int, default=100)
    ask.add_argument("--reports", type=int, default=40)
    given = ask.parse_args()
    if not given.database:
        return on_each("bench.live", ["--pages", str(given.pages), "--reports", str(given.reports)])
    begin(given.database)
    return measure(given.pages, given.reports)


def measure(pages: int, reports: int) -> int:
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
        return listen_and_report(port, sessions, reporter, reports, server.pid)
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
        return get(port, path, "")[0] == 200
    except OSError:
        return False


def get(port: int, path: str, session: str) -> tuple[int, str]:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": f"jiequ_session={session}", "HX-Request": "true", "Jiequ-By-Itself": "1"}
    asked.request("GET", path, headers=headers)
    answer = asked.getresponse()
    body = answer.read().decode()
    asked.close()
    return answer.status, body


class OpenPage:
    """The leader's page in a browser: listens, and fetches its fresh part when told."""

    def __init__(self, port: int, session: str) -> None:
        from tests.support.live import Listener

        self.port, self.session = port, session
        self.seen: dict[str, float] = {}
        get(port, "/leader/", session)  # the page itself, as it is opened
        self.listener = Listener(port + 1, session).welcomed()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        known = 0
        while not self.listener.is_over:
            told = self.listener.changes[known:]
            if not told:
                time.sleep(0.01)
                continue
            known += len(told)
            body = get(self.port, "/leader/?part=live", self.session)[1]
            now = time.monotonic()
            for number in (change["number"] for change in told):
                if number in body:
                    self.seen.setdefault(number, now)


def listen_and_report(port: int, sessions: list[str], reporter: str, reports: int, server: int) -> int:
    pages = [OpenPage(port, session) for session in sessions]
    family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    idle = cpu_of(family)
    time.sleep(5)
    resting = (cpu_of(family) - idle) / 5
    began, waits = cpu_of(family), []
    for n in range(reports):
        sent_at = time.monotonic()
        number = report(port, reporter, n)
        give_up_at = sent_at + TOO_LATE_SECONDS
        while not all(number in page.seen for page in pages):
            if time.monotonic() > give_up_at:
                print(f"FAILED: {sum(number not in page.seen for page in pages)} of {len(pages)} pages never saw {number}")
                return 1
            time.sleep(0.01)
        waits += [page.seen[number] - sent_at for page in pages]
        time.sleep(PAUSE_SECONDS)
    used = (cpu_of(family) - began) / reports
    cuts = statistics.quantiles(waits, n=100)
    print(machine_line())
    print(f"{len(pages)} pages open, {reports} reports: p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, worst {max(waits):.2f} s")
    print(
        f"CPU of all server processes: {used:.2f} s a report with {len(pages)} pages renewed; resting {resting:.2f} s a second"
    )
    return 0


def cpu_of(family: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in family if one.is_running())


def report(port: int, session: str, n: int) -> str:
    """A grid worker's report over HTTP; its number. The form's own page gives the CSRF token first."""
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
    asked.request("POST", "/report/", urlencode(fields), headers)
    done = asked.getresponse()
    where, body = done.getheader("Location") or "", done.read().decode()
    asked.close()
    found = re.search(r"[A-Z]{2}-\d{4}-\d{6}", where + body)
    if not found:
        raise RuntimeError(f"the report was not taken: {done.status} {body[:300]}")
    return found.group(0)


if __name__ == "__main__":
    sys.exit(main())
