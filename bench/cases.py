"""The desk's figures at a million cases: SQL, CPU of web and database, bytes, over HTTP with a session, two workers.

Each answer is checked before it counts. CPU is read from /proc (user and system) of the web server's processes and, on
PostgreSQL, of the database's. Statements are counted in-process on the same data.
Run: ``./run bench cases [--cases N] [--database sqlite|postgresql|both] [--times 60]``. A million need about 3 GB of disk for
each database, removed at the end.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from bench.database import begin, machine_line, on_each
from tests.support.live import free_port

TICKS = os.sysconf("SC_CLK_TCK")
WARM = 40  # two workers of four threads each keep what they compiled: every thread has seen the page before it counts
ANCHOR = {
    "create a case": "47, 56 ms",
    "list of 50, filtered": "272, 295-555 ms, 94 KB",
    "its 1,000th page": "374, 1,408 ms",
    "one case": "17, 49 ms",
    "one move": "41, 72 ms",
}
"""The best-known open system with 100,000 reports on the same kind of machine (issue 3): statements, CPU, payload."""


@dataclass
class Asked:
    """One kind of request: how it is made, and what its answer must hold."""

    name: str
    make: Callable[[int], tuple[str, str, dict[str, str]]]
    holds: Callable[[int, str, str], bool]
    most: int = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    if options.database == "both":
        return on_each("bench.cases", ["--cases", str(options.cases), "--times", str(options.times)])
    from tests import postgres

    postgres.OPTIONS |= {"shared_buffers": "512MB", "max_wal_size": "4GB", "work_mem": "16MB"}
    begin(options.database)
    measure(options.cases, options.times)
    return 0


def measure(cases: int, times: int) -> None:
    """Fill, serve, ask, tell."""
    from bench import kept

    told = kept.year_of(cases)
    print(f"{machine_line()}; {told}", flush=True)
    key, person = session()
    with_server = Server()
    try:
        for asked in requests(cases, person):
            tell(asked, with_server, key, times)
        print(f"a web worker: {with_server.largest_mb():.0f} MB RSS after it all", flush=True)
    finally:
        with_server.stop()


def session() -> tuple[str, Any]:
    """林 of the main street's desk, signed in with both factors; the session's key."""
    from jiequ.people.models import Person
    from tests.actors import client_of

    person = Person.objects.get(username="lin")
    return client_of(person).cookies["jiequ_session"].value, person


# -- what is asked ---------------------------------------------------------------------------------------------------


def requests(cases: int, person: Any) -> list[Asked]:
    """Every line of the issue's table that is a page or a form of the desk."""
    from jiequ.cases.models import Case

    street = Case.objects.filter(street_id=person.street_id)
    newest = list(street.order_by("-pk").values_list("number", "pk")[:400])
    deep = street.filter(state="closed", source="resident").order_by("-pk").values_list("pk", flat=True)
    far = deep[min(50_000, max(0, deep.count() - 100))]
    waiting = list(
        Case.objects.filter(street_id=person.street_id, state="accepted")
        .order_by("pk")
        .values_list("number", "version", "lead")[:400]
    )
    community = str(Case.objects.get(pk=newest[0][1]).community_id)
    listed = {"state": "closed", "source": "resident"}
    rows = re.compile('data-row="').findall

    def dispatch(n: int) -> tuple[str, str, dict[str, str]]:
        number, version, lead = waiting[n]
        form = {"lead_id": str(lead), "version": str(version), "idempotency_key": uuid4().hex, "text": ""}
        return "POST", f"/cases/{number}/do/dispatch", form

    def create(n: int) -> tuple[str, str, dict[str, str]]:
        said = {"source": "caller", "words": f"第 {n} 次反映垃圾", "name": "周女士", "phone": "13912345678"}
        return "POST", "/report/", said | {"community": community, "idempotency_key": uuid4().hex}

    def page(query: dict[str, str]) -> Callable[[int], tuple[str, str, dict[str, str]]]:
        return lambda _n: ("GET", f"/cases/?{urlencode(query)}", {})

    def fifty(_n: int, body: str, _place: str) -> bool:
        return len(rows(body)) == 50

    return [
        Asked("list of 50, filtered", page(listed), fifty),
        Asked("its 1,000th page", page(listed | {"before": str(far)}), fifty),
        Asked("search for 垃圾", page({"q": "垃圾"}), lambda n, body, place: fifty(n, body, place) and "垃圾" in body),
        Asked("search, 1,000th page", page({"q": "垃圾", "before": str(far)}), fifty),
        Asked("search for a rare word", page({"q": "望海路 377"}), lambda _n, body, _p: len(rows(body)) >= 1),
        Asked("tray of the desk", lambda _n: ("GET", "/desk/?tray=work", {}), fifty),
        Asked("one case", lambda n: ("GET", f"/cases/{newest[n % 400][0]}/", {}), lambda n, b, _p: newest[n % 400][0] in b),
        Asked("one move", dispatch, lambda _n, _b, place: bool(place), len(waiting) - WARM - 4),
        Asked("create a case", create, lambda _n, _b, place: "/cases/" in place),
    ]


