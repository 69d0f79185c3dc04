"""WeCom: contacts, messages, cards with buttons, sign-in, callbacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from emulator import crypto, scene
from emulator.app import Emulator
from emulator.clock import Clock
from emulator.store import State
from emulator.testing import Strings, in_a_thread
from emulator.xml import to_xml
from tests.emulator import http
from tests.emulator.callback import AES_KEY, TOKEN, Callback, Push

AGENT = f"{scene.CORPID}:{scene.AGENTID}"
AGENT_PATH = f"/corps/{scene.CORPID}/agents/{scene.AGENTID}"
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "河道堵塞", "desc": "LG-2026-000123"},
    "task_id": "case-123",
    "button_list": [{"text": "接单", "key": "take:123", "style": 1}, {"text": "转办", "key": "pass:123"}],
}


class Work:
    """The corporation's API, called by hand as one application or as contacts sync."""

    def __init__(self, base: str, secret: str = scene.AGENT_SECRET) -> None:
        self.base, self.secret, self._token = base, secret, ""
        self.http = httpx.Client(timeout=30, trust_env=False, verify=False)

    def token(self) -> str:
        words = {"corpid": scene.CORPID, "corpsecret": self.secret}
        return str(self.http.get(f"{self.base}/qyapi/cgi-bin/gettoken", params=words).json()["access_token"])

    def call(self, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        self._token = self._token or self.token()
        headers = more.pop("headers", {})
        url, words = f"{self.base}/qyapi/cgi-bin/{path}", {"access_token": self._token, **more}
        method = "GET" if body is None else "POST"
        answer = self.http.request(method, url, params=words, json=body, headers=headers)
        assert answer.status_code == 200
        return answer.json()

    def send(self, kind: str = "text", touser: str = "huang", **part: Any) -> dict[str, Any]:
        words = {"touser": touser, "msgtype": kind, "agentid": int(scene.AGENTID), kind: part or {"content": "新工单"}}
        return self.call("message/send", words)


@pytest.fixture
def work(emulator: Strings) -> Iterator[Work]:
    found = Work(emulator.base)
    yield found
    found.http.close()


def connect(emulator: Strings, callback: Callback) -> None:
    callback.verify = lambda query: crypto.decrypt(query["echostr"], key=AES_KEY, receiver=scene.CORPID)
    emulator.ask("POST", AGENT_PATH, url=callback.url, token=TOKEN, aes_key=AES_KEY)


def shown(emulator: Strings, person: str = "huang") -> list[dict[str, Any]]:
    return [line["data"] for line in emulator.chat(person, AGENT)]


def test_an_address_must_decrypt_a_word_within_a_second(emulator: Strings, callback: Callback) -> None:
    with pytest.raises(ValueError, match="验证失败"):  # the ciphertext itself is no answer
        emulator.ask("POST", AGENT_PATH, url=callback.url, token=TOKEN, aes_key=AES_KEY)
    emulator.ask("POST", "/clock", rate=20)
    callback.verify = lambda query: time.sleep(0.2) or crypto.decrypt(query["echostr"], key=AES_KEY, receiver=scene.CORPID)  # type: ignore[func-returns-value]
    with pytest.raises(ValueError, match="超时"):
        emulator.ask("POST", AGENT_PATH, url=callback.url, token=TOKEN, aes_key=AES_KEY)
    emulator.ask("POST", "/clock", rate=1)
    connect(emulator, callback)
    assert emulator.ask("GET", "/state")["corps"][scene.CORPID]["agents"][scene.AGENTID]["url"] == callback.url


def test_a_push_carries_neither_a_plain_signature_nor_plain_fields(emulator: Strings, callback: Callback) -> None:
    connect(emulator, callback)
    emulator.does("huang", "say", agent=AGENT, text="到了")
    (push,) = callback.pushes
    assert set(push.query) == {"msg_signature", "timestamp", "nonce"}
    assert set(push.fields) == {"ToUserName", "Encrypt", "AgentID"}
    assert push.opened(scene.CORPID)["Content"] == "到了"


def test_a_token_is_the_same_while_it_lives(emulator: Strings, work: Work) -> None:
    first = work.token()
    assert work.token() == first
    emulator.advance(7201)
    assert work.token() != first
    work._token = first
    assert work.call("department/list")["errcode"] == 42001
    work._token = "nonsense"
    assert work.call("department/list")["errcode"] == 40014


def test_an_untrusted_address_is_refused(emulator: Strings, work: Work) -> None:
    emulator.ask("POST", AGENT_PATH, ips=["127.0.0.1"])
    assert work.call("department/list")["errcode"] == 0
    assert work.call("department/list", headers={"x-emu-client": "10.9.9.9"})["errcode"] == 60020


def test_contacts_tell_departments_and_ids_but_no_phones(emulator: Strings, work: Work) -> None:
    contacts = Work(emulator.base, scene.CONTACTS_SECRET)
    pairs = contacts.call("user/list_id", {"limit": 3})
    assert [len(pairs["dept_user"]), pairs["next_cursor"]] == [3, "3"]
    assert contacts.call("user/list_id", {"cursor": "3"})["dept_user"] == [
        {"userid": "qian", "department": 4},
        {"userid": "he", "department": 5},
    ]
    assert work.call("user/list_id", {})["errcode"] == 48002
    member = work.call("user/get", userid="huang")
    assert (member["name"], member["department"]) == ("黄海涛", [3])
    assert not {"mobile", "email", "avatar"} & set(member)
    assert work.call("user/get", userid="nobody")["errcode"] == 60111
    assert work.call("department/list", id="99")["errcode"] == 60003
    contacts.http.close()


def test_an_application_sees_only_its_departments(emulator: Strings, work: Work) -> None:
    emulator.ask("POST", AGENT_PATH, visible_departments=[3])
    assert work.call("user/get", userid="shui")["errcode"] == 60011
    assert work.send(touser="shui")["errcode"] == 81013
    assert work.send(touser="@all")["errcode"] == 0
    assert len(shown(emulator)) == 1
    assert not shown(emulator, "shui")


def test_contacts_changes_are_pushed(emulator: Strings, callback: Callback) -> None:
    path = f"/corps/{scene.CORPID}"
    emulator.ask("POST", path, contacts_url=callback.url, contacts_token=TOKEN, contacts_aes_key=AES_KEY)
    emulator.ask("POST", f"{path}/contacts/create_user", userid="wu", name="吴", departments=[3])
    emulator.ask("POST", f"{path}/contacts/update_user", userid="wu", name="吴刚")
    emulator.ask("POST", f"{path}/contacts/delete_user", userid="wu")
    emulator.ask("POST", f"{path}/contacts/create_party", id=9, name="城管")
    emulator.settle()
    told = [push.opened(scene.CORPID) for push in callback.pushes]
    assert [one["ChangeType"] for one in told] == ["create_user", "update_user", "delete_user", "create_party"]
    assert {one["Event"] for one in told} == {"change_contact"}


def test_receivers_are_counted_and_the_unknown_are_named(emulator: Strings, work: Work) -> None:
    answer = work.send(touser="huang|nobody|SHUI")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")
    assert [len(shown(emulator, one)) for one in ("huang", "shui", "qian")] == [1, 1, 0]
    assert (
        work.call("message/send", {"toparty": "3|77", "msgtype": "text", "agentid": scene.AGENTID, "text": {"content": "x"}})[
            "invalidparty"
        ]
        == "77"
    )
    assert work.send(touser="nobody")["errcode"] == 81013
    assert work.send(touser="|".join(map(str, range(1001))))["errcode"] == 40058


@pytest.mark.parametrize(
    ("kind", "part", "code"),
    [
        ("text", {"content": ""}, 44004),
        ("smoke", {"content": "x"}, 40008),
        ("image", {"media_id": "none"}, 40007),
        ("textcard", {"title": "x"}, 40058),
        ("template_card", {**CARD, "card_type": "hologram"}, 42014),
        ("template_card", {**CARD, "task_id": ""}, 42016),
        ("template_card", {**CARD, "button_list": []}, 40058),
        ("template_card", {**CARD, "button_list": CARD["button_list"] * 4}, 40058),
    ],
)
def test_a_wrong_message_is_refused(emulator: Strings, work: Work, kind: str, part: dict[str, Any], code: int) -> None:
    assert work.send(kind, **part)["errcode"] == code
    assert not shown(emulator)


@pytest.mark.parametrize(
    ("kind", "name", "data", "code"),
    [
        ("hologram", "media", b"\xff\xd8\xff\xd9\0\0", 40004),
        ("image", "other", b"\xff\xd8\xff\xd9\0\0", 41005),
        ("image", "media", b"", 40006),
        ("image", "media", b"\xff\xd8\xff\xd9\0", 40006),
        ("image", "media", b"\xff\xd8\xff" + bytes(10 << 20), 40006),
        ("image", "media", b"<html>", 40005),
        ("image", "media", b"\xff\xd8\xff\xd9\0\0", 0),
        ("file", "media", b"<html>", 0),
    ],
)
def test_an_upload_is_checked(work: Work, kind: str, name: str, data: bytes, code: int) -> None:
    url, words = f"{work.base}/qyapi/cgi-bin/media/upload", {"access_token": work.token(), "type": kind}
    answer = work.http.post(url, params=words, files={name: ("a", data, "image/jpeg")}).json()
    assert answer["errcode"] == code
    if not code:
        found = work.http.get(f"{work.base}/qyapi/cgi-bin/media/get", params={**words, "media_id": answer["media_id"]})
        assert found.content == data


def test_news_show_their_articles_without_what_lacks(emulator: Strings, work: Work) -> None:
    work.send("news", articles=[{"title": "通报", "url": "http://street.example/", "picurl": None, "description": 5}])
    (line,) = shown(emulator)
    assert line["articles"] == [{"title": "通报", "text": "5", "picture": "", "url": "http://street.example/"}]


def without_accounts() -> Emulator:
    state = State()
    scene.play(state)
    state.accounts.clear()
    return Emulator(clock=Clock(), state=state)


def test_a_corporation_alone_gets_pictures_of_the_chat_and_of_pages(callback: Callback) -> None:
    with in_a_thread(without_accounts) as strings:
        connect(strings, callback)
        strings.does("huang", "send_photo", agent=AGENT)
        chosen = http.post(f"{strings.base}/res/device/chooseImage", json={"person": "huang", "count": 1}).json()
        page = {"person": "huang", "appId": scene.CORPID, "localId": chosen["localIds"][0]}
        ids = [
            callback.pushes[-1].opened(scene.CORPID)["MediaId"],
            http.post(f"{strings.base}/res/device/uploadImage", json=page).json()["serverId"],
        ]
        caller = Work(strings.base)
        for one in ids:
            words = {"access_token": caller.token(), "media_id": one}
            got = caller.http.get(f"{strings.base}/qyapi/cgi-bin/media/get", params=words)
            assert got.content == scene.picture("street")
        caller.http.close()


def test_another_application_may_not_send(work: Work) -> None:
    words = {"touser": "huang", "msgtype": "text", "agentid": 1000099, "text": {"content": "x"}}
    assert work.call("message/send", words)["errcode"] == 301002


def test_over_thirty_a_minute_a_member_gets_nothing_and_nobody_says_so(emulator: Strings, work: Work) -> None:
    assert {work.send()["errcode"] for _message in range(33)} == {0}
    assert len(shown(emulator)) == 30
    emulator.advance(61)
    work.send()
    assert len(shown(emulator)) == 31


def test_the_same_words_are_sent_once_where_that_is_asked(emulator: Strings, work: Work) -> None:
    words = {
        "touser": "huang", "msgtype": "text", "agentid": int(scene.AGENTID), "text": {"content": "新工单"},
        "enable_duplicate_check": 1, "duplicate_check_interval": 600,
    }  # fmt: skip
    for _again in range(2):
        assert work.call("message/send", words)["errcode"] == 0
    assert len(shown(emulator)) == 1
    emulator.advance(601)
    work.call("message/send", words)
    assert len(shown(emulator)) == 2


def test_a_message_is_recalled_within_a_day(emulator: Strings, work: Work) -> None:
    number = work.send()["msgid"]
    assert work.call("message/recall", {"msgid": number})["errcode"] == 0
    assert not shown(emulator)
    number = work.send()["msgid"]
    emulator.advance(86_401)
    work._token = ""
    assert work.call("message/recall", {"msgid": number})["errcode"] == 46004


# --- cards


def card_of(emulator: Strings, person: str = "huang") -> dict[str, Any]:
    return next(line for line in reversed(emulator.chat(person, AGENT)) if line["kind"] == "card")


def passive(make: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Push], tuple[int, str]]:
    """An encrypted answer to a tap."""

    def answer(push: Push) -> tuple[int, str]:
        fields = push.opened(scene.CORPID)
        reply = {"ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"], "CreateTime": 1, **make(fields)}
        cipher = crypto.encrypt(to_xml(reply), key=AES_KEY, receiver=scene.CORPID)
        signed = crypto.signature(TOKEN, "1", "2", cipher)
        return 200, to_xml({"Encrypt": cipher, "MsgSignature": signed, "TimeStamp": "1", "Nonce": "2"})

    return answer


