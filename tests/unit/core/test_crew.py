"""A line with several hands: calls side by side, one transaction for what has come back, order kept, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from jiequ.core import clock, jobs
from jiequ.core.crew import Crew
from jiequ.core.jobs import Call, JobSpec, enqueue, job
from jiequ.core.models import Counter, Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_kinds")]
PATIENCE_SECONDS = 20
HANDS = 8


@pytest.fixture
def crew() -> Iterator[Callable[[], Crew]]:
    """Makes the line's crew once its kinds are registered; closed at the end."""
    made: list[Crew] = []

    def make() -> Crew:
        made.append(Crew("line", HANDS))
        return made[-1]

    yield make
    for one in made:
        one.close()


def register(act: Callable[[str], Any]) -> None:
    """A kind whose calls are ``act`` and whose answers are stored."""

    def send(*, name: str, at: Any) -> Call:
        return Call(lambda: act(name), lambda answer: lambda: Counter.objects.create(name=name, value=answer or 0))

    job("send", outside=True, line="line", hands=HANDS)(send)


def work(crew: Crew, at: Any = None) -> None:
    """Until nothing is due and nothing in hand."""
    while crew.turn(at=at) or not crew.is_idle:
        pass


def stored() -> set[str]:
    return set(Counter.objects.values_list("name", flat=True))


def test_as_many_calls_go_side_by_side_as_the_line_has_hands(crew: Callable[[], Crew]) -> None:
    together = threading.Barrier(HANDS, timeout=PATIENCE_SECONDS)
    register(lambda name: together.wait())  # comes back only when all hands are in it at once
    enqueue(*(JobSpec("send", {"name": f"n{n}"}, clock.now()) for n in range(3 * HANDS)))
    work(crew())
    assert len(stored()) == 3 * HANDS
    assert not Job.objects.exists()


def test_one_that_hangs_holds_up_only_its_own_hand(crew: Callable[[], Crew]) -> None:
    release = threading.Event()
    register(lambda name: release.wait(PATIENCE_SECONDS) and None if name == "hang" else None)
    enqueue(*(JobSpec("send", {"name": name}, clock.now()) for name in ("hang", "a", "b", "c")))
    line = crew()
    while len(stored()) < 3:
        line.turn()
    assert not line.is_idle
    release.set()
    work(line)
    assert stored() == {"hang", "a", "b", "c"}


def test_jobs_of_one_lane_go_one_after_the_other_and_others_pass_them(crew: Callable[[], Crew]) -> None:
    going: list[str] = []
    seen: list[tuple[str, int]] = []
    lock = threading.Lock()

    def act(name: str) -> None:
        with lock:
            going.append(name)
            seen.append((name, sum(one.startswith("lane") for one in going)))
        with lock:
            going.remove(name)

    register(act)
    now = clock.now()
    specs = [JobSpec("send", {"name": f"lane{n}"}, now + timedelta(milliseconds=n), lane="l") for n in range(6)]
    enqueue(*specs, *(JobSpec("send", {"name": f"free{n}"}, now) for n in range(6)))
    work(crew(), at=now + timedelta(seconds=1))
    in_lane = [(name, count) for name, count in seen if name.startswith("lane")]
    assert in_lane == [(f"lane{n}", 1) for n in range(6)]
    assert len(stored()) == 12


def test_a_failure_of_one_is_its_own_whether_it_calls_or_stores(crew: Callable[[], Crew]) -> None:
    def act(name: str) -> None:
        if name == "call":
            raise ConnectionRefusedError("refused")

    register(act)
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)

    def fails(answer: Any) -> Callable[[], Any]:
        def store() -> None:
            raise ValueError("cannot be stored")

        return store

    job("bad", outside=True, line="line", hands=HANDS)(lambda *, at: Call(lambda: together.wait() and None, fails))
    job("good", outside=True, line="line", hands=HANDS)(
        lambda *, name, at: Call(lambda: together.wait() and None, lambda _: lambda: Counter.objects.create(name=name))
    )
    now = clock.now()
    enqueue(*(JobSpec("good", {"name": f"g{n}"}, now) for n in range(3)), JobSpec("bad", {}, now))
    enqueue(JobSpec("send", {"name": "call"}, now))
    work(crew())
    assert stored() == {"g0", "g1", "g2"}, "the others of the batch are stored, once"
    left = {one.kind: (one.failures, one.last_error) for one in Job.objects.all()}
    assert left == {
        "bad": (1, "ValueError: cannot be stored"),
        "send": (1, "ConnectionRefusedError: refused"),
    }


def test_what_a_killed_worker_left_is_done_and_what_kills_them_is_done_alone(crew: Callable[[], Crew]) -> None:
    now = clock.now()
    beside: list[int] = []
    line: list[Crew] = []
    register(lambda name: beside.append(line[0]._busy) if name == "killer" else None)
    enqueue(*(JobSpec("send", {"name": name}, now) for name in ("killer", *map(str, range(20)))))
    over = now - timedelta(seconds=1)
    Job.objects.update(lease_until=over, claims=1)
    Job.objects.filter(args__name="killer").update(lost_workers=3)
    enqueue(*(JobSpec("send", {"name": f"fresh{n}"}, now) for n in range(20)))
    line.append(crew())
    work(line[0])
    assert len(stored()) == 41
    assert beside == [1]


def test_a_job_that_has_killed_too_many_workers_is_given_up_and_told(crew: Callable[[], Crew]) -> None:
    register(lambda name: None)
    told: list[str] = []
    jobs.on_dead(lambda dead, *, at: told.append(dead.last_error), kind="send")
    enqueue(JobSpec("send", {"name": "killer"}, clock.now()))
    Job.objects.update(lease_until=clock.now() - timedelta(seconds=1), claims=6, lost_workers=5)
    work(crew())
    assert told == ["its worker was killed 6 times"]
    assert stored() == set()


def test_a_line_of_one_hand_makes_its_calls_one_by_one() -> None:
    register(lambda name: None)
    enqueue(*(JobSpec("send", {"name": f"n{n}"}, clock.now()) for n in range(3)))
    assert jobs.work_once(at=clock.now()) == 3
    assert len(stored()) == 3
