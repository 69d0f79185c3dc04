"""Somebody at the sign-in page, or with a seat, who wants another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from jiequ.core.errors import Refusal, Throttled
from jiequ.people import services
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework


def tries_let_through(world: World, names: list[str], call: str) -> int:
    """How many guesses within one hour are judged at all, by turns under each name."""
    let_through = 0
    for step in range(60):
        at, login = NOW + timedelta(minutes=step), names[step % len(names)]
        try:
            if call == "password":
                services.check_password(login=login, password="x", device_token="", network=f"203.0.113.{step}", at=at)
            else:
                services.use_reset_code(
                    login=login, code="AAAABBBBCCCC", new="long-enough-58", network=f"203.0.113.{step}", at=at
                )
        except Throttled:
            continue
        except Refusal:
            let_through += 1
    return let_through


@pytest.mark.parametrize(("call", "most"), [("password", 20), ("code", 10)])
def test_an_account_with_two_names_is_guessed_at_no_more_often_than_one_with_one(world: World, call: str, most: int) -> None:
    one = tries_let_through(world, [world.huang.username], call)
    assert 0 < one <= most
    assert tries_let_through(world, [world.wu.username, world.wu.phone], call) == one


def test_what_somebody_signed_in_was_shown_is_kept_by_no_cache(work: Casework, clock: MovableClock) -> None:
    reported = work.reported()
    lin, number = work.world.client("lin"), reported.case.number
    for address in ("/", "/desk/", "/todo/", "/cases/", "/report/", f"/cases/{number}/", f"/cases/{number}/do/accept"):
        answer = lin.get(address)
        assert "no-store" in answer.headers.get("Cache-Control", ""), address
    for action in ("erase", "revoke"):
        answer = Client().post(f"/r/{reported.token}/{action}")
        assert "no-store" in answer.headers.get("Cache-Control", ""), action