def tell(asked: Asked, server: Server, key: str, times: int) -> None:
    """One line: statements, CPU of web and database, gzip, wall p50 and p95."""
    times = min(times, asked.most)
    for n in range(WARM):
        _ask(asked, server, key, n)
    web, database, walls, size = server.cpu(), server.database_cpu(), [], 0
    for n in range(WARM, WARM + times):
        began = time.perf_counter()
        size = _ask(asked, server, key, n)
        walls.append((time.perf_counter() - began) * 1000)
    web, database = (server.cpu() - web) * 1000 / times, (server.database_cpu() - database) * 1000 / times
    walls.sort()
    print(
        f"{asked.name:<24} {statements(asked, key, WARM + times):3d} SQL  {web + database:6.2f} ms CPU"
        f" (web {web:.2f}, db {database:.2f})"
        f"  {size / 1000:6.1f} KB gzip"
        f"  p50 {walls[len(walls) // 2]:.1f} ms p95 {walls[int(len(walls) * 0.95)]:.1f} ms"
        f"  anchor {ANCHOR.get(asked.name, '-')}",
        flush=True,
    )


def _ask(asked: Asked, server: Server, key: str, n: int) -> int:
    """Ask once; the answer's size compressed. Ends the run at a wrong answer."""
    method, path, form = asked.make(n)
    status, body, place = server.ask(method, path, key, form)
    if status not in {200, 302, 303} or not asked.holds(n, body, place):
        raise SystemExit(f"{asked.name}: wrong answer {status} to {method} {path}\n{body[:600]}")
    return len(gzip.compress(body.encode(), 6))


def statements(asked: Asked, key: str, n: int) -> int:
    """SELECT, INSERT, UPDATE and DELETE, session and sign-in included."""
    from django.test import Client

    from tests.statements import statements_of

    client = Client()
    client.cookies["jiequ_session"] = key
    for turn in (n, n + 1):  # what a process keeps is read the first time
        method, path, form = asked.make(turn)
        made = statements_of(lambda: client.get(path) if method == "GET" else client.post(path, form))  # noqa: B023
    return len(made)


class Server:
    """``serve`` as in production, two workers, on a free port."""

    def __init__(self) -> None:
        self.port = free_port((1,))
        words = ["serve", "--port", str(self.port), "--workers", "2", "--no-jobs"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jiequ.web.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                HTTPConnection("127.0.0.1", self.port, timeout=5).request("GET", "/healthz")
                break
            except OSError:
                time.sleep(0.2)
        time.sleep(1)

    def ask(self, method: str, path: str, key: str, form: dict[str, str]) -> tuple[int, str, str]:
        """One request on a connection of its own, so that both workers get theirs."""
        token = "t" * 32
        headers = {"Cookie": f"jiequ_session={key}; csrftoken={token}", "Host": f"127.0.0.1:{self.port}", "Accept": "text/html"}
        body = None
        if method == "POST":
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": token}
            body = urlencode(form)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, answer.headers.get("Location", "")

    def cpu(self) -> float:
        """Seconds that the server's processes have used."""
        return sum(_seconds(pid) for pid in _family(self.process.pid))

    def database_cpu(self) -> float:
        """Seconds of the database's own processes; SQLite has none."""
        return sum(_seconds(pid) for pid in _all() if _name(pid) == "postgres" and _is_ours(pid))

    def largest_mb(self) -> float:
        """Resident memory of the largest web process."""
        sizes = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in _family(self.process.pid)]
        return max(int(found.group(1)) for found in sizes if found) / 1024

    def stop(self) -> None:
        """As Ctrl-C would."""
        self.process.terminate()
        self.process.wait(30)


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _is_ours(pid: int) -> bool:
    """The server that tests.environment started: a grandchild of this process or deeper."""
    while pid > 1:
        if pid == os.getpid():
            return True
        found = _stat(pid)
        pid = int(found[1]) if found else 0
    return False


def _family(root: int) -> list[int]:
    parents = {pid: int(found[1]) for pid in _all() if (found := _stat(pid))}
    family, more = [root], [root]
    while more:
        more = [pid for pid, parent in parents.items() if parent in more]
        family += more
    return family


def _seconds(pid: int) -> float:
    found = _stat(pid)
    return (int(found[11]) + int(found[12])) / TICKS if found else 0.0


if __name__ == "__main__":
    sys.exit(main())