def test_a_tap_is_pushed_and_its_answer_greys_the_button(emulator: Strings, work: Work, callback: Callback) -> None:
    connect(emulator, callback)
    work.send("template_card", **CARD)
    callback.answer = passive(lambda fields: {"MsgType": "update_button", "Button": {"ReplaceName": "已接单"}})
    emulator.does("huang", "tap_card", agent=AGENT, item=card_of(emulator)["number"], key="take:123")
    told = callback.pushes[-1].opened(scene.CORPID)
    assert (told["Event"], told["EventKey"], told["TaskId"], told["CardType"]) == (
        "template_card_event",
        "take:123",
        "case-123",
        "button_interaction",
    )
    assert card_of(emulator)["data"]["replaced"] == "已接单"
    with pytest.raises(ValueError, match="grey"):
        emulator.does("huang", "tap_card", agent=AGENT, item=card_of(emulator)["number"], key="take:123")


def test_a_passive_answer_may_draw_the_whole_card_anew(emulator: Strings, work: Work, callback: Callback) -> None:
    connect(emulator, callback)
    work.send("template_card", **CARD)
    new = {"CardType": "text_notice", "MainTitle": {"Title": "已接单", "Desc": "黄海涛"}}
    callback.answer = passive(lambda fields: {"MsgType": "update_template_card", "TemplateCard": new})
    emulator.does("huang", "tap_card", agent=AGENT, item=card_of(emulator)["number"], key="take:123")
    assert card_of(emulator)["data"]["main_title"] == {"title": "已接单", "desc": "黄海涛"}


