"""A file that came in becomes a picture with place, date and tiles, or stands in the list with its reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.db import transaction

from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.jobs import work_once
from jiequ.core.worktime import ZONE
from jiequ.people.rules import Role
from jiequ.sense import children, files, services
from jiequ.sense.models import Asset
from jiequ.sense.services import taking
from jiequ.sense.tile_tokens import token_of
from jiequ.web.tiles import wsgi
from tests.actors import NOW, World
from tests.support.sense import geotiff, staff

DAY = NOW.date()


@pytest.fixture(autouse=True)
def tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "close_old_connections", lambda: None)  # the test's own connection


def taken(world: World, by: Any, path: Path, **facts: Any) -> Asset:
    asset = services.take_in(street_id=world.street.pk, path=path, by=by, at=NOW, **facts)
    for _slice in range(20):
        work_once(at=NOW, outside=True, line="sense.take", limit=1)
        asset.refresh_from_db()
        if asset.state in ("ready", "unusable"):
            return asset
    raise AssertionError(asset.state)


def errors_of(item: dict[str, Any]) -> list[str]:
    """By pystac's bundled core schema of an item; nothing is fetched."""
    folder, known = resources("pystac.validation.jsonschemas"), {}
    specs = ("item", "bands", "basics", "common", "data-values", "datetime", "instrument", "licensing", "provider")
    for name in specs:
        where = f"https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/{name}.json"
        known[where] = json.loads(folder.joinpath(f"stac-spec/v1.1.0/{name}.json").read_text())
    for name in ("Feature", "Geometry"):
        known[f"https://geojson.org/schema/{name}.json"] = json.loads(folder.joinpath(f"geojson/{name}.json").read_text())
    main = next(iter(known))
    registry = jsonschema_rs.Registry(list(known.items()))
    return [error.message for error in jsonschema_rs.validator_for(known[main], registry=registry).iter_errors(item)]


def test_a_geotiff_becomes_a_cog_with_an_item_that_the_core_schema_takes_and_tiles(
    by: Any, world: World, tmp_path: Path
) -> None:
    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=DAY, aircraft="M350", by=by, at=NOW)
    source = geotiff(tmp_path / "a.tif", size=1400)
    asset = taken(world, by, source, flight_id=flight.pk)
    assert (asset.state, asset.reason, asset.kind, asset.aircraft, asset.epsg) == ("ready", "", "ortho", "M350", 32649)
    assert asset.gsd_m == pytest.approx(0.5, rel=1e-3)  # on the ground; the projection has a scale of its own
    assert source.exists(), "somebody's own file stays"
    store = files.store()
    item = json.loads(store.read(files.item_key(world.street.pk, asset.pk)))
    assert item == asset.item
    assert errors_of(item) == []
    assert errors_of({**item, "bbox": "here"}), "the schema would find a fault"
    assert (item["properties"]["gsd"], item["properties"]["platform"], item["properties"]["jiequ:flight"]) == (
        asset.gsd_m,
        "M350",
        "一",
    )
    assert item["properties"]["proj:shape"] == [1400, 1400]
    import rasterio

    with rasterio.open(store.source(files.image_key(world.street.pk, asset.pk))) as image:
        assert image.profile["tiled"]
        assert image.overviews(1)
        with rasterio.open(source) as original:
            assert (image.read() == original.read()).all(), "lossless"
    again = taken(world, by, source, flight_id=flight.pk)
    assert (again.state, again.reason, again.reason_facts) == ("unusable", "twice", {"asset": asset.pk})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: geotiff(path, crs=None), "no_crs"),
        (lambda path: path.write_bytes(b"MZ not a picture"), "unknown_format"),
        (lambda path: path.write_bytes(geotiff(path).read_bytes()[:3000]), "truncated"),
        (lambda path: geotiff(path), "no_date"),
    ],
    ids=["no place", "no picture", "cut off", "no date"],
)
def test_what_cannot_be_used_stands_in_the_list_with_its_reason(
    by: Any, world: World, tmp_path: Path, make: Any, reason: str
) -> None:
    path = tmp_path / "bad.tif"
    make(path)
    asset = taken(world, by, path)
    assert (asset.state, asset.reason) == ("unusable", reason)
    assert not list((tmp_path / "sense").rglob("*.tif")), "nothing is stored by half"


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_only_when_the_row_says_what_became_of_it(by: Any, world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"MZ not a picture")
    asset = services.take_in(street_id=world.street.pk, path=path, by=by, at=NOW, keep=False)
    with writing():
        taking._unusable(asset, str(path), False, "unknown_format", {}, NOW)
        transaction.set_rollback(True)  # the lease was lost, say
    assert path.exists(), "the next try finds it again"
    with writing():
        taking._unusable(asset, str(path), False, "unknown_format", {}, NOW)
    assert not path.exists()


