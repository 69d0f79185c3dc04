"""What is pushed to the product: in three modes, in order, three times, and wrongly on purpose."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from emulator import crypto, scene
from emulator.app import Emulator
from emulator.clock import Clock
from emulator.envelope import Outcome, Target
from emulator.push import Push as Sent
from emulator.testing import Strings
from emulator.xml import to_xml
from tests.emulator.callback import AES_KEY, TOKEN, Callback, Push
from tests.support.live import soon

FAULT = "该公众号提供的服务出现故障，请稍后再试"


def connect(emulator: Strings, callback: Callback, mode: str = "plain") -> None:
    emulator.server(callback.url, token=TOKEN, aes_key=AES_KEY, mode=mode)
    emulator.does("zhou", "follow")
    callback.pushes.clear()


def reply_to(push: Push, text: str, fields: dict[str, str] | None = None) -> str:
    """A passive reply to a plain push."""
    fields = fields or push.fields
    answer = {"ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"], "CreateTime": 1}
    return to_xml({**answer, "MsgType": "text", "Content": text})


def with_part(push: Push, kind: str, **parts: object) -> str:
    """A passive reply of that type to a push in secure mode, with these elements."""
    fields = push.opened(scene.APPID)
    answer = {"ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"], "CreateTime": 1}
    return sealed(to_xml({**answer, "MsgType": kind, **parts}))


def sealed(text: str, receiver: str = scene.APPID, token: str = TOKEN) -> str:
    cipher = crypto.encrypt(text, key=AES_KEY, receiver=receiver)
    signed = crypto.signature(token, "1", "2", cipher)
    return to_xml({"Encrypt": cipher, "MsgSignature": signed, "TimeStamp": "1", "Nonce": "2"})


def texts(emulator: Strings, person: str = "zhou") -> list[str]:
    return [line["data"].get("text", "") for line in emulator.chat(person)]


def test_an_address_that_does_not_prove_itself_is_not_saved(emulator: Strings, callback: Callback) -> None:
    callback.verify = lambda query: "something else"
    with pytest.raises(ValueError, match="token 验证失败"):
        emulator.server(callback.url, token=TOKEN)
    assert emulator.ask("GET", "/state")["accounts"][scene.APPID]["server"]["url"] == ""


def test_the_question_is_signed_and_its_answer_is_plain(emulator: Strings, callback: Callback) -> None:
    asked: list[dict[str, str]] = []
    callback.verify = lambda query: asked.append(query) or query["echostr"]  # type: ignore[func-returns-value]
    emulator.server(callback.url, token=TOKEN, aes_key=AES_KEY, mode="secure")
    assert crypto.is_signed(asked[0]["signature"], TOKEN, asked[0]["timestamp"], asked[0]["nonce"])


def test_a_plain_push_is_signed_and_readable(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.does("zhou", "say", text="河道堵了")
    (push,) = callback.pushes
    assert crypto.is_signed(push.query["signature"], TOKEN, push.query["timestamp"], push.query["nonce"])
    assert "encrypt_type" not in push.query
    assert push.query["openid"] == push.fields["FromUserName"] == emulator.openid("zhou")
    assert push.fields["Content"] == "河道堵了"
    assert int(push.fields["MsgId"]) > 2**53


def test_an_answer_that_was_offered_and_tapped_comes_with_its_id(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.does("zhou", "say", text="确认", answer="confirm:7")
    emulator.does("zhou", "say", text="确认")
    tapped, written = callback.pushes
    assert (tapped.fields["Content"], tapped.fields["bizmsgmenuid"]) == ("确认", "confirm:7")
    assert "bizmsgmenuid" not in written.fields


def test_secure_mode_shows_only_the_ciphertext(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback, "secure")
    emulator.does("zhou", "say", text="河道堵了")
    (push,) = callback.pushes
    assert set(push.fields) == {"ToUserName", "Encrypt"}
    assert push.query["encrypt_type"] == "aes"
    assert push.opened(scene.APPID)["Content"] == "河道堵了"


def test_compatible_mode_shows_both(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback, "compatible")
    emulator.does("zhou", "say", text="河道堵了")
    (push,) = callback.pushes
    assert push.fields["Content"] == push.opened(scene.APPID)["Content"] == "河道堵了"


@pytest.mark.parametrize("answer", ["", "success"])
def test_silence_shows_nothing(emulator: Strings, callback: Callback, answer: str) -> None:
    connect(emulator, callback)
    callback.answer = lambda push: (200, answer)
    emulator.does("zhou", "say", text="在吗")
    assert texts(emulator)[-1] == "在吗"
    assert len(callback.pushes) == 1


def test_a_reply_appears_in_the_chat(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    callback.answer = lambda push: (200, reply_to(push, "收到"))
    emulator.does("zhou", "say", text="在吗")
    assert texts(emulator)[-2:] == ["在吗", "收到"]


@pytest.mark.parametrize("mode", ["compatible", "secure"])
def test_an_encrypted_reply_appears_in_the_chat(emulator: Strings, callback: Callback, mode: str) -> None:
    connect(emulator, callback, mode)
    callback.answer = lambda push: (200, sealed(reply_to(push, "收到", push.opened(scene.APPID))))
    emulator.does("zhou", "say", text="在吗")
    assert texts(emulator)[-1] == "收到"


WRONG_REPLIES = {
    "JSON": lambda push: '{"errcode": 0}',
    "not swapped": lambda push: to_xml({**push.opened(scene.APPID), "MsgType": "text"}),
    "plain in secure mode": lambda push: reply_to(push, "收到", push.opened(scene.APPID)),
    "for another account": lambda push: sealed(reply_to(push, "x", push.opened(scene.APPID)), receiver="wx0000000000000000"),
    "wrongly signed": lambda push: sealed(reply_to(push, "x", push.opened(scene.APPID)), token="another"),
    "of no known type": lambda push: sealed(reply_to(push, "x", push.opened(scene.APPID)).replace("text", "hologram")),
    "Articles is text": lambda push: with_part(push, "news", Articles="x"),
    "an article is text": lambda push: with_part(push, "news", Articles={"item": [{"Title": "x"}, "y"]}),
    "Image is text": lambda push: with_part(push, "image", Image="x"),
    "two Images": lambda push: with_part(push, "image", Image=["x", "y"]),
    "Content holds elements": lambda push: with_part(push, "text", Content={"b": "x"}),
}


@pytest.mark.parametrize("wrong", WRONG_REPLIES)
def test_a_malformed_reply_shows_that_the_service_is_broken_and_is_not_asked_again(
    emulator: Strings, callback: Callback, wrong: str
) -> None:
    connect(emulator, callback, "secure")
    callback.answer = lambda push: (200, WRONG_REPLIES[wrong](push))
    emulator.does("zhou", "say", text="在吗")
    assert texts(emulator)[-1] == FAULT
    assert len(callback.pushes) == 1
    callback.answer = lambda push: (200, "success")
    emulator.does("zhou", "say", text="再问一次")
    assert callback.pushes[-1].opened(scene.APPID)["Content"] == "再问一次"


def test_a_push_that_breaks_down_does_not_take_the_next_ones_with_it(callback: Callback) -> None:
    def breaks_down(_told: Outcome) -> None:
        raise RuntimeError("on purpose")

    async def two() -> None:
        emu = Emulator(clock=Clock())
        target = Target(callback.url, TOKEN, "", "wx1", "plain")
        for number, done in ((1, breaks_down), (2, lambda _told: None)):
            fields = {"ToUserName": "a", "FromUserName": "b", "MsgType": "text", "Content": str(number)}
            emu.pusher.push(Sent(target, fields, "text", "zhou", done))
            await emu.settle()
        await emu.close()

    asyncio.run(two())
    assert [push.fields["Content"] for push in callback.pushes] == ["1", "2"]


def test_no_answer_in_five_seconds_is_asked_three_times_with_the_same_message(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.ask("POST", "/clock", rate=0)
    released = threading.Event()
    callback.answer = lambda push: (200, "success" if released.wait(20) else "")
    emulator.ask("POST", "/people/zhou/say", text="在吗")
    for number in (1, 2, 3):
        soon(lambda count=number: len(callback.pushes) == count)
        emulator.advance(4.9)
        time.sleep(0.1)
        assert len(callback.pushes) == number
        assert texts(emulator)[-1] == "在吗"
        emulator.advance(0.2)
    emulator.settle()
    assert texts(emulator)[-1] == FAULT
    assert len(callback.pushes) == 3
    assert len({push.body for push in callback.pushes}) == 1
    assert len({push.query["nonce"] for push in callback.pushes}) == 3
    assert [entry["note"] for entry in emulator.transcript(way="out", kind="text")] == ["no answer in time"] * 3
    released.set()


def test_an_error_of_the_server_is_asked_again_until_it_answers(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.ask("POST", "/clock", rate=50)
    answers = iter([(503, ""), (500, "oops"), (200, "success")])
    callback.answer = lambda push: next(answers)
    emulator.does("zhou", "say", text="在吗")
    assert len(callback.pushes) == 3
    assert texts(emulator)[-1] == "在吗"


def test_four_attempts_are_possible(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.ask("POST", "/clock", rate=100)
    emulator.settings(push_attempts=4)
    callback.answer = lambda push: (500, "")
    emulator.does("zhou", "say", text="在吗")
    assert len(callback.pushes) == 4


def test_one_persons_messages_keep_their_order_although_the_first_is_asked_again(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.ask("POST", "/clock", rate=50)
    answers = iter([(500, "")])
    callback.answer = lambda push: next(answers, (200, "success"))
    for number in range(4):
        emulator.ask("POST", "/people/zhou/say", text=f"第{number}条")
    emulator.settle()
    assert [push.fields["Content"] for push in callback.pushes] == ["第0条", "第0条", "第1条", "第2条", "第3条"]


def test_an_address_that_is_gone_is_told_to_the_person(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.ask("POST", "/clock", rate=200)
    emulator.server("http://127.0.0.1:9/nobody", token=TOKEN, is_checked=False)
    emulator.does("zhou", "say", text="在吗")
    assert texts(emulator)[-1] == FAULT
    assert emulator.transcript(way="out", kind="text")[-1]["note"].startswith("ConnectError")


# --- faults in what is pushed


def test_copies_arrive_while_the_first_is_still_running(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.fault("duplicate", "text", count=3)
    callback.answer = lambda push: (time.sleep(0.2), (200, "success"))[1]  # type: ignore[func-returns-value]
    emulator.does("zhou", "say", text="在吗")
    assert len(callback.pushes) == 3
    assert len({push.fields["MsgId"] for push in callback.pushes}) == 1
    assert max(push.at for push in callback.pushes) - min(push.at for push in callback.pushes) < 0.2


def test_a_dropped_message_never_comes(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.fault("drop", "text")
    emulator.does("zhou", "say", text="一")
    emulator.does("zhou", "say", text="二")
    assert [push.fields["Content"] for push in callback.pushes] == ["二"]


def test_two_messages_change_places(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.fault("reorder", "text")
    emulator.ask("POST", "/people/zhou/say", text="一")
    emulator.does("zhou", "say", text="二")
    assert [push.fields["Content"] for push in callback.pushes] == ["二", "一"]


def test_a_replay_is_the_same_request_hours_later(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback, "secure")
    emulator.fault("replay", "text", seconds=3600)
    emulator.ask("POST", "/people/zhou/say", text="一")
    time.sleep(0.1)
    emulator.advance(3600)
    emulator.settle()
    first, again = callback.pushes
    assert (first.query, first.body) == (again.query, again.body)


def test_a_foreign_appid_and_a_garbled_block_cannot_be_opened(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback, "secure")
    for kind in ("foreign_appid", "garbled"):
        emulator.fault(kind, "text")
        emulator.does("zhou", "say", text="一")
        with pytest.raises((crypto.CryptoError, ValueError)):
            callback.pushes[-1].opened(scene.APPID)


def test_a_wrong_signature_an_old_timestamp_an_entity_and_a_large_body(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    for kind, more in (("wrong_signature", {}), ("stale", {"seconds": 3600}), ("xxe", {}), ("oversized", {"count": 100})):
        emulator.fault(kind, "text", **more)
        emulator.does("zhou", "say", text="一")
    wrong, stale, xxe, large = callback.pushes
    assert not crypto.is_signed(wrong.query["signature"], TOKEN, wrong.query["timestamp"], wrong.query["nonce"])
    assert time.time() - int(stale.query["timestamp"]) > 3500
    assert xxe.body.startswith("<!DOCTYPE")
    assert "SYSTEM" in xxe.body
    assert "&leak;" in xxe.body
    assert len(large.body) > 100_000


def test_an_unknown_fault_is_refused_with_the_known_ones(emulator: Strings) -> None:
    with pytest.raises(ValueError, match="duplicate"):
        emulator.fault("gremlin")
