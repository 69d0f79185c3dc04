"""Text messages, mail, and a DingTalk robot."""

from __future__ import annotations

import smtplib
import socket
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from emulator import dingtalk, scene, sms
from emulator.testing import Strings
from tests.emulator import http
from tests.emulator.callback import Callback

MOBILE = "13800000001"


def text_message(emulator: Strings, method: str = "POST", secret: str = scene.SMS_SECRET, **given: str) -> httpx.Response:
    query = {
        "AccessKeyId": scene.SMS_KEY, "Action": "SendSms", "Format": "JSON", "Version": "2017-05-25",
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(time.monotonic_ns()),
        "Timestamp": datetime.fromtimestamp(emulator.ask("GET", "/clock")["now"], tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "PhoneNumbers": MOBILE, "SignName": "鹭港街道", "TemplateCode": "SMS_1",
        "TemplateParam": '{"number": "LG-2026-000123", "text": "已办结"}', **given,
    }  # fmt: skip
    query["Signature"] = sms.signature(method, query, secret)
    words: dict[str, Any] = {"data": query} if method == "POST" else {"params": query}
    return http.request(method, f"{emulator.base}/sms/", **words)


def test_the_published_example_of_the_signature_comes_out() -> None:
    # The provider's documentation of its RPC signature (DescribeRegions of ECS, testid / testsecret).
    query = {
        "TimeStamp": "2016-02-23T12:46:24Z", "Format": "XML", "AccessKeyId": "testid", "Action": "DescribeRegions",
        "SignatureMethod": "HMAC-SHA1", "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "Version": "2014-05-26", "SignatureVersion": "1.0",
    }  # fmt: skip
    query["Timestamp"] = query.pop("TimeStamp")
    assert sms.signature("GET", query, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_text_message_arrives_and_its_report_is_told(emulator: Strings, callback: Callback, method: str) -> None:
    emulator.ask("POST", "/sms", report_url=callback.url)
    callback.answer = lambda push: (200, '{"code": 0, "msg": "接收成功"}')
    sent = text_message(emulator, method, OutId="n-1").json()
    emulator.settle()
    assert sent["Code"] == "OK"
    assert emulator.chat("zhou", "sms")[-1]["data"]["text"] == "【鹭港街道】您的事项LG-2026-000123：已办结"
    (push,) = callback.pushes
    assert f'"biz_id":"{sent["BizId"]}"' in push.body.replace(" ", "")
    assert '"out_id":"n-1"' in push.body.replace(" ", "")


def test_a_message_that_does_not_arrive_is_reported_so(emulator: Strings, callback: Callback) -> None:
    emulator.ask("POST", "/sms", report_url=callback.url)
    callback.answer = lambda push: (200, '{"code": 0}')
    emulator.settings(sms_status=["MK:0013"])
    number = text_message(emulator).json()["BizId"]
    emulator.settle()
    assert '"success":false' in callback.pushes[0].body.replace(" ", "")
    assert not emulator.chat("zhou", "sms")
    found = text_message(
        emulator, Action="QuerySendDetails", PhoneNumber=MOBILE, BizId=number, SendDate=_today(emulator)
    ).json()
    assert found["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["SendStatus"] == 2
    assert found["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["ErrCode"] == "MK:0013"


def _today(emulator: Strings) -> str:
    now = emulator.ask("GET", "/clock")["now"]
    return datetime.fromtimestamp(now + 8 * 3600, tz=UTC).strftime("%Y%m%d")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"PhoneNumbers": "123"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"SignName": "别家"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_9"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"number": "\\ud83d", "text": "x"}'}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"number": "1"}'}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": '{"number": "' + "1" * 36 + '", "text": "x"}'}, "isv.PARAM_LENGTH_LIMIT"),
        ({"AccessKeyId": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"Timestamp": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"Action": "Fly"}, "InvalidAction.NotFound"),
    ],
)
def test_a_wrong_text_message_is_refused(emulator: Strings, given: dict[str, str], code: str) -> None:
    assert text_message(emulator, **given).json()["Code"] == code
    assert emulator.ask("GET", "/sms") == []


