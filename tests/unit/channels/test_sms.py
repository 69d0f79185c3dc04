"""Text messages by a provider's API, played by the emulator: forms, faults, receipts (RELIABILITY rows 11 and 13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from emulator import scene
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import ports
from jiequ.channels.models import CallBack
from jiequ.channels.sms import aliyun, forms
from jiequ.core import clock
from jiequ.core.hands import Hands
from tests.unit.channels.letterbox import Letterbox

SIGN = "鹭港街道"
CODE, CODE_SHORT = "SMS_100", "SMS_200"
FILE = f"""
sign = "{SIGN}"
[resident]
code = "{CODE_SHORT}"
with = {{ number = "number" }}
[template.reporter_accepted]
code = "{CODE}"
with = {{ number = "number", what = "type" }}
"""
PHONE = "13800000001"  # 周敏's, whose phone the emulator shows
SECRET = "s" * 32
FAULTS: dict[str, dict[str, Any]] = {
    # fault: how it is planted; what the last try leaves as the class of failure
    "reset": {"kind": "reset"},
    "hang": {"kind": "hang", "seconds": 3},
    "500": {"kind": "status", "status": 500},
    "429": {"kind": "status", "status": 429},
    "bad json": {"kind": "bad_json"},
    "drip": {"kind": "drip", "seconds": 3},
    "half": {"kind": "half"},
    "empty": {"kind": "empty"},
    "done without an answer": {"kind": "reset", "after": True},
    "done, then 500": {"kind": "status", "status": 500, "after": True},
}
SHOWN = {"done without an answer", "done, then 500"}


@pytest.fixture
def provider(emulator: Strings, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Strings]:  # noqa: F811
    """The emulator's provider as this installation's, with a short patience."""
    file = tmp_path / "sms.toml"
    file.write_text(FILE, encoding="utf-8")
    settings.SMS_PORTS, settings.SMS_API, settings.SMS_TEMPLATES = ["aliyun"], emulator.base + "/sms", str(file)
    settings.SMS_KEY_ID, settings.SMS_KEY_SECRET = scene.SMS_KEY, scene.SMS_SECRET
    settings.SMS_CALLBACK_SECRET = SECRET
    templates = {CODE: "您反映的${what}(${number})已受理", CODE_SHORT: "您反映的问题(${number})有新进展"}
    emulator.ask("POST", "/sms", templates=templates, a_minute=50)
    monkeypatch.setattr(ports.call, "__kwdefaults__", {"deadline": 1.0})
    monkeypatch.setattr(ports, "_HANDS", {})
    yield emulator
    for hands in ports._HANDS.values():
        assert isinstance(hands, Hands)
        hands.close()


def sent(provider: Strings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = provider.ask("GET", "/sms")
    return found


def now_of(letters: Letterbox, minutes: float = 0) -> None:
    """The worker at so many minutes from now: the provider knows only real time."""
    letters.work(clock.now() + timedelta(minutes=minutes))


def test_a_resident_reads_the_providers_template_with_our_four_facts(letters: Letterbox, provider: Strings) -> None:
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    now_of(letters)
    provider.settle()
    assert [line["data"]["text"] for line in provider.chat("zhou", "sms")] == [
        f"【{SIGN}】您反映的河道堵塞(LG-2026-000123)已受理"
    ]
    message = letters.message()
    assert (message.state, message.port, message.provider_id) == ("sent", "aliyun", sent(provider)[0]["id"])
    assert sent(provider)[0]["out_id"] == "k"


def test_a_notice_without_a_form_of_its_own_goes_by_the_general_one_and_without_any_by_a_call(
    letters: Letterbox, provider: Strings, heard: list[Any]
) -> None:
    notice = letters.to_resident(phone=PHONE, is_urgent=True)
    letters.send(notice, at=clock.now())
    other = letters.to_person("huang", "urgent", is_urgent=True)
    letters.send(other, at=clock.now())
    now_of(letters)
    assert [one["template"] for one in sent(provider)] == [CODE], "there is no form for staff"
    assert CallBack.objects.count() == 0
    copy = letters.message(f"urgent:to:{letters.world.huang.pk}")
    assert (copy.state, copy.last_error) == ("not_delivered", "no_port")
    assert heard == []


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_that_passes_the_text_is_shown_once(fault: str, letters: Letterbox, provider: Strings) -> None:
    provider.fault(FAULTS[fault]["kind"], "/sms/", **{k: v for k, v in FAULTS[fault].items() if k != "kind"}, times=1)
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    now_of(letters)
    assert len(sent(provider)) == (fault in SHOWN)
    assert letters.message().state == "sending"
    assert letters.message().last_error
    now_of(letters, 1)
    assert (letters.message().state, letters.message().tries) == ("sent", 2)
    assert len(sent(provider)) == 1


def test_a_text_of_yesterday_is_found_before_a_second_try(provider: Strings, monkeypatch: pytest.MonkeyPatch) -> None:
    port, facts = aliyun.make(), {"number": "LG-2026-000123", "type": "河道堵塞"}
    notice = ports.Outgoing(text="", template="reporter_accepted", facts=facts, language="zh-hans")
    provider.fault("status", "/sms/", status=500, after=True, times=1)
    assert port.send(notice, PHONE, "k").result == ports.Result.TRY_LATER
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=1))
    provider.advance(86_400)
    assert port.send(replace(notice, is_again=True), PHONE, "k").result == ports.Result.ACCEPTED
    assert len(sent(provider)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_lasts_is_told_never_silent(fault: str, letters: Letterbox, provider: Strings, heard: list[Any]) -> None:
    provider.fault(FAULTS[fault]["kind"], "/sms/", **{k: v for k, v in FAULTS[fault].items() if k != "kind"}, times=100)
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    for minute in (0, 1, 6, 36, 156, 876):
        now_of(letters, minute)
    assert [one.key for one in heard] == ["k"]
    assert CallBack.objects.filter(message=letters.message(), state="open").count() == 1
    assert len(sent(provider)) <= 1 if fault in SHOWN else not sent(provider)


@pytest.mark.parametrize(
    ("code", "result", "error"),
    [
        ("OK", ports.Result.TRY_LATER, "bad_answer"),
        ("isv.BUSINESS_LIMIT_CONTROL", ports.Result.TRY_LATER, "limited"),
        ("isp.SYSTEM_ERROR", ports.Result.TRY_LATER, "isp.SYSTEM_ERROR"),
        ("isv.MOBILE_NUMBER_ILLEGAL", ports.Result.REFUSED_PERMANENT, "bad_number"),
        ("isv.SMS_TEMPLATE_ILLEGAL", ports.Result.REFUSED_PERMANENT, "isv.SMS_TEMPLATE_ILLEGAL"),
    ],
)
def test_each_code_is_a_no_or_passes(code: str, result: ports.Result, error: str) -> None:
    outcome = aliyun._outcome({"Code": code})
    assert (outcome.result, outcome.error) == (result, error)


def tell(rows: Any, secret: str = SECRET) -> Any:
    body = rows if isinstance(rows, str) else json.dumps(rows)
    return Client().post(f"/callbacks/sms/{secret}/", body, content_type="application/json")


@pytest.mark.parametrize("is_delivered", [True, False])
def test_the_providers_word_ends_the_message_or_has_the_resident_called(
    is_delivered: bool, letters: Letterbox, provider: Strings, heard: list[Any]
) -> None:
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    now_of(letters)
    number = letters.message().provider_id
    row = {"biz_id": number, "success": is_delivered, "err_code": "DELIVERED" if is_delivered else "MOBILE_NOT_ON_SERVICE"}
    for _twice in range(2):
        assert tell([{**row, "phone_number": PHONE, "out_id": "k"}]).json()["code"] == 0
    assert letters.message().state == ("delivered" if is_delivered else "not_delivered")
    assert [one.error for one in heard] == ([] if is_delivered else ["receipt_MOBILE_NOT_ON_SERVICE"])
    assert CallBack.objects.count() == (not is_delivered)


def test_a_receipt_is_known_by_our_key_where_the_answer_with_its_number_was_lost(
    letters: Letterbox, provider: Strings, heard: list[Any]
) -> None:
    provider.fault("reset", "/sms/", after=True, times=1)
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    for minute in (0, 1):
        now_of(letters, minute)
    (text,) = sent(provider)
    assert letters.message().state == "sent"
    assert tell([{"biz_id": text["id"], "out_id": text["out_id"], "success": False, "err_code": "MK:0001"}]).status_code == 200
    assert (letters.message().state, [one.error for one in heard]) == ("not_delivered", ["receipt_MK:0001"])


def test_a_list_with_answers_of_people_and_of_strangers_is_taken_and_changes_nothing(
    letters: Letterbox, provider: Strings
) -> None:
    letters.send(letters.to_resident(phone=PHONE, is_urgent=True), at=clock.now())
    now_of(letters)
    strange = [{"phone_number": PHONE, "content": "谢谢"}, {"biz_id": "nobody's", "success": False}, {"biz_id": 7}]
    assert tell(strange).status_code == 200
    assert letters.message().state == "sent"


@pytest.mark.usefixtures("provider")
@pytest.mark.django_db
def test_only_who_knows_the_address_is_listened_to_and_only_a_list() -> None:
    assert tell([], "t" * 32).status_code == 404
    for body in ("", "{}", "[1]", "[" * 100_000, json.dumps([{}] * 1001)):
        assert tell(body).status_code == 422


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sign =", "is not TOML"),
        ("", "sign, the signature"),
        ('sign = "a"\n[other]\ncode = "S"', "nothing is known of other"),
        ('sign = "a"\n[template.no_such]\ncode = "S"', "there is no notice no_such"),
        ('sign = "a"\n[staff]\ncode = "not a code"', "needs code"),
        ('sign = "a"\n[staff]\ncode = "S"\nwith = { name = "phone" }', "one of due, grid, number, title, type"),
    ],
)
def test_a_file_of_templates_that_is_wrong_is_refused_at_the_start_in_plain_words(
    text: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "sms.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ImproperlyConfigured, match="JIEQU_SMS_TEMPLATES") as refused:
        forms.forms(str(file))
    assert words in str(refused.value)
