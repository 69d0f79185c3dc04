"""Every way but text messages (test_sms.py) under faults that last: it ends as not delivered, with why, and somebody hears.

RELIABILITY row 11, with the emulator in the platforms' place. One way is configured at a time, so nothing else can carry it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings
from jiequ.channels import client, ports
from jiequ.channels.email import way as email
from jiequ.channels.models import Message
from jiequ.channels.tokens.models import Token
from jiequ.channels.wechat import services as wechat
from jiequ.channels.wechat.services import followers
from jiequ.channels.wechat.way import TemplateWay
from jiequ.channels.wecom.models import WecomUser
from jiequ.channels.wecom.way import WecomWay
from jiequ.core import clock
from jiequ.people.models import Person
from jiequ.people.rules import Actor
from tests.unit.channels.letterbox import Letterbox
from tests.unit.channels.wecom.office import AGENT, settings_of

TRIES = (0, 1, 6, 36, 156, 876)
TEMPLATE, TOKEN, CARD = "/api/cgi-bin/message/template/send", "/api/cgi-bin/stable_token", "/qyapi/cgi-bin/message/send"
Fault = dict[str, Any]
PASSING: list[tuple[Fault, str]] = [
    ({"kind": "reset"}, "no_answer"),
    ({"kind": "reset", "after": True}, "no_answer"),
    ({"kind": "hang", "seconds": 1}, "timeout"),
    ({"kind": "status", "status": 502}, "http_502"),
    ({"kind": "bad_json"}, "bad_answer"),
    ({"kind": "half"}, "no_answer"),
]
LASTING = [
    *(("wechat_template", TEMPLATE, fault, error, len(TRIES)) for fault, error in PASSING),
    ("wechat_template", TEMPLATE, {"kind": "errcode", "errcode": -1}, "-1", len(TRIES)),
    ("wechat_template", TEMPLATE, {"kind": "errcode", "errcode": 45009}, "45009", 1),
    ("wechat_template", TOKEN, {"kind": "errcode", "errcode": 40164}, "40164", 0),
    *(("wecom", CARD, fault, error, len(TRIES)) for fault, error in PASSING),
    ("wecom", CARD, {"kind": "errcode", "errcode": 45033}, "errcode_45033", len(TRIES)),
    ("wecom", CARD, {"kind": "errcode", "errcode": 60020}, "errcode_60020", 1),
    ("email", "END", {"code": 0, "after": True}, "smtp_SMTPServerDisconnected", len(TRIES)),
    ("email", "CONNECT", {"code": -1}, "smtp_SMTPServerDisconnected", len(TRIES)),
    ("email", "RCPT", {"code": 451}, "smtp_451", len(TRIES)),
    ("email", "RCPT", {"code": 550}, "smtp_550", 1),
]


@pytest.fixture
def huang(emulator: Strings, letters: Letterbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Person:
    """黄, whom all three ways reach; calls are impatient and made where the test's transaction is seen."""
    for name, value in settings_of(emulator).items():
        setattr(settings, name, value)
    settings.WECHAT_APPID, settings.WECHAT_SECRET = scene.APPID, scene.SECRET
    settings.WECHAT_API, settings.WECHAT_MP = f"{emulator.base}/api", f"{emulator.base}/mp"
    settings.MAIL_HOST, settings.MAIL_PORT, settings.MAIL_TLS = "127.0.0.1", emulator.smtp_port, "none"
    settings.MAIL_FROM, settings.SMS_PORTS = "notices@jiequ.example", []
    for kind in (TemplateWay, WecomWay, email.EmailWay):
        monkeypatch.setattr(kind, "is_remote", False)
    monkeypatch.setattr(client, "READ_SECONDS", 0.1)
    monkeypatch.setattr(email, "SECONDS", 0.1)
    person = letters.world.huang
    Person.objects.filter(pk=person.pk).update(email="huang@example.com")
    WecomUser.objects.create(userid="huang", person=person, matched_by="administrator", matched_at=clock.now())
    emulator.does("huang", "follow")
    at = clock.now()
    row = followers.note_deed(emulator.openid("huang"), kind="event", event="subscribe", sent_at=at, at=at)
    wechat.bind(row.pk, person.pk, by=Actor.system(), at=at)
    wechat.adopt_templates(wechat.read_templates(), by=Actor.system(), at=at)
    return person


def plant(emulator: Strings, way: str, where: str, fault: Fault) -> None:
    if way == "email":
        emulator.settings(smtp_faults=[{"at": where, "text": "no", **fault}] * 20)
    else:
        Token.objects.all().delete()  # setting up has fetched one
        emulator.fault(where=where, times=100, **fault)


def shown(emulator: Strings, way: str) -> int:
    """How often it stands before 黄."""
    if way == "email":
        return len({mail["raw"].split("Message-ID: ")[1].split()[0] for mail in emulator.ask("GET", "/mails")})
    where, kind = (AGENT, "card") if way == "wecom" else (scene.APPID, "template")
    return len([one for one in emulator.chat("huang", where) if one["kind"] == kind])


def run(letters: Letterbox, way: str, settings: Any) -> Message:
    """An urgent task to 黄 by that way alone, and every try of it."""
    settings.WAYS = [way]
    notice = letters.to_person("huang", is_urgent=True)
    letters.send(replace(notice, facts={**notice.facts, "due": clock.now()}), at=clock.now())
    for minute in TRIES:
        letters.work(clock.now() + timedelta(minutes=minute))
    return letters.message(f"k:to:{letters.world.huang.pk}")


@pytest.mark.usefixtures("own_connections")
@pytest.mark.parametrize(("way", "where", "fault", "error", "tries"), LASTING)
def test_a_fault_that_lasts_ends_as_not_delivered_with_why_and_the_desk_hears(
    huang: Person,
    letters: Letterbox,
    emulator: Strings,
    settings: Any,
    way: str,
    where: str,
    fault: Fault,
    error: str,
    tries: int,
) -> None:
    plant(emulator, way, where, fault)
    copy = run(letters, way, settings)
    assert (copy.state, copy.last_error) == ("not_delivered", error)
    assert [way, error] in [list(step) for step in copy.trail]
    assert letters.in_inbox("liang") == [f"lost:{copy.pk}:{copy.round}"]
    assert letters.in_inbox("huang") == ["k"], "the inbox is the truth, whatever became of the copy"
    if way != "email":
        assert len(emulator.transcript(path=where)) >= max(tries, 1)
    assert shown(emulator, way) == bool(fault.get("after")), "shown by the call whose answer was lost, and once"


@pytest.mark.usefixtures("own_connections")
def test_a_way_whose_failures_are_taken_for_success_loses_in_silence(
    huang: Person,
    letters: Letterbox,
    emulator: Strings,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broken twin: whatever comes back is taken for a yes; the notice counts as sent, stands nowhere, and nobody hears."""
    real: Callable[..., ports.Outcome] = WecomWay.send

    def believes(self: WecomWay, *given: Any) -> ports.Outcome:
        real(self, *given)
        return ports.Outcome(ports.Result.DELIVERED)

    monkeypatch.setattr(WecomWay, "send", believes)
    plant(emulator, "wecom", CARD, {"kind": "status", "status": 502})
    copy = run(letters, "wecom", settings)
    assert (copy.state, shown(emulator, "wecom"), letters.in_inbox("liang")) == ("delivered", 0, [])
