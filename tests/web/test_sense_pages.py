"""Comparisons, permits and suspects on their pages: asked for, watched, read, taken out as files; with scripts off."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from django.test import Client
from shapely.geometry import box, mapping

from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people.rules import Role
from jiequ.sense import files, ground
from jiequ.sense.models import Asset, Blind, Comparison, Export, Finding, Permit, Suspect
from tests.actors import LAT, LON, NOW, World, client_of
from tests.statements import statements_of
from tests.support.sense import DAYS, analyst, staff

SQUARE = box(LON, LAT, LON + 0.0002, LAT + 0.0001)


@pytest.fixture
def client(world: World, settings: Any, tmp_path: Path) -> Client:
    settings.SENSE = tmp_path
    return analyst(world)[2]


def compared(world: World) -> Comparison:
    """A comparison that is done: a suspect, one thing that a permit explains, a place that cannot be compared."""
    common = {"street": world.street, "kind": "ortho", "source": "folder", "state": "ready", "made_at": NOW}
    before, after = (Asset.objects.create(name=f"{day}.tif", sha256=str(day), taken_at=NOW, **common) for day in DAYS)
    row = Comparison.objects.create(
        street=world.street, key="k", before=before, after=after, before_on=DAYS[0], after_on=DAYS[1], state="done", found=1,
        held_back=1, blind_m2=120.0, asked_at=NOW, notes=[{"code": "no_surface_model"}],
    )  # fmt: skip
    where = {"geometry": mapping(SQUARE), "lon": LON, "lat": LAT, "area_m2": ground.area_m2(SQUARE), "confidence": 0.96}
    suspect = Suspect.objects.create(
        street=world.street, number="TB-2026-000007", hint="roof_shed", height_m=2.8, first_on=DAYS[1], last_on=DAYS[1],
        made_at=NOW, **where,
    )  # fmt: skip
    allowed = Permit.objects.create(
        street=world.street, kind="planning", number="粤规 9 号", geometry=mapping(SQUARE), west=LON, south=LAT,
        east=LON + 0.0002, north=LAT + 0.0001, area_m2=1.0, made_at=NOW,
    )  # fmt: skip
    evidence = {"dsm": {"share": 1.0, "rough_m": 0.03}, "net": {"mean": 0.02}}
    found = Finding.objects.create(
        comparison=row, key="a", suspect=suspect, hint="roof_shed", height_m=2.8, relation="new", evidence=evidence, **where
    )
    Suspect.objects.filter(pk=suspect.pk).update(latest=found)
    Finding.objects.create(
        comparison=row, key="b", hint="new_building", rule="planning_covers", permit=allowed, covered=0.98, **where
    )
    Blind.objects.create(comparison=row, geometry=mapping(SQUARE), reason="not_registered", path="net", area_m2=120.0)
    return row


def test_a_comparison_says_what_it_found_what_a_permit_explains_and_where_it_is_blind(client: Client, world: World) -> None:
    row = compared(world)
    text = client.get(f"/sense/comparisons/{row.pk}/").content.decode()
    for words in ("TB-2026-000007", "屋顶搭建", "在建设工程规划许可范围内", "粤规 9 号", "两期对不齐", "只用影像比对", "98 %"):
        assert words in text
    Blind.objects.create(comparison=row, geometry=mapping(SQUARE), reason="not_registered", path="net", area_m2=24_880.2)
    text = client.get(f"/sense/comparisons/{row.pk}/").content.decode()
    assert '<td class="num">2</td><td class="num tight">25,000 m²</td>' in text, "one reason is one row"
    Blind.objects.filter(area_m2__gt=200).delete()
    layer = json.loads(client.get(f"/sense/comparisons/{row.pk}/layer").content)
    assert sorted(one["properties"]["what"] for one in layer["features"]) == ["blind", "found", "held"]
    assert client.get("/sense/comparisons/").status_code == 200
    assert "TB-2026-000007" in client.get(f"/sense/suspects/{Suspect.objects.get().pk}/").content.decode()
    far = analyst(world, "far", other_street=True)[2]
    for path in (f"comparisons/{row.pk}/", f"comparisons/{row.pk}/layer", f"suspects/{Suspect.objects.get().pk}/"):
        assert far.get(f"/sense/{path}").status_code == 404


def test_two_snapshots_of_one_view_stand_beside_each_other_with_what_was_found_over_the_later_one(
    client: Client, world: World, settings: Any
) -> None:
    settings.TILES_URL = "/tiles/"
    row = compared(world)
    Comparison.objects.update(in_pixels=True)
    Asset.objects.update(width=640, height=480)
    Finding.objects.update(geometry=mapping(box(10, 20, 40, 60)))
    Blind.objects.update(geometry=mapping(box(0, 0, 5, 480)))
    text = client.get(f"/sense/comparisons/{row.pk}/").content.decode()
    assert text.count("/crop/all/960.jpg") == 2
    before, after = text.split("<figure>")[1:]
    assert "<svg" not in before.split("</figure>")[0], "its pixels are not the later one's"
    assert 'viewBox="0 0 640 480"' in after
    assert 'class="shape-this" d="M40.00 20.00 L40.00 60.00 L10.00 60.00 L10.00 20.00Z"' in after, "rows run down"
    assert 'class="shape-quiet" d="M5.00 0.00' in after
    assert "sense-map" not in text


def test_lists_take_few_statements_however_long(client: Client, world: World) -> None:
    compared(world)
    for path in ("comparisons/", "suspects/", "permits/", "suspects/layer", "permits/layer"):
        client.get(f"/sense/{path}")
        few = statements_of(partial(client.get, f"/sense/{path}"))
        for number in range(3):
            Suspect.objects.create(
                street=world.street, number=f"X{path}{number}", geometry=mapping(SQUARE), lon=LON, lat=LAT, area_m2=9.0,
                hint="other", confidence=0.5, first_on=DAYS[1], last_on=DAYS[1], made_at=NOW,
            )  # fmt: skip
        many = statements_of(partial(client.get, f"/sense/{path}"))
        assert len(many) == len(few) <= 9, path


def test_two_days_of_a_point_are_asked_for_and_watched_and_stopped(client: Client, world: World) -> None:
    from jiequ.grid.models import MonitoringPoint

    point = MonitoringPoint.objects.create(
        street=world.street, code="D1", name="村口", kind="drone", lon=LON, lat=LAT, q18=0, raw_x=LON, raw_y=LAT
    )
    for day in DAYS:
        Asset.objects.create(
            street=world.street, point=point, kind="ortho", name=f"{day}.tif", source="folder", state="ready", made_at=NOW,
            sha256=str(day), taken_at=NOW - (NOW.date() - day),
        )  # fmt: skip
    form = client.get(f"/sense/comparisons/?point={point.pk}").content.decode()
    assert all(f'value="{day}"' in form for day in DAYS)
    wrong = client.post("/sense/comparisons/", {"act": "point", "point": point.pk, "before_on": DAYS[1], "after_on": DAYS[0]})
    assert wrong.status_code == 422
    assert "早于" in wrong.content.decode()
    asked = client.post("/sense/comparisons/", {"act": "point", "point": point.pk, "before_on": DAYS[0], "after_on": DAYS[1]})
    row = Comparison.objects.get()
    assert (asked.status_code, asked["Location"]) == (302, f"/sense/comparisons/{row.pk}/")
    assert Job.objects.get(kind="sense.compare").args["comparison_id"] == row.pk
    again = client.post("/sense/comparisons/", {"act": "all"})
    assert (again.status_code, Comparison.objects.count()) == (302, 1), "the same question is asked once"
    Comparison.objects.update(state="running", stage="picture", done=3, total=12)
    assert "比影像 3 / 12" in client.get(f"/sense/comparisons/{row.pk}/progress").content.decode()
    pilot = client_of(staff(world, Role.PILOT, "fei"))
    assert "3 / 12" in pilot.get("/sense/comparisons/rows").content.decode()
    assert pilot.post(f"/sense/comparisons/{row.pk}/stop").status_code == 403
    assert client.post(f"/sense/comparisons/{row.pk}/stop").status_code == 302
    assert client.post(f"/sense/comparisons/{row.pk}/stop").status_code == 422
    work_once(at=NOW + timedelta(days=3650), outside=True, line="sense.compare", limit=3)
    assert not Job.objects.filter(kind="sense.compare").exists(), "its job ends"


FEATURES = [
    {"properties": {"编号": "规 1", "种类": "规划", "限高": 12, "有效期至": "2027-01-01"}, "geometry": mapping(SQUARE)},
    {"properties": {"编号": "规 1", "种类": "规划"}, "geometry": mapping(SQUARE)},
    {"properties": {"编号": "水 1", "kind": "water"}, "geometry": mapping(SQUARE)},
    {"properties": {"编号": "", "kind": "water"}, "geometry": mapping(SQUARE)},
    {"properties": {"编号": "错 1", "kind": "planning", "有效期至": "明年"}, "geometry": mapping(SQUARE)},
    {"properties": {"编号": "点 1", "kind": "planning"}, "geometry": {"type": "Point", "coordinates": [LON, LAT]}},
]


def sent(client: Client, data: bytes, name: str, **facts: str) -> Any:
    file = io.BytesIO(data)
    file.name = name
    return client.post("/sense/permits/", {"file": file, **facts})


def test_a_file_of_permits_is_shown_before_it_counts_and_a_second_import_makes_versions(client: Client, world: World) -> None:
    data = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", **one} for one in FEATURES]})
    address = sent(client, data.encode(), "规划.geojson")["Location"]
    text = client.get(address).content.decode()
    for words in ("文件里有两条同样的编号", "没有编号", "日期或限高写得不对", "范围不是面", "规 1", "水 1"):
        assert words in text
    assert not Permit.objects.exists(), "nothing counts yet"
    assert client.post(address).status_code == 302
    assert sorted(Permit.objects.values_list("number", "version")) == [("水 1", 1), ("规 1", 1)]
    assert client.post(address).status_code == 404, "once"
    FEATURES[0]["properties"]["限高"] = 15  # type: ignore[index]
    data = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", **FEATURES[0]}]})
    client.post(sent(client, data.encode(), "规划.geojson")["Location"])
    rows = list(Permit.objects.filter(number="规 1").order_by("version").values_list("version", "height_m", "ended_at"))
    assert [(version, height, ended is None) for version, height, ended in rows] == [(1, 12.0, False), (2, 15.0, True)]
    newest = Permit.objects.get(number="规 1", ended_at=None)
    assert "第 1 版" in client.get(f"/sense/permits/{newest.pk}/").content.decode()
    assert client.post(f"/sense/permits/{newest.pk}/end").status_code == 302
    assert not Permit.objects.filter(number="规 1", ended_at=None).exists()


def geopackage(path: Path) -> bytes:
    from pyogrio import raw
    from rasterio.warp import transform_geom

    utm = transform_geom("EPSG:4326", "EPSG:4547", mapping(SQUARE))
    shapes = np.array([shapely.to_wkb(shapely.geometry.shape(utm))], dtype=object)
    columns = [np.array([text], dtype=object) for text in ("G 1", "rural")]
    raw.write(path, shapes, columns, ["number", "kind"], driver="GPKG", geometry_type="Polygon", crs="EPSG:4547")
    return path.read_bytes()


@pytest.mark.parametrize("form", ["gpkg", "kmz"])
def test_permits_come_from_other_programs_files_too(client: Client, tmp_path: Path, form: str) -> None:
    if form == "gpkg":
        data = geopackage(tmp_path / "a.gpkg")
    else:
        import zipfile

        ring = " ".join(f"{x},{y}" for x, y in SQUARE.exterior.coords)
        kml = (
            "<kml><Document><Placemark><name>K 1</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
            f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"
        )
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("doc.kml", kml)
        data = buffer.getvalue()
    client.post(sent(client, data, f"a.{form}", kind="rural")["Location"])
    permit = Permit.objects.get()
    assert (permit.number, permit.kind) == ({"gpkg": "G 1", "kmz": "K 1"}[form], "rural")
    assert shapely.geometry.shape(permit.geometry).symmetric_difference(SQUARE).area / SQUARE.area < 0.01


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ", "a.geojson"),
        (b"[" * 100_000, "a.geojson"),
        (b"PK\x03\x04", "a.kmz"),
        (b"SQLite format 3\0", "a.gpkg"),
        (b"\n", "a.csv"),
    ],
    ids=["no json", "deep", "cut off", "no layers", "empty"],
)
def test_what_is_no_file_of_permits_is_refused_with_a_sentence(client: Client, data: bytes, name: str) -> None:
    answer = sent(client, data, name)
    assert answer.status_code == 422
    assert "文件" in answer.content.decode()
    assert not list(files.Path(files.settings.SENSE).glob("permits-*")), "nothing stays behind"


@pytest.mark.parametrize("form", ["geojson", "gpkg", "csv"])
def test_what_was_found_comes_out_as_a_file_that_gdal_reads_with_what_was_held_back_and_is_blind(
    client: Client, world: World, form: str
) -> None:
    from pyogrio import list_layers, raw

    row = compared(world)
    client.post("/sense/suspects/export", {"form": form, "comparison": row.pk, "street": world.street.pk})
    work_once(at=NOW + timedelta(days=3650), outside=True, limit=3)
    export = Export.objects.get()
    assert (export.state, export.rows) == ("ready", 3)
    Export.objects.update(expires_at=NOW + timedelta(days=36500))
    answer = client.get(f"/sense/suspects/files/{export.pk}")
    assert answer.status_code == 200
    read = Path(files.settings.SENSE) / f"read.{form}"
    read.write_bytes(b"".join(answer.streaming_content))  # type: ignore[arg-type]
    meta, _ids, shapes, columns = raw.read(read, layer={"gpkg": "held_back"}.get(form))
    told = dict(zip(meta["fields"], columns, strict=True))
    if form == "gpkg":
        assert sorted(name for name, _kind in list_layers(read)) == ["cannot_compare", "found", "held_back"]
    else:
        assert sorted(told["layer"]) == ["cannot_compare", "found", "held_back"]
    place = list(told["layer"]).index("held_back") if form != "gpkg" else 0
    assert told["rule"][place] == "在建设工程规划许可范围内"
    assert told["permit"][place] == "粤规 9 号 v1"
    if form != "csv":
        assert meta["crs"] == "EPSG:4326"
        assert shapely.area(shapely.from_wkb(shapes[place])) == pytest.approx(SQUARE.area)
    assert analyst(world, "other")[2].get(f"/sense/suspects/files/{export.pk}").status_code == 404, "only who asked"


def test_the_file_of_all_suspects_has_what_is_held_back_and_blind_by_the_newest_comparison_of_each_place(
    client: Client, world: World
) -> None:
    newest = compared(world)
    Comparison.objects.update(area=mapping(SQUARE))
    for key, size, facts in (
        ("older", 7.0, {"after_on": DAYS[0], "area": mapping(SQUARE)}),
        ("elsewhere", 9.0, {"area": mapping(SQUARE.buffer(1))}),
        ("two files", 11.0, {"area": None}),
        ("two others", 13.0, {"area": None}),
        ("not done", 15.0, {"area": None, "state": "running"}),
    ):
        other = Comparison.objects.get(pk=newest.pk)
        other.pk, other.key = None, key
        for name, value in facts.items():
            setattr(other, name, value)
        other.save(force_insert=True)
        Blind.objects.create(comparison=other, geometry=mapping(SQUARE), reason="no_data", path="net", area_m2=size)
    client.post("/sense/suspects/export", {"form": "geojson", "street": world.street.pk})
    work_once(at=NOW + timedelta(days=3650), outside=True, limit=3)
    export = Export.objects.get()
    Export.objects.update(expires_at=NOW + timedelta(days=36500))
    answer = client.get(f"/sense/suspects/files/{export.pk}")
    told = [one["properties"] for one in json.loads(b"".join(answer.streaming_content))["features"]]  # type: ignore[arg-type]
    assert [one["number"] for one in told if one["layer"] == "suspects"] == ["TB-2026-000007"]
    assert [one["area_m2"] for one in told if one["layer"] == "cannot_compare"] == [13.0, 11.0, 9.0, 120.0]
    (held,) = [one for one in told if one["layer"] == "held_back"]
    assert (held["permit"], held["last_on"]) == ("粤规 9 号 v1", DAYS[1].isoformat())
