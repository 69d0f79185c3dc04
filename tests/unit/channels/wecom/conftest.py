"""The emulator's corporation, and a listener that takes its pushes for our callback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings
from jiequ.channels.wecom.way import WecomWay
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition
from tests.emulator.callback import AES_KEY, TOKEN, Callback, listening
from tests.unit.channels.wecom.office import AGENT_PATH, CONTACTS_KEY, CONTACTS_TOKEN, Office, settings_of


@pytest.fixture
def listener() -> Iterator[Callback]:
    """A server that takes pushes."""
    with listening() as found:
        yield found


@pytest.fixture
def office(
    emulator: Strings,
    world: World,
    clock: MovableClock,
    settings: Any,
    listener: Callback,
    monkeypatch: pytest.MonkeyPatch,
) -> Office:
    """An installation that is connected to the emulator's corporation; its clock and the emulator's are one."""
    monkeypatch.setattr(WecomWay, "is_remote", False)  # in the test's own transaction; the thread is tried in tests/crash
    for name, value in settings_of(emulator).items():
        setattr(settings, name, value)
    emulator.ask("POST", "/clock", at=clock.at.timestamp(), rate=1.0)
    emulator.ask(
        "POST", AGENT_PATH, url=listener.url, token=TOKEN, aes_key=AES_KEY, is_checked=False, oauth_domain="127.0.0.1:8000"
    )
    contacts = {"contacts_url": listener.url, "contacts_token": CONTACTS_TOKEN, "contacts_aes_key": CONTACTS_KEY}
    emulator.ask("POST", f"/corps/{scene.CORPID}", **contacts)
    return Office(emulator, world, clock, Casework(world, make_condition()), listener)