@pytest.mark.parametrize(
    "parts",
    [
        {"MsgType": "update_button", "Button": "已接单"},
        {"MsgType": "update_template_card", "TemplateCard": "已接单"},
        {"MsgType": "update_template_card", "TemplateCard": {"MainTitle": "已接单"}},
    ],
)
def test_an_odd_answer_to_a_tap_changes_nothing_and_the_next_tap_is_told(
    emulator: Strings, work: Work, callback: Callback, parts: dict[str, Any]
) -> None:
    connect(emulator, callback)
    work.send("template_card", **CARD)
    callback.answer = passive(lambda fields: parts)
    before = card_of(emulator)
    for key in ("take:123", "pass:123"):
        emulator.does("huang", "tap_card", agent=AGENT, item=before["number"], key=key)
    assert card_of(emulator) == before
    assert [push.opened(scene.CORPID)["EventKey"] for push in callback.pushes] == ["take:123", "pass:123"]


def test_a_response_code_changes_every_receivers_card_once(emulator: Strings, work: Work) -> None:
    code = work.send("template_card", "huang|shui", **CARD)["response_code"]
    update = {"atall": 1, "agentid": scene.AGENTID, "response_code": code, "button": {"replace_name": "已由黄海涛接单"}}
    assert work.call("message/update_template_card", update)["errcode"] == 0
    assert [card_of(emulator, one)["data"]["replaced"] for one in ("huang", "shui")] == ["已由黄海涛接单"] * 2
    assert work.call("message/update_template_card", update)["errcode"] == 42045


