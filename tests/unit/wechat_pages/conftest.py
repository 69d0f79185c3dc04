"""The pages in WeChat against the emulator: an account, its platform, and phones of the scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.scene import APPID, SECRET
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import client as http
from tests.actors import MovableClock, World
from tests.unit.wechat_pages.phones import TOKEN, Phones


@pytest.fixture
def account(settings: Any) -> Any:
    """An installation with an account whose platform cannot be reached."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET, settings.WECHAT_TOKEN = APPID, SECRET, TOKEN
    settings.WECHAT_API = settings.WECHAT_MP = settings.WECHAT_OPEN = "http://127.0.0.1:9"
    return settings


@pytest.fixture
def phones(account: Any, emulator: Strings, world: World, clock: MovableClock) -> Iterator[Phones]:  # noqa: F811
    """The emulator in WeChat's place, and what its people do with their phones."""
    account.WECHAT_API, account.WECHAT_MP = emulator.base + "/api", emulator.base + "/mp"
    account.WECHAT_OPEN = emulator.base + "/open"
    account.WECHAT_JSSDK = [emulator.base + "/res/open/js/jweixin-1.6.0.js"]
    host = account.BASE_URL.partition("//")[2]
    emulator.ask("POST", f"/accounts/{APPID}", oauth_domain=host, js_domains=[host])
    http.connections.close()
    yield Phones(emulator, world, clock)
    http.connections.close()
