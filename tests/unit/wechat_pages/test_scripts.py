"""Pages signed for WeChat's own script, and the files that prove the domain."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from emulator import crypto
from jiequ.channels import crypt
from jiequ.web.settings import files_of
from tests.unit.wechat_pages.phones import AGENT, Phones, phone

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
PAGE = "http://127.0.0.1:8000/report/?plate=440106001001001"


def signed(url: str) -> Any:
    return Client().get("/wechat/config", {"url": url}, headers={"accept": "application/json"})


def checked(phones: Phones, config: dict[str, Any], url: str) -> str:
    """What WeChat's script makes of it on the page."""
    body = json.dumps(config | {"url": url}).encode()
    asked = Request(phones.emulator.base + "/res/check", body, {"content-type": "application/json"})
    with urlopen(asked) as answer:
        return str(json.load(answer)["errMsg"])


def test_a_page_of_ours_is_signed_as_wechat_checks_it(phones: Phones) -> None:
    answer = signed(PAGE)
    assert answer["Cache-Control"] == "no-store"
    config = answer.json()["config"]
    assert checked(phones, config, PAGE) == "config:ok"
    assert checked(phones, config, PAGE + "&more=1") == "config:invalid signature"
    assert set(config["jsApiList"]) >= {"getLocation", "chooseImage", "scanQRCode"}
    assert "ticket" not in answer.content.decode()


def test_what_follows_the_hash_is_no_part_of_it(phones: Phones) -> None:
    assert checked(phones, signed(PAGE + "#photos").json()["config"], PAGE) == "config:ok"
    whole = crypt.jsapi_signature(ticket="t", nonce="n", timestamp="1", url=PAGE + "#photos")
    assert whole == crypto.jsapi_signature(ticket="t", nonce="n", timestamp="1", url=PAGE)


def test_two_pages_ask_for_one_ticket(phones: Phones) -> None:
    for _ in range(3):
        signed(PAGE)
    assert len(phones.emulator.transcript(path="/api/cgi-bin/ticket/getticket")) == 1


ELSEWHERE = ["https://evil.example/report/", "http://127.0.0.1:8000.evil.example/", "http://127.0.0.1:8000@evil.example/"]


@pytest.mark.parametrize("url", [*ELSEWHERE, "//x", "", "/report/", "http://["])
def test_no_other_house_is_signed_for(phones: Phones, url: str) -> None:
    assert signed(url).status_code == 422
    assert not phones.emulator.transcript(path="/api/cgi-bin/ticket/getticket")


def test_where_wechat_gives_no_ticket_the_page_is_told_and_goes_on_without(phones: Phones) -> None:
    phones.emulator.fault("errcode", "/api/cgi-bin/*", times=99, errcode=45009)
    assert signed(PAGE).status_code == 422
    assert phones.goes(phone(), "zhou", "/report/").status_code == 200


def test_only_wechats_own_browser_is_offered_its_script(phones: Phones, settings: Any) -> None:
    assert "data-wechat-script" in phones.goes(phone(), "zhou", "/report/").content.decode()
    assert "data-wechat-script" not in Client().get("/report/").content.decode()
    work = {"user-agent": AGENT["user-agent"] + " wxwork/4.1"}
    assert "data-wechat-script" not in Client(headers=work).get("/report/").content.decode()
    settings.WECHAT_APPID = ""
    assert "data-wechat-script" not in phone().get("/report/").content.decode()


def test_the_files_that_prove_the_domain_lie_at_the_root(settings: Any) -> None:
    settings.WECHAT_VERIFY_FILES = files_of("X", "MP_verify_AbC123.txt, WW_verify_xYz.txt")
    answer = Client().get("/MP_verify_AbC123.txt")
    assert (answer.content, answer["Content-Type"]) == (b"AbC123", "text/plain; charset=utf-8")
    assert Client().get("/WW_verify_xYz.txt").content == b"xYz"
    assert Client().get("/MP_verify_other.txt").status_code == 404
    for wrong in ("../x.txt", "MP_verify_.txt", "MP_verify_a.html", "verify_a.txt"):
        with pytest.raises(Exception, match="MP_verify"):
            files_of("X", wrong)
