"""Access tokens, stable tokens, whitelists, quotas: who may call, how long, how often."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings
from tests.emulator import http
from tests.emulator.product import Product, errcode


def ask(product: Product, token: str, path: str = "/cgi-bin/user/get") -> int:
    words = {"access_token": token} if token else {}
    return errcode(product.http.get(product.base + "/api" + path, params=words).json())


def test_a_new_token_ends_the_old_one_after_five_minutes(emulator: Strings, product: Product) -> None:
    first = product.token("token")["access_token"]
    second = product.token("token")["access_token"]
    assert first != second
    assert (ask(product, first), ask(product, second)) == (0, 0)
    emulator.advance(301)
    assert (ask(product, first), ask(product, second)) == (42001, 0)


def test_a_token_replaced_twice_is_unknown(product: Product) -> None:
    first = product.token("token")["access_token"]
    product.token("token")
    product.token("token")
    assert ask(product, first) == 40001


def test_a_stable_token_is_shared_and_not_ended_by_the_other_kind(emulator: Strings, product: Product) -> None:
    first = product.token()
    assert product.token()["access_token"] == first["access_token"]
    product.token("token")
    product.token("token")
    assert ask(product, first["access_token"]) == 0
    assert first["expires_in"] <= 7200
    emulator.advance(7200 - 299)
    assert product.token()["access_token"] != first["access_token"]
    assert ask(product, first["access_token"]) == 0
    emulator.advance(300)
    assert ask(product, first["access_token"]) == 42001


def test_a_forced_refresh_ends_the_old_token_thirty_seconds_apart_and_twenty_times_a_day(
    emulator: Strings, product: Product
) -> None:
    first = product.token()["access_token"]
    assert product.token(force_refresh=True)["access_token"] != first
    assert ask(product, first) == 40001
    assert errcode(product.token(force_refresh=True)) == 45011
    for _number in range(19):
        emulator.advance(31)
        assert errcode(product.token(force_refresh=True)) == 0
    emulator.advance(31)
    assert errcode(product.token(force_refresh=True)) == 45009


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"appid": "wx0"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"grant_type": "x"}, 40002),
    ],
)
def test_who_does_not_show_the_secret_gets_no_token(product: Product, given: dict[str, Any], code: int) -> None:
    assert errcode(product.token(**given)) == errcode(product.token("token", **given)) == code


def test_a_stable_token_wants_a_post_with_json(product: Product) -> None:
    url = product.base + "/api/cgi-bin/stable_token"
    assert errcode(product.http.get(url).json()) == 43002
    assert errcode(product.http.post(url).json()) == 44002
    assert errcode(product.http.post(url, content=b"a=1").json()) == 47001
    assert errcode(product.http.post(product.base + "/api/cgi-bin/token").json()) == 43001


def test_frozen_secrets_and_strange_addresses_get_nothing(emulator: Strings, product: Product) -> None:
    token = product.token()["access_token"]
    emulator.ask("POST", f"/accounts/{scene.APPID}", ip_whitelist=["10.0.0.1"])
    assert errcode(product.token()) == 40164
    assert ask(product, token) == 40164
    emulator.ask("POST", f"/accounts/{scene.APPID}", ip_whitelist=[], is_frozen=True)
    assert errcode(product.token()) == 40243


def test_a_call_with_a_token_comes_from_the_address_it_is_said_to_come_from(emulator: Strings, product: Product) -> None:
    words = {"access_token": product.token()["access_token"]}
    emulator.ask("POST", f"/accounts/{scene.APPID}", ip_whitelist=["10.0.0.1"])
    for client, code in (("10.0.0.1", 0), ("10.0.0.2", 40164)):
        answer = http.get(product.base + "/api/cgi-bin/user/get", params=words, headers={"x-emu-client": client}).json()
        assert errcode(answer) == code
        assert client in answer.get("errmsg", client)


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("short", 40014), ("x" * 136, 40001)])
def test_a_call_without_a_good_token_is_refused(product: Product, token: str, code: int) -> None:
    assert ask(product, token) == code


def test_a_days_quota_ends_and_begins_anew_at_midnight_in_china(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", limits={"menu/get": 2})
    emulator.ask("POST", "/clock", at=1_795_708_800.0)  # 2026-11-27 00:00 in China
    codes = [errcode(product.get("/cgi-bin/menu/get")) for _call in range(3)]
    assert codes == [46003, 46003, 45009]
    emulator.ask("POST", "/clock", at=1_795_708_800.0 + 86_399)
    product._token = ""
    assert errcode(product.get("/cgi-bin/menu/get")) == 45009
    emulator.advance(1)
    assert errcode(product.get("/cgi-bin/menu/get")) == 46003


def test_a_minutes_quota_is_another_error(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", "/clock", rate=0)
    emulator.ask("POST", f"/accounts/{scene.APPID}", limits={"stable_token/minute": 2})
    assert [errcode(product.token()) for _call in range(3)] == [0, 0, 45011]
    emulator.advance(60)
    assert errcode(product.token()) == 0


def test_quotas_are_cleared_ten_times_a_month(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", limits={"menu/get": 1})
    for _month in range(10):
        assert errcode(product.get("/cgi-bin/menu/get")) == 46003
        assert errcode(product.get("/cgi-bin/menu/get")) == 45009
        assert errcode(product.post("/cgi-bin/clear_quota", {"appid": scene.APPID})) == 0
    assert errcode(product.post("/cgi-bin/clear_quota", {"appid": scene.APPID})) == 48006


def test_what_is_left_of_a_quota_can_be_asked(product: Product) -> None:
    product.get("/cgi-bin/menu/get")
    found = product.post("/cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/menu/get"})["quota"]
    assert found == {"daily_limit": 10_000, "used": 1, "remain": 9_999}


def test_the_ticket_of_pages_is_the_same_for_two_hours(emulator: Strings, product: Product) -> None:
    first = product.get("/cgi-bin/ticket/getticket", type="jsapi")
    assert product.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"] == first["ticket"]
    emulator.advance(7201)
    product._token = ""
    assert product.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"] != first["ticket"]


def test_a_call_without_permission_is_refused(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", no_permission=["message/mass"])
    assert errcode(product.post("/cgi-bin/message/mass/sendall", {})) == 48001


def test_an_unknown_address_is_no_success(product: Product) -> None:
    answer = http.get(product.base + "/api/cgi-bin/nothing")
    assert answer.status_code == 404
    assert answer.json()["errcode"] == 40066
