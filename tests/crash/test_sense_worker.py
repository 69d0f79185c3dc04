"""kill -9 of the jobs' worker itself while a child of it works: the child ends with it, and another worker finishes.

Each kill waits for what the child reports, or for the moment between its end and the row; no clock decides.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.sense import children, files, services
from jiequ.sense.child.taking import digest
from jiequ.sense.models import Asset, Comparison, Finding, Mosaic, Suspect
from jiequ.sense.queries import pairs
from jiequ.sense.services import comparing, mosaicking, servers, taking
from tests.actors import NOW, World
from tests.support.nodeodm import NodeOdm, node_odm
from tests.support.processes import BETWEEN_ROUNDS, Tell, fork
from tests.support.sense import DAYS, analyst, drone_photo, flown, geotiff, place_asset

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),  # rasterio multiplies transforms by *
]
LATER = timedelta(seconds=20)
Stop = Callable[[Any], bool]
Broken = Callable[[], Any]


@pytest.fixture
def by(world: World, settings: Any, tmp_path: Path) -> Any:
    settings.SENSE = tmp_path / "sense"
    settings.SENSE_PROCESSES = 1
    return analyst(world)[1]


def killed_when(
    module: Any, name: str, is_there: Stop, line: str, at: datetime, *, first: Broken = lambda: None, turns: int = 1
) -> None:
    """A worker that is killed in the call of ``module.name`` for which ``is_there`` is true; its children are then gone too.

    ``turns``: how often it looks for work that has become due meanwhile, a quarter of a minute later each time.
    """

    def worker(tell: Tell) -> None:
        children._children.clear()
        plain = getattr(module, name)

        def watched(*given: Any) -> Any:
            if is_there(given):
                tell(struct.pack("q", next(iter(children._children.values())).process.pid))
                os.read(os.pipe()[0], 1)
            return plain(*given)

        setattr(module, name, watched)
        children.TELL_EVERY_SECONDS = 0.01
        first()
        for turn in range(turns):
            while work_once(at=at + turn * LATER, limit=1, outside=True, line=line):
                pass

    child = fork(worker)
    told = os.read(child.pipe, 8)
    assert told, "it ended by itself"
    child.kill()
    os.close(child.pipe)
    orphan = struct.unpack("q", told)[0]
    if psutil.pid_exists(orphan) and (left := psutil.Process(orphan)).status() != psutil.STATUS_ZOMBIE:
        left.wait(timeout=30)


def finished(line: str, at: datetime) -> None:
    """Another worker, after the lease."""
    for turn in range(10):
        while work_once(at=at + turn * LATER, limit=1, outside=True, line=line):
            pass
    for child in children._children.values():
        child.kill()
    children._children.clear()
    assert not Job.objects.filter(kind=line).exists(), "nothing waits any more"


# ---- a file is taken in


def taken(world: World, by: Any, tmp_path: Path) -> tuple[Asset, Path, str]:
    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=NOW.date(), by=by, at=NOW)
    file = geotiff(tmp_path / "a.tif", size=1400)
    row = services.take_in(street_id=world.street.pk, path=file, by=by, at=NOW, flight_id=flight.pk, keep=False)
    return row, file, digest(file)


def whole(row: Asset, file: Path, sha256: str) -> None:
    """Taken in once, to the last byte."""
    import rasterio

    row.refresh_from_db()
    assert (row.state, row.reason, row.sha256) == ("ready", "", sha256)
    with rasterio.open(files.store().source(files.image_key(row.street_id, row.pk))) as image:
        assert (image.width, image.height, bool(image.read().any())) == (1400, 1400, True)
    assert not file.exists(), "ours, and no longer needed"
    assert not taking.scratch(row.pk).exists()


STAGES: list[tuple[str, Stop]] = [
    ("_tell", lambda given: given[1]["percent"] >= 20),
    ("_tell", lambda given: given[1]["percent"] >= 30),
    ("_ready", lambda given: True),
]


def test_a_worker_killed_while_a_file_is_taken_in_costs_nothing_but_time(world: World, by: Any, tmp_path: Path) -> None:
    row, file, sha256 = taken(world, by, tmp_path)
    at = NOW
    for name, is_there in STAGES:
        killed_when(taking, name, is_there, "sense.take", at)
        row.refresh_from_db()
        assert (row.state, file.exists()) == ("working", True)
        at += BETWEEN_ROUNDS
    finished("sense.take", at)
    whole(row, file, sha256)


def test_the_broken_twin_that_removes_the_job_before_the_work_leaves_the_file_waiting_for_ever(
    world: World, by: Any, tmp_path: Path
) -> None:
    row, file, sha256 = taken(world, by, tmp_path)
    killed_when(taking, *STAGES[1], "sense.take", NOW, first=_at_most_once)
    finished("sense.take", NOW + BETWEEN_ROUNDS)
    with pytest.raises(AssertionError):
        whole(row, file, sha256)


def _at_most_once() -> None:
    """Jobs are removed when they begin."""
    plain = taking.look

    def look(*given: Any) -> Any:
        Job.objects.all().delete()
        return plain(*given)

    taking.look = look


# ---- two dates are compared


def asked(world: World, by: Any) -> Comparison:
    place = flown(world, stories=("new_building",))
    pair = pairs.pair_at(pairs.Place(world.street.pk, place.point), *DAYS)
    return comparing.ask_comparison(street_id=world.street.pk, pair=pair, point_id=place.point.pk, by=by, at=NOW)


def stage(name: str) -> Stop:
    return lambda given: bool(given[1]["stage"] == name)


def stored(row: Comparison) -> tuple[str, str, int, int]:
    row.refresh_from_db()
    return row.state, row.outcome_sha256, Finding.objects.filter(comparison=row).count(), Suspect.objects.count()


def test_a_worker_killed_while_it_compares_ends_in_the_same_findings_stored_once(world: World, by: Any) -> None:
    row = asked(world, by)
    at = NOW
    for module, name, is_there in (
        (comparing, "_tell", stage("overview")),
        (comparing, "_tell", stage("picture")),
        (comparing, "_kept", lambda given: True),
    ):
        killed_when(module, name, is_there, "sense.compare", at)
        assert stored(row)[::2] == ("running", 0), "nothing by half"
        at += BETWEEN_ROUNDS
    finished("sense.compare", at)
    state, sha256, findings, suspects = stored(row)
    assert (state, findings > 0, suspects) == ("done", True, findings)
    Comparison.objects.update(state="stopped")
    Suspect.objects.update(latest=None)
    alone = comparing.ask_comparison(
        street_id=world.street.pk, pair=pairs.pair_at(pairs.Place(world.street.pk, row.point), *DAYS), by=by, at=NOW
    )
    finished("sense.compare", at + timedelta(minutes=5))
    assert stored(alone)[:3] == ("done", sha256, findings)


def test_the_broken_twin_that_stores_findings_before_the_job_ends_stores_some_without_an_end(world: World, by: Any) -> None:
    """What is stored in another transaction than the end of the job is there after the kill, and the comparison runs on."""
    row = asked(world, by)

    def apart() -> None:
        plain = comparing.recognising.recognised

        def recognised(row: Comparison, outcome: Any, *more: Any) -> Any:
            for one in outcome.findings:
                Finding.objects.create(
                    comparison=row, key=one.key, geometry=dict(one.geometry), area_m2=one.area_m2, hint=str(one.hint),
                    confidence=one.confidence,
                )  # fmt: skip
            return plain(row, outcome, *more)

        comparing.recognising.recognised = recognised

    killed_when(comparing, "_kept", lambda given: True, "sense.compare", NOW, first=apart)
    with pytest.raises(AssertionError, match="half"):
        assert stored(row)[::2] == ("running", 0), "nothing by half"


# ---- photos go to a server


@pytest.fixture
def there(settings: Any, tmp_path: Path) -> Iterator[NodeOdm]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    results = {"odm_orthophoto/odm_orthophoto.tif": geotiff(tmp_path / "o.tif").read_bytes()}
    with node_odm(results=results, hangs_after=2) as state:
        yield state


def sent_off(world: World, by: Any, there: NodeOdm, tmp_path: Path) -> Mosaic:
    flight = services.make_flight(street_id=world.street.pk, name="一", flown_on=NOW.date(), by=by, at=NOW)
    for number in range(3):
        photo = place_asset(world, geotiff(tmp_path / f"{number}.tif", seed=number), point=None, day=DAYS[1], kind="photo")
        Asset.objects.filter(pk=photo.pk).update(flight=flight, item={"assets": {"original": {}}})
        files.store().place(drone_photo(tmp_path / f"{number}.jpg"), files.original_key(world.street.pk, photo.pk))
    servers.make_server(name="拼图", url=there.url, token="", by=world.actor("xi"), at=NOW)
    return mosaicking.ask_mosaic(flight_id=flight.pk, server_id=None, by=by, at=NOW)


def through(row: Mosaic, there: NodeOdm, forget: Broken = lambda: None) -> None:
    """Killed while photos go up, when the task was begun there, and when its files had come; then left alone."""
    line, at = "sense.mosaic", NOW
    killed_when(mosaicking, "_tell", lambda given: given[1]["percent"] >= 30, line, at)
    there.hangs_after = None
    for name in ("_sent", "_fetched"):
        at += BETWEEN_ROUNDS
        forget()
        killed_when(mosaicking, name, lambda given: True, line, at, turns=4)
    finished(line, at + BETWEEN_ROUNDS)
    row.refresh_from_db()
    assert (row.state, there.committed) == ("done", 1), "nothing was sent twice"
    assert Asset.objects.filter(source="nodeodm").count() == 1


def test_a_worker_killed_on_the_way_to_a_server_and_back_has_one_task_made_there(
    world: World, by: Any, there: NodeOdm, tmp_path: Path
) -> None:
    through(sent_off(world, by, there, tmp_path), there)


def test_the_broken_twin_that_forgets_its_tasks_has_it_made_twice(
    world: World, by: Any, there: NodeOdm, tmp_path: Path
) -> None:
    row = sent_off(world, by, there, tmp_path)
    with pytest.raises(AssertionError, match="twice"):
        through(row, there, forget=lambda: Mosaic.objects.update(tried=[], uuid=""))
