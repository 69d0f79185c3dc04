"""A hotline that sends each order from eight sides at once: one case each, and the same answer to all (RELIABILITY row 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jiequ.cases.models import Case, CaseEvent, Report
from jiequ.doors.hotline.models import Order
from jiequ.doors.hotline.services import receiving
from tests.actors import make_world
from tests.casework import Casework, make_condition
from tests.support.hotline import Hotline, make_source
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SIDES, ORDERS = 8, 6


@pytest.fixture
def work(db: None, clock: Any) -> Casework:
    return Casework(make_world(), make_condition())


def send_all(work: Casework, *, differing: bool = False) -> list[list[tuple[int, bytes]]]:
    """Every side sends every order, with words of its own if ``differing``; each side's answers in order."""
    there = Hotline(token=make_source(work.world)[1])

    def send(side: int) -> list[tuple[int, bytes]]:
        more = {"诉求内容": f"第 {side} 种说法"} if differing else {}
        answers = [there.send("orders", there.order(work.world, f"GZ-{n}", **more)) for n in range(ORDERS)]
        return [(answer.status_code, answer.content) for answer in answers]

    return at_once(SIDES, send)


def test_each_order_from_eight_sides_is_one_case_and_one_answer(work: Casework) -> None:
    answers = send_all(work)
    assert Case.objects.count() == Report.objects.count() == Order.objects.filter(state="taken").count() == ORDERS
    assert CaseEvent.objects.filter(move="dispatch").count() == ORDERS
    assert all(side == answers[0] for side in answers)
    assert {status for status, _body in answers[0]} == {201}


def test_of_eight_contents_for_a_number_one_is_taken_and_seven_wait(work: Casework) -> None:
    answers = send_all(work, differing=True)
    assert Case.objects.count() == ORDERS
    assert Order.objects.filter(state="update").count() == ORDERS * (SIDES - 1)
    assert sorted(status for side in answers for status, _body in side) == [201] * ORDERS + [409] * ORDERS * (SIDES - 1)


def test_the_broken_twin_that_forgets_the_number_makes_more(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked up first and stored then, without a reference that the database holds once."""
    account = receiving._account
    monkeypatch.setattr(receiving, "_account", lambda *given: replace(account(*given), source_ref=""))
    monkeypatch.setattr(Order, "save", lambda *_args, **_kwargs: None)
    send_all(work)
    assert Case.objects.count() > ORDERS
