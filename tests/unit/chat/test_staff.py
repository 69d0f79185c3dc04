"""What staff are answered in the chat: short lists, each line opening its case; nothing a resident wrote."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from jiequ.cases.models import Case
from tests.actors import World
from tests.casework import Casework, make_condition
from tests.unit.chat.conftest import Chat

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(world: World) -> Casework:
    return Casework(world, make_condition())


def test_a_handler_bound_to_the_account_reads_the_list_of_what_is_asked(chat: Chat, work: Casework) -> None:
    case = work.dispatched(words="我家隔壁张先生 13912345678 总是乱丢")
    answer = chat.says("待办", person_id=work.world.huang.pk)
    assert f"/cases/{case.number}/" in unquote(answer)
    assert "暴露生活垃圾" in answer
    assert str(case.unit_grid.code15 if case.unit_grid else "") in answer
    assert "/todo/" in unquote(answer)
    assert "张先生" not in answer


def test_a_leader_is_led_to_the_page_with_the_one_tap(chat: Chat, work: Casework) -> None:
    case = work.reported(words="我家隔壁张先生总是乱丢").case
    answer = chat.says("待处理", person_id=work.world.he.pk)
    assert case.number in answer
    assert "/leader/" in unquote(answer)
    assert "张先生" not in answer
    assert Case.objects.count() == 1


def test_a_resident_who_asks_for_staff_lists_learns_nothing(chat: Chat, work: Casework) -> None:
    case = work.dispatched()
    for asked in ("待办", "待处理", "今日简报"):
        assert case.number not in chat.says(asked)
        assert "工作人员" in chat.says(asked)


def test_somebody_whose_account_was_closed_is_nobody(chat: Chat, work: Casework) -> None:
    case = work.dispatched()
    huang = work.world.huang
    type(huang).objects.filter(pk=huang.pk).update(is_active=False, disabled_at=case.reported_at)
    assert case.number not in chat.says("待办", person_id=huang.pk)
