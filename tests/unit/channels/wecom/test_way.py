"""The way of WeCom in the chain: how many a minute, what a card says, what WeCom's refusals lead to."""

from __future__ import annotations

from typing import Any

import pytest

from jiequ.channels import services
from jiequ.channels.models import Message
from jiequ.channels.ports import Outgoing, Result
from jiequ.channels.services import Notice
from jiequ.channels.wecom import cards, config
from jiequ.channels.wecom.way import WecomWay, make
from jiequ.core.db import writing
from tests.unit.channels.wecom.office import AGENT, Office

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
MANY = 40


def flood(office: Office, minutes: int) -> int:
    """Forty urgent notices to one member at once; how many cards are on the phone after so many minutes."""
    office.match("qian")
    facts = {"number": "LG-2026-000123", "type": "河道堵塞"}
    person = office.world.qian.pk
    notices = [Notice("new_task", facts, f"case:{n}", f"flood-{n}", to_person=person, is_urgent=True) for n in range(MANY)]
    with writing():
        services.send(notices, at=office.clock.at)
    for _ in range(minutes * 6):
        office.emulator.ask("POST", "/clock", at=office.clock.at.timestamp(), rate=0)
        office.work()
        office.clock.move(seconds=10)
    return len(office.emulator.chat("qian", AGENT))


def test_forty_at_once_are_all_shown_over_some_minutes(office: Office) -> None:
    assert flood(office, minutes=3) == MANY


def test_without_our_own_limit_wecom_drops_some_without_a_word(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: every answer is "ok", every message counts as delivered, and ten are on no phone."""
    monkeypatch.setattr(WecomWay, "limits", ())
    assert flood(office, minutes=1) == 30
    assert Message.objects.filter(copy_of__isnull=False, state="delivered").count() == MANY


@pytest.mark.parametrize(
    ("fault", "result", "error"),
    [
        ({"kind": "errcode", "errcode": 60020}, Result.REFUSED_PERMANENT, "errcode_60020"),
        ({"kind": "errcode", "errcode": 60011}, Result.REFUSED_PERMANENT, "errcode_60011"),
        ({"kind": "errcode", "errcode": 81013}, Result.REFUSED_PERMANENT, "no_member"),
        ({"kind": "errcode", "errcode": 45009}, Result.TRY_LATER, "errcode_45009"),
        ({"kind": "errcode", "errcode": -1}, Result.TRY_LATER, "errcode_-1"),
        ({"kind": "status", "status": 502}, Result.TRY_LATER, "http_502"),
        ({"kind": "reset"}, Result.TRY_LATER, "no_answer"),
        ({"kind": "bad_json"}, Result.TRY_LATER, "bad_answer"),
        ({"kind": "empty"}, Result.TRY_LATER, "bad_answer"),
    ],
)
def test_what_a_refusal_leads_to(office: Office, fault: dict[str, Any], result: Result, error: str) -> None:
    office.match("qian")
    office.emulator.fault(fault.pop("kind"), "/qyapi/cgi-bin/message/send", times=1, **fault)
    told = Outgoing(
        "新任务", "new_task", {"number": "LG-2026-000123"}, "zh-hans", "新任务", "https://us.example/1", about="case:1"
    )
    outcome = WecomWay().send(told, "qian", "k")
    assert (outcome.result, outcome.error) == (result, error)


def test_a_token_that_is_over_is_renewed_once_and_the_card_comes(office: Office) -> None:
    office.match("qian")
    told = Outgoing("新任务", "new_task", {"number": "LG-2026-000123"}, "zh-hans", "新任务", "https://us.example/1")
    assert WecomWay().send(told, "qian", "k1").result is Result.DELIVERED
    office.emulator.fault("errcode", "/qyapi/cgi-bin/message/send", errcode=42001, times=1)
    assert WecomWay().send(told, "qian", "k2").result is Result.DELIVERED


def test_without_a_corporation_there_is_no_such_way(settings: Any) -> None:
    settings.WECOM_CORPID = ""
    assert make() is None
    assert not config.is_on()


def test_long_words_are_cut_where_a_card_would_break() -> None:
    said = cards.Said("题" * 80, "句" * 300, "https://us.example/", tuple((f"名称很长{n}", "值" * 99) for n in range(9)), "记")
    card = cards.with_buttons(
        said,
        [cards.Button(f"k{n}", "按钮" * 9) for n in range(9)],
        cards.Question("q", "问" * 99, tuple((str(n), "选" * 99) for n in range(30))),
        task_id="t",
    )
    assert len(card["main_title"]["title"]) == 26
    assert len(card["sub_title_text"]) == 112
    assert (len(card["horizontal_content_list"]), len(card["button_list"])) == (6, 6)
    assert len(card["button_selection"]["option_list"]) == 10
    assert [button["style"] for button in card["button_list"]] == [1, 2, 2, 2, 2, 2]


def test_a_broken_key_is_found_at_the_start(settings: Any) -> None:
    settings.WECOM_CORPID, settings.WECOM_TOKEN, settings.WECOM_AES_KEY = "ww1", "t", "too short"
    assert [error.id for error in config.check()] == ["wecom.E001"]
    settings.WECOM_AES_KEY = ""
    assert config.check() == []
