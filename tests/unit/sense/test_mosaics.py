"""A flight's photos go to a NodeODM server by the real pyodm and come back as pictures: once, whatever goes wrong there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.jobs import dead_jobs, revive, work_once
from jiequ.core.models import Job
from jiequ.people.rules import Role
from jiequ.sense import files, services
from jiequ.sense.models import Asset, Flight, Mosaic, OdmServer
from jiequ.sense.services import mosaicking, servers
from tests.actors import NOW, World
from tests.support.nodeodm import NodeOdm, node_odm
from tests.support.sense import drone_photo, geotiff, place_asset, staff

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture(autouse=True)
def reach(settings: Any) -> None:
    """Servers on this machine may be asked."""
    settings.WEBHOOK_NETWORKS = LOOPBACK


@pytest.fixture
def there(tmp_path: Path) -> Iterator[NodeOdm]:
    results = {
        "odm_orthophoto/odm_orthophoto.tif": geotiff(tmp_path / "o.tif", size=200, bands=4).read_bytes(),
        "odm_dem/dsm.tif": geotiff(tmp_path / "d.tif", size=200, bands=1, dtype="float32", base=30.0).read_bytes(),
        "../../escaped.txt": b"no",
    }
    with node_odm(results=results) as state:
        yield state


@pytest.fixture
def flight(by: Any, world: World, tmp_path: Path) -> Flight:
    """Three photos that were taken in, with what came of them in the store."""
    row = services.make_flight(street_id=world.street.pk, name="第 3 轮", flown_on=NOW.date(), by=by, at=NOW)
    for number in range(3):
        raster = geotiff(tmp_path / f"{number}.tif", seed=10 + number)
        photo = place_asset(world, raster, point=None, day=NOW.date(), kind="photo", name=f"DJI_{number}.JPG")
        Asset.objects.filter(pk=photo.pk).update(flight=row, item={"assets": {"original": {"href": "original.jpg"}}})
        original = drone_photo(tmp_path / f"{number}.jpg", seed=number)
        files.store().place(original, files.original_key(world.street.pk, photo.pk))
    return row


def named(world: World, there: NodeOdm, *, token: str = "") -> OdmServer:
    return servers.make_server(name="拼图一", url=there.url, token=token, by=world.actor("xi"), at=NOW)


def asked(flight: Flight, by: Any) -> Mosaic:
    return mosaicking.ask_mosaic(flight_id=flight.pk, server_id=None, by=by, at=NOW)


def worked(row: Mosaic, at: datetime = NOW, turns: int = 40) -> Mosaic:
    """Jobs are done, time going on by a quarter of a minute, until the mosaic has ended and is cleared away."""
    for _turn in range(turns):
        work_once(at=at, outside=True, limit=1)
        at += timedelta(seconds=15)
        if not Job.objects.filter(kind__startswith="sense.mosaic", dead_at=None).exists():
            break
    row.refresh_from_db()
    return row


def test_photos_go_and_an_orthophoto_and_a_surface_model_come_back(
    by: Any, world: World, there: NodeOdm, flight: Flight
) -> None:
    named(world, there)
    row = worked(asked(flight, by))
    assert (row.state, row.reason, row.trouble) == ("done", "", "")
    assert there.committed == 1
    originals = {f"{pk}.jpg" for pk in mosaicking.photos_of(flight.pk).values_list("pk", flat=True)}
    assert there.removed == row.tried, "nothing of ours stays there"
    assert len(originals) == 3
    for _slice in range(8):
        work_once(at=NOW + timedelta(hours=1), outside=True, line="sense.take", limit=1)
    made = Asset.objects.filter(source="nodeodm").order_by("kind")
    told = [(one.kind, one.state, one.reason, one.flight_id, bool(one.item)) for one in made]
    assert told == [("dsm", "ready", "", flight.pk, True), ("ortho", "ready", "", flight.pk, True)]
    assert [one.taken_at for one in made] == [Asset.objects.filter(kind="photo").earliest("taken_at").taken_at] * 2
    assert {row.ortho_id, row.dsm_id} == {one.pk for one in made}
    for one in made:
        assert files.store().has(files.image_key(world.street.pk, one.pk))
    assert not list(Path(files.described()["root"]).parent.rglob("escaped.txt")), "no path of the archive is followed"
    assert not mosaicking.folder(row.pk).exists()


def test_the_server_gets_the_photos_as_they_came_with_the_options_and_its_token(
    by: Any, world: World, there: NodeOdm, flight: Flight, tmp_path: Path
) -> None:
    there.token, there.looks = "only-ours", 1000
    named(world, there, token="only-ours")
    row = asked(flight, by)
    work_once(at=NOW, outside=True, line="sense.mosaic", limit=1)
    (task,) = there.tasks.values()
    originals = {
        f"{pk}.jpg": files.store().read(files.original_key(world.street.pk, pk))
        for pk in mosaicking.photos_of(flight.pk).values_list("pk", flat=True)
    }
    assert task.photos == originals
    assert {"name": "dsm", "value": True} in task.options
    row.refresh_from_db()
    assert (row.uuid, row.tried, row.state) == (task.uuid, [task.uuid], "running")


def test_what_is_a_fault_of_the_moment_is_shown_and_tried_again(by: Any, world: World, there: NodeOdm, flight: Flight) -> None:
    named(world, there)
    row = asked(flight, by)
    there.full = "Task queue is full"
    work_once(at=NOW, outside=True, line="sense.mosaic", limit=1)
    row.refresh_from_db()
    assert (row.state, row.trouble, row.said) == ("sending", "odm_refused", "Task queue is full")
    there.full = ""
    there.cut = 900
    at = NOW + timedelta(minutes=2)
    for _turn in range(5):
        work_once(at=at, outside=True, line="sense.mosaic", limit=1)
        at += timedelta(seconds=15)
    row.refresh_from_db()
    assert (row.state, row.trouble, there.committed) == ("fetching", "odm_archive", 1)
    assert not Asset.objects.filter(source="nodeodm").exists(), "no half of it"
    there.cut = None
    row = worked(row, at + timedelta(minutes=10))
    assert (row.state, row.trouble, there.committed) == ("done", "", 1)
    assert Asset.objects.filter(source="nodeodm").count() == 2


def test_a_task_that_fails_there_ends_with_the_servers_words(by: Any, world: World, there: NodeOdm, flight: Flight) -> None:
    named(world, there)
    there.fails = "Not enough overlap\x00 between photos"
    row = worked(asked(flight, by))
    assert (row.state, row.reason, row.said) == ("failed", "odm_failed", "Not enough overlap between photos")
    assert there.removed == [row.uuid]
    again = asked(flight, by)
    assert again.pk != row.pk, "it may be asked anew"


def test_a_task_that_is_gone_there_or_photos_too_many_end_it(by: Any, world: World, there: NodeOdm, flight: Flight) -> None:
    named(world, there)
    there.most = 2
    assert worked(asked(flight, by)).reason == "odm_too_many"
    there.most, there.looks = None, 1000
    row = asked(flight, by)
    work_once(at=NOW, outside=True, line="sense.mosaic", limit=1)
    there.tasks.clear()
    assert worked(row, NOW + timedelta(minutes=1)).reason == "odm_lost"


def test_a_server_that_is_away_is_asked_again_and_at_last_given_up_until_somebody_revives_it(
    by: Any, world: World, flight: Flight, tmp_path: Path
) -> None:
    with node_odm() as state:
        server = named(world, state)
        row = asked(flight, by)
    at = NOW
    for _try in range(7):
        work_once(at=at, outside=True, line="sense.mosaic", limit=1)
        at += timedelta(hours=13)
    row.refresh_from_db()
    assert (row.state, row.reason, row.trouble) == ("failed", "given_up", "odm_gone")
    results = {"odm_orthophoto/odm_orthophoto.tif": geotiff(tmp_path / "o.tif").read_bytes()}
    with node_odm(results=results) as state:
        OdmServer.objects.filter(pk=server.pk).update(url=state.url)
        assert revive(dead_jobs().get(kind="sense.mosaic").pk, at=at)
        assert worked(row, at).state == "done"
        assert (row.dsm_id, row.ortho_id is not None, state.committed) == (None, True, 1)


def test_one_that_is_stopped_is_cancelled_and_removed_there(by: Any, world: World, there: NodeOdm, flight: Flight) -> None:
    named(world, there)
    there.looks = 1000
    row = asked(flight, by)
    work_once(at=NOW, outside=True, line="sense.mosaic", limit=1)
    with pytest.raises(Refusal, match="已经在拼"):
        asked(flight, by)
    mosaicking.stop_mosaic(mosaic_id=row.pk, by=by, at=NOW)
    row = worked(row)
    assert (row.state, there.cancelled, there.removed) == ("stopped", [row.uuid], [row.uuid])
    with pytest.raises(Refusal):
        mosaicking.stop_mosaic(mosaic_id=row.pk, by=by, at=NOW)


def test_an_address_inside_is_reached_only_where_the_operator_named_it_and_a_redirect_leads_nowhere(
    by: Any, world: World, there: NodeOdm, flight: Flight, settings: Any
) -> None:
    named(world, there)
    settings.WEBHOOK_NETWORKS = ["10.0.0.0/8"]
    row = worked(asked(flight, by))
    assert (row.state, row.reason, there.calls) == ("failed", "address_not_allowed", [])
    settings.WEBHOOK_NETWORKS = LOOPBACK
    with node_odm() as other:
        there.redirect = f"{other.url}/info"
        work_once(at=NOW, outside=True, line="sense.odm", limit=1)
        server = OdmServer.objects.get()
        assert (server.trouble != "", server.answer, other.calls) == (True, "", [])
    there.redirect = ""
    servers.ask_try(server_id=server.pk, by=world.actor("xi"), at=NOW)
    work_once(at=NOW, outside=True, line="sense.odm", limit=1)
    server.refresh_from_db()
    assert (server.trouble, server.answer) == ("", "odm 3.5.4, NodeODM 2.2.4")


def test_the_token_is_sealed_and_stands_in_no_log_row_or_other_servers_call(
    by: Any, world: World, there: NodeOdm, flight: Flight, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    named(world, there, token="a-Token-for-one")
    row = asked(flight, by)
    work_once(at=NOW, outside=True, line="sense.mosaic", limit=1)
    with node_odm(token="") as other:
        servers.make_server(name="拼图二", url=other.url, token="", by=world.actor("xi"), at=NOW)
        OdmServer.objects.filter(name="拼图一").update(url="http://127.0.0.1:1")
        work_once(at=NOW + timedelta(minutes=1), outside=True, limit=4)
    row.refresh_from_db()
    told = capfd.readouterr()
    rows = [str(list(table.objects.values())) for table in (OdmServer, Mosaic, Job)]
    assert "a-Token-for-one" not in "\n".join([caplog.text, told.out, told.err, *rows])
    assert there.calls
    assert other.calls


def test_who_may_name_a_server_and_who_may_send_a_flight(by: Any, world: World, there: NodeOdm, flight: Flight) -> None:
    from jiequ.people.access import actor_for

    with pytest.raises(Forbidden):
        servers.make_server(name="x", url=there.url, token="", by=by, at=NOW)
    with pytest.raises(Refusal, match="登记"):
        asked(flight, by)
    for url in ("ftp://x/", f"{there.url}/?token=1", "https://u:p@example.org/", "not an address"):
        with pytest.raises(Refusal):
            servers.make_server(name="x", url=url, token="", by=world.actor("xi"), at=NOW)
    named(world, there)
    with pytest.raises(Forbidden):
        asked(flight, actor_for(staff(world, Role.PILOT, "fei"), at=NOW))
    Asset.objects.filter(kind="photo").update(item={})
    with pytest.raises(Refusal, match="0 张"):
        asked(flight, by)


def test_a_photo_that_is_taken_in_keeps_its_original_for_this(by: Any, world: World, tmp_path: Path) -> None:
    photo = drone_photo(tmp_path / "DJI_1.JPG")
    data = photo.read_bytes()
    row = services.take_in(street_id=world.street.pk, path=photo, by=by, at=NOW)
    for _slice in range(5):
        work_once(at=NOW, outside=True, line="sense.take", limit=1)
    row.refresh_from_db()
    assert (row.state, row.reason, row.kind) == ("ready", "", "photo")
    assert files.store().read(files.original_key(world.street.pk, row.pk)) == data
    assert row.item["assets"]["original"]["file:checksum"] == "1220" + row.sha256
    assert row.item["assets"]["image"]["file:checksum"] != "1220" + row.sha256, "the COG is another file"
