"""One report a conversation: pushes come three times at once and out of order, and workers are killed (rows 9, 16)."""

from __future__ import annotations

import random
from collections import Counter as Tally
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from emulator.geo import gcj02
from jiequ.cases.models import Case, Report
from jiequ.channels.arrivals import handing
from jiequ.channels.arrivals import services as inbox
from jiequ.channels.arrivals.models import Arrival, State
from jiequ.channels.arrivals.services import Incoming
from jiequ.core import clock, ids
from jiequ.core.models import Counter
from jiequ.doors.chat import reading, services
from jiequ.doors.chat.models import Draft, Piece
from jiequ.grid import queries as grid
from tests.actors import NOW, World, make_world
from tests.support import processes, unmarked
from tests.support.processes import SEED, Tell

FOLLOWERS, DELIVERIES, BATCH = 12, 3, 2
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """The chat on a channel "play", whose followers are their numbers; what is said is counted by its key."""
    monkeypatch.setattr(inbox, "HANDLERS", {})
    monkeypatch.setattr(handing, "HANDLERS", inbox.HANDLERS)
    monkeypatch.setattr(services, "say", lambda **words: ids.next_value("said-" + ids.token_hash(words["key"])[:32]))

    def handle(incoming: Incoming, *, at: datetime) -> None:
        services.take(reading.thing_of(incoming), follower_id=int(incoming.sender), at=at)

    inbox.on_arrival("play", handle)
    grid.forget()
    return make_world()


def pushes(world: World) -> list[dict[str, Any]]:
    """Two sentences and a place of everybody."""
    lon, lat = world.point_in("a")
    lat, lon = gcj02(lat, lon)
    told: list[dict[str, Any]] = []
    for follower in range(1, FOLLOWERS + 1):
        common = {"FromUserName": str(follower), "CreateTime": str(int(NOW.timestamp()))}
        told.append({**common, "MsgType": "text", "Content": "河道被垃圾堵住了", "MsgId": f"{follower}01"})
        told.append({**common, "MsgType": "text", "Content": "今天早上还没有这样", "MsgId": f"{follower}02"})
        place = {"Location_X": str(lat), "Location_Y": str(lon), "Label": "鹭溪河桥"}
        told.append({**common, "MsgType": "location", "MsgId": f"{follower}03", **place})
    return told


def yeses() -> list[dict[str, Any]]:
    common = {"CreateTime": str(int(NOW.timestamp()) + 60), "MsgType": "text", "Content": "确认"}
    return [{**common, "FromUserName": str(n), "MsgId": f"{n}04"} for n in range(1, FOLLOWERS + 1)]


def deliver(told: list[dict[str, Any]]) -> int:
    """Each three times at once, each time in another order; how many were new."""

    def side(number: int) -> int:
        order = list(told)
        random.Random(SEED + number).shuffle(order)
        new = 0
        for place, fields in enumerate(order):
            message = inbox.incoming_of("play", "wx1", fields)
            new += inbox.receive(message, timestamp=fields["CreateTime"], nonce=f"{number}-{place}", at=clock.now())
        return new

    return sum(processes.at_once(DELIVERIES, side))


def work(at: datetime, tell: Tell) -> None:
    while handing.hand_on(at=at, limit=BATCH):
        tell(b".")


def without_marks(at: datetime, tell: Tell) -> None:
    """The broken twin."""
    unmarked.work(at, tell, limit=BATCH)


def storm(worker: Any, *, hours: int = 0, rounds: int = 100) -> int:
    """Kills, beginning so many hours from now."""
    waits, at = Arrival.objects.filter(state=State.WAITING).exists, clock.now() + timedelta(hours=hours)
    return processes.storm(worker, waits, at=at, least=0.02, most=0.15, rounds=rounds)


def said() -> Tally[str]:
    connections.close_all()
    return Tally(dict(Counter.objects.filter(name__startswith="said-").values_list("name", "value")))


def test_everybody_has_one_report_with_all_they_said_and_one_answer_a_message(world: World) -> None:
    assert deliver(pushes(world)) == 3 * FOLLOWERS
    kills = storm(work)
    assert deliver(yeses()) == FOLLOWERS
    kills += storm(work, hours=6)
    print(f"kills {kills}")
    assert kills >= 2
    assert set(Arrival.objects.values_list("state", flat=True)) == {State.DONE}
    assert Case.objects.count() == FOLLOWERS
    assert {report.words.count("\n") for report in Report.objects.all()} == {1}
    assert set(Draft.objects.values_list("state", flat=True)) == {"done"}
    assert set(said().values()) == {1}
    assert len(said()) == 4 * FOLLOWERS


def test_without_the_mark_what_is_handed_on_again_begins_drafts_nobody_wanted(world: World) -> None:
    deliver(pushes(world))
    deliver(yeses())
    kills = storm(without_marks, rounds=12)
    doubled = [name for name, times in said().items() if times > 1]
    print(f"kills {kills}, doubled {len(doubled)}, pieces {Piece.objects.count()}")
    assert doubled
