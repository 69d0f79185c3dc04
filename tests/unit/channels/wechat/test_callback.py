"""The address that WeChat pushes to: what is WeChat's is stored and answered, everything else is the same 403."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from emulator import envelope
from emulator.envelope import Target
from emulator.scene import APPID
from jiequ.channels.arrivals import services
from jiequ.channels.arrivals.models import Arrival, Nonce, State
from jiequ.channels.crypt import signature
from jiequ.channels.xml import read_xml
from jiequ.core import clock
from tests.unit.channels.wechat.conftest import KEY, PATH, TOKEN, Pusher

pytestmark = pytest.mark.django_db


def fields_of(row: Arrival) -> Any:
    return services.opened(row).fields


def signed(nonce: str = "1", **more: str) -> dict[str, str]:
    stamp = str(int(clock.now().timestamp()))
    return {"timestamp": stamp, "nonce": nonce, "signature": signature(TOKEN, stamp, nonce), **more}


@pytest.mark.parametrize("mode", ["plain", "compatible", "secure"])
def test_a_push_in_every_mode_is_stored_once_and_answered_at_once(push: Pusher, account: Any, mode: str) -> None:
    account.WECHAT_AES_KEY = "" if mode == "plain" else KEY
    with CaptureQueriesContext(connection) as cases:
        answer = push(mode, Content="河道堵了", MsgId="9007199254740993")
    assert (answer.status_code, answer.content) == (200, b"success")
    assert cases.captured_queries == []  # the database of cases is not asked
    again = push(mode, Content="河道堵了", MsgId="9007199254740993")
    assert again.content == b"success"
    row = Arrival.objects.get()
    assert fields_of(row)["Content"] == "河道堵了"
    assert fields_of(row)["MsgId"] == "9007199254740993"


def test_in_compatible_mode_only_what_is_encrypted_counts(push: Pusher) -> None:
    push("compatible", Content="真的", MsgId="1")
    query, body = push.last
    Arrival.objects.all().delete()
    Nonce.objects.all().delete()
    forged = body.replace("真的", "假的").replace("oZhou", "oMallory")
    assert forged != body
    assert push.send(query, forged).content == b"success"
    assert services.opened(Arrival.objects.get()).sender == "oZhou"
    assert fields_of(Arrival.objects.get())["Content"] == "真的"


def test_with_a_key_a_plain_body_is_refused(push: Pusher) -> None:
    push("plain", Content="不加密的", MsgId="1")
    assert push.send(*push.last).status_code == 403
    assert not Arrival.objects.exists()


def test_a_second_delivery_of_a_known_message_writes_nothing(push: Pusher) -> None:
    push(Content="河道堵了", MsgId="1")
    with CaptureQueriesContext(connections["arrivals"]) as inbox:
        assert push(Content="河道堵了", MsgId="1").content == b"success"
    assert [one["sql"] for one in inbox.captured_queries if not one["sql"].startswith("SELECT")] == []


@pytest.mark.parametrize("fault", ["wrong_signature", "foreign_appid", "garbled", "stale", "oversized", "xxe"])
def test_whatever_is_wrong_is_one_403_that_says_nothing(push: Pusher, fault: str) -> None:
    answer = push(fault=fault, Content="坏的", MsgId="1")
    assert (answer.status_code, answer.content) == (403, b"")
    assert not Arrival.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"timestamp": "1", "nonce": "2"},
        {"timestamp": "٣", "nonce": "2", "signature": "3", "msg_signature": "3"},
        {"timestamp": "9" * 40, "nonce": "x" * 500, "msg_signature": "%F0%9F%98%80"},
    ],
)
def test_other_peoples_requests_are_refused_alike(push: Pusher, query: dict[str, str]) -> None:
    for body in ("", "<xml><Encrypt>x</Encrypt></xml>", "<xml><Encrypt><a>1</a></Encrypt></xml>", "{}"):
        answer = push.send(query, body)
        assert (answer.status_code, answer.content) == (403, b"")


def test_a_plain_request_played_again_with_other_words_is_refused(push: Pusher, account: Any) -> None:
    account.WECHAT_AES_KEY = ""
    push("plain", Content="真的", MsgId="1")
    query, body = push.last
    assert push.send(query, body).content == b"success"
    forged = body.replace("真的", "假的")
    assert push.send(query, forged).content == b"success"  # a known message: answered, and ignored
    assert push.send(query, forged.replace("[CDATA[1]]", "[CDATA[2]]")).status_code == 403
    assert [fields_of(row)["Content"] for row in Arrival.objects.all()] == ["真的"]


def test_a_signed_body_that_is_no_push_is_refused(push: Pusher) -> None:
    target = Target("", TOKEN, KEY, APPID, "secure")
    query, _body = envelope.sealed(target, {"ToUserName": "gh_1"}, now=clock.now().timestamp())
    assert push.send(query, _body).status_code == 403


def test_the_question_is_answered_with_its_word_in_every_mode(account: Any) -> None:
    for key in ("", KEY):
        account.WECHAT_AES_KEY = key
        answer = Client().get(PATH, signed(echostr="8347295"))
        assert (answer.status_code, answer.content) == (200, b"8347295")
        assert answer["Content-Type"].startswith("text/plain")
    wrong = signed(echostr="8347295") | {"signature": "0" * 40}
    assert Client().get(PATH, wrong).status_code == 403
    assert Client().get(PATH, signed(echostr="<script>")).status_code == 403


def test_an_inbox_that_is_down_is_a_5xx_and_never_success(push: Pusher, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: Any) -> bool:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(services, "_stored", down)
        answer = push(Content="河道堵了", MsgId="1")
    assert (answer.status_code, answer.content) == (503, b"")
    assert push(Content="河道堵了", MsgId="1").content == b"success"  # WeChat's next try
    assert Arrival.objects.count() == 1


def test_without_an_account_there_is_no_such_address(settings: Any) -> None:
    settings.WECHAT_APPID = ""
    assert Client().get(PATH, signed(echostr="1")).status_code == 404


def test_every_published_push_is_stored_and_handed_on(push: Pusher, shared: Path, hand_on: Callable[[], None]) -> None:
    samples = json.loads((shared / "data/wechat/xml_samples.json").read_text(encoding="utf-8"))
    mine = {name: read_xml(one["xml"].encode()) for name, one in samples.items() if name.startswith("mp:")}
    for number, fields in enumerate(mine.values()):
        number_of = {"MsgId": str(number)} if "MsgId" in fields else {}
        assert push(**fields | number_of).content == b"success"
    hand_on()
    assert set(Arrival.objects.values_list("state", flat=True)) == {State.DONE}
    assert Arrival.objects.count() == len(mine) >= 22
