"""Calls to the platform, with the emulator as its peer: one token for all, one renewal, one more try, and every call ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from emulator.scene import AGENT_SECRET, AGENTID, APPID, CORPID, SECRET
from emulator.testing import Strings
from jiequ.channels import client, sources
from jiequ.channels.client import Api, ApiError
from jiequ.channels.tokens import services as tokens
from jiequ.channels.tokens.models import Token
from jiequ.core import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_connections")]


@pytest.fixture
def base(emulator: Strings) -> str:
    return emulator.base + "/api"


@pytest.fixture
def api(base: str) -> Api:
    return Api(base, sources.stable_token(base, APPID, SECRET))


def asked(strings: Strings, path: str) -> list[dict[str, Any]]:
    return [one for one in strings.transcript(way="in") if one["path"].endswith(path)]


def test_one_token_serves_every_call_and_lies_sealed_in_the_database(api: Api, emulator: Strings) -> None:
    for _turn in range(3):
        assert api.get("/cgi-bin/getcallbackip")["ip_list"]
    assert len(asked(emulator, "/stable_token")) == 1
    row = Token.objects.get()
    used = asked(emulator, "/getcallbackip")[0]["query"]["access_token"]
    assert used not in row.value_sealed
    assert row.renew_from < row.good_until <= clock.now() + timedelta(hours=2)


@pytest.mark.parametrize("errcode", sorted(client.TOKEN_IS_OVER))
def test_a_refused_token_is_renewed_once_and_the_call_made_once_more(api: Api, emulator: Strings, errcode: int) -> None:
    api.get("/cgi-bin/getcallbackip")
    emulator.fault("errcode", "/api/cgi-bin/getcallbackip", errcode=errcode)
    assert api.get("/cgi-bin/getcallbackip")["ip_list"]
    given = [one["body"] for one in asked(emulator, "/stable_token")]
    assert len(given) == 3  # the first; a plain one, which brought the same; one by force
    first, *_others, last = [one["query"]["access_token"] for one in asked(emulator, "/getcallbackip")]
    assert first != last


def test_a_platform_that_refuses_every_token_is_asked_twice_and_no_more(api: Api, emulator: Strings) -> None:
    emulator.fault("errcode", "/api/cgi-bin/getcallbackip", errcode=40001, times=-1)
    for turn in (1, 2, 3):
        with pytest.raises(ApiError) as refused:
            api.get("/cgi-bin/getcallbackip")
        assert refused.value.errcode == 40001
        assert refused.value.is_passing
        assert len(asked(emulator, "/getcallbackip")) == 2 * turn
    forced = [one for one in asked(emulator, "/stable_token") if one["body"]["force_refresh"]]
    assert len(forced) == 1  # thirty seconds apart, or the account has no more of them today


def test_a_token_that_somebody_else_renewed_is_taken_from_the_database(api: Api, base: str, emulator: Strings) -> None:
    source = sources.stable_token(base, APPID, SECRET)
    old = tokens.token(source)
    fresh = tokens.renewed(source, refused=old)
    before = len(asked(emulator, "/stable_token"))
    assert fresh != old
    assert tokens.renewed(source, refused=old) == fresh
    assert len(asked(emulator, "/stable_token")) == before


def test_while_one_process_fetches_the_next_the_others_use_the_old(base: str, emulator: Strings) -> None:
    source = sources.stable_token(base, APPID, SECRET)
    old, now = tokens.token(source), clock.now()
    Token.objects.update(renew_from=now, claimed_until=now + timedelta(seconds=10))
    assert tokens.token(source) == old
    Token.objects.update(claimed_until=now)  # whoever fetched is dead: its claim is over
    assert tokens.token(source)
    assert len(asked(emulator, "/stable_token")) == 2


def test_a_token_that_another_process_never_brings_is_a_time_out_like_any_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.1)
    now = clock.now()
    Token.objects.create(
        name=f"wechat:{APPID}:access", good_until=now, renew_from=now, claimed_until=now + timedelta(minutes=1)
    )
    with pytest.raises(ApiError) as found:
        api.get("/cgi-bin/getcallbackip")
    assert (found.value.code, found.value.is_passing, found.value.may_have_happened) == ("timeout", True, False)


def test_a_failed_fetch_leaves_the_way_free(base: str, emulator: Strings) -> None:
    emulator.fault("status", "/api/cgi-bin/stable_token", status=502)
    source = sources.stable_token(base, APPID, SECRET)
    with pytest.raises(ApiError, match="http_502"):
        tokens.token(source)
    assert tokens.token(source)
    with pytest.raises(ApiError) as refused:
        tokens.token(sources.stable_token(base, "wx0000000000000000", SECRET))
    assert refused.value.errcode == 40013
    assert not refused.value.is_passing


def test_the_tickets_of_both_platforms_and_wecoms_token(api: Api, emulator: Strings) -> None:
    ticket = sources.page_ticket(api, f"wechat:{APPID}:jsapi")
    assert tokens.token(ticket) == tokens.token(ticket)
    assert len(asked(emulator, "/getticket")) == 1
    work = emulator.base + "/qyapi"
    corp = Api(work, sources.corp_token(work, CORPID, AGENTID, AGENT_SECRET))
    assert corp.get("/cgi-bin/department/list")["department"]
    assert tokens.token(sources.page_ticket(corp, f"wecom:{CORPID}:jsapi", "/cgi-bin/get_jsapi_ticket", ""))


@pytest.mark.parametrize(
    ("fault", "code", "may_have_happened"),
    [
        ({"kind": "status", "status": 503}, "http_503", True),
        ({"kind": "status", "status": 404}, "http_404", False),
        ({"kind": "reset"}, "no_answer", True),
        ({"kind": "half"}, "no_answer", True),
        ({"kind": "bad_json"}, "bad_answer", True),
        ({"kind": "empty"}, "bad_answer", True),
        ({"kind": "hang", "seconds": 3}, "timeout", True),
        ({"kind": "errcode", "errcode": 45009}, "errcode_45009", False),
    ],
    ids=lambda one: one.get("kind") if isinstance(one, dict) else "",
)
def test_every_fault_is_the_one_error(
    api: Api,
    emulator: Strings,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    code: str,
    may_have_happened: bool,
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    client.connections.close()
    api.get("/cgi-bin/getcallbackip")
    emulator.fault(where="/api/cgi-bin/getcallbackip", **fault)
    with pytest.raises(ApiError) as found:
        api.get("/cgi-bin/getcallbackip")
    assert (found.value.code, found.value.may_have_happened) == (code, may_have_happened)
    assert len(asked(emulator, "/getcallbackip")) == 2  # nothing but a token that is over is tried again here


def test_a_dripping_answer_and_a_flood_end(api: Api, emulator: Strings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "WHOLE_SECONDS", 0.3)
    api.get("/cgi-bin/getcallbackip")
    emulator.fault("drip", "/api/cgi-bin/getcallbackip", seconds=3)
    with pytest.raises(ApiError, match="timeout"):
        api.get("/cgi-bin/getcallbackip")
    monkeypatch.setattr(client, "MOST_BYTES", 10)
    with pytest.raises(ApiError, match="too_large"):
        api.get("/cgi-bin/getcallbackip")


def test_nobody_there_is_told_apart_from_no_answer(db: None) -> None:
    with pytest.raises(ApiError) as found:
        Api("http://127.0.0.1:9").get("/cgi-bin/getcallbackip")
    assert (found.value.code, found.value.may_have_happened, found.value.is_passing) == ("no_connection", False, True)


def test_a_file_comes_with_its_type_and_an_error_in_its_place_is_one(api: Api, emulator: Strings) -> None:
    jpeg = b"\xff\xd8\xff\xe0" + b"x" * 100
    media = api.upload("/cgi-bin/media/upload", {"type": "image"}, name="河.jpg", data=jpeg, content_type="image/jpeg")
    found = api.download("/cgi-bin/media/get", {"media_id": media["media_id"]})
    assert (found.data, found.content_type) == (jpeg, "image/jpeg")
    with pytest.raises(ApiError) as refused:
        api.download("/cgi-bin/media/get", {"media_id": "no-such"})
    assert refused.value.errcode == 40007
