"""The map's pages: who may open and change them, what they refuse, what they cost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jiequ.core.models import AuditEntry, Street
from jiequ.grid.lines import unpacked
from jiequ.grid.models import MonitoringPoint, Place, ResponsibilityGrid, UnitGrid
from jiequ.grid.rules import from_canonical
from jiequ.sense.models import Camera
from tests.actors import LAT, LON, NOW, STEP, MovableClock, World
from tests.unit.grid.drawings import STREET, board, drawing, file_of

LISTS = ["/grid/", "/grid/responsibility/", "/grid/units/", "/grid/points/", "/grid/names/", "/grid/plates/"]
READERS = {"lin", "he", "liang", "du", "xi", "wai"}


@pytest.fixture(autouse=True)
def standing_clock(clock: MovableClock) -> None:
    """Every page is asked at NOW."""


@pytest.fixture
def point(world: World) -> MonitoringPoint:
    return MonitoringPoint.objects.create(
        street=world.street, code="JK001", name="桥头", kind="camera", unit_grid=world.grid_a,
        lon=LON + STEP / 2, lat=LAT + STEP / 2, q18=1, raw_x=LON + STEP / 2, raw_y=LAT + STEP / 2,
    )  # fmt: skip


def everybody(world: World) -> list[str]:
    return [*world.people, "zhou"]


@pytest.mark.parametrize("path", LISTS)
def test_desk_roles_and_the_administrator_read_nobody_else(world: World, path: str) -> None:
    for name in everybody(world):
        answer = world.client(name).get(path)
        expected = 200 if name in READERS else 302 if name == "zhou" else 403
        assert answer.status_code == expected, name


def test_only_the_administrator_opens_what_changes_the_map(world: World, point: MonitoringPoint) -> None:
    paths = [
        "/grid/responsibility/new/",
        f"/grid/responsibility/{world.responsibility_a.pk}/",
        "/grid/points/new/",
        f"/grid/points/{point.pk}/",
        "/grid/import/",
        "/grid/export/",
    ]
    for name in everybody(world):
        client = world.client(name)
        for path in paths:
            expected = 200 if name == "xi" else 302 if name == "zhou" else 403
            assert client.get(path).status_code == expected, (name, path)


def test_only_the_administrator_posts_and_others_change_nothing(world: World, point: MonitoringPoint) -> None:
    grid = world.responsibility_a
    posts = {
        f"/grid/responsibility/{grid.pk}/": {"name": "甲", "codes": world.grid_a.code15, "version": 1},
        f"/grid/responsibility/{grid.pk}/retire/": {"version": 1},
        f"/grid/points/{point.pk}/remove/": {"version": 1},
    }
    for name in set(everybody(world)) - {"xi"}:
        client = world.client(name)
        for path, data in posts.items():
            assert client.post(path, data).status_code in (302, 403), (name, path)
    assert ResponsibilityGrid.objects.filter(name="责任网格a", retired_at=None).exists()
    assert MonitoringPoint.objects.filter(pk=point.pk).exists()


def test_a_desk_sees_its_own_street_and_not_the_other(world: World, point: MonitoringPoint) -> None:
    own = world.client("lin").get("/grid/units/").content.decode()
    assert world.grid_a.code15 in own
    assert world.grid_c.code15 not in own
    foreign = world.client("lin").get(f"/grid/units/?street={world.other_street.pk}")
    missing = world.client("lin").get("/grid/units/?street=999999")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content
    assert "桥头" not in world.client("wai").get("/grid/points/").content.decode()


def test_the_district_and_the_administrator_choose_a_street(world: World) -> None:
    for name in ("du", "xi"):
        page = world.client(name).get(f"/grid/units/?street={world.other_street.pk}").content.decode()
        assert world.grid_c.code15 in page
        assert world.grid_a.code15 not in page


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_few_statements_however_long_it_is(world: World, path: str) -> None:
    client = world.client("lin")
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    rows = [
        MonitoringPoint(
            street=world.street,
            code=f"P{n:03d}",
            name="点",
            kind="foot",
            lon=1,
            lat=1,
            q18=1,
            raw_x=1,
            raw_y=1,
            unit_grid=world.grid_a,
        )
        for n in range(45)
    ]
    MonitoringPoint.objects.bulk_create(rows)
    ResponsibilityGrid.objects.bulk_create(
        ResponsibilityGrid(street=world.street, name=f"片{n}", worker=world.liu) for n in range(40)
    )
    columns = {name: getattr(world.grid_a, name) for name in ("street", "community", "geometry", "lon", "lat", "area_m2")}
    UnitGrid.objects.bulk_create(
        UnitGrid(code15=f"99010100100190{n}" if n > 9 else f"990101001001{n:03d}", **columns) for n in range(3, 10)
    )
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(few) <= 8


def test_a_list_goes_on_where_the_page_ended(world: World) -> None:
    rows = [
        MonitoringPoint(
            street=world.street, code=f"P{n:03d}", name=f"点{n}", kind="foot", lon=1, lat=1, q18=1, raw_x=1, raw_y=1
        )
        for n in range(60)
    ]
    MonitoringPoint.objects.bulk_create(rows)
    client = world.client("lin")
    first = client.get("/grid/points/").content.decode()
    assert "P049" in first
    assert "P050" not in first
    assert "after=P049" in first
    second = client.get("/grid/points/?after=P049").content.decode()
    assert "P050" in second
    assert "P059" in second
    assert 'class="pager"' not in second


def test_a_responsibility_grid_is_edited_by_a_plain_form(world: World) -> None:
    client, grid = world.client("xi"), world.responsibility_a
    page = client.get(f"/grid/responsibility/{grid.pk}/").content.decode()
    assert world.grid_a.code15 in page
    UnitGrid.objects.filter(pk=world.grid_b.pk).update(code15="990101001001002")
    world.responsibility_b.members.all().delete()
    data = {"name": "大片", "worker": world.liu.pk, "codes": "990101001001001，990101001001002\n", "version": 1}
    answer = client.post(f"/grid/responsibility/{grid.pk}/", data)
    assert answer.status_code == 302
    grid.refresh_from_db()
    assert (grid.name, grid.worker, grid.unit_grids.count()) == ("大片", world.liu, 2)


def test_a_refused_form_keeps_what_was_typed_and_says_why(world: World) -> None:
    client = world.client("xi")
    data = {"name": "新片", "codes": f"{world.grid_a.code15} 123", "worker": ""}
    answer = client.post(f"/grid/responsibility/new/?street={world.street.pk}", data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "没有这些单元网格：123" in page
    assert 'value="新片"' in page
    stale = client.post(
        f"/grid/responsibility/{world.responsibility_a.pk}/", {"name": "a", "codes": world.grid_a.code15, "version": 9}
    )
    assert stale.status_code == 409


def test_a_new_point_is_added_by_a_plain_form_and_a_bad_one_is_not(world: World) -> None:
    client = world.client("xi")
    x, y = from_canonical(LON + STEP / 2, LAT + STEP / 2, "bd09")
    data: dict[str, Any] = {"code": "JK9", "name": "闸", "kind": "drone", "risk_class": "low", "x": x, "y": y, "system": "bd09"}
    assert client.post("/grid/points/new/", data | {"x": "东经"}).status_code == 422
    assert client.post("/grid/points/new/", data | {"x": "nan"}).status_code == 422
    assert not MonitoringPoint.objects.exists()
    assert client.post("/grid/points/new/", data).status_code == 302
    point = MonitoringPoint.objects.get()
    assert (point.unit_grid, point.raw_system) == (world.grid_a, "bd09")
    edited = client.post(f"/grid/points/{point.pk}/", data | {"name": "新闸", "version": 1})
    assert edited.status_code == 302
    assert client.post(f"/grid/points/{point.pk}/remove/", {"version": 2}).status_code == 302
    assert not MonitoringPoint.objects.exists()


# ---- names


def name_of(world: World, **changes: Any) -> dict[str, Any]:
    x, y = from_canonical(LON + STEP / 2, LAT + STEP / 2, "gcj02")
    community = world.communities["east"].pk
    given = {
        "name": "听橹花园",
        "aliases": "老船厂宿舍\n听橹",
        "kind": "estate",
        "community": community,
        "x": x,
        "y": y,
        "system": "gcj02",
    }
    return given | changes


def test_a_name_written_down_is_recognised_at_once_and_no_longer_when_removed(world: World) -> None:
    client = world.client("xi")
    said = {"words": "老船厂宿舍门口垃圾没人收"}
    assert client.post("/grid/names/new/", name_of(world)).status_code == 302
    place = Place.objects.get()
    assert (place.aliases, round(place.lon, 6)) == (["老船厂宿舍", "听橹"], round(LON + STEP / 2, 6))
    assert f'value="p{place.pk}"' in Client().post("/report/suggest", said).content.decode()
    assert client.post(f"/grid/names/{place.pk}/", name_of(world, aliases="", version=1)).status_code == 302
    assert f'value="p{place.pk}"' not in Client().post("/report/suggest", said).content.decode()
    assert client.post(f"/grid/names/{place.pk}/", name_of(world, version=1)).status_code == 409  # somebody was faster
    assert client.post(f"/grid/names/{place.pk}/remove/", {"version": 2}).status_code == 302
    assert not Place.objects.exists()


def test_a_road_is_written_down_with_its_course_and_lies_half_way_along_it(world: World) -> None:
    client = world.client("xi")
    line = f"{LON},{LAT}\n{LON + 0.005}，{LAT}\r\n\r\n{LON + 0.006} {LAT}\n{LON + 0.008},{LAT}"
    answer = client.post("/grid/names/new/", name_of(world, kind="road", x="", y="", line=line, system="cgcs2000"))
    assert answer.status_code == 302
    place = Place.objects.get()
    assert [len(part) for part in unpacked(place.line)] == [2, 2]
    assert (place.lon, place.lat) == (pytest.approx(LON + 0.0025, abs=1e-5), pytest.approx(LAT, abs=1e-5))
    page = client.get(f"/grid/names/{place.pk}/").content.decode()
    assert f"{LON:.5f},{LAT:.5f}\n" in page
    kept = place.line
    shown = {
        "x": place.lon,
        "y": place.lat,
        "version": 1,
        "system": "cgcs2000",
        "line": kept.replace("\n", "\n\n").replace(" ", "\n"),
    }
    assert client.post(f"/grid/names/{place.pk}/", name_of(world, kind="road", **shown)).status_code == 302
    place.refresh_from_db()
    assert place.line == kept, "what the page shows is taken back as it is"


@pytest.mark.parametrize(
    "line", ["113.5", "113.5,23.18", "113.5,23.18\n一百,二十", "113.5,23.18\n999,1", "113.5,23.18\nnan,23.2", "1,2,3\n4,5,6"]
)
def test_a_course_that_is_none_is_refused_with_a_sentence(world: World, line: str) -> None:
    answer = world.client("xi").post("/grid/names/new/", name_of(world, kind="river", line=line))
    assert answer.status_code == 422
    assert "走向" in answer.content.decode()
    assert not Place.objects.exists()


def test_an_estate_has_no_course_and_a_place_without_one_needs_its_point(world: World) -> None:
    client = world.client("xi")
    line = f"{LON},{LAT}\n{LON + 0.005},{LAT}"
    assert client.post("/grid/names/new/", name_of(world, kind="estate", line=line)).status_code == 422
    assert client.post("/grid/names/new/", name_of(world, kind="road", x="", y="")).status_code == 422


@pytest.mark.parametrize("page", ["names", "points"])
def test_deleting_asks_once_more_and_says_what_comes_of_it(world: World, point: MonitoringPoint, page: str) -> None:
    """With scripts off as well: the button stands inside a part that is opened by hand."""
    client, row = world.client("xi"), point.pk
    if page == "names":
        client.post("/grid/names/new/", name_of(world))
        row = Place.objects.get().pk
    shown = client.get(f"/grid/{page}/{row}/").content.decode()
    part = shown[shown.index("<details") : shown.index("</details>")]
    assert shown.count(f"/grid/{page}/{row}/remove/") == part.count(f"/grid/{page}/{row}/remove/") == 1
    assert "不能撤销" in part
    assert "确认删除" in part


def test_a_point_with_a_camera_is_kept_and_says_what_to_do(world: World, point: MonitoringPoint) -> None:
    how = {"way": "http", "address": "http://10.0.0.9/a.jpg", "every_minutes": 30, "next_at": NOW, "made_at": NOW}
    Camera.objects.create(street=world.street, point=point, name="桥头", **how)
    answer = world.client("xi").post(f"/grid/points/{point.pk}/remove/", {"version": 1})
    assert answer.status_code == 422
    assert "还有摄像头" in answer.content.decode()
    assert MonitoringPoint.objects.count() == 1
    assert not AuditEntry.objects.filter(action__endswith="point_remove").exists()


@pytest.mark.parametrize(
    "fault",
    [
        *({"name": "路"}, {"name": "长" * 41}, {"aliases": "巷"}, {"kind": "planet"}, {"x": "nan"}, {"y": "95"}),
        *({"community": "999999"}, {"aliases": "、".join(f"别名{n}" for n in range(21))}),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_stored(world: World, fault: dict[str, str]) -> None:
    answer = world.client("xi").post("/grid/names/new/", name_of(world, **fault))
    assert answer.status_code == 422
    assert not Place.objects.exists()


def test_two_places_of_a_kind_in_a_community_are_not_called_the_same(world: World) -> None:
    client = world.client("xi")
    answers = [client.post("/grid/names/new/", name_of(world)).status_code for _ in range(2)]
    assert answers == [302, 422]
    assert client.post("/grid/names/new/", name_of(world, kind="road")).status_code == 302


# ---- files


@pytest.fixture
def empty_street(world: World) -> Street:
    UnitGrid.objects.all().update(retired_at="2026-01-01T00:00Z")
    return Street.objects.create(code9=STREET, prefix="GD", name_zh="鹭港街道", name_en="Lugang")


def upload(world: World, street: Street, data: bytes, act: str) -> Any:
    file = SimpleUploadedFile("grid.geojson", data, content_type="application/geo+json")
    return world.client("xi").post(f"/grid/import/?street={street.pk}", {"file": file, "act": act})


def test_a_file_is_first_checked_then_taken_in(world: World, empty_street: Street) -> None:
    checked = upload(world, empty_street, file_of(drawing()), "check")
    assert checked.status_code == 200
    assert "检查通过" in checked.content.decode()
    assert not UnitGrid.objects.filter(street=empty_street).exists()
    assert upload(world, empty_street, file_of(drawing()), "import").status_code == 302
    assert UnitGrid.objects.filter(street=empty_street, retired_at=None).count() == 12


def test_a_bad_file_is_answered_with_every_place_to_mend(world: World, empty_street: Street) -> None:
    spoiled = drawing(unit_grids=board()[:-1], responsibility_grids=None)
    spoiled.unit_grids = [grid for grid in spoiled.unit_grids or [] if grid.code != f"{STREET}001004"]
    answer = upload(world, empty_street, file_of(spoiled), "import")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"{STREET}001003" in page
    assert "平方米空隙" in page
    assert not UnitGrid.objects.filter(street=empty_street).exists()
    for data in (b"", b"\x00\x01", b"{}"):
        assert upload(world, empty_street, data, "import").status_code == 422


def test_the_export_is_a_file_that_imports_again(world: World, empty_street: Street) -> None:
    upload(world, empty_street, file_of(drawing()), "import")
    answer = world.client("xi").get(f"/grid/export/?street={empty_street.pk}")
    assert answer["Content-Disposition"] == f'attachment; filename="grid-{STREET}.geojson"'
    assert upload(world, empty_street, answer.content, "import").status_code == 302
    assert UnitGrid.objects.filter(street=empty_street).count() == 12


# ---- layers


def test_layers_are_told_once_and_then_only_that_they_are_the_same(world: World, point: MonitoringPoint) -> None:
    client = world.client("lin")
    for name in ("base", "units", "points"):
        first = client.get(f"/grid/layers/{world.street.pk}/{name}.json")
        assert first.status_code == 200
        again = client.get(f"/grid/layers/{world.street.pk}/{name}.json", headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    client = world.client("xi")
    tag = client.get(f"/grid/layers/{world.street.pk}/units.json")["ETag"]
    data = {"name": "甲", "codes": world.grid_a.code15, "version": 1}
    assert client.post(f"/grid/responsibility/{world.responsibility_a.pk}/", data).status_code == 302
    assert client.get(f"/grid/layers/{world.street.pk}/units.json", headers={"if-none-match": tag}).status_code == 200


def test_the_units_layer_gives_every_ring_back_to_a_decimetre(world: World) -> None:
    layer = world.client("lin").get(f"/grid/layers/{world.street.pk}/units.json").json()
    assert layer["code"] == [world.grid_a.code15, world.grid_b.code15]
    assert layer["grid"] == [world.responsibility_a.pk, world.responsibility_b.pk]
    for at, unit in enumerate((world.grid_a, world.grid_b)):
        x, y = (round(n * layer["scale"]) for n in layer["origin"])
        ring = []
        steps = layer["rings"][at][0]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x / layer["scale"], y / layer["scale"]))
        for got, drawn in zip(ring, unit.geometry["coordinates"][0][:-1], strict=True):
            assert got == pytest.approx(drawn, abs=1e-6)


def test_the_base_map_is_for_everybody_the_grids_for_those_who_work_there(world: World) -> None:
    here = f"/grid/layers/{world.street.pk}"
    assert Client().get(f"{here}/base.json").status_code == 200
    assert Client().get("/grid/layers/999999/base.json").status_code == 404
    for layer in ("units", "points"):
        assert Client().get(f"{here}/{layer}.json").status_code in (302, 401)
        assert world.client("chen").get(f"{here}/{layer}.json").status_code == 200
        assert world.client("xi").get(f"{here}/{layer}.json").status_code == 200
        assert world.client("wai").get(f"{here}/{layer}.json").status_code == 404
    assert world.chen.name not in world.client("lin").get(f"{here}/units.json").content.decode()


# ---- what the report page asks


def ask(path: str, **more: Any) -> Any:
    return Client().get(path, headers={"accept": "application/json"}, **more)


def test_anybody_learns_in_which_community_a_position_lies(world: World) -> None:
    x, y = from_canonical(*world.point_in("a"), "gcj02")
    told = ask(f"/grid/locate?x={x}&y={y}&system=gcj02").json()
    assert told["found"] is True
    assert told["community"]["name"] == "东涌社区"
    assert told["unit_grid"]["code"] == world.grid_a.code15
    assert abs(told["lon"] - world.point_in("a")[0]) < 1e-6
    assert "worker" not in json.dumps(told)
    assert ask("/grid/locate?x=110&y=20").json()["found"] is False


@pytest.mark.parametrize(
    "query", ["", "x=1", "x=a&y=b", "x=nan&y=1", "x=113.5&y=23.18&system=mars", "x=999&y=1", "x=1e999&y=1"]
)
def test_a_position_that_is_none_is_refused(world: World, query: str) -> None:
    answer = ask(f"/grid/locate?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_position"


def test_places_are_offered_by_community_and_by_name(world: World) -> None:
    here = {
        "street": world.street,
        "community": world.communities["east"],
        "lon": LON,
        "lat": LAT,
        "q18": 1,
        "raw_x": LON,
        "raw_y": LAT,
    }
    road = Place.objects.create(kind="road", name="砚池路", words="砚池路\n老街", **here)
    Place.objects.create(kind="landmark", name="榕岸小学", words="榕岸小学", beside=road, **here)
    communities = ask(f"/grid/places?street={world.street.pk}").json()["communities"]
    assert [row["name"] for row in communities] == ["东涌社区"]
    assert len(ask("/grid/places").json()["communities"]) == 2
    offered = ask(f"/grid/places?community={communities[0]['id']}").json()["places"]
    assert [row["name"] for row in offered] == ["砚池路", "榕岸小学"]
    assert [row["name"] for row in ask("/grid/places?q=老街").json()["places"]] == ["砚池路"]
    assert [row["name"] for row in ask(f"/grid/places?beside={road.pk}").json()["places"]] == ["榕岸小学"]
    assert ask("/grid/places?community=x").status_code == 422
    assert ask("/grid/places?community=99999999999999999999").status_code == 422


def test_look_ups_are_throttled_by_address_and_come_back_later(world: World, clock: MovableClock) -> None:
    for _ in range(60):
        assert ask("/grid/locate?x=113.5&y=23.18").status_code == 200
    refused = ask("/grid/places")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert ask("/grid/places", REMOTE_ADDR="203.0.113.9").status_code == 200
    clock.move(minutes=1)
    assert ask("/grid/places").status_code == 200


def test_a_scanned_plate_leads_to_the_report_page(world: World, point: MonitoringPoint) -> None:
    code = f"{world.street.code9}-JK001"
    answer = Client().get(f"/p/{code}")
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"?plate={code}")
    assert Client().get(f"/p/{world.grid_a.code15}").status_code == 302
    assert Client().get("/p/nothing").status_code == 404
    page = world.client("lin").get("/grid/plates/").content.decode()
    assert page.count('class="plate-code"') == 1
    assert "style=" not in page[page.index("plates") :]


def test_the_pages_are_english_for_those_who_read_english(world: World, point: MonitoringPoint) -> None:
    client = world.client("xi")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    for path in [*LISTS, "/grid/import/", "/grid/points/new/", "/grid/responsibility/new/"]:
        page = client.get(path).content.decode()
        main = page[page.index('id="main"') : page.index("</main>")]
        known = "".join(
            str(row)
            for row in (
                "龙涧街道",
                "青岗街道",
                "桥头",
                "责任网格a",
                "责任网格b",
                *[p.name for p in world.people.values()],
            )
        )
        left = {letter for letter in main if "\u4e00" <= letter <= "\u9fff"} - set(known)
        assert not left, (path, left)