def test_a_response_code_ends_after_72_hours(emulator: Strings, work: Work) -> None:
    code = work.send("template_card", **CARD)["response_code"]
    emulator.advance(72 * 3600 + 1)
    work._token = ""
    update = {"userids": ["huang"], "response_code": code, "button": {"replace_name": "过期"}}
    assert work.call("message/update_template_card", update)["errcode"] == 42045


def test_a_task_has_one_card(work: Work) -> None:
    assert work.send("template_card", **CARD)["errcode"] == 0
    assert work.send("template_card", **CARD)["errcode"] == 42016


# --- sign-in and tickets


def sign_in(emulator: Strings, person: str, scope: str = "snsapi_base") -> str:
    emulator.ask("POST", AGENT_PATH, oauth_domain="street.example")
    words = {
        "appid": scene.CORPID, "redirect_uri": "http://street.example/w", "response_type": "code", "scope": scope,
        "state": "s1", "agentid": scene.AGENTID,
    }  # fmt: skip
    if scope != "snsapi_base":
        words["emu_consent"] = "1"
    answer = http.get(f"{emulator.base}/open/connect/oauth2/authorize", params=words, headers={"x-emu-person": person})
    assert answer.status_code == 302
    return str(httpx.URL(answer.headers["location"]).params["code"])


