"""Work under a storm of kill -9: what the short tests here and the long run of ``bench/reliability.py`` share."""

from __future__ import annotations

import os
import random
import struct
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, connections, transaction

from jiequ.core import clock, ids, jobs, lease
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec
from jiequ.core.models import Counter, Job
from tests.support.processes import Child, fork

Tell = Callable[[bytes], None]
NUMBER = struct.Struct(">q")
REST_OF_THE_REQUEST_SECONDS = 0.002


def told_numbers(child: Child) -> list[int]:
    """The whole numbers a killed child had told."""
    data = child.told()
    return [number for (number,) in NUMBER.iter_unpack(data[: len(data) // NUMBER.size * NUMBER.size])]


def next_numbers(child: Child, count: int) -> Iterator[int]:
    """Wait for the child's next ``count`` numbers; fewer if it has nothing more to do."""
    for _ in range(count):
        data = os.read(child.pipe, NUMBER.size)
        if not data:
            return
        yield from NUMBER.unpack(data)


# --- acknowledged writes -------------------------------------------------------------------------------------------------


def commit_then_acknowledge(first: int, tell: Tell) -> None:
    """What a web worker does: a move, its event and its notice in one transaction, then the answer."""
    for number in range(first, first + 1_000_000):
        with writing():
            store_pair(number)
        tell(NUMBER.pack(number))
        time.sleep(REST_OF_THE_REQUEST_SECONDS)


def acknowledge_then_commit(first: int, tell: Tell) -> None:
    """The broken twin: the answer goes out while the transaction is still open."""
    for number in range(first, first + 1_000_000):
        with writing():
            store_pair(number)
            tell(NUMBER.pack(number))
            time.sleep(REST_OF_THE_REQUEST_SECONDS)


def store_in_two_transactions(first: int, tell: Tell) -> None:
    """The other broken twin: a kill between the two leaves a half."""
    for number in range(first, first + 1_000_000):
        Counter.objects.create(name=f"half-{number}")
        time.sleep(REST_OF_THE_REQUEST_SECONDS)
        jobs.enqueue(JobSpec("notice", {"number": number}, clock.now(), key=f"half-{number}"))
        tell(NUMBER.pack(number))


def store_pair(number: int) -> None:
    """Two rows that belong together."""
    Counter.objects.create(name=f"half-{number}")
    jobs.enqueue(JobSpec("notice", {"number": number}, clock.now(), key=f"half-{number}"))


@dataclass
class Losses:
    """What a storm of kills did."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    halves: int = 0
    integrity: str = "ok"


def storm_of_writes(work: Callable[[int, Tell], None], *, kills: int, seed: int) -> Losses:
    """Kill the writing process ``kills`` times at random moments (10–60 ms after its first answer); count what is missing."""
    dice, found, acknowledged = random.Random(seed), Losses(), set()
    for kill in range(kills):
        child = fork(lambda tell, first=kill * 1_000_000: work(first, tell))
        answered = os.read(child.pipe, NUMBER.size)
        time.sleep(dice.uniform(0.010, 0.060))
        child.kill()
        found.kills += 1
        acknowledged.update(NUMBER.unpack(answered))
        acknowledged.update(told_numbers(child))
    stored = set(Counter.objects.filter(name__startswith="half-").values_list("name", flat=True))
    noticed = set(Job.objects.filter(key__startswith="half-").values_list("key", flat=True))
    found.acknowledged = len(acknowledged)
    found.lost = len({f"half-{number}" for number in acknowledged} - stored)
    found.halves = len(stored ^ noticed)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            found.integrity = cursor.execute("PRAGMA integrity_check").fetchone()[0]
    return found


# --- notices -------------------------------------------------------------------------------------------------------------


def by_lease(tell: Tell, *, at: Any) -> None:
    """The real thing: claim, send, then remove the row."""
    jobs.KINDS.clear()
    jobs.job("send", outside=True)(lambda *, number, at: tell(NUMBER.pack(number)))
    while lease.work_once(at=at, limit=20):
        pass


def mark_then_send(tell: Tell, *, at: Any) -> None:
    """The broken twin: the row is marked as done first, and sent then."""
    while True:
        with writing():
            job = Job.objects.filter(kind="send", run_at__lte=at).order_by("run_at", "id").first()
            if job is None:
                return
            job.delete()
        time.sleep(0.005)  # the way to the channel
        tell(NUMBER.pack(job.args["number"]))


@dataclass
class Deliveries:
    """What arrived of a number of notices."""

    notices: int
    kills: int = 0
    arrived: Tally[int] = field(default_factory=Tally)

    @property
    def lost(self) -> int:
        return self.notices - len(self.arrived)

    @property
    def duplicates(self) -> int:
        return self.arrived.total() - len(self.arrived)


def storm_of_notices(
    send: Callable[..., None], *, notices: int, workers: int, seed: int, most_told: int, most_kills: int = 1_000_000
) -> Deliveries:
    """Send ``notices`` with ``workers`` processes that are killed again and again; time leaps past the lease each round.

    A kill waits for progress and not for a clock, so that a fast machine has no fewer of them: it comes within 5 ms of the
    moment when each child has told 1 to ``most_told`` numbers. After ``most_kills`` the workers are left alone, to finish.
    """
    dice, moment, result = random.Random(seed), clock.now(), Deliveries(notices)
    jobs.enqueue(*(JobSpec("send", {"number": number}, moment) for number in range(notices)))
    while Job.objects.filter(kind="send", dead_at=None).exists():
        children = [fork(lambda tell, at=moment: send(tell, at=at)) for _ in range(workers)]
        for child in children:
            result.arrived.update(next_numbers(child, dice.randint(1, most_told)))
        if result.kills < most_kills:
            time.sleep(dice.uniform(0, 0.005))
        for child in children:
            may_finish = result.kills >= most_kills
            gone, _status = os.waitpid(child.pid, 0 if may_finish else os.WNOHANG)
            if not gone:
                child.kill()
                result.kills += 1
            result.arrived.update(told_numbers(child))
        moment += jobs.LEASE + timedelta(seconds=1)
    return result


# --- effects inside the database -------------------------------------------------------------------------------------------


def effects_by_lease(tell: Tell, *, at: Any) -> None:
    """Effect and removal of the row in one transaction."""
    jobs.KINDS.clear()
    jobs.job("send")(lambda *, number, at: ids.next_value(f"effect-{number}"))
    while lease.work_once(at=at, limit=20):
        tell(NUMBER.pack(0))


def effects_apart(tell: Tell, *, at: Any) -> None:
    """The broken twin: the effect commits, then the row is removed."""
    while job := Job.objects.filter(kind="send", run_at__lte=at).order_by("run_at", "id").first():
        with transaction.atomic():
            ids.next_value(f"effect-{job.args['number']}")
        tell(NUMBER.pack(0))
        time.sleep(0.005)  # as in mark_then_send: on a fast machine no kill would meet the gap
        job.delete()


def effects() -> Tally[str]:
    """How often each effect happened."""
    connections.close_all()
    return Tally(dict(Counter.objects.filter(name__startswith="effect-").values_list("name", "value")))
