"""An official account as the scene of the emulator has it, configured; pushes made by the emulator's own code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from emulator import envelope
from emulator.envelope import Target
from emulator.faults import Fault
from emulator.scene import APPID, SECRET
from emulator.testing import Strings
from jiequ.channels import client as http
from jiequ.channels.arrivals import handing
from jiequ.channels.arrivals import services as arrivals
from jiequ.channels.wechat import arriving, config
from jiequ.core import clock

TOKEN, KEY = "a-token-of-the-test", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PATH = "/callbacks/wechat/"


@pytest.fixture(autouse=True)
def only_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doors above answer to the same arrivals is their tests' to judge."""
    monkeypatch.setitem(arrivals.HANDLERS, config.CHANNEL, [arriving.handle])


@pytest.fixture
def account(settings: Any) -> Any:
    """The settings of an installation with an account in secure mode."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET = APPID, SECRET
    settings.WECHAT_TOKEN, settings.WECHAT_AES_KEY = TOKEN, KEY
    settings.WECHAT_API = settings.WECHAT_MP = "http://127.0.0.1:9"
    return settings


@pytest.fixture
def platform(account: Any, emulator: Strings) -> Iterator[Strings]:
    """The emulator in WeChat's place."""
    account.WECHAT_API, account.WECHAT_MP = emulator.base + "/api", emulator.base + "/mp"
    http.connections.close()
    yield emulator
    http.connections.close()


class Pusher:
    """Sends what WeChat would push, straight to the view; ``last``: the query and body of the latest."""

    def __init__(self) -> None:
        self.client = Client()
        self.last: tuple[dict[str, str], str] = ({}, "")

    def __call__(self, mode: str = "secure", *, sender: str = "oZhou", fault: str = "", **fields: Any) -> Any:
        body = {
            "ToUserName": "gh_1",
            "FromUserName": sender,
            "CreateTime": int(clock.now().timestamp()),
            "MsgType": "text",
        } | fields
        target = Target("", TOKEN, KEY, APPID, mode, openid=sender)
        wrong = Fault(fault, seconds=3600, count=70) if fault else None
        self.last = envelope.sealed(target, body, now=clock.now().timestamp(), wrong=wrong)
        return self.send(*self.last)

    def send(self, query: dict[str, str], body: str) -> Any:
        """Any query and body."""
        return self.client.post(PATH + "?" + "&".join(f"{k}={v}" for k, v in query.items()), body, content_type="text/xml")


@pytest.fixture
def push(account: Any) -> Pusher:
    return Pusher()


@pytest.fixture
def hand_on() -> Callable[[], None]:
    """Hand everything that arrived to its handlers."""

    def all_of_it() -> None:
        for _turn in range(200):
            if not handing.hand_on(at=clock.now()):
                return
            time.sleep(0)

    return all_of_it
