"""Menus, scenes, files, templates, customer service, subscriptions, mass messages: what is admitted and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import scene
from emulator.official.templates import LIBRARY
from emulator.store import digest
from emulator.testing import Strings
from tests.emulator import http
from tests.emulator.callback import TOKEN, Callback
from tests.emulator.product import Product, errcode

JPEG, AMR = b"\xff\xd8\xff\xe0" + bytes(64), b"#!AMR\n" + bytes(64)
TEMPLATE = "T" + digest("43216")[:42]
GOOD = {"character_string1": "LG-2026-000123", "thing2": "河道堵塞", "thing3": "鹭港 07", "time4": "2026年11月27日 18:00"}


def follow(emulator: Strings, person: str = "zhou") -> str:
    emulator.does(person, "follow")
    return emulator.openid(person)


def kinds(emulator: Strings, person: str = "zhou") -> list[str]:
    return [line["kind"] for line in emulator.chat(person) if line["by"] == "account"]


# --- menus

CLICK = {"type": "click", "name": "上报", "key": "report"}


def view(url: str) -> dict[str, str]:
    return {"type": "view", "name": "上报", "url": url}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([{**CLICK, "name": "十七个字节以上的名字"}], 40018),
        ([{**CLICK, "type": "teleport"}], 40017),
        ([{**CLICK, "key": ""}], 40019),
        ([{**CLICK, "key": "k" * 129}], 40019),
        ([view("ftp://example.com")], 40020),
        ([view("http://elsewhere.example/")], 40055),
        ([{"name": "更多", "sub_button": [CLICK] * 6}], 40023),
        ([{"name": "更多", "sub_button": [{**CLICK, "name": "字" * 21}]}], 40025),
        ([{"name": "更多", "sub_button": [view("http://elsewhere.example/")]}], 40054),
    ],
)
def test_a_wrong_menu_is_refused_with_its_number(emulator: Strings, product: Product, buttons: list[Any], code: int) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", menu_domains=["street.example"])
    assert errcode(product.post("/cgi-bin/menu/create", {"button": buttons})) == code
    assert errcode(product.get("/cgi-bin/menu/get")) == 46003


def test_a_phone_sees_a_new_menu_only_after_five_minutes(emulator: Strings, product: Product) -> None:
    follow(emulator)
    product.post("/cgi-bin/menu/create", {"button": [CLICK]})
    assert emulator.does("zhou", "open_account")["menu"] == [CLICK]
    product.post("/cgi-bin/menu/create", {"button": [{**CLICK, "name": "新的"}]})
    assert emulator.does("zhou", "open_account")["menu"] == [CLICK]
    with pytest.raises(ValueError, match="no 新的"):
        emulator.does("zhou", "tap_menu", name="新的")
    emulator.advance(301)
    assert emulator.does("zhou", "open_account")["menu"][0]["name"] == "新的"


def test_a_conditional_menu_goes_by_tag(emulator: Strings, product: Product) -> None:
    zhou, he = follow(emulator), follow(emulator, "he")
    product.post("/cgi-bin/menu/create", {"button": [CLICK]})
    tag = product.post("/cgi-bin/tags/create", {"tag": {"name": "领导"}})["tag"]["id"]
    product.post("/cgi-bin/tags/members/batchtagging", {"openid_list": [he], "tagid": tag})
    leaders = [{**CLICK, "name": "待处理"}]
    number = product.post("/cgi-bin/menu/addconditional", {"button": leaders, "matchrule": {"tag_id": str(tag)}})["menuid"]
    assert product.post("/cgi-bin/menu/trymatch", {"user_id": he})["button"] == leaders
    assert product.post("/cgi-bin/menu/trymatch", {"user_id": zhou})["button"] == [CLICK]
    assert product.get("/cgi-bin/tags/get")["tags"] == [{"id": tag, "name": "领导", "count": 1}]
    product.post("/cgi-bin/menu/delconditional", {"menuid": number})
    assert product.post("/cgi-bin/menu/trymatch", {"user_id": he})["button"] == [CLICK]


# --- scenes


def code_of(product: Product, action: str = "QR_STR_SCENE", seconds: int = 600, **scene_of: Any) -> dict[str, Any]:
    given = {"action_name": action, "action_info": {"scene": scene_of}, "expire_seconds": seconds}
    return product.post("/cgi-bin/qrcode/create", given)


def test_a_strangers_scan_follows_and_a_followers_scan_is_another_event(
    emulator: Strings, product: Product, callback: Callback
) -> None:
    emulator.server(callback.url, token=TOKEN)
    code = code_of(product, scene_str="gp:17")
    emulator.does("zhou", "scan", text=code["url"])
    emulator.does("zhou", "scan", text=code["ticket"])
    keys = [(push.fields["Event"], push.fields["EventKey"], push.fields["Ticket"]) for push in callback.pushes]
    assert keys == [("subscribe", "qrscene_gp:17", code["ticket"]), ("SCAN", "gp:17", code["ticket"])]
    assert product.get("/cgi-bin/user/info", openid=emulator.openid("zhou"))["qr_scene_str"] == "gp:17"


def test_a_code_ends_when_it_said(emulator: Strings, product: Product) -> None:
    code = code_of(product, scene_str="bind:1", seconds=600)
    assert code["expire_seconds"] == 600
    emulator.advance(601)
    with pytest.raises(ValueError, match="过期"):
        emulator.does("zhou", "scan", text=code["url"])


def test_a_permanent_scene_has_one_code_and_there_are_so_many(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", f"/accounts/{scene.APPID}", limits={"qrcodes": 1})
    first = code_of(product, "QR_LIMIT_STR_SCENE", scene_str="gp:1")
    assert "expire_seconds" not in first
    assert code_of(product, "QR_LIMIT_STR_SCENE", scene_str="gp:1")["ticket"] == first["ticket"]
    assert errcode(code_of(product, "QR_LIMIT_STR_SCENE", scene_str="gp:2")) == 45029


@pytest.mark.parametrize(
    ("action", "seconds", "scene_of", "code"),
    [
        ("QR_NONE", 60, {"scene_str": "a"}, 40053),
        ("QR_STR_SCENE", 60, {"scene_str": ""}, 40053),
        ("QR_STR_SCENE", 60, {"scene_str": "a" * 65}, 40053),
        ("QR_SCENE", 60, {"scene_id": 0}, 40053),
        ("QR_LIMIT_SCENE", 60, {"scene_id": 100_001}, 40053),
        ("QR_STR_SCENE", 2_592_001, {"scene_str": "a"}, 40058),
    ],
)
def test_a_wrong_scene_is_refused(product: Product, action: str, seconds: int, scene_of: dict[str, Any], code: int) -> None:
    assert errcode(code_of(product, action, seconds, **scene_of)) == code


def test_the_picture_of_a_code_is_shown_and_of_no_other(product: Product) -> None:
    code = code_of(product, scene_str="gp:1")
    shown = http.get(f"{product.base}/mp/cgi-bin/showqrcode", params={"ticket": code["ticket"]})
    assert shown.content.startswith(b"\x89PNG")
    assert http.get(f"{product.base}/mp/cgi-bin/showqrcode", params={"ticket": "none"}).status_code == 404


# --- files


def test_a_file_lives_three_days(emulator: Strings, product: Product) -> None:
    media_id = product.upload("image", JPEG)["media_id"]
    words = {"access_token": product._token, "media_id": media_id}
    got = product.http.get(f"{product.base}/api/cgi-bin/media/get", params=words)
    assert (got.content, got.headers["content-type"]) == (JPEG, "image/jpeg")
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    emulator.advance(3 * 86_400 + 1)
    product._token = ""
    assert errcode(product.get("/cgi-bin/media/get", media_id=media_id)) == 40007


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("hologram", JPEG, 40004),
        ("image", b"", 41005),
        ("image", b"<html>", 40005),
        ("image", JPEG + bytes(10 * 1024 * 1024), 40006),
        ("voice", AMR + bytes(2 * 1024 * 1024), 40006),
        ("voice", JPEG, 40005),
        ("thumb", JPEG + bytes(64 * 1024), 40006),
    ],
)
def test_a_wrong_file_is_refused(product: Product, kind: str, data: bytes, code: int) -> None:
    assert errcode(product.upload(kind, data)) == code


def test_a_voice_is_also_had_in_its_better_form_and_a_video_by_its_address(product: Product) -> None:
    voice = product.upload("voice", AMR)["media_id"]
    words = {"access_token": product._token, "media_id": voice}
    assert (
        product.http.get(f"{product.base}/api/cgi-bin/media/get/jssdk", params=words).headers["content-type"] == "voice/speex"
    )
    film = bytes(4) + b"ftypmp42"
    video = product.upload("video", film)["media_id"]
    url = product.get("/cgi-bin/media/get", media_id=video)["video_url"]
    assert http.get(url).content == film


def test_a_photo_sent_in_the_chat_can_be_fetched_both_ways(emulator: Strings, product: Product, callback: Callback) -> None:
    emulator.server(callback.url, token=TOKEN)
    follow(emulator)
    emulator.does("zhou", "send_photo")
    fields = callback.pushes[-1].fields
    words = {"access_token": product.token()["access_token"], "media_id": fields["MediaId"]}
    by_id = product.http.get(f"{product.base}/api/cgi-bin/media/get", params=words).content
    assert by_id == http.get(fields["PicUrl"]).content == scene.picture("street")


# --- template messages


def send(product: Product, openid: str, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    values = {name: {"value": value} for name, value in (GOOD if data is None else data).items()}
    return product.post("/cgi-bin/message/template/send", {"touser": openid, "template_id": TEMPLATE, "data": values, **more})


def test_a_card_shows_its_fields_and_neither_first_line_nor_remark(emulator: Strings, product: Product) -> None:
    openid = follow(emulator)
    data = {**GOOD, "first": "您好！", "remark": "请尽快"}
    assert errcode(send(product, openid, data, url="http://street.example/c/1")) == 0
    card = emulator.chat("zhou")[-1]["data"]
    assert (card["title"], card["url"]) == ("工单处理通知", "http://street.example/c/1")
    assert card["lines"] == [
        ["工单编号", "LG-2026-000123"],
        ["事项类型", "河道堵塞"],
        ["所在网格", "鹭港 07"],
        ["办理期限", "2026年11月27日 18:00"],
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing2", "字" * 21),
        ("thing2", "两\n行"),
        ("thing2", ""),
        ("character_string1", "编号"),
        ("character_string1", "a" * 33),
        ("time4", "明天下午"),
    ],
)
def test_a_wrong_field_is_named(emulator: Strings, product: Product, field: str, value: str) -> None:
    answer = send(product, follow(emulator), {**GOOD, field: value})
    assert errcode(answer) == 47003
    assert f"data.{field}.value" in answer["errmsg"]
    assert "template" not in kinds(emulator)


@pytest.mark.parametrize(
    ("content", "good", "bad"),
    [
        ("number1", "12.5", "十二"),
        ("letter1", "abc", "a1"),
        ("phrase1", "已受理", "超过五个汉字了"),
        ("name1", "陈勇", "十一个汉字的名字实在太长"),
        ("phone_number1", "+86-755-1234567", "一二三"),
        ("amount1", "¥12.50", "很多"),
        ("car_number1", "粤B12345", "b1"),
        ("date1", "2026-11-27", "27/11"),
        ("time1", "2026年11月27日 08:00~2026年11月27日 18:00", "下午"),
        ("const1", "紧急", "闲着"),
    ],
)
def test_each_type_of_field_has_its_rule(emulator: Strings, product: Product, content: str, good: str, bad: str) -> None:
    template = {"id": "X1", "title": "试", "content": f"项目：{{{{{content}.DATA}}}}", "enums": {"const1": ["紧急", "一般"]}}
    emulator.ask("POST", f"/accounts/{scene.APPID}/templates", **template)
    openid = follow(emulator)
    codes = []
    for value in (good, bad):
        body = {"touser": openid, "template_id": "X1", "data": {content: {"value": value}}}
        codes.append(errcode(product.post("/cgi-bin/message/template/send", body)))
    assert codes == [0, 47003]


def test_unknown_templates_and_people_and_strangers_are_refused(emulator: Strings, product: Product) -> None:
    openid = emulator.openid("zhou")
    assert errcode(send(product, openid, template_id="none")) == 40037
    assert errcode(send(product, "nobody")) == 40003
    assert errcode(send(product, openid)) == 43004


def test_the_same_key_within_ten_minutes_is_sent_once(emulator: Strings, product: Product) -> None:
    openid = follow(emulator)
    first = send(product, openid, client_msg_id="n-1")
    assert send(product, openid, client_msg_id="n-1")["msgid"] == first["msgid"]
    assert kinds(emulator) == ["template"]
    emulator.advance(601)
    assert send(product, openid, client_msg_id="n-1")["msgid"] != first["msgid"]
    assert kinds(emulator) == ["template"] * 2


def test_the_status_is_told_once_for_each(emulator: Strings, product: Product, callback: Callback) -> None:
    emulator.server(callback.url, token=TOKEN)
    openid = follow(emulator)
    emulator.settings(template_status=["success", "failed: system failed"])
    numbers = [send(product, openid)["msgid"] for _message in range(2)]
    emulator.settle()
    emulator.does("zhou", "block")
    numbers.append(send(product, openid)["msgid"])
    emulator.settle()
    told = [push.fields for push in callback.pushes if push.fields.get("Event") == "TEMPLATESENDJOBFINISH"]
    assert [(int(one["MsgID"]), one["Status"]) for one in told] == list(
        zip(numbers, ["success", "failed: system failed", "failed:user block"], strict=True)
    )
    assert kinds(emulator) == ["template"]


def test_an_account_has_at_most_25_templates(emulator: Strings, product: Product) -> None:
    before = len(product.get("/cgi-bin/template/get_all_private_template")["template_list"])
    codes = [
        errcode(product.post("/cgi-bin/template/api_add_template", {"template_id_short": "43216"}))
        for _one in range(26 - before)
    ]
    assert codes == [0] * (25 - before) + [45026]
    assert errcode(product.post("/cgi-bin/template/api_add_template", {"template_id_short": "0"})) == 40037
    assert len(LIBRARY) == before


# --- customer service


def text(product: Product, openid: str, words: str = "您好") -> int:
    given = {"touser": openid, "msgtype": "text", "text": {"content": words}}
    return errcode(product.post("/cgi-bin/message/custom/send", given))


def test_a_message_opens_48_hours_for_five(emulator: Strings, product: Product) -> None:
    openid = follow(emulator)
    emulator.advance(61)
    assert text(product, openid) == 45015
    emulator.does("zhou", "say", text="在吗")
    assert [text(product, openid) for _message in range(6)] == [0] * 5 + [45047]
    emulator.does("zhou", "say", text="在吗")
    emulator.advance(48 * 3600 - 1)
    product._token = ""
    assert text(product, openid) == 0
    emulator.advance(2)
    assert text(product, openid) == 45015


def test_a_follow_a_click_and_a_scan_open_a_minute_for_three_and_a_page_opens_none(emulator: Strings, product: Product) -> None:
    product.post("/cgi-bin/menu/create", {"button": [CLICK, {**view("http://street.example/"), "name": "网页"}]})
    openid = follow(emulator)
    assert [text(product, openid) for _message in range(4)] == [0] * 3 + [45047]
    emulator.advance(61)
    emulator.does("zhou", "tap_menu", name="网页")
    assert text(product, openid) == 45015
    emulator.does("zhou", "tap_menu", name="上报")
    assert text(product, openid) == 0
    emulator.advance(61)
    assert text(product, openid) == 45015


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "长" * 700}}, 45002),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "telepathy"}, 40008),
        ({"msgtype": "text", "text": {"content": "好"}, "touser": "nobody"}, 40003),
    ],
)
def test_a_wrong_service_message_is_refused_and_costs_nothing(
    emulator: Strings, product: Product, given: dict[str, Any], code: int
) -> None:
    openid = follow(emulator)
    assert errcode(product.post("/cgi-bin/message/custom/send", {"touser": openid, **given})) == code
    assert [text(product, openid) for _message in range(4)] == [0] * 3 + [45047]


def test_leaving_closes_everything(emulator: Strings, product: Product, callback: Callback) -> None:
    emulator.server(callback.url, token=TOKEN)
    openid = follow(emulator)
    emulator.does("zhou", "unfollow")
    assert text(product, openid) == 43004
    assert set(product.get("/cgi-bin/user/info", openid=openid)) == {"subscribe", "openid", "unionid"}
    assert callback.kinds() == ["subscribe", "unsubscribe"]
    with pytest.raises(ValueError, match="does not follow"):
        emulator.does("zhou", "say", text="在吗")


# --- subscriptions and mass messages


def subscribed(product: Product, openid: str) -> int:
    data = {name: {"value": value} for name, value in GOOD.items()}
    return errcode(
        product.post("/cgi-bin/message/subscribe/bizsend", {"touser": openid, "template_id": TEMPLATE, "data": data})
    )


def test_each_grant_is_for_one_notice(emulator: Strings, product: Product, callback: Callback) -> None:
    emulator.server(callback.url, token=TOKEN)
    openid = follow(emulator)
    assert subscribed(product, openid) == 43101
    emulator.does("zhou", "subscribe", answers={TEMPLATE: "accept"})
    assert [subscribed(product, openid), subscribed(product, openid)] == [0, 43101]
    emulator.settle()
    assert callback.kinds()[-2:] == ["subscribe_msg_popup_event", "subscribe_msg_sent_event"]
    assert callback.pushes[-1].fields["SubscribeMsgSentEvent"]["List"]["ErrorStatus"] == "success"
    emulator.does("zhou", "subscribe", answers={TEMPLATE: "reject"})
    assert subscribed(product, openid) == 43101


def test_a_long_term_grant_lasts_until_it_is_taken_back(emulator: Strings, product: Product) -> None:
    openid = follow(emulator)
    template = {"id": "L1", "title": "长期", "content": "事项：{{thing1.DATA}}", "kind": 3, "is_subscription": True}
    emulator.ask("POST", f"/accounts/{scene.APPID}/templates", **template)
    emulator.does("zhou", "subscribe", answers={"L1": "accept"})
    body = {"touser": openid, "template_id": "L1", "data": {"thing1": {"value": "河道"}}}
    assert [errcode(product.post("/cgi-bin/message/subscribe/bizsend", body)) for _message in range(3)] == [0, 0, 0]
    emulator.does("zhou", "refuse_template", template="L1")
    assert errcode(product.post("/cgi-bin/message/subscribe/bizsend", body)) == 43101
    with pytest.raises(ValueError, match="not asked for together"):
        emulator.does("zhou", "subscribe", answers={"L1": "accept", TEMPLATE: "accept"})


def test_four_mass_messages_a_month_reach_a_follower(emulator: Strings, product: Product, callback: Callback) -> None:
    emulator.server(callback.url, token=TOKEN)
    follow(emulator)
    given = {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": "通知"}}
    assert [errcode(product.post("/cgi-bin/message/mass/sendall", given)) for _month in range(5)] == [0] * 4 + [45028]
    emulator.settle()
    assert callback.kinds().count("MASSSENDJOBFINISH") == 4
    emulator.advance(32 * 86_400)
    product._token = ""
    assert errcode(product.post("/cgi-bin/message/mass/sendall", given)) == 0
