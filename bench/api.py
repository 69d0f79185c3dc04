"""The programs' door: CPU for a case, a list of 50 and a move, with token and throttle, through the whole stack.

In-process through Django's handler, so the server's own share (and PostgreSQL's, there) is left out. Answers are checked
before the time counts; the anchor is the page of the same case. ``./run bench api [--database D] [--cases N] [--times N]``.
``--fuzz [N]``: schemathesis over the document, N examples an operation (30). ``--document``: write docs/openapi.json anew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import database
from bench.documents import write_document


def measured(what: str, do: Callable[[int], Any], *, times: int) -> None:
    """CPU and wall milliseconds a call; every answer must be a success."""
    for number in range(3):
        do(-1 - number)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(times):
        do(number)
    wall, cpu = (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times
    print(f"{what:<44} {cpu * 1000:7.2f} ms CPU {wall * 1000:8.2f} ms wall   n = {times}")


def checked(answer: Any, status: int = 200) -> Any:
    if answer.status_code != status:
        sys.exit(f"wrong answer: {answer.status_code} {answer.content[:300]!r}")
    return answer


def times_of_the_door(cases: int, times: int) -> None:
    """A street with ``cases`` cases, then each kind of call."""
    from jiequ.cases.api import door
    from jiequ.cases.models import Case
    from jiequ.core import clock
    from tests.actors import make_world
    from tests.casework import Casework, make_condition
    from tests.programs import program_of

    door.TOKEN_CALLS_A_MINUTE = 10_000_000
    work = Casework(make_world(), make_condition())
    for _ in range(cases // 2):
        work.reported()
        work.handling()
    program = program_of(work.world, "lin", at=clock.now())
    client, number = work.world.client("lin"), work.handling().number
    told = checked(program.get(f"/cases/{number}")).json()
    if [event["move"] for event in told["timeline"]] != ["report", "accept", "dispatch", "acknowledge"]:
        sys.exit("the case is told wrong")
    if len(checked(program.get("/cases")).json()["cases"]) != min(50, Case.objects.count()):
        sys.exit("the list is told wrong")
    print(f"{database.machine_line()} · {Case.objects.count()} cases")
    measured("GET one case", lambda _n: checked(program.get(f"/cases/{number}")), times=times)
    measured("GET one case, the page (anchor)", lambda _n: checked(client.get(f"/cases/{number}/")), times=times)
    measured("GET list of 50", lambda _n: checked(program.get("/cases?limit=50")), times=times)
    measured("GET list of 50, filtered", lambda _n: checked(program.get("/cases?state=handling&light=green")), times=times)
    measured(
        "POST note (a move that adds), with a key",
        lambda n: checked(program.post(f"/cases/{number}/moves/note", {"text": "记"}, key=f"bench-note-{n:012d}")),
        times=times,
    )
    waiting = [work.reported().case.number for _ in range(times + 3)]
    accept = {"version": 1, "condition_id": work.condition.pk}
    measured(
        "POST accept (a move), with a key",
        lambda n: checked(program.post(f"/cases/{waiting[n]}/moves/accept", accept, key=f"bench-accept-{n:012d}")),
        times=times,
    )


def fuzzed(examples: int) -> None:
    """The long form of tests/hostile/test_api_fuzz.py; stops at the first answer that does not conform."""
    from jiequ.cases.api import door
    from tests.access.scene import make_scene
    from tests.actors import NOW, make_world
    from tests.fuzz import fuzz
    from tests.programs import program_of

    door.TOKEN_CALLS_A_MINUTE = door.CALLS_A_MINUTE = 10_000_000
    from jiequ.core import clock

    clock.now = lambda: NOW  # type: ignore[assignment]  # the scene's posts and shifts are of that day
    scene = make_scene(make_world())
    began = time.perf_counter()
    tokens = {"token": program_of(scene.world, "lin").token, "system": scene.a.tokens["system"]}
    seen = fuzz(tokens, scene.a.ids, examples=examples)
    print(f"{sum(seen.values())} calls in {time.perf_counter() - began:.0f} s, 5xx = 0: {dict(sorted(seen.items()))}")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--cases", type=int, default=1000)
    ask.add_argument("--times", type=int, default=300)
    ask.add_argument("--fuzz", type=int, nargs="?", const=30)
    ask.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    ask.add_argument("--document", action="store_true")
    given = ask.parse_args()
    database.begin(given.database)
    if given.document:
        from jiequ.cases.api.document import document

        write_document(document, "openapi.json")
    elif given.fuzz:
        fuzzed(given.fuzz)
    else:
        times_of_the_door(given.cases, given.times)


if __name__ == "__main__":
    main()