def test_a_member_signs_in_by_userid_and_a_stranger_by_openid(emulator: Strings, work: Work) -> None:
    code = sign_in(emulator, "huang")
    assert work.call("auth/getuserinfo", code=code)["userid"] == "huang"
    assert work.call("auth/getuserinfo", code=code)["errcode"] == 40163
    stranger = work.call("auth/getuserinfo", code=sign_in(emulator, "zhou"))
    assert "userid" not in stranger
    assert stranger["openid"]


def test_a_phone_number_needs_a_private_sign_in(emulator: Strings, work: Work) -> None:
    assert "user_ticket" not in work.call("auth/getuserinfo", code=sign_in(emulator, "huang"))
    ticket = work.call("auth/getuserinfo", code=sign_in(emulator, "huang", "snsapi_privateinfo"))["user_ticket"]
    assert work.call("auth/getuserdetail", {"user_ticket": ticket})["mobile"].startswith("138")
    emulator.advance(1801)
    assert work.call("auth/getuserdetail", {"user_ticket": ticket})["errcode"] == 40029


def test_tickets_sign_pages_and_are_limited(emulator: Strings, work: Work) -> None:
    emulator.ask("POST", AGENT_PATH, js_domains=["street.example"])
    url = "http://street.example/todo"
    for path, more in (("get_jsapi_ticket", {}), ("ticket/get", {"agentid": scene.AGENTID})):
        query = {"type": "agent_config"} if more else {}
        ticket = work.call(path, **query)["ticket"]
        signed = crypto.jsapi_signature(ticket=ticket, nonce="n", timestamp="1", url=url)
        given = {"appId": scene.CORPID, "nonceStr": "n", "timestamp": 1, "signature": signed, "url": url, **more}
        assert http.post(f"{emulator.base}/res/check", json=given).json() == {"errMsg": "config:ok"}
    codes = [work.call("ticket/get", type="agent_config")["errcode"] for _more in range(100)]
    assert codes == [0] * 99 + [45009]
