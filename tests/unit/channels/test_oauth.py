"""The web sign-in's state: of this browser, of this channel, once, and not for ever."""

from __future__ import annotations

import copy
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from jiequ.channels import oauth
from jiequ.core.errors import Refusal
from tests.actors import NOW

pytestmark = pytest.mark.django_db


class Browser:
    """A session that outlives its requests."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = {}

    def asks(self, **query: str) -> HttpRequest:
        request = RequestFactory().get("/back", query)
        request.session = self.session  # type: ignore[assignment]
        return request

    def begins(self, next_path: str = "/todo", channel: str = "wecom", **more: Any) -> str:
        """The state that goes to the platform."""
        address = oauth.begin(
            self.asks(), channel=channel, base="https://open.example", appid="ww1", returns_to="https://us.example/back",
            next_path=next_path, at=NOW, **more,
        )  # fmt: skip
        return dict(parse_qsl(urlsplit(address).query))["state"]


def refused(browser: Browser, state: str, *, channel: str = "wecom", seconds: int = 0, code: str = "c") -> str:
    with pytest.raises(Refusal) as caught:
        oauth.finish(browser.asks(state=state, code=code), channel=channel, at=NOW + timedelta(seconds=seconds))
    return caught.value.code


def test_the_words_stand_in_the_order_the_platform_wants() -> None:
    browser = Browser()
    address = oauth.begin(
        browser.asks(), channel="wecom", base="https://open.example", appid="ww1", returns_to="https://us.example/back",
        next_path="/", at=NOW, agentid="7",
    )  # fmt: skip
    names = [name for name, _value in parse_qsl(urlsplit(address).query)]
    assert names == ["appid", "redirect_uri", "response_type", "scope", "state", "agentid"]
    assert urlsplit(address).fragment == "wechat_redirect"
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    assert re.fullmatch("[a-zA-Z0-9]{16,128}", state)


def test_a_state_is_good_once_for_the_page_that_was_asked_for() -> None:
    browser = Browser()
    state = browser.begins("/cases/LG-2026-000001")
    came = oauth.finish(browser.asks(state=state, code="c"), channel="wecom", at=NOW)
    assert (came.code, came.next_path) == ("c", "/cases/LG-2026-000001")
    assert refused(browser, state) == "oauth_state"


def test_of_two_who_bring_one_state_at_once_one_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read the session before either wrote it. The twin that spends nothing lets both in."""
    for spends in (True, False):
        first, second = Browser(), Browser()
        state = first.begins()
        second.session = copy.deepcopy(first.session)
        if not spends:
            monkeypatch.setattr(oauth, "_spend", lambda _state, _at: None)
        oauth.finish(first.asks(state=state, code="c"), channel="wecom", at=NOW)
        if spends:
            assert refused(second, state) == "oauth_state"
        else:
            assert oauth.finish(second.asks(state=state, code="c"), channel="wecom", at=NOW).code == "c"


def test_a_foreign_an_old_and_another_channels_state_are_refused() -> None:
    mine, theirs = Browser(), Browser()
    assert refused(mine, theirs.begins()) == "oauth_state"
    assert refused(mine, mine.begins(), seconds=601) == "oauth_state"
    assert refused(mine, mine.begins(), channel="wechat") == "oauth_state"
    assert refused(mine, "") == "oauth_state"
    assert refused(mine, "状态") == "oauth_state"
    assert refused(mine, mine.begins(), code="") == "oauth_code"


def test_no_sign_in_leads_to_another_site() -> None:
    browser = Browser()
    state = browser.begins("//evil.example/")
    assert oauth.finish(browser.asks(state=state, code="c"), channel="wecom", at=NOW).next_path == ""


def test_two_tabs_may_sign_in_and_old_ones_make_room() -> None:
    browser = Browser()
    states = [browser.begins() for _ in range(5)]
    assert refused(browser, states[0]) == "oauth_state"
    for state in states[1:]:
        oauth.finish(browser.asks(state=state, code="c"), channel="wecom", at=NOW)
