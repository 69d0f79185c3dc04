"""How many statements Open311 makes: the worst case (the types read anew, throttle and key included) and the usual one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest

from jiequ.cases.queries import types
from jiequ.doors.open311.queries import requests
from tests.actors import MovableClock
from tests.casework import Casework
from tests.open311 import a_request, key_of, open_up, post, rows
from tests.statements import statements_of

MOST_READ = 9
"""SELECTs of a list, for anybody and for a key's holder, at any length (docs/open311.md)."""
MOST_WRITTEN = 14
"""Statements of a plain POST: the budget of every case that is made, key and throttle within it."""


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


def asked(ask: Callable[[], Any], *, is_cold: bool = True) -> tuple[int, int]:
    """Statements and, of them, SELECTs, of a process that has answered before; ``is_cold``: a type was changed since."""
    ask()
    if is_cold:
        types.forget()
    made = statements_of(ask)
    return len(made), len([one for one in made if one.lstrip("( \n").startswith(("SELECT", "WITH"))])


def reads(**query: str) -> int:
    return asked(lambda: rows("requests.json", **query))[1]


def test_a_list_makes_few_statements_however_long_it_is(work: Casework) -> None:
    narrow = {"service_code": "0110", "status": "open"}
    questions = [
        {},
        narrow | {"extensions": "true"},
        narrow | {"key": key_of(work)},
        narrow | {"extensions": "true", "key": key_of(work)},
    ]
    work.accepted()
    short = [reads(**one) for one in questions]
    for _ in range(6):
        work.accepted()
    assert [reads(**one) for one in questions] == short
    assert max(short) <= MOST_READ
    assert max(short[:2]) <= MOST_READ - 3, "where none is given no key, no owner and nobody's words are looked up"


def test_a_list_that_asked_once_a_case_would_be_seen(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the published photos of each case by a question of its own."""
    whole = requests.attached

    def one_by_one(ids: list[int], **how: bool) -> Any:
        found = [whole([one], **how) for one in ids]
        return {k: v for photos, _ in found for k, v in photos.items()}, {}

    monkeypatch.setattr(requests, "attached", one_by_one)
    work.accepted()
    short = reads()
    for _ in range(6):
        work.accepted()
    assert reads() == short + 6 > MOST_READ


def test_one_request_makes_no_more_than_a_list(work: Casework) -> None:
    number = work.accepted().number
    for query in ({}, {"extensions": "true", "key": key_of(work)}):
        alone = asked(partial(rows, f"requests/{number}.json", **query))
        assert alone[1] <= reads(**query) <= MOST_READ
    assert asked(lambda: rows(f"requests/{number}.json"), is_cold=False) <= (4, 3)  # the throttle's row, then three


def test_a_report_is_handed_in_within_the_budget_of_a_case(work: Casework) -> None:
    key, references = key_of(work), count()

    def hand_in(**more: Any) -> None:
        assert post(api_key=key, reference=f"app-{next(references)}", **a_request(work), **more).status_code == 200

    assert asked(hand_in)[1] <= MOST_READ
    assert asked(hand_in, is_cold=False)[0] <= MOST_WRITTEN
    person = {"first_name": "Anna", "phone": "13800001111", "respond_with": "token"}
    photo = {"media_url": "https://example.org/a.jpg"}
    assert asked(lambda: hand_in(**person, **photo), is_cold=False)[0] <= MOST_WRITTEN + 2  # who told it, what to fetch


def test_a_report_handed_in_again_writes_nothing(work: Casework) -> None:
    key = key_of(work)
    made, read = asked(partial(post, api_key=key, reference="app-1", **a_request(work)), is_cold=False)
    assert read <= MOST_READ
    assert made - read == 1, "the throttle's row"
