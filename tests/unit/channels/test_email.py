"""Letters: the last way of the chain, by SMTP, with the emulator's mail server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import ports
from jiequ.channels.email import way
from jiequ.channels.ports import Outcome, Result
from jiequ.people.models import Person
from tests.unit.channels.letterbox import Letterbox

ADDRESS = "huang@example.com"


@pytest.fixture
def mails(emulator: Strings, settings: Any, letters: Letterbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:  # noqa: F811
    """The emulator's mail server as ours; gives what it took. 黄 has an address."""
    settings.MAIL_HOST, settings.MAIL_PORT, settings.MAIL_TLS = "127.0.0.1", emulator.smtp_port, "none"
    settings.MAIL_FROM, settings.SMS_PORTS = "notices@jiequ.example", []
    monkeypatch.setattr(way, "SECONDS", 0.5)
    Person.objects.filter(pk=letters.world.huang.pk).update(email=ADDRESS)
    return lambda: list(emulator.ask("GET", "/mails"))


def test_a_letter_has_the_words_of_the_notice_its_link_and_a_number_of_its_own(
    letters: Letterbox, mails: Callable[[], list[Any]]
) -> None:
    letters.send(letters.to_person("huang"), letters.to_person("wu", "nobody"))
    letters.work()
    (letter,) = mails()
    assert (letter["subject"], letter["to"]) == ("新任务", [ADDRESS])
    assert "LG-2026-000123" in letter["text"]
    assert f"/inbox/go/{letters.message().pk}" in letter["text"]
    copy = letters.message(f"k:to:{letters.world.huang.pk}")
    assert (copy.state, copy.port) == ("delivered", "email")


def test_a_second_letter_of_one_notice_carries_the_same_number(letters: Letterbox, mails: Callable[[], list[Any]]) -> None:
    outgoing = ports.Outgoing("x", "new_task", {}, "en", title="New task", url="http://x/inbox/go/1")
    for key in ("k", "k", "other"):
        assert way.EmailWay().send(outgoing, ADDRESS, key).result is Result.DELIVERED
    numbers = [re.search(r"Message-ID: (\S+)", letter["raw"])[1] for letter in mails()]  # type: ignore[index]
    assert numbers[0] == numbers[1] != numbers[2]
    assert "Open it here" in mails()[0]["text"]


@pytest.mark.parametrize(
    ("fault", "result", "error"),
    [
        ({"at": "RCPT", "code": 550}, Result.REFUSED_PERMANENT, "smtp_550"),
        ({"at": "RCPT", "code": 451}, Result.TRY_LATER, "smtp_451"),
        ({"at": "DATA", "code": 554}, Result.REFUSED_PERMANENT, "smtp_554"),
        ({"at": "CONNECT", "code": 0}, Result.TRY_LATER, "smtp_SMTPServerDisconnected"),
        ({"at": "EHLO", "code": -1}, Result.TRY_LATER, "smtp_SMTPServerDisconnected"),
        ({"at": "END", "code": 0, "after": True}, Result.TRY_LATER, "smtp_SMTPServerDisconnected"),
    ],
)
def test_each_fault_is_a_no_or_passes(
    fault: dict[str, Any],
    result: Result,
    error: str,
    mails: Callable[[], list[Any]],
    emulator: Strings,  # noqa: F811
) -> None:
    emulator.settings(smtp_faults=[{"text": "no", **fault}] * 3)
    outgoing = ports.Outgoing("x", "new_task", {}, "zh-hans", title="新任务", url="http://x/")
    assert way.EmailWay().send(outgoing, ADDRESS, "k") == Outcome(result, error=error)


def test_a_server_that_is_not_there_is_a_passing_fault(settings: Any) -> None:
    settings.MAIL_HOST, settings.MAIL_PORT, settings.MAIL_TLS, settings.MAIL_FROM = "127.0.0.1", 1, "none", "a@b.c"
    outgoing = ports.Outgoing("x", "new_task", {}, "zh-hans", title="新任务", url="http://x/")
    assert way.EmailWay().send(outgoing, ADDRESS, "k") == Outcome(Result.TRY_LATER, error="smtp_ConnectionRefusedError")


def test_the_administrator_writes_an_address_into_the_roster_and_takes_it_out_again(letters: Letterbox) -> None:
    world = letters.world
    admin = world.client("xi")
    address = reverse("people:person", args=[world.huang.pk])
    form = {"name": "黄海", "phone": world.huang.phone, "street": world.street.pk}
    for n, (given, status, kept) in enumerate([(ADDRESS, 302, ADDRESS), ("no address", 422, ADDRESS), ("", 302, "")]):
        version = Person.objects.get(pk=world.huang.pk).version
        assert admin.post(address, {**form, "version": version, "email": given}).status_code == status, n
        assert Person.objects.get(pk=world.huang.pk).email == (kept or None)
