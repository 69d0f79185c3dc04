"""What lists leave where it lies: outlines, clocks and replies are long and no row shows them; and no row asks by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from jiequ.cases import services
from jiequ.cases.queries import lists, supervise
from jiequ.cases.services import hooks
from jiequ.insight.queries import tables
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.programs import program_of
from tests.statements import statements_of

LONG = ('"geometry"', '"outline"', '"clocks"', '"cases_case"."reply"', '"required_proofs"')


def get(work: Casework, name: str, address: str) -> Callable[[], Any]:
    client = work.world.client(name)

    def ask() -> None:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content.decode()[:300]

    return ask


def by_program(work: Casework, name: str, address: str) -> Callable[[], Any]:
    program = program_of(work.world, name)

    def ask() -> None:
        assert program.get(address).status_code == 200

    return ask


def matter(work: Casework) -> Callable[[], Any]:
    scope = supervise.scope_of(
        [work.world.street], since=NOW - timedelta(days=9), until=NOW + timedelta(days=1), at=NOW, actor=work.actor("he")
    )
    rows = supervise.matter("urgent", scope)
    return lambda: list(tables.case_table("", tables.matter_cases(rows), 1, at=NOW).rows)


def near(work: Casework) -> Callable[[], Any]:
    lon, lat = work.world.point_in("a")
    return lambda: [str(case.lead) for case, _metres in lists.near_open(lon, lat, radius_m=500)]


def told(work: Casework) -> Callable[[], Any]:
    made = partial(hooks.make_webhook, url="https://other.example/hook", street_id=None, by=work.actor("xi"), at=NOW)
    names = iter("abcd")

    def follow() -> None:
        webhook, _secret = made(name=next(names), events=("accept", "dispatch"))
        webhook.followed_to = 0
        assert hooks.follow(webhook, at=NOW)

    return follow


ASKED: dict[str, Callable[[Casework], Callable[[], Any]]] = {
    "leader": lambda work: get(work, "he", "/leader/"),
    "to-do": lambda work: get(work, "huang", "/todo/"),
    "handover": lambda work: get(work, "lin", "/desk/handover/"),
    "board": lambda work: get(work, "he", "/board/"),
    "matter": lambda work: get(work, "he", "/board/urgent/"),
    "tray": lambda work: get(work, "lin", "/desk/?tray=work"),
    "program's cases": lambda work: by_program(work, "lin", "/cases"),
    "program's to-do": lambda work: by_program(work, "huang", "/tasks"),
    "file of a matter": matter,
    "near by": near,
    "webhook": told,
}


@pytest.mark.parametrize("name", ASKED)
def test_a_list_reads_no_long_column_and_asks_nothing_row_by_row(work: Casework, clock: MovableClock, name: str) -> None:
    services.put_on_watch(work.dispatched(is_urgent=True), text="盯着", by=work.actor("lin"), at=NOW)
    ask = ASKED[name](work)
    ask()
    few = statements_of(ask)
    for _n in range(4):
        work.dispatched(is_urgent=True)
        work.dispatched(at=NOW - timedelta(days=1), is_urgent=True)
    ask()  # what is remembered for a second
    many = statements_of(ask)
    assert len(few) == len(many), many
    read = [sql for sql in many if '"cases_case"."number"' in sql or '"cases_case"."state"' in sql]
    assert read
    assert not [sql for sql in read for column in LONG if column in sql]
