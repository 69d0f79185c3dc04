"""Plates: a sheet to print, codes that last, and what a scan of one leads to, with an account and without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.channels.client import ApiError
from jiequ.core.models import Job
from jiequ.doors.wechat_pages import rules
from jiequ.doors.wechat_pages.models import PlateCode, Sheet
from jiequ.doors.wechat_pages.services import plates
from jiequ.grid.models import UnitGrid
from jiequ.grid.services import add_point
from jiequ.grid.services.points import PointFacts
from tests import office
from tests.actors import NOW, World
from tests.unit.wechat_pages.phones import Phones, phone

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])


@pytest.fixture
def exports(settings: Any, tmp_path: Path) -> Path:
    settings.EXPORTS = tmp_path
    return tmp_path


def point(world: World, code: str = "JK001") -> Any:
    lon, lat = world.point_in("a")
    facts = PointFacts(code=code, name="鹭溪河桥", kind="drone", x=lon, y=lat)
    return add_point(street_id=world.street.pk, facts=facts, by=world.actor("xi"), at=NOW)


def asks(world: World, who: str = "lin", **given: Any) -> Any:
    client = world.client(who)
    return client.post("/plates/", {"street": world.street.pk, "community": "", **given})


def test_without_an_account_a_plate_s_code_opens_the_report_page(phones: Phones, settings: Any, exports: Path) -> None:
    settings.WECHAT_APPID = ""
    made = point(phones.world)
    assert asks(phones.world).status_code == 302
    phones.work()
    sheet = Sheet.objects.get()
    assert (sheet.state, sheet.plates) == ("ready", 1)
    client = phones.world.client("lin")
    file = client.get(f"/plates/{sheet.pk}")
    assert (file["Content-Type"], file["Cache-Control"]) == ("application/pdf", "private, no-store")
    assert b"".join(file.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    said = office.pdf_text(plates.file_of(sheet))
    assert "鹭溪河桥" in said
    assert f"/p/{phones.world.street.code9}-{made.code}" in said
    assert not PlateCode.objects.exists()


def test_with_an_account_each_plate_has_its_lasting_code_and_only_one(phones: Phones, exports: Path) -> None:
    east = phones.world.communities["east"]
    units = UnitGrid.objects.filter(community=east).count()
    for _ in range(2):
        asks(phones.world, community=east.pk)
        phones.work()
    assert PlateCode.objects.count() == units > 0
    asked = phones.emulator.transcript(path="/api/cgi-bin/qrcode/create")
    assert len(asked) == units
    assert all(rules.spot_of(scene) for scene in PlateCode.objects.values_list("scene", flat=True))
    page = phones.world.client("lin").get("/plates/").content.decode()
    assert f"已用 {units} 个，共 100000 个" in page


def test_a_scan_is_answered_by_one_link_that_opens_the_report_page_there(phones: Phones, exports: Path) -> None:
    made = point(phones.world)
    asks(phones.world)
    phones.work()
    code = PlateCode.objects.get(scene=f"mp:{made.pk}").url
    phones.emulator.does("zhou", "follow")
    before = len(phones.emulator.chat("zhou"))
    phones.scans("zhou", code)
    assert len(phones.emulator.chat("zhou")) == before + 1
    link = re.search(r"http://127\.0\.0\.1:8000(/wechat/enter\?next=[^'\"]+)", phones.told("zhou"))
    assert link
    page = phones.goes(phone(), "zhou", link[1]).content.decode()
    assert "鹭溪河桥" in page
    assert f'name="plate" value="{phones.world.street.code9}-{made.code}"' in page


def test_whoever_does_not_follow_gets_the_same_link_on_following(phones: Phones, exports: Path) -> None:
    grid = phones.world.grid_a
    asks(phones.world, community=phones.world.communities["east"].pk)
    phones.work()
    phones.scans("zhou", PlateCode.objects.get(scene=f"gp:{grid.pk}").url)
    assert f"plate%3D{grid.code15}" in phones.told("zhou")


def test_a_plate_whose_place_is_gone_leads_to_the_report_page_without_it(phones: Phones) -> None:
    phones.emulator.does("zhou", "follow")
    phones.pushed("zhou", Event="SCAN", EventKey="mp:999999")
    assert "已经停用" in phones.told("zhou")
    assert "next=%2Freport%2F'" in phones.told("zhou")


def test_the_same_scan_pushed_again_is_answered_once(phones: Phones) -> None:
    phones.emulator.does("zhou", "follow")
    before = len(phones.emulator.chat("zhou"))
    for _ in range(3):
        phones.pushed("zhou", Event="SCAN", EventKey=f"gp:{phones.world.grid_a.pk}")
    assert len(phones.emulator.chat("zhou")) == before + 1


def test_scenes_that_are_no_plate_s_are_answered_by_nobody_here(phones: Phones) -> None:
    for scene in ("gp:", "gp:0", "gp:-1", "gp:1e9", "mp:1;drop", "xx:1", "gp:" + "9" * 19, "", "123"):
        assert rules.spot_of(scene) is None


def test_wechats_scanner_on_the_report_page_finds_the_plate(phones: Phones, exports: Path) -> None:
    made = point(phones.world)
    asks(phones.world)
    phones.work()
    told = Client().get("/wechat/plate", {"code": PlateCode.objects.get().url}, headers={"accept": "application/json"})
    code = f"{phones.world.street.code9}-{made.code}"
    assert told.json()["plate"] == {"code": code, "name": "鹭溪河桥"}
    assert Client().get("/wechat/plate", {"code": f"http://127.0.0.1:8000/p/{code}"})["Location"] == f"/report/?plate={code}"
    for strange in ("https://evil.example/p/x", "", "http://weixin.qq.com/q/nothing", "http://127.0.0.1:8000/p/none"):
        assert Client().get("/wechat/plate", {"code": strange}).status_code == 404


def test_when_the_account_s_codes_are_over_the_sheet_says_so(
    phones: Phones, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point(phones.world)
    monkeypatch.setattr(plates, "MOST_PERMANENT", 0)
    asks(phones.world)
    phones.work()
    assert Sheet.objects.get().error == "codes_are_over"
    assert "永久二维码用完了" in phones.world.client("lin").get("/plates/").content.decode()


def test_codes_that_wechat_gave_before_it_failed_are_kept_and_the_rest_is_asked_for_later(
    phones: Phones, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("JK001", "JK002", "JK003"):
        point(phones.world, code)
    turns = iter([True, False, True, True])
    real = plates.make_scene

    def sometimes(scene: str) -> Any:
        if not next(turns):
            raise ApiError("errcode_-1", errcode=-1)
        return real(scene)

    monkeypatch.setattr(plates, "make_scene", sometimes)
    asks(phones.world)
    phones.work()
    assert PlateCode.objects.count() == 1
    assert Sheet.objects.get().state == "waiting"
    phones.clock.move(minutes=2)
    phones.work()
    assert PlateCode.objects.count() == 3
    assert Sheet.objects.get().state == "ready"


def test_a_sheet_is_for_whoever_asked_for_a_day_and_for_nobody_else(phones: Phones, exports: Path) -> None:
    point(phones.world)
    asks(phones.world)
    phones.work()
    sheet = Sheet.objects.get()
    for other in ("xi", "liang", "wai"):
        assert phones.world.client(other).get(f"/plates/{sheet.pk}").status_code == 404
    assert phones.world.client("chen").get(f"/plates/{sheet.pk}").status_code == 403
    assert asks(phones.world, "wai").status_code == 404  # another street's map
    phones.clock.move(days=1, minutes=1)
    plates.expire(at=phones.clock.at)
    assert phones.world.client("lin").get(f"/plates/{sheet.pk}").status_code == 404
    assert not plates.file_of(sheet).exists()


def test_no_plates_or_too_many_at_once_are_refused(phones: Phones, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asks(phones.world).status_code == 422  # no monitoring point yet
    point(phones.world)
    for _ in range(plates.MOST_WAITING):
        assert asks(phones.world).status_code == 302
    assert asks(phones.world).status_code == 422
    assert Job.objects.filter(kind=plates.MAKE).count() == plates.MOST_WAITING
    monkeypatch.setattr(plates, "MOST_PLATES", 0)
    assert asks(phones.world).status_code == 422