def test_a_nonce_is_used_once_and_a_number_has_limits(emulator: Strings) -> None:
    assert text_message(emulator, SignatureNonce="n").json()["Code"] == "OK"
    assert text_message(emulator, SignatureNonce="n").json()["Code"] == "SignatureNonceUsed"
    emulator.ask("POST", "/sms", a_minute=1)
    assert text_message(emulator).json()["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
    emulator.advance(61)
    assert text_message(emulator).json()["Code"] == "OK"


def test_a_persons_answer_is_told(emulator: Strings, callback: Callback) -> None:
    emulator.ask("POST", "/sms", report_url=callback.url)
    callback.answer = lambda push: (200, '{"code":0}')
    emulator.does("zhou", "reply_sms", text="满意")
    assert "满意" in callback.pushes[0].body
    assert MOBILE in callback.pushes[0].body


# --- mail


def letter(emulator: Strings, to: str = "zhou@example.com") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "street@example.com", to, "您的事项已办结"
    message.set_content("LG-2026-000123 已办结。\n.一行以点开头")
    with smtplib.SMTP("127.0.0.1", emulator.smtp_port, timeout=5) as server:
        server.login("user", "password")
        server.send_message(message)


def test_a_letter_arrives_in_the_mailbox(emulator: Strings) -> None:
    letter(emulator)
    (mail,) = emulator.ask("GET", "/mails")
    assert (mail["sender"], mail["to"], mail["subject"]) == ("street@example.com", ["zhou@example.com"], "您的事项已办结")
    assert mail["text"] == "LG-2026-000123 已办结。\n.一行以点开头\n"
    assert emulator.chat("zhou", "mail")[-1]["data"]["title"] == "您的事项已办结"


@pytest.mark.parametrize("end", [b"", b"half a li", b"."])
def test_a_letter_that_is_cut_off_is_not_delivered(emulator: Strings, end: bytes) -> None:
    with socket.create_connection(("127.0.0.1", emulator.smtp_port), timeout=5) as line:
        for words in (b"HELO me", b"MAIL FROM:<a@example.com>", b"RCPT TO:<zhou@example.com>", b"DATA"):
            line.sendall(words + b"\r\n")
        line.sendall(b"Subject: half\r\n\r\nwords\r\n" + end)
        line.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: line.recv(4096), b""))
    assert b"354" in said
    assert b"taken" not in said
    assert emulator.ask("GET", "/mails") == []


@pytest.mark.parametrize(
    ("fault", "raises"),
    [
        ({"at": "CONNECT", "code": 421}, smtplib.SMTPConnectError),
        ({"at": "CONNECT", "code": 0}, smtplib.SMTPServerDisconnected),
        ({"at": "MAIL", "code": 451}, smtplib.SMTPSenderRefused),
        ({"at": "RCPT", "code": 550, "text": "no such user"}, smtplib.SMTPRecipientsRefused),
        ({"at": "DATA", "code": 552}, smtplib.SMTPDataError),
        ({"at": "END", "code": 452}, smtplib.SMTPDataError),
    ],
)
def test_a_letter_may_be_refused_at_each_step(emulator: Strings, fault: dict[str, Any], raises: type[Exception]) -> None:
    emulator.settings(smtp_faults=[fault])
    with pytest.raises(raises):
        letter(emulator)
    assert emulator.ask("GET", "/mails") == []
    letter(emulator)
    assert len(emulator.ask("GET", "/mails")) == 1


# --- robot


def robot(emulator: Strings, text: str = "告警", sign: str | None = None, stamp: str | None = None, **more: str) -> int:
    stamp = stamp or str(int(emulator.ask("GET", "/clock")["now"] * 1000))
    sign = dingtalk.sign(scene.ROBOT_SECRET, stamp) if sign is None else sign
    query = {"access_token": scene.ROBOT, "timestamp": stamp, "sign": sign, **more}
    given = {"msgtype": "text", "text": {"content": text}}
    return int(http.post(f"{emulator.base}/oapi/robot/send", params=query, json=given).json()["errcode"])


def test_a_robot_takes_only_signed_messages_of_the_last_hour(emulator: Strings) -> None:
    old = str(int((time.time() - 3700) * 1000))
    assert robot(emulator) == 0
    assert robot(emulator, sign="wrong") == 310000
    assert robot(emulator, stamp=old) == 310000
    assert robot(emulator, access_token="none") == 300001
    assert len(emulator.ask("GET", "/state")["robots"][scene.ROBOT]["messages"]) == 1


def test_over_twenty_a_minute_a_robot_is_silent_for_ten(emulator: Strings) -> None:
    assert [robot(emulator) for _message in range(21)] == [0] * 20 + [130101]
    emulator.advance(120)
    assert robot(emulator) == 130101
    emulator.advance(600)
    assert robot(emulator) == 0


def test_keywords_and_addresses_guard_a_robot_too(emulator: Strings) -> None:
    emulator.ask("POST", "/robots", token="k" * 64, keywords=["街区"], ips=["127.0.0.1"])
    given = {"access_token": "k" * 64}
    assert [robot(emulator, words, **given) for words in ("告警", "街区告警")] == [310000, 0]
    strange = http.post(
        f"{emulator.base}/oapi/robot/send",
        params=given,
        json={"msgtype": "text", "text": {"content": "街区"}},
        headers={"x-emu-client": "10.0.0.9"},
    )
    assert strange.json()["errcode"] == 310000
