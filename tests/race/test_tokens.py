"""Six processes want the token at once: one fetches it, nobody's is taken away."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.scene import APPID, SECRET
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import sources
from jiequ.channels.client import Api
from jiequ.channels.tokens import services as tokens
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 6


def fetches(strings: Strings) -> int:
    return len([one for one in strings.transcript(way="in") if one["path"].endswith("/stable_token")])


def test_one_of_six_fetches_and_one_of_six_renews(emulator: Strings) -> None:  # noqa: F811
    source = sources.stable_token(emulator.base + "/api", APPID, SECRET)
    got = at_once(PROCESSES, lambda _number: tokens.token(source))
    assert len(set(got)) == 1
    assert fetches(emulator) == 1
    renewed = at_once(PROCESSES, lambda _number: tokens.renewed(source, refused=got[0]))
    assert len(set(renewed)) == 1
    assert renewed[0] != got[0]
    assert fetches(emulator) == 3  # a plain one that brought the refused one, and one by force
    assert Api(emulator.base + "/api", source).get("/cgi-bin/getcallbackip")["ip_list"]


def test_without_the_claim_they_all_fetch(emulator: Strings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def everybody(_row: Any, _at: Any) -> bool:
        return True

    monkeypatch.setattr(tokens, "_claimed", everybody)
    emulator.fault("latency", "/api/cgi-bin/stable_token", seconds=0.3, times=-1)
    source = sources.stable_token(emulator.base + "/api", APPID, SECRET)
    at_once(PROCESSES, lambda _number: tokens.token(source))
    assert fetches(emulator) > 1
