"""An area that was drawn, pasted or chosen is compared: exactly it, by all pictures of both days."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from shapely.geometry import box, mapping, shape
from shapely.ops import unary_union

from jiequ.core.jobs import work_once
from jiequ.grid.models import UnitGrid
from jiequ.sense import children, ground
from jiequ.sense.models import Asset, Blind, Comparison, Finding
from tests.actors import LAT, LON, NOW, World
from tests.support.sense import DAYS, ZONE, analyst, flown

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
PAGE = "/sense/comparisons/area"
EAST, NORTH = 1 / 102_400, 1 / 110_700  # a metre in degrees, about here


@pytest.fixture
def client(world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    settings.SENSE = tmp_path / "sense"
    settings.SENSE_PROCESSES = 1
    monkeypatch.setattr(children, "SLICE_SECONDS", 60.0)
    return analyst(world)[2]


def picture(world: World, day: Any, west: float, east: float, kind: str = "ortho") -> Asset:
    """A picture of forty metres from north to south."""
    count = Asset.objects.count()
    return Asset.objects.create(
        street=world.street, kind=kind, name=f"{count}.tif", source="folder", state="ready", made_at=NOW, sha256=f"{count:064}",
        taken_at=datetime.combine(day, time(12), ZONE), gsd_m=0.2, west=LON + west * EAST, east=LON + east * EAST, south=LAT,
        north=LAT + 40 * NORTH,
    )  # fmt: skip


def outline(west: float, east: float, south: float = 5, north: float = 35) -> str:
    return json.dumps(mapping(box(LON + west * EAST, LAT + south * NORTH, LON + east * EAST, LAT + north * NORTH)))


def start(client: Client, text: str) -> Any:
    told = {"act": "start", "outline": text, "before_on": DAYS[0], "after_on": DAYS[1]}
    return client.post(PAGE, told)


def test_what_was_drawn_is_compared_and_nothing_beside_it(client: Client, world: World) -> None:
    place = flown(world, stories=("new_building", "roof_shed"))
    house, shed = (
        shape(next(one.geometry for one in place.truth if one.kind == kind)) for kind in ("new_building", "roof_shed")
    )
    west, south, east, north = house.bounds
    drawn = box(west - 3 * EAST, south - 3 * NORTH, east + 3 * EAST, north + 3 * NORTH).difference(shed)
    seen = Asset.objects.filter(kind="ortho").first()
    assert seen is not None
    assert seen.north is not None
    beyond = box(west, seen.north - 5 * NORTH, east, seen.north + 20 * NORTH)
    area = unary_union([drawn, beyond])
    answer = start(client, json.dumps(mapping(area)))
    row = Comparison.objects.get()
    assert answer["Location"] == f"/sense/comparisons/{row.pk}/"
    for _slice in range(10):
        if not work_once(at=NOW + timedelta(days=3650), outside=True, line="sense.compare", limit=1):
            break
    row.refresh_from_db()
    assert (row.state, row.reason) == ("done", "")
    found = list(Finding.objects.all())
    assert any(shape(one.geometry).intersection(house).area > 0.8 * house.area for one in found), "whole, at the border too"
    assert all(area.contains(shape(one.geometry).representative_point()) for one in found)
    unseen = {one.reason: shape(one.geometry) for one in row.blind.all()}
    assert unseen["no_pictures"].area == pytest.approx(beyond.area * 20 / 25, rel=0.2), "never told as no change"
    assert all(area.buffer(EAST).contains(one) for one in unseen.values())
    assert 0 < row.compared_m2 <= ground.area_m2(area)
    text = client.get(f"/sense/comparisons/{row.pk}/").content.decode()
    assert "自选范围" in text
    assert "没有两期都拍到的影像" in text


def test_an_area_over_several_pictures_is_shared_out_among_them_once(client: Client, world: World) -> None:
    for day in DAYS:
        picture(world, day, 0, 50)
        picture(world, day, 45, 100)
        picture(world, day, 0, 44, kind="dsm")
    start(client, outline(-10, 100))
    rows = list(Comparison.objects.order_by("pk"))
    shapes = [shape(row.area) for row in rows]
    assert [row.before_dsm is not None for row in rows].count(True) == 1
    assert shapes[0].intersection(shapes[1]).area < 1e-13
    assert unary_union(shapes).symmetric_difference(shape(json.loads(outline(-10, 100)))).area < 2e-11, "all of it, once"
    again = start(client, outline(-10, 100))
    assert (again.status_code, Comparison.objects.count()) == (302, 2), "the same question is asked once"


def test_an_area_of_several_comparisons_has_a_page_of_its_own(client: Client, world: World) -> None:
    for day in DAYS:
        picture(world, day, 0, 50)
        picture(world, day, 45, 100)
    address = start(client, outline(-10, 100))["Location"]
    one, other = Comparison.objects.order_by("pk")
    assert address == f"/sense/comparisons/area/seen?of={one.pk},{other.pk}"
    part = address.replace("seen", "progress")
    assert f'data-sense-renew="{part}"' in client.get(address).content.decode()
    assert "排队中" in client.get(part).content.decode()
    house = {"type": "Polygon", "coordinates": json.loads(outline(5, 20, 5, 20))["coordinates"]}
    for row, square_m in ((one, 31.5), (other, 62.5)):
        Finding.objects.create(comparison=row, key="a", geometry=house, area_m2=square_m, hint="other", confidence=0.5)
    Blind.objects.create(comparison=other, geometry=house, reason="no_texture", path="net", area_m2=7)
    Comparison.objects.update(state="done", blind_m2=7, found=1)
    text = client.get(address).content.decode()
    assert all(words in text for words in ("图斑 2", "31.5 m²", "62.5 m²", "14 m²", "2 次比对"))
    shapes = json.loads(text.split('id="sense-shapes" type="application/json">')[1].split("</script>")[0])["features"]
    assert sorted(one["properties"]["what"] for one in shapes) == ["area", "area", "blind", "found", "found"]
    assert "data-sense-renew" not in text
    assert address.replace("&", "&amp;") in client.get(f"/sense/comparisons/{one.pk}/").content.decode(), "and back from each"
    far = analyst(world, "far", other_street=True)[2]
    for wrong in (far.get(address), far.get(part), client.get("/sense/comparisons/area/seen?of=x,999999")):
        assert wrong.status_code == 404


def test_corners_features_and_grids_say_the_same_and_days_are_offered(client: Client, world: World) -> None:
    for day in DAYS:
        picture(world, day, 0, 50)
    unit = UnitGrid.objects.filter(street=world.street).order_by("code15")[0]
    corners = "\n".join(f"{x}, {y}" for x, y in json.loads(outline(5, 40))["coordinates"][0][:4])
    one = {"type": "Feature", "geometry": json.loads(outline(5, 40))}
    feature = json.dumps({"type": "FeatureCollection", "features": [one, one]})
    for given in ({"outline": corners}, {"outline": feature}):
        text = client.post(PAGE, {"act": "look", **given}).content.decode()
        assert all(f'value="{day}"' in text for day in DAYS)
    for given in ({"codes": unit.code15}, {"grid": f"c{unit.community_id}"}):
        assert "m²</p>" in client.post(PAGE, {"act": "look", **given}).content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "请先画出范围"),
        ({"outline": "113.5, 23.1"}, "读不出范围"),
        ({"outline": "113.5, 23.1\n113.6, 23.2\n113.6, 23.1\n113.5, 23.2"}, "自己交叉"),
        ({"outline": "113.5, 23.1\n113.9, 23.1\n113.9, 23.5"}, "范围太大"),
        ({"outline": '{"type":"FeatureCollection","features":[{"type":"Feature"},{"type":"Feature"}]}'}, "读不出范围"),
        ({"codes": "440000000000000"}, "没有编码为 440000000000000"),
        ({"grid": "c999999"}, "没有找到这个网格"),
        ({"outline": outline(0, 40), "before_on": "2026-01-02", "after_on": "2026-01-01"}, "早于"),
        ({"outline": outline(0, 40), "before_on": "2026-01-01", "after_on": "2026-01-02"}, "没有同一处的同类影像"),
    ],
)
def test_what_is_no_area_is_refused_with_a_sentence(client: Client, given: dict[str, str], words: str) -> None:
    answer = client.post(PAGE, {"act": "start", **given})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Comparison.objects.exists()
