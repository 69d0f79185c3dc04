"""What the desk is shown of a reply before it is sent: what a reader would miss, what will be hidden; nothing is stopped."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from jiequ.cases.models import Case
from tests.actors import MovableClock
from tests.casework import Casework


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    return work.world.client("lin")


def flags(client: Client, case: Case, reply: str, move: str = "close", **more: str) -> list[str]:
    answer = client.post(f"/cases/{case.number}/preview/{move}", {"reply": reply, **more})
    assert answer.status_code == 200
    found = re.search(r"data-flags>.*?</ul>", answer.content.decode(), re.DOTALL)
    return re.findall(r"<li>(.*?)</li>", html.unescape(found[0])) if found else []


GOOD = (
    "经现场核查，该处垃圾由附近装修户倾倒，情况属实。环卫站已于3月4日上午清运垃圾约两车并冲洗地面，同时责令装修户整改，"
    "今后每天早晚各清运一次，欢迎监督。"
)


def test_a_reply_that_says_what_was_found_and_done_is_shown_without_a_flag(work: Casework, lin: Client) -> None:
    assert flags(lin, work.checked(words="巷口垃圾堆了三天没人清运，很臭"), GOOD) == []


def test_a_reply_that_only_passes_on_is_flagged_with_its_own_words_and_can_still_be_sent(work: Casework, lin: Client) -> None:
    case = work.checked(words="巷口垃圾堆了三天没人清运，很臭")
    found = flags(lin, case, "已转交环卫站处理。")
    assert any("已转交" in one for one in found)
    assert any("少于 40" in one for one in found)
    answer = lin.post(f"/cases/{case.number}/do/close", {"reply": "已转交环卫站处理。", "version": case.version})
    assert answer.status_code in {302, 303}
    assert Case.objects.get(pk=case.pk).state == "closed"


def test_what_is_personal_is_named_before_it_is_hidden(work: Casework, lin: Client) -> None:
    case = work.checked()
    found = flags(lin, case, f"{GOOD}详情请致电王建军13912345678。")
    assert "电话“13912345678”发出时会遮住" in found


def test_a_promise_the_timeline_contradicts_and_a_refusal_are_judged_by_what_fits_them(work: Casework, lin: Client) -> None:
    late = flags(lin, work.checked(words="路灯不亮"), f"{GOOD}预计2020年1月2日完成。")
    assert any("已经过去" in one for one in late)
    refused = flags(lin, work.just_reported(), "这件事在法院审理中。", "reject", reason_code="litigation")
    assert not any("没有说做了什么" in one for one in refused)
