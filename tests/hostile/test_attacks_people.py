"""Somebody at the sign-in page, or with a seat, who wants another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from jiequ.core.errors import Forbidden, Refusal, Throttled
from jiequ.people import services
from jiequ.people.models import Leave, Post
from jiequ.people.rules import Role
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


def leave(world: World, *, person: str, deputy: str, by: str) -> Leave:
    return services.set_leave(
        person_id=world.people[person].pk,
        deputy_id=world.people[deputy].pk,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=3),
        by=world.actor(by),
        at=NOW,
    )


@pytest.mark.parametrize(("person", "thief"), [("he", "liang"), ("lin", "he"), ("liang", "he")])
def test_nobody_lends_themselves_anothers_seat(world: World, person: str, thief: str) -> None:
    before = world.actor(thief).seats
    with pytest.raises(Forbidden):
        leave(world, person=person, deputy=thief, by=thief)
    assert world.actor(thief).seats == before


def test_a_department_lead_still_stands_in_for_one_of_the_department_and_for_no_seat_beyond(world: World) -> None:
    leave(world, person="huang", deputy="wu", by="wu")
    Post.objects.create(
        person=world.zhao,
        account="staff",
        role=Role.ACCEPTOR.value,
        street=world.street,
        starts_on=world.zhao.created_at.date(),
    )
    with pytest.raises(Forbidden):
        leave(world, person="zhao", deputy="qian", by="qian")
    assert not world.actor("qian").has(Role.ACCEPTOR)


def test_taking_over_somebodys_work_does_not_take_the_seats_they_were_lent(world: World) -> None:
    leave(world, person="lin", deputy="huang", by="lin")
    taken = {"person_id": world.huang.pk, "to_id": world.wu.pk, "at": NOW}
    services.hand_over(**taken, by=world.actor("wu"))
    assert not world.actor("wu").has(Role.ACCEPTOR)
    services.hand_over(**taken, by=world.actor("huang"))
    assert world.actor("wu").has(Role.ACCEPTOR), "the deputy may pass it on"


def test_what_somebody_signed_in_was_shown_is_kept_by_no_cache(work: Casework, clock: MovableClock) -> None:
    reported = work.reported()
    lin, number = work.world.client("lin"), reported.case.number
    for address in ("/", "/desk/", "/todo/", "/cases/", "/report/", f"/cases/{number}/", f"/cases/{number}/do/accept"):
        answer = lin.get(address)
        assert "no-store" in answer.headers.get("Cache-Control", ""), address
    for action in ("erase", "revoke"):
        answer = Client().post(f"/r/{reported.token}/{action}")
        assert "no-store" in answer.headers.get("Cache-Control", ""), action
