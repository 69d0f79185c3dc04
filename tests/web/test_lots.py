"""Several cases at once from a tray: each by itself, told which went and which not, taken back together (issue 3)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Lot, LotItem
from jiequ.cases.views import lots
from jiequ.channels.models import Message
from jiequ.core.models import Job
from jiequ.core.worker import BATCH, work_once
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.statements import statements_of

KEY = "lot-test-key-000001"


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    """林, acceptor and dispatcher, at the desk."""
    return work.world.client("lin")


def ticked(*cases: Case) -> list[str]:
    return [f"{case.pk}.{Case.objects.get(pk=case.pk).version}" for case in cases]


def send(client: Client, *cases: Case, move: str = "dispatch", key: str = KEY, **more: Any) -> Any:
    data = {"cases": ticked(*cases), "move": move, "next": "/desk/?tray=dispatch", "idempotency_key": key, **more}
    return client.post("/desk/lots", data)


def states(*cases: Case) -> list[str]:
    return [Case.objects.get(pk=case.pk).state for case in cases]


def page_of(client: Client, answer: Any) -> str:
    assert answer.status_code == 303
    return str(client.get(answer["Location"]).content.decode())


def test_fifty_cases_go_by_fifty_moves_each_to_its_own_department(work: Casework, lin: Client) -> None:
    river = make_condition("0702", name="河道阻塞", lead_key="sw")
    cases = [work.accepted() for _n in range(48)]
    other = work.reported().case
    services.accept(work.fresh(other, "lin"), condition_id=river.pk, by=work.actor("lin"), at=NOW)
    answer = send(lin, *cases, other)
    while "/desk/lots/" in answer["Location"]:
        answer = lin.post(answer["Location"])
    assert set(states(*cases, other)) == {"dispatched"}
    assert Case.objects.get(pk=other.pk).lead_id == work.water
    assert CaseEvent.objects.filter(move="dispatch").count() == 49
    assert "办成 49 件" in page_of(lin, answer)


def test_each_case_costs_what_its_move_costs_and_a_read(work: Casework, lin: Client) -> None:
    one, *many = [work.accepted() for _n in range(6)]
    send(lin, one)
    few = len(statements_of(lambda: send(lin, many[0], key="lot-test-key-000002")))
    more = len(statements_of(lambda: send(lin, *many[1:], key="lot-test-key-000003")))
    assert (more - few) / 3 <= 14 + 4


def test_the_answer_says_which_went_and_which_not_and_why(work: Casework, lin: Client) -> None:
    good, moved, nameless = work.accepted(), work.accepted(), work.just_reported()
    data = ticked(good, moved, nameless)
    Case.objects.filter(pk=moved.pk).update(version=40)
    answer = lin.post("/desk/lots", {"cases": data, "move": "dispatch", "next": "/desk/?tray=dispatch", "idempotency_key": KEY})
    page = page_of(lin, answer)
    assert "办成 1 件" in page
    assert "2 件没有办成" in page
    assert re.search(rf"{moved.number}</a> 案件刚被别人更新过", page)
    assert re.search(rf"{nameless.number}</a> ", page)
    assert states(good, moved, nameless) == ["dispatched", "accepted", "reported"]


def test_a_lot_that_is_sent_twice_is_done_once(work: Casework, lin: Client) -> None:
    cases = [work.accepted(), work.accepted()]
    data = {"cases": ticked(*cases), "move": "dispatch", "next": "/desk/", "idempotency_key": KEY}
    first, second = lin.post("/desk/lots", data), lin.post("/desk/lots", data)
    assert first["Location"] == second["Location"]
    assert CaseEvent.objects.filter(move="dispatch").count() == 2
    assert Lot.objects.count() == 1


def test_one_undo_takes_the_whole_lot_back_before_anybody_is_told(work: Casework, lin: Client, clock: MovableClock) -> None:
    cases = [work.accepted() for _n in range(3)]
    page = page_of(lin, send(lin, *cases))
    undo = re.search(r'action="(/desk/lots/\d+/undo)"', page)
    assert undo is not None
    clock.move(seconds=9)
    work_off(clock)
    assert not Message.objects.filter(template="new_task").exclude(state="waiting").exists()
    back = page_of(lin, lin.post(undo.group(1)))
    assert "撤回 3 件" in back
    assert set(states(*cases)) == {"accepted"}
    clock.move(seconds=60)
    work_off(clock)
    assert not Message.objects.filter(template="new_task", state="delivered").exists()


def test_without_the_undo_they_are_told_after_ten_seconds(work: Casework, lin: Client, clock: MovableClock) -> None:
    """The broken twin of the test above: the notices are really there."""
    cases = [work.accepted() for _n in range(3)]
    send(lin, *cases)
    clock.move(seconds=60)
    work_off(clock)
    assert Message.objects.filter(template="new_task").exclude(state="waiting").count() == 3


def work_off(clock: MovableClock) -> None:
    for _n in range(20):
        if not work_once(at=clock.at, limit=BATCH):
            return


def test_the_undo_takes_back_what_it_can_and_says_what_stands(work: Casework, lin: Client, clock: MovableClock) -> None:
    first, second = work.accepted(), work.accepted()
    lot = page_of(lin, send(lin, first, second))
    services.acknowledge(work.fresh(first, "huang"), by=work.actor("huang"), at=clock.at)
    undo = re.search(r'action="(/desk/lots/\d+/undo)"', lot)
    assert undo is not None
    page = page_of(lin, lin.post(undo.group(1)))
    assert states(first, second) == ["handling", "accepted"]
    assert re.search(rf"{first.number}</a> 这一步之后已有新的办理", page)
    clock.move(seconds=11)
    third = work.accepted()
    late = page_of(lin, send(lin, third, key="lot-test-key-000009"))
    clock.move(seconds=11)
    found = re.search(r'action="(/desk/lots/\d+/undo)"', late)
    assert found is not None
    assert "已超过撤回时间" in page_of(lin, lin.post(found.group(1)))
    assert states(third) == ["dispatched"]


def test_a_long_lot_says_how_far_it_is_and_goes_on(work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lots, "AT_ONCE_SECONDS", -1.0)
    cases = [work.accepted() for _n in range(3)]
    answer = send(lin, *cases)
    progress = lin.get(answer["Location"]).content.decode()
    assert "已办 1 / 3 件" in progress
    assert 'value="1"' in progress
    monkeypatch.setattr(lots, "AT_ONCE_SECONDS", 60.0)
    assert "办成 3 件" in page_of(lin, lin.post(answer["Location"]))


def test_one_department_or_one_type_can_be_chosen_for_all(work: Casework, lin: Client) -> None:
    cases = [work.accepted(), work.accepted()]
    page = lin.post("/desk/lots/choose", {"cases": ticked(*cases), "move": "dispatch", "next": "/desk/"}).content.decode()
    assert f'<option value="{work.water}">' in page
    send(lin, *cases, lead_id=work.water)
    assert {Case.objects.get(pk=case.pk).lead_id for case in cases} == {work.water}
    fresh = [work.just_reported(), work.just_reported()]
    send(lin, *fresh, move="accept", condition_id=work.condition.pk, key="lot-test-key-000005")
    assert set(states(*fresh)) == {"accepted"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"move": "cancel"}, 422),
        ({"move": ""}, 422),
        ({"cases": []}, 422),
        ({"cases": ["x"]}, 422),
        ({"cases": ["1"]}, 422),
        ({"cases": ["999999.1"]}, 404),
        ({"cases": [f"{n}.1" for n in range(51)]}, 422),
    ],
)
def test_what_does_not_fit_is_refused_whole(work: Casework, lin: Client, change: dict[str, Any], status: int) -> None:
    case = work.accepted()
    data = {"cases": ticked(case), "move": "dispatch", "idempotency_key": KEY} | change
    assert lin.post("/desk/lots", data).status_code == status
    assert states(case) == ["accepted"]
    assert Lot.objects.count() == 0


def test_a_case_of_another_street_is_missing_and_a_lot_is_its_makers_own(work: Casework, lin: Client) -> None:
    case = work.accepted()
    wai = work.world.client("wai")
    assert send(wai, case).status_code == 404
    answer = send(lin, case)
    lot = Lot.objects.get()
    for client in (wai, work.world.client("liang")):
        for method, address in (("get", ""), ("post", ""), ("post", "undo")):
            assert getattr(client, method)(f"/desk/lots/{lot.pk}/{address}").status_code == 404
    assert "办成 1 件" not in work.world.client("liang").get(answer["Location"]).content.decode()


def test_lots_are_forgotten_after_a_day_and_the_timelines_stay(work: Casework, lin: Client, clock: MovableClock) -> None:
    send(lin, work.accepted())
    assert services.forget_lots(at=clock.move(hours=23)) == 0
    services.forget_lots(at=clock.move(hours=2))
    assert (Lot.objects.count(), LotItem.objects.count()) == (0, 0)
    assert CaseEvent.objects.filter(move="dispatch").count() == 1
    assert Job.objects.exists()
