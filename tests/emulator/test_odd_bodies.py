"""Bodies of the wrong shape: HTTP 200 with a number, at every known address; the connection stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator import scene
from emulator.official.routes import routes as official
from emulator.testing import Strings
from emulator.wecom.routes import routes as wecom
from tests.emulator.product import Product, errcode
from tests.emulator.test_work import CARD, Work, work  # noqa: F401  (fixture)

TAGGED = {"button": [{"type": "click", "name": "a", "key": "a"}], "matchrule": {"tag_id": "x"}}
WORDS = (
    *("action_name", "action_info", "appid", "agentid", "articles", "button", "cgi_path", "client_msg_id", "code", "cursor"),
    *("data", "expire_seconds", "filter", "grant_type", "limit", "matchrule", "media_id", "menuid", "msgid", "msgtype"),
    *("news", "openid", "openid_list", "remark", "response_code", "secret", "tag", "tagid", "template_id", "text", "tid"),
    *("touser", "user_id", "user_list", "userids", "user_ticket"),
)
ODD: tuple[Any, ...] = ("x", 7, None, True, [], ["x"], [[]], {}, {"x": ["y"]}, {"id": [], "name": 5, "tag_id": "x"}, 1e400)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("qrcode/create", {"action_name": "QR_STR_SCENE", "expire_seconds": "x", "action_info": {"scene": {"scene_str": "a"}}}),
        ("qrcode/create", {"action_name": "QR_STR_SCENE", "action_info": "x"}),
        ("message/mass/sendall", {"filter": {"tag_id": "x"}, "msgtype": "text", "text": {"content": "x"}}),
        ("menu/addconditional", TAGGED),
        ("tags/create", {"tag": {"name": 5}}),
        ("message/custom/send", {"msgtype": "news", "news": {"articles": ["x"]}}),
        ("message/custom/send", {"msgtype": "msgmenu", "msgmenu": {"list": ["x"]}}),
    ],
)
def test_a_part_that_is_not_what_it_is_taken_for_is_refused(
    emulator: Strings, product: Product, path: str, body: dict[str, Any]
) -> None:
    emulator.does("zhou", "follow")
    product.post("/cgi-bin/menu/create", {"button": TAGGED["button"]})
    before = emulator.chat("zhou")
    body = {"touser": emulator.openid("zhou"), **body} if path.startswith("message/custom") else body
    assert errcode(product.post(f"/cgi-bin/{path}", body)) == 47001
    assert emulator.chat("zhou") == before
    emulator.does("zhou", "open_account")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("menu/create", {"button": ["接单", "转办"]}),
        ("menu/create", {"button": [{"name": "更多", "sub_button": ["接单"]}]}),
        ("message/send", {"msgtype": "template_card", "template_card": {**CARD, "button_list": ["接单"]}}),
        ("message/send", {"msgtype": "news", "news": {"articles": ["x"]}}),
    ],
)
def test_a_part_that_is_not_what_it_is_taken_for_is_refused_by_wecom_too(work: Work, path: str, body: dict[str, Any]) -> None:  # noqa: F811
    assert work.call(path, {"touser": "huang", "agentid": scene.AGENTID, **body})["errcode"] == 47001
    assert work.call("menu/get")["button"] == []


def test_json_too_deep_is_no_json(product: Product) -> None:
    answer = product.http.post(product.base + "/api/cgi-bin/stable_token", content=b'{"a":' + b"[" * 100_000)
    assert errcode(answer.json()) == 47001


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_every_known_address_answers_an_odd_body(emulator: Strings, product: Product, work: Work, odd: Any) -> None:  # noqa: F811
    body = json.dumps(dict.fromkeys(WORDS, odd)).encode()
    for service, rows, token in (
        ("api", official.rows, product.token()["access_token"]),
        ("qyapi", wecom.rows, work.token()),
    ):
        for row in rows:
            answer = product.http.request(
                row.method, f"{emulator.base}/{service}{row.path}", params={"access_token": token, "id": "x"}, content=body
            )
            assert answer.status_code == 200, row.path
            assert isinstance(answer.json(), dict), row.path


def test_half_a_character_is_refused_and_spoils_nothing(emulator: Strings, product: Product) -> None:
    emulator.does("zhou", "follow")
    token = product.token()["access_token"]
    body = f'{{"openid": "{emulator.openid("zhou")}", "remark": "\\ud83d"}}'.encode()
    url = product.base + "/api/cgi-bin/user/info/updateremark"
    assert errcode(product.http.post(url, params={"access_token": token}, content=body).json()) == 47001
    assert emulator.ask("GET", "/state")["people"]["zhou"]["following"][scene.APPID]["remark"] == ""
    assert emulator.transcript(path="/updateremark")
    whole = body.replace(b"\\ud83d", b"\\ud83d\\ude00")
    assert errcode(product.http.post(url, params={"access_token": token}, content=whole).json()) == 0
