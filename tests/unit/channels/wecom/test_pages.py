"""The administrator's page of members, and the signature that WeCom's own scripts want."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from emulator import crypto, scene
from jiequ.channels.wecom import queries
from jiequ.channels.wecom.models import WecomUser
from tests.unit.channels.wecom.office import Office

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
PAGE = "/wecom/members/"


def test_the_administrator_reads_the_contacts_and_ties_members(office: Office) -> None:
    client = office.world.client("xi")
    assert "这里还没有人" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}sync")
    assert "正在读取通讯录" in client.get(PAGE).content.decode()
    office.work()
    page = client.get(PAGE).content.decode()
    assert "部门 5，成员 5，新增 5，离开 0。" in page
    assert "可能是钱江" in page
    row = WecomUser.objects.get(userid="shui")
    refused = client.post(f"{PAGE}{row.pk}/match", {"login": "没有这个人"})
    assert refused.status_code == 422
    assert "名册里没有这个用户名或手机号" in refused.content.decode()
    assert 'value="没有这个人"' in refused.content.decode()
    client.post(f"{PAGE}{row.pk}/match", {"login": "zhao"})
    client.post(f"{PAGE}match-all")
    assert queries.counts() == queries.Counts(5, 5)
    assert "所有成员都已关联" in client.get(PAGE).content.decode()
    matched = client.get(PAGE, {"which": "matched"}).content.decode()
    assert matched.count("解除") == 5
    client.post(f"{PAGE}{row.pk}/unmatch")
    assert queries.person_of("shui") is None
    assert client.post(f"{PAGE}{row.pk}/unmatch").status_code == 409


def test_the_page_costs_the_same_however_many_members_there_are(office: Office) -> None:
    client = office.world.client("xi")
    counts = []
    for size in (1, 40):
        WecomUser.objects.bulk_create(WecomUser(userid=f"m{size}-{n}", departments=[4]) for n in range(size))
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_more_than_a_page_of_members_are_paged(office: Office) -> None:
    WecomUser.objects.bulk_create(WecomUser(userid=f"m{n:03}") for n in range(queries.LENGTH + 1))
    client = office.world.client("xi")
    first = client.get(PAGE).content.decode()
    assert "m049" in first
    assert "m050" not in first
    last = WecomUser.objects.order_by("pk")[queries.LENGTH - 1].pk
    assert f"after={last}" in first
    assert "m050" in client.get(PAGE, {"after": last}).content.decode()


def test_why_a_reading_failed_stands_there_in_words(office: Office) -> None:
    office.emulator.ask("POST", f"/corps/{scene.CORPID}", contacts_ips=["10.1.1.1"])
    client = office.world.client("xi")
    client.post(f"{PAGE}sync")
    office.work()
    assert "服务器的地址不在企业微信的可信 IP 里" in client.get(PAGE).content.decode()


def test_without_wecom_the_page_says_so_and_stands_in_no_bar(world: Any, clock: Any, settings: Any) -> None:
    settings.WECOM_CORPID = ""
    client = world.client("xi")
    assert "没有配置企业微信" in client.get(PAGE).content.decode()
    assert PAGE not in client.get("/me").content.decode()


def test_a_page_is_signed_for_wecoms_scripts(office: Office) -> None:
    url = f"{settings.BASE_URL}/report/?x=1"
    told = Client().get("/wecom/config", {"url": url}).json()
    corp = office.emulator.ask("GET", "/state")["corps"][scene.CORPID]
    tickets = {"config": corp["ticket"]["value"], "agent": corp["agents"][scene.AGENTID]["ticket"]["value"]}
    for name, ticket in tickets.items():
        words = {"nonce": told[name]["nonceStr"], "timestamp": str(told[name]["timestamp"]), "url": url}
        assert told[name]["signature"] == crypto.jsapi_signature(ticket=ticket, **words)
    assert (told["config"]["appId"], told["agent"]["agentid"]) == (scene.CORPID, scene.AGENTID)


def test_the_report_page_offers_wecoms_location_and_scanner_in_wecoms_browser_only(office: Office) -> None:
    client, wecom = office.world.client("huang"), {"user-agent": "iPhone wxwork/4.1 MicroMessenger/7.0"}
    assert 'data-wechat-config="/wecom/config"' in client.get("/report/", headers=wecom).content.decode()
    assert "data-wechat-config" not in client.get("/report/").content.decode()


def test_a_member_whom_nobody_knows_reaches_the_report_page_all_the_same(office: Office) -> None:
    client = Client(headers={"user-agent": "iPhone wxwork/4.1 MicroMessenger/7.0"})
    assert client.get("/report/")["Location"].startswith("/wecom/sign-in?")
    client.cookies.pop("jiequ_tried")
    assert "/report/" in client.get("/wecom/tie", {"next": "/report/"}).content.decode()
    assert client.get("/report/").status_code == 200


def test_no_other_site_is_signed_and_a_platform_that_fails_is_told_in_words(office: Office) -> None:
    assert Client().get("/wecom/config", {"url": "https://evil.example/"}).status_code == 422
    assert Client().get("/wecom/config", {"url": f"{settings.BASE_URL}.evil.example/"}).status_code == 422
    assert Client().get("/wecom/config", {"url": "http://["}).status_code == 422
    office.emulator.fault("status", "/qyapi/cgi-bin/*", status=502, times=9)
    assert Client().get("/wecom/config", {"url": f"{settings.BASE_URL}/"}).status_code == 422
