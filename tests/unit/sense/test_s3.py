"""Imagery on an S3 store: written in parts, read by ranges, compared, released, removed; what is gone is said to be gone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jiequ.core.errors import NotFound
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people.models import Person
from jiequ.sense import cog, files, places, services
from jiequ.sense.models import Comparison
from jiequ.sense.queries import pairs
from jiequ.sense.services import comparing, exporting, releasing
from jiequ.sense.tile_tokens import token_of
from jiequ.web.tiles import wsgi
from tests.actors import LAT, LON, NOW, World, client_of
from tests.support.s3 import BUCKET, KEY_ID, SECRET, Store, s3_store
from tests.support.sense import DAYS, flown, geotiff
from tests.support.suspects import comparison, suspect

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio and rio-tiler multiply transforms by *


@pytest.fixture
def store() -> Iterator[Store]:
    with s3_store() as told:
        yield told


@pytest.fixture
def by(by: Any, store: Store, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    store.settings(settings)
    monkeypatch.setattr(wsgi, "close_old_connections", lambda: None)  # the test's own connection
    return by


def bucket(store: Store, scratch: Path, name: str = BUCKET) -> places.Bucket:
    return places.Bucket(name, endpoint=store.url, key_id=KEY_ID, secret=SECRET, region="us-east-1", scratch=scratch)


def worked() -> None:
    for _slice in range(30):
        if not work_once(at=NOW + timedelta(minutes=1), limit=1):
            return
    raise AssertionError("no end")


def test_a_large_file_goes_up_in_parts_and_comes_back_by_ranges(store: Store, tmp_path: Path) -> None:
    import rasterio

    ours = bucket(store, tmp_path / "scratch")
    source, file = geotiff(tmp_path / "a.tif", size=2048), tmp_path / "image.tif"
    cog.write(source, file)
    assert file.stat().st_size > 8 << 20, "or it would be one part"
    ours.place(file, "1/2/image.tif")
    assert not file.exists(), "moved"
    assert sum("partNumber" in one.query and one.method == "PUT" for one in store.asked) > 1
    store.asked.clear()
    with cog.environment(ours, **cog.OPTIONS), rasterio.open(ours.source("1/2/image.tif")) as image:
        seen = image.read(window=((700, 900), (700, 900)))
    with rasterio.open(source) as original:
        assert (seen == original.read(window=((700, 900), (700, 900)))).all()
    ranges = [one.range for one in store.asked if one.method == "GET"]
    assert ranges, "read here"
    assert all(ranges), "never the whole of it"
    with ours.local("1/2/image.tif") as copy, rasterio.open(copy) as image:
        assert image.width == 2048
    assert places.sweep_scratch(tmp_path / "scratch", before=datetime.now(UTC).timestamp() - 60) == 0, "in use"
    assert places.sweep_scratch(tmp_path / "scratch", before=datetime.now(UTC).timestamp() + 60) == 1
    ours.drop("1/2")
    assert not ours.has("1/2/image.tif")


def test_what_is_not_there_is_a_key_error_and_any_other_fault_stays_one(store: Store, tmp_path: Path) -> None:
    ours = bucket(store, tmp_path)
    for ask in (ours.read, lambda key: ours.local(key).__enter__()):
        with pytest.raises(KeyError):
            ask("1/2/image.tif")
    assert not list(tmp_path.rglob("*.tif*")), "no half is left"
    elsewhere = bucket(store, tmp_path, "nobodys")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        elsewhere.read("1/2/image.tif")


def test_imagery_is_taken_in_shown_compared_and_removed_in_the_bucket(
    by: Any, world: World, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jiequ.web.tiles.imagery.KEPT_SECONDS", -1.0)  # what is known of a picture is looked up each time
    from tests.web.test_tiles import ask

    place = flown(world, stories=("new_building",))
    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=NOW.date(), by=by, at=NOW)
    row = services.take_in(street_id=world.street.pk, path=geotiff(tmp_path / "a.tif"), by=by, at=NOW, flight_id=flight.pk)
    worked()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("ready", "")
    key = files.image_key(world.street.pk, row.pk)
    assert files.store().has(key)
    assert not (Path(files.described()["scratch"]) / key).exists()
    opened = f"t={token_of(by, at=datetime.now(UTC))}"
    status, _headers, body = ask(f"/tiles/sense/{row.pk}/crop/all/300.jpg", opened)
    assert (status, body[:2]) == (200, b"\xff\xd8")
    services.forget_asset(asset_id=row.pk, by=by, at=NOW)
    assert files.store().has(key), "a job's work, not the page's"
    worked()
    assert not files.store().has(key)
    assert ask(f"/tiles/sense/{row.pk}/crop/all/300.jpg", opened)[0] == 404

    pair = pairs.pair_at(pairs.Place(world.street.pk, place.point), *DAYS)
    done = comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=by, at=NOW)
    worked()
    done.refresh_from_db()
    assert (done.state, done.reason, done.found > 0) == ("done", "", True)
    assert pair.after is not None
    files.store().drop(f"{world.street.pk}/{pair.after.pk}")
    Comparison.objects.update(state="stopped")
    gone = comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=by, at=NOW)
    worked()
    gone.refresh_from_db()
    assert (gone.state, gone.reason) == ("failed", "file_gone")


def test_a_picture_is_released_from_the_bucket_and_shown_without_a_client_of_it_in_the_page(
    by: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = comparison(world.street.pk)
    raster = geotiff(tmp_path / "a.tif", size=900, gsd=0.1, lon=LON - 0.0004, lat=LAT + 0.0004)
    files.store().place(raster, files.image_key(world.street.pk, seen.after_id or 0))
    one = suspect(seen)
    row = releasing.ask_release(one, window="near", boxes=[], by=by, at=NOW)
    worked()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("to_see", "")
    monkeypatch.setattr(places.Bucket, "client", property(lambda self: pytest.fail("the page speaks to the store")))
    pan = client_of(Person.objects.get(username="pan"))
    for _time in range(2):
        answer = pan.get(f"/sense/releases/{row.pk}/picture.jpg")
        assert (answer.status_code, answer.content[:2]) == (200, b"\xff\xd8")
    monkeypatch.undo()
    files.store().drop(f"{world.street.pk}/{seen.after_id}")
    gone = releasing.ask_release(one, window="near", boxes=[], by=by, at=NOW)
    worked()
    gone.refresh_from_db()
    assert (gone.state, gone.reason) == ("failed", "file_gone")


def test_a_file_of_suspects_lies_in_the_bucket_until_its_time_is_over(
    by: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect(comparison(world.street.pk))
    row = exporting.ask_export(street_id=world.street.pk, form="geojson", by=by, at=NOW)
    worked()
    row.refresh_from_db()
    assert (row.state, row.reason, row.rows) == ("ready", "", 1)
    key = files.export_key(row.pk, "geojson")
    assert files.store().has(key)
    assert not list(Path(files.settings.SENSE).rglob("*.geojson")), "nothing of it stays on this machine"
    assert exporting.fetched(row.pk, by=by, at=NOW) == row
    monkeypatch.setattr(places.Bucket, "client", property(lambda self: pytest.fail("the page speaks to the store")))
    assert b"FeatureCollection" in exporting.file_of(row).read_bytes()
    monkeypatch.undo()
    assert exporting.expire(at=NOW + timedelta(days=2)) == 1
    while work_once(at=NOW + timedelta(days=2), limit=1):
        pass
    assert not files.store().has(key)
    assert not (files.scratch() / key).exists()
    with pytest.raises(NotFound):
        exporting.fetched(row.pk, by=by, at=NOW)


def test_the_secret_stands_in_no_log_and_in_no_row_whatever_goes_wrong(
    by: Any, world: World, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=NOW.date(), by=by, at=NOW)
    services.take_in(street_id=world.street.pk, path=geotiff(tmp_path / "a.tif"), by=by, at=NOW, flight_id=flight.pk)
    with cog.environment(files.store()):
        assert files.store().has("1/1/image.tif") is False
    store.stop()
    work_once(at=NOW, outside=True, line="sense.take", limit=1)
    with pytest.raises(Exception, match="."):
        files.store().read("1/1/item.json")
    job = Job.objects.get(kind="sense.take")
    assert job.failures == 1, "tried again later"
    told = capfd.readouterr()
    everything = "\n".join([caplog.text, told.out, told.err, job.last_error, str(job.args)])
    assert "EndpointConnectionError" in everything or "ConnectionError" in everything, "the fault itself is told"
    assert SECRET not in everything
