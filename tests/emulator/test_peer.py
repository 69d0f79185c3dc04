"""The emulator and wechatpy understand each other, each as client and as server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature
from wechatpy.work import parse_message as parse_work
from wechatpy.work.crypto import WeChatCrypto as WorkCrypto

from emulator import crypto, scene
from emulator.testing import Strings
from tests.emulator import http, peer
from tests.emulator.callback import AES_KEY, TOKEN, Callback, Push

JPEG = b"\xff\xd8\xff\xe0" + bytes(200)
AGENT = f"{scene.CORPID}:{scene.AGENTID}"


@pytest.fixture
def client(emulator: Strings) -> Iterator[Any]:
    found = peer.official(emulator.base)
    yield found
    found._http.close()


@pytest.fixture
def work_client(emulator: Strings) -> Iterator[Any]:
    found = peer.work(emulator.base)
    yield found
    found._http.close()


def open_by_peer(push: Push) -> Any:
    """A secure push as wechatpy reads it."""
    query = push.query
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    read = WeChatCrypto(TOKEN, AES_KEY, scene.APPID)
    return parse_message(read.decrypt_message(push.body, query["msg_signature"], query["timestamp"], query["nonce"]))


def test_each_reads_what_the_other_encrypts() -> None:
    theirs = WeChatCrypto(TOKEN, AES_KEY, scene.APPID)
    sealed = theirs.encrypt_message("<xml><a>河道</a></xml>", "12", "34")
    cipher = sealed.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    assert crypto.decrypt(cipher, key=AES_KEY, receiver=scene.APPID) == "<xml><a>河道</a></xml>"
    ours = crypto.encrypt("<xml><a>河道</a></xml>", key=AES_KEY, receiver=scene.APPID)
    signed = crypto.signature(TOKEN, "34", "12", ours)
    body = f"<xml><Encrypt><![CDATA[{ours}]]></Encrypt></xml>"
    assert theirs.decrypt_message(body, signed, "34", "12") == "<xml><a>河道</a></xml>"


def test_the_peer_reads_every_message_and_answers_in_the_chat(emulator: Strings, callback: Callback) -> None:
    seen: list[Any] = []

    def answer(push: Push) -> tuple[int, str]:
        message = open_by_peer(push)
        seen.append(message)
        reply = create_reply(f"收到{message.type}", message).render()
        return 200, WeChatCrypto(TOKEN, AES_KEY, scene.APPID).encrypt_message(reply, "7", "8")

    callback.answer = answer
    emulator.server(callback.url, token=TOKEN, aes_key=AES_KEY, mode="secure")
    emulator.does("zhou", "follow")
    emulator.does("zhou", "say", text="河道堵了]]>&<")
    emulator.does("zhou", "send_photo")
    emulator.does("zhou", "send_voice", words="河道堵了")
    emulator.does("zhou", "send_video")
    emulator.does("zhou", "send_video", kind="shortvideo")
    emulator.does("zhou", "send_place")
    emulator.does("zhou", "send_link", title="题", url="http://example.com/")
    kinds = [message.type for message in seen]
    assert kinds == ["event", "text", "image", "voice", "video", "shortvideo", "location", "link"]
    assert seen[0].event == "subscribe"
    assert seen[1].content == "河道堵了]]>&<"
    assert seen[2].image.endswith(seen[2].media_id)
    assert seen[3].recognition == "河道堵了"
    lat, lon = map(float, seen[6].location)
    assert (round(lat - 23.190594, 3), round(lon - 113.495562, 3)) == (-0.003, 0.005)  # GCJ-02, not where the phone is
    shown = [line["data"]["text"] for line in emulator.chat("zhou") if line["by"] == "account"]
    assert shown == [f"收到{kind}" for kind in kinds]


def test_the_peer_reads_every_event(emulator: Strings, callback: Callback, client: Any) -> None:
    seen: list[Any] = []
    callback.answer = lambda push: (seen.append(open_by_peer(push)), (200, ""))[1]  # type: ignore[func-returns-value]
    emulator.server(callback.url, token=TOKEN, aes_key=AES_KEY, mode="secure")
    kinds = ("click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "location_select")
    buttons = [{"type": kind, "name": f"按钮{number}", "key": f"key-{kind}"} for number, kind in enumerate(kinds)]
    url = {"type": "view", "name": "网页", "url": "http://example.com/a"}
    client.menu.create({"button": [{"name": "一", "sub_button": buttons[:5]}, buttons[5], url]})
    code = client.qrcode.create(
        {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "bind:1"}}, "expire_seconds": 600}
    )
    emulator.does("zhou", "scan", text=code["url"])
    emulator.does("zhou", "scan", text=code["url"])
    for name in [one["name"] for one in buttons] + ["网页"]:
        emulator.does("zhou", "tap_menu", name=name, scan="12345")
    emulator.does("zhou", "report_place")
    emulator.does("zhou", "unfollow")
    events = [message.event for message in seen]
    assert events[:2] == ["subscribe_scan", "scan"]
    assert events[2:] == [*kinds, "view", "location", "unsubscribe"]
    assert (seen[0].scene_id, seen[1].scene_id) == ("bind:1", "bind:1")
    assert seen[2].key == "key-click"
    assert seen[3].scan_result == "12345"
    assert seen[8].url == "http://example.com/a"


def test_the_peers_client_works_against_the_emulator(emulator: Strings, client: Any) -> None:
    emulator.does("zhou", "follow")
    openid = emulator.openid("zhou")
    assert client.user.get(openid)["subscribe"] == 1
    assert client.user.get_followers()["data"]["openid"] == [openid]
    tag = client.tag.create("网格员")
    client.tag.tag_user(tag["id"], openid)
    assert client.tag.get_user_tag(openid) == [tag["id"]]
    media_id = client.media.upload("image", ("a.jpg", io.BytesIO(JPEG), "image/jpeg"))["media_id"]
    assert client.media.download(media_id).content == JPEG
    client.message.send_image(openid, media_id)
    emulator.does("zhou", "say", text="在吗")
    client.message.send_text(openid, "在")
    assert [line["kind"] for line in emulator.chat("zhou")] == ["note", "image", "text", "text"]
    assert client.misc.get_wechat_ips() == ["127.0.0.1"]


def test_menus_of_the_peer_come_back(emulator: Strings, client: Any) -> None:
    menu = {"button": [{"type": "click", "name": "我要上报", "key": "report"}]}
    client.menu.create(menu)
    assert client.menu.get()["menu"] == menu
    tag = client.tag.create("领导")
    client.menu.add_conditional({**menu, "matchrule": {"tag_id": str(tag["id"])}})
    assert len(client.menu.get()["conditionalmenu"]) == 1
    client.menu.delete()
    assert client.menu.get() is None  # the peer's word for 46003


def test_a_template_message_of_the_peer_is_shown_and_its_status_told(
    emulator: Strings, callback: Callback, client: Any
) -> None:
    seen: list[Any] = []
    callback.answer = lambda push: (seen.append(open_by_peer(push)), (200, "success"))[1]  # type: ignore[func-returns-value]
    emulator.server(callback.url, token=TOKEN, aes_key=AES_KEY, mode="secure")
    emulator.does("zhou", "follow")
    template_id = client.template.add("43216")
    assert template_id in json.dumps(client.template.get_all_private_template())
    words = {"character_string1": "LG-2026-000123", "thing2": "河道堵塞", "thing3": "鹭港 07", "time4": "2026-11-27 18:00"}
    data = {name: {"value": value} for name, value in words.items()}
    sent = client.message.send_template(emulator.openid("zhou"), template_id, data, url="http://example.com/c/1")
    emulator.settle()
    card = emulator.chat("zhou")[-1]["data"]
    assert card["lines"] == [
        ["工单编号", "LG-2026-000123"],
        ["事项类型", "河道堵塞"],
        ["所在网格", "鹭港 07"],
        ["办理期限", "2026-11-27 18:00"],
    ]
    assert (seen[-1].event, seen[-1].status, int(seen[-1].id)) == ("templatesendjobfinish", "success", sent["msgid"])


def test_the_peer_refreshes_a_token_that_another_took_away(emulator: Strings, client: Any) -> None:
    first = client.access_token
    for _other in range(2):
        http.get(
            f"{emulator.base}/api/cgi-bin/token",
            params={"grant_type": "client_credential", "appid": scene.APPID, "secret": scene.SECRET},
        )
    assert client.user.get_followers()["total"] == 0
    assert client.access_token != first


def test_the_peers_sign_in_brings_the_openid(emulator: Strings) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", oauth_domain="street.example")
    oauth = peer.oauth(emulator.base, "http://street.example/back?next=/a")
    url = peer.turned_url(emulator.base, oauth.authorize_url)
    sent_back = http.get(url, headers={"x-emu-person": "zhou"})
    assert sent_back.status_code == 302
    query = httpx.URL(sent_back.headers["location"]).params
    assert (query["next"], query["state"]) == ("/a", "s1")
    assert oauth.fetch_access_token(query["code"])["openid"] == emulator.openid("zhou")
    oauth._http.close()


def test_the_peers_page_signature_is_accepted(emulator: Strings, client: Any) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", js_domains=["street.example"])
    ticket = client.jsapi.get_jsapi_ticket()
    url = "http://street.example/report?a=1"
    signed = client.jsapi.get_jsapi_signature("nonce", ticket, 1414587457, url)
    given = {"appId": scene.APPID, "timestamp": 1414587457, "nonceStr": "nonce", "signature": signed, "url": url + "#map"}
    check = http.post(f"{emulator.base}/res/check", json=given).json()
    assert check == {"errMsg": "config:ok"}
    assert http.post(f"{emulator.base}/res/check", json={**given, "url": url + "&b=2"}).json() == {
        "errMsg": "config:invalid signature"
    }
    assert http.post(f"{emulator.base}/res/check", json={**given, "url": "http://evil.example/"}).json() == {
        "errMsg": "config:invalid url domain"
    }


# --- WeCom


def test_the_peer_reads_an_applications_pushes_and_answers(emulator: Strings, callback: Callback) -> None:
    theirs = WorkCrypto(TOKEN, AES_KEY, scene.CORPID)
    callback.verify = lambda query: theirs.check_signature(
        query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
    )
    seen: list[Any] = []

    def answer(push: Push) -> tuple[int, str]:
        query = push.query
        message = parse_work(theirs.decrypt_message(push.body, query["msg_signature"], query["timestamp"], query["nonce"]))
        seen.append(message)
        if message.type == "event":
            return 200, ""
        reply = (
            f"<xml><ToUserName>{message.source}</ToUserName><FromUserName>{message.target}</FromUserName>"
            "<CreateTime>1</CreateTime><MsgType>text</MsgType><Content>收到</Content></xml>"
        )
        return 200, theirs.encrypt_message(reply, "7", "8")

    callback.answer = answer
    path = f"/corps/{scene.CORPID}/agents/{scene.AGENTID}"
    emulator.ask("POST", path, url=callback.url, token=TOKEN, aes_key=AES_KEY)
    emulator.does("huang", "open_account", agent=AGENT)
    emulator.does("huang", "say", agent=AGENT, text="到了")
    emulator.does("huang", "send_photo", agent=AGENT)
    assert [message.type for message in seen] == ["event", "text", "image"]
    assert (seen[1].source, seen[1].target, seen[1].content, str(seen[1].agent)) == (
        "huang",
        scene.CORPID,
        "到了",
        scene.AGENTID,
    )
    assert emulator.chat("huang", AGENT)[-1]["data"]["text"] == "收到"


def test_the_peers_work_client_works_against_the_emulator(emulator: Strings, work_client: Any) -> None:
    names = [one["name"] for one in work_client.department.list()]
    assert "水务" in names
    assert work_client.user.get("huang")["name"] == "黄海涛"
    work_client.message.send_text(scene.AGENTID, ["huang", "nobody"], content="新工单")
    assert emulator.chat("huang", AGENT)[-1]["data"]["text"] == "新工单"
    media_id = work_client.media.upload("image", ("a.jpg", io.BytesIO(JPEG), "image/jpeg"))["media_id"]
    assert http.get(peer.turned_url(emulator.base, work_client.media.get_url(media_id))).content == JPEG
    assert work_client.jsapi.get_ticket()["ticket"]
