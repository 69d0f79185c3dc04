"""The pages of servers, flights and fixed cameras: forms that refuse in place, what is under way, what is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.core.models import Job
from jiequ.grid.models import MonitoringPoint
from jiequ.sense.models import Asset, Camera, CameraFault, Flight, Mosaic, OdmServer
from tests.actors import LAT, LON, NOW, World
from tests.statements import statements_of
from tests.support.sense import analyst


@pytest.fixture
def pan(world: World, settings: Any, tmp_path: Path) -> Client:
    settings.SENSE = tmp_path
    return analyst(world)[2]


@pytest.fixture
def flight(world: World) -> Flight:
    row = Flight.objects.create(street=world.street, name="第 3 轮", flown_on=NOW.date(), made_at=NOW)
    for number in range(3):
        Asset.objects.create(
            street=world.street, flight=row, kind="photo", name=f"DJI_{number}.JPG", source="upload", sha256=f"{number:064x}",
            state="ready", made_at=NOW, taken_at=NOW, item={"assets": {"original": {}}},
        )  # fmt: skip
    return row


def test_a_server_is_named_tried_and_ended_by_the_system_administrator(world: World, pan: Client) -> None:
    xi = world.client("xi")
    assert "还没有拼图服务器" in xi.get("/sense/servers/").content.decode()
    refused = xi.post("/sense/servers/", {"name": "一", "url": "http://10.1.1.1:3000", "token": "t"})
    assert (refused.status_code, "https://" in refused.content.decode()) == (422, True)
    assert (
        xi.post("/sense/servers/", {"name": "一", "url": "https://odm.example.org:3000/", "token": "only-ours"}).status_code
        == 302
    )
    row = OdmServer.objects.get()
    page = xi.get("/sense/servers/").content.decode()
    assert ("正在试连" in page, "only-ours" in page + row.token_sealed) == (True, False)
    assert Job.objects.get(kind="sense.odm_try").args == {"server_id": row.pk}
    assert xi.post("/sense/servers/", {"name": "一", "url": "https://other.example.org", "token": ""}).status_code == 422
    assert xi.post(f"/sense/servers/{row.pk}/try").status_code == 302
    assert xi.post(f"/sense/servers/{row.pk}/end").status_code == 302
    assert xi.post(f"/sense/servers/{row.pk}/end").status_code == 404
    assert pan.get("/sense/servers/").status_code == 403


def test_a_flights_photos_are_sent_and_stopped_on_its_page(world: World, pan: Client, flight: Flight) -> None:
    page = f"/sense/flights/{flight.pk}/"
    assert "请系统管理员登记" in pan.get(page).content.decode()
    assert pan.post(f"{page}mosaic").status_code == 422
    OdmServer.objects.create(name="拼图一", url="https://odm.example.org", made_at=NOW)
    assert "开始拼" in pan.get(page).content.decode()
    assert pan.post(f"{page}mosaic").status_code == 302
    row = Mosaic.objects.get()
    Mosaic.objects.update(state="running", percent=40, trouble="odm_gone")
    shown = pan.get(page).content.decode()
    assert ("服务器在拼 40%" in shown, "连不上" in shown, "data-sense-renew" in shown) == (True, True, True)
    assert 'data-sense-moving="1"' in pan.get(f"{page}progress").content.decode()
    assert "已经在拼" in pan.post(f"{page}mosaic").content.decode()
    assert pan.post(f"/sense/mosaics/{row.pk}/stop").status_code == 302
    assert pan.post(f"/sense/mosaics/{row.pk}/stop").status_code == 422
    assert len(statements_of(lambda: pan.get(page))) <= 12
    far = analyst(world, "far", other_street=True)[2]
    assert far.get(page).status_code == far.post(f"/sense/mosaics/{row.pk}/stop").status_code == 404


def test_cameras_are_registered_listed_with_what_is_wrong_and_switched(world: World, pan: Client, settings: Any) -> None:
    point = MonitoringPoint.objects.create(
        street=world.street, code="C1", name="路口", kind="camera", lon=LON, lat=LAT, q18=0, raw_x=LON, raw_y=LAT
    )
    told = {
        "name": "路口一号",
        "point": point.pk,
        "way": "http",
        "address": "https://cam.example.org/shot",
        "every_minutes": 60,
    }
    assert "还没有固定摄像头" in pan.get("/sense/cameras/").content.decode()
    for wrong in ({"point": ""}, {"way": "wire"}, {"address": "http://10.0.0.1/"}, {"every_minutes": 1}, {"name": ""}):
        assert pan.post("/sense/cameras/", told | wrong).status_code == 422, wrong
    answer = pan.post("/sense/cameras/", told | {"login": "admin", "password": "only-for-it"})
    row = Camera.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/sense/cameras/{row.pk}/")
    CameraFault.objects.create(camera=row, code="camera_frozen", first_at=NOW, last_at=NOW)
    for address in ("/sense/cameras/", f"/sense/cameras/{row.pk}/"):
        page = pan.get(address).content.decode()
        assert ("可能卡住了" in page, "有故障" in page, "only-for-it" in page) == (True, True, False)
    settings.TILES_URL = "/tiles/"
    shots = [
        Asset.objects.create(street=world.street, camera=row, kind="snapshot", name=f"{day}.jpg", source="camera", state=state,
                             sha256=str(day), made_at=NOW, taken_at=NOW + timedelta(days=day))
        for day, state in enumerate(("ready", "ready", "working"))
    ]  # fmt: skip
    Camera.objects.update(latest=shots[-1])
    assert f"/tiles/sense/{shots[1].pk}/crop/" in pan.get("/sense/cameras/").content.decode(), "while the newest is taken in"
    assert pan.post(f"/sense/cameras/{row.pk}/now").status_code == 302
    assert Job.objects.get(kind="sense.snap").args == {"camera_id": row.pk}
    assert pan.post(f"/sense/cameras/{row.pk}/switch", {"act": "off"}).status_code == 302
    assert pan.post(f"/sense/cameras/{row.pk}/now").status_code == 422
    assert "已停用" in pan.get("/sense/cameras/").content.decode()
