"""WeCom's callback: its question is answered without a database, a push once it is stored; nobody else is listened to."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from emulator import crypto, envelope, scene
from emulator.envelope import Target
from emulator.xml import from_xml, to_xml
from jiequ.channels import callbacks
from jiequ.channels.arrivals.models import Arrival
from tests.emulator.callback import AES_KEY, TOKEN, Push
from tests.unit.channels.wecom.office import AGENT, AGENT_PATH, CALLBACK, CONTACTS_CALLBACK, CONTACTS_KEY, Office, post

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
TARGET = Target("", TOKEN, AES_KEY, scene.CORPID, "secure", agent=scene.AGENTID, is_work=True)


def test_the_address_proves_itself_to_wecom_within_a_second(office: Office) -> None:
    """As WeCom does on 'save': our view decrypts its word and answers it bare."""
    Client().get(CALLBACK)  # an installation that has answered before
    office.callback.verify = lambda query: Client().get(CALLBACK, query).content.decode()
    office.emulator.ask("POST", AGENT_PATH, url=office.callback.url, token=TOKEN, aes_key=AES_KEY)


def test_the_question_is_answered_without_a_database(office: Office, django_assert_num_queries: Any) -> None:
    query, word = envelope.question(TARGET, now=office.clock.at.timestamp())
    with django_assert_num_queries(0):
        answer = Client().get(CALLBACK, query)
    assert (answer.status_code, answer.content.decode(), answer["Content-Type"]) == (200, word, "text/plain; charset=utf-8")


def message(office: Office, **more: Any) -> dict[str, Any]:
    now = int(office.clock.at.timestamp())
    return {"ToUserName": scene.CORPID, "FromUserName": "huang", "CreateTime": now, "MsgType": "text", "Content": "到了",
            "MsgId": 7, "AgentID": scene.AGENTID, **more}  # fmt: skip


def pushed(office: Office, target: Target = TARGET, *, seconds: float = 0, **more: Any) -> Push:
    query, body = envelope.sealed(target, message(office, **more), now=office.clock.at.timestamp() + seconds)
    return Push(query, body, 0)


def test_a_push_is_stored_once_however_often_it_comes(office: Office) -> None:
    push = pushed(office)
    assert office.deliver(push, push, pushed(office)) == [200, 200, 200]
    assert Arrival.objects.count() == 1


def strangers(office: Office) -> dict[str, Push]:
    """What is not WeCom's to this application, each in one way only."""
    good = pushed(office)
    other = Target("", TOKEN, AES_KEY, "ww0000000000000009", "secure", agent=scene.AGENTID, is_work=True)
    keyed = Target("", TOKEN, CONTACTS_KEY, scene.CORPID, "secure", agent=scene.AGENTID, is_work=True)
    cipher = from_xml(good.body)["Encrypt"]
    return {
        "another corporation's ciphertext": pushed(office, other),
        "another corporation's message": pushed(office, ToUserName="ww0000000000000009"),
        "another application's": pushed(office, AgentID="1000009"),
        "another key": pushed(office, keyed),
        "no signature": Push({**good.query, "msg_signature": ""}, good.body, 0),
        "another nonce": Push({**good.query, "nonce": "1"}, good.body, 0),
        "six minutes old": pushed(office, seconds=-360),
        "from the future": pushed(office, seconds=360),
        "plain": Push(good.query, to_xml(message(office)), 0),
        "no XML": Push(good.query, cipher, 0),
        "an entity": Push(good.query, envelope.XXE + good.body, 0),
        "deep": Push(good.query, "<xml>" + "<a>" * 4000 + "</a>" * 4000 + "</xml>", 0),
        "long": Push(good.query, good.body.replace("<xml>", f"<xml><Pad>{'x' * 70_000}</Pad>"), 0),
        "an array": Push(good.query, "<xml><Encrypt>1</Encrypt><Encrypt>2</Encrypt></xml>", 0),
        "nothing": Push({}, "", 0),
        "no sender": pushed(office, FromUserName=""),
        "no time": pushed(office, CreateTime="soon"),
    }


def test_whatever_is_not_wecoms_gets_one_403_and_is_stored_nowhere(office: Office) -> None:
    answers = {name: post(push) for name, push in strangers(office).items()}
    assert {name: (one.status_code, one.content) for name, one in answers.items()} == dict.fromkeys(answers, (403, b""))
    assert Arrival.objects.count() == 0
    assert office.deliver(pushed(office)) == [200]


def test_a_view_that_believes_the_plain_fields_would_be_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: without the signature's check the strangers come in."""
    monkeypatch.setattr(callbacks, "opened", lambda request, envelope, encrypted, at: to_xml(message(office)))
    assert post(strangers(office)["another nonce"]).status_code == 200


def test_a_message_with_a_nonce_that_was_used_is_refused(office: Office) -> None:
    push = pushed(office)
    assert office.deliver(push) == [200]
    query, body = envelope.sealed(TARGET, message(office, MsgId=8), now=office.clock.at.timestamp())
    cipher = from_xml(body)["Encrypt"]
    query |= {name: push.query[name] for name in ("timestamp", "nonce")}
    query["msg_signature"] = crypto.signature(TOKEN, query["timestamp"], query["nonce"], cipher)
    assert post(Push(query, body, 0)).status_code == 403


def test_an_inbox_that_is_down_is_never_answered_with_success(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_given: Any, **_more: Any) -> bool:
        raise DatabaseError("disk full")

    monkeypatch.setattr(callbacks, "receive", down)
    answer = post(pushed(office))
    assert (answer.status_code, answer.content) == (503, b"")


def test_contacts_sync_has_a_token_and_a_key_of_its_own(office: Office) -> None:
    office.emulator.ask("POST", f"/corps/{scene.CORPID}/contacts/create_user", userid="wu", name="吴")
    office.emulator.settle()
    push = office.callback.pushes[-1]
    assert office.deliver(push) == [403]
    assert office.deliver(push, path=CONTACTS_CALLBACK) == [200]


def test_without_a_corporation_there_is_no_such_address(settings: Any, world: Any) -> None:
    settings.WECOM_CORPID = ""
    assert Client().get(CALLBACK, {"echostr": "x"}).status_code == 404
    assert AGENT
