"""The demonstration's phones: the emulator's accounts become the installation's own, and doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.accounts import ACCOUNTS
from emulator.scene import APPID
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import chain
from jiequ.channels import client as http
from jiequ.channels.arrivals import handing
from jiequ.channels.ports import Outgoing, Result
from jiequ.channels.wechat.models import Follower, TemplateForm
from jiequ.channels.wecom.models import WecomUser
from jiequ.core import clock
from jiequ.core.models import AuditEntry
from jiequ.web.cli import phones as process
from jiequ.web.demo import phones
from tests.actors import World

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE: list[dict[str, str]] = ACCOUNTS["people"]  # type: ignore[assignment]


@pytest.fixture
def platform(
    settings: Any,
    emulator: Strings,  # noqa: F811
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Strings]:
    """The emulator, with our settings for its accounts, and a worker that works while somebody waits."""
    found = process.settings_for(ACCOUNTS, emulator.base) | process.write_sms_templates(tmp_path)
    for name, value in found.items():
        setattr(settings, name.removeprefix("JIEQU_"), value)
    settings.SMS_PORTS, settings.MAIL_PORT = [found["JIEQU_SMS_PORTS"]], emulator.smtp_port
    settings.BASE_URL = live_server.url
    monkeypatch.setattr(phones.time, "sleep", lambda _seconds: handing.hand_on(at=clock.now()))
    http.connections.close()
    yield emulator
    http.connections.close()


def menu(platform: Strings, person: str) -> list[str]:
    return [one["name"] for one in platform.ask("POST", f"/people/{person}/open_account")["menu"]]


def test_six_phones_are_connected_and_each_has_the_menu_of_its_work(world: World, platform: Strings) -> None:
    phones.connect(platform.base, PEOPLE)
    staff = {"chen", "huang", "qian", "he"}  # of the emulator's people, whom this world knows
    bound = Follower.objects.filter(is_following=True, person__isnull=False).values_list("person__username", flat=True)
    assert set(bound) == staff == set(WecomUser.objects.values_list("person__username", flat=True))
    assert Follower.objects.filter(is_following=True).count() == len(PEOPLE)
    assert TemplateForm.objects.filter(is_active=True, fault="").exists()
    assert "待处理" in menu(platform, "he")
    assert "待处理" not in menu(platform, "zhou")


def test_the_last_ways_of_the_chain_reach_the_phones_by_text_and_by_letter(world: World, platform: Strings) -> None:
    phones.connect(platform.base, PEOPLE)
    facts: dict[str, object] = {"number": "LG-2026-000001"}
    notice = Outgoing(text="新任务 LG-2026-000001", template="new_task", facts=facts, language="zh-hans", title="新任务")
    for way in (dict(chain.steps())[step] for step in ("sms", "email")):
        address = way.addresses_of([world.people["chen"].pk])[world.people["chen"].pk]
        assert way.can_carry(notice)
        assert way.send(notice, address, f"k:{way.name}").result in (Result.ACCEPTED, Result.DELIVERED)
    platform.settle()
    assert "LG-2026-000001" in platform.chat("chen", "sms")[-1]["data"]["text"]
    assert platform.chat("chen", "mail")[-1]["data"]["title"] == "新任务"
    assert platform.ask("GET", "/state")["sms_provider"]["report_url"].endswith(f"/sms/{process.SMS_CALLBACK_SECRET}/")


def test_connecting_again_changes_nothing_and_a_phone_older_than_the_database_follows_anew(
    world: World, platform: Strings
) -> None:
    phones.connect(platform.base, PEOPLE)
    forms, entries = TemplateForm.objects.count(), AuditEntry.objects.exclude(action__contains="menu").count()
    phones.connect(platform.base, PEOPLE)
    assert (TemplateForm.objects.count(), AuditEntry.objects.exclude(action__contains="menu").count()) == (forms, entries)
    Follower.objects.all().delete()
    platform.advance(2)  # who follows twice within a second has pushed one event
    phones.connect(platform.base, PEOPLE)
    assert Follower.objects.filter(is_following=True).count() == len(PEOPLE)


def test_an_address_that_does_not_prove_itself_is_told_in_a_sentence(world: World, platform: Strings, settings: Any) -> None:
    settings.BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(phones.NotConnected, match="/server"):
        phones.connect(platform.base, PEOPLE)
    assert platform.ask("GET", "/state")["accounts"][APPID]["server"]["url"] == ""