def test_a_flight_of_today_is_taken_before_eight_in_the_morning(by: Any, world: World) -> None:
    early = datetime(2026, 3, 4, 2, tzinfo=ZONE)
    assert services.make_flight(street_id=world.street.pk, name="晨", flown_on=early.date(), by=by, at=early.astimezone(UTC)).pk
    with pytest.raises(Refusal):
        services.make_flight(street_id=world.street.pk, name="明", flown_on=date(2026, 3, 5), by=by, at=early.astimezone(UTC))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rio-tiler multiplies transforms by *
def test_tiles_are_for_those_who_may_see_the_streets_pictures(by: Any, world: World, tmp_path: Path) -> None:
    from jiequ.people.access import actor_for
    from tests.web.test_tiles import ask

    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=DAY, by=by, at=NOW)
    asset = taken(world, by, geotiff(tmp_path / "a.tif", size=600), flight_id=flight.pk)
    from rio_tiler.io import Reader

    with Reader(files.store().source(files.image_key(world.street.pk, asset.pk))) as reader:
        tile = reader.tms.tile((asset.west + asset.east) / 2, (asset.south + asset.north) / 2, 17)
    at = datetime.now(UTC)
    path = f"/tiles/sense/{asset.pk}/{tile.z}/{tile.x}/{tile.y}"
    status, headers, body = ask(path, f"t={token_of(by, at=at)}")
    assert (status, headers["Content-Type"]) in ((200, "image/png"), (200, "image/jpeg"))
    assert len(body) > 1000
    bounds = f"{asset.west},{asset.south},{asset.east},{asset.north}"
    status, headers, body = ask(f"/tiles/sense/{asset.pk}/crop/{bounds}/300.jpg", f"t={token_of(by, at=at)}")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    for odd in ("1.2.3,0,1,1", "9999999,9999998,9999999.5,9999999", "1,1,0,0"):
        assert ask(f"/tiles/sense/{asset.pk}/crop/{odd}/300.jpg", f"t={token_of(by, at=at)}")[0] == 404, odd
    beside = ask(f"/tiles/sense/{asset.pk}/crop/0,0,0.00001,0.00001/300.jpg", f"t={token_of(by, at=at)}")
    assert (beside[0], beside[1]["Content-Type"]) == (200, "image/jpeg"), "where the picture is not, it is empty"
    far = token_of(actor_for(staff(world, Role.PILOT, "far", other_street=True), at=NOW), at=at)
    assert ask(path, f"t={far}")[0] == 404
    assert ask(path)[0] == 401, "the token of the maps opens no pictures"
    files.store().drop(f"{world.street.pk}/{asset.pk}")
    assert ask(path, f"t={token_of(by, at=at)}")[0] == 404, "gone, and no error"


PHOTOS = Path(__file__).resolve().parents[4] / "shared/data/sense"


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the drone photos of shared/data/sense are not on this machine")
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
def test_a_drones_photo_is_laid_on_the_ground_and_one_without_a_place_says_so(by: Any, world: World) -> None:
    asset = taken(world, by, PHOTOS / "drone_dji" / "DJI_0018.JPG")
    assert (asset.state, asset.reason, asset.kind) == ("ready", "", "photo")
    assert asset.taken_at is not None
    assert asset.gsd_m == pytest.approx(0.017, abs=0.003)
    assert asset.footprint["type"] == "Polygon"
    assert asset.aircraft
    assert errors_of(asset.item) == []
    kite = taken(world, by, PHOTOS / "drone_village" / "img_4854.jpg")
    assert (kite.state, kite.reason) == ("unusable", "no_position")


def test_a_file_that_waits_does_not_end_the_work_on_a_large_one(
    by: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files at once, the first too large for one slice: its next slice comes before the second file."""
    asked: list[str] = []

    def slow(role: str, key: str, request: Any, **_more: Any) -> None:
        asked.append(key)

    monkeypatch.setattr(children, "ask", slow)
    first, second = (
        services.take_in(street_id=world.street.pk, path=geotiff(tmp_path / f"{n}.tif", seed=n), by=by, at=NOW) for n in (1, 2)
    )
    for _slice in range(3):
        work_once(at=NOW, outside=True, line="sense.take", limit=1)
    assert asked == [f"take:{first.pk}"] * 3, second
