"""Fixed cameras: a picture every so often from an address or a folder, kept and comparable; what is wrong is listed."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.jobs import work_once
from jiequ.people.access import actor_for
from jiequ.people.rules import Role
from jiequ.sense import files
from jiequ.sense.child import glancing
from jiequ.sense.models import Asset, Camera, CameraFault, Comparison
from jiequ.sense.queries import pairs
from jiequ.sense.services import cameras, comparing
from tests.actors import LAT, LON, NOW, World
from tests.support.loopback import Handler, listening
from tests.support.sense import staff

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
HOUR = timedelta(hours=1)


def view(seed: int, *, house: bool = False, stamp: int = 0, scene: int = 1) -> bytes:
    """What the camera sees: the same street with other noise, a house more, a clock written over it; as JPEG."""
    rng = np.random.default_rng(scene)
    image = np.kron(rng.uniform(50, 200, (18, 24, 3)), np.ones((20, 20, 1)))
    if house:
        image[160:280, 200:340] = (200, 60, 50)
    image = image + np.random.default_rng(seed).normal(0, 4, image.shape)
    image[:16, :120] = np.where(np.random.default_rng(stamp).random((16, 120, 1)) > 0.5, 255, 0)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


class Lens:
    """What the camera answers next."""

    body: bytes = b""
    status = 200
    login = ""
    asked: list[str]


@pytest.fixture
def lens() -> Iterator[Any]:
    told = Lens()
    told.asked = []

    class Theirs(Handler):
        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "")
            told.asked.append(said)
            if told.login and not re.search(rf'username="{told.login}".*nonce="abc".*response="[0-9a-f]{{32}}"', said):
                return self.send(401, **{"WWW-Authenticate": 'Digest realm="cam", nonce="abc", qop="auth"'})
            self.send(told.status, told.body)

    with listening(Theirs) as address:
        yield told, f"{address}/snapshot.jpg"


@pytest.fixture(autouse=True)
def reach(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cameras on this machine may be asked, and a folder that they write to."""
    settings.SENSE_CAMERAS = tmp_path / "cameras"
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(cameras, "SECONDS", 90.0)


@pytest.fixture
def point(world: World) -> Any:
    from jiequ.grid.models import MonitoringPoint

    return MonitoringPoint.objects.create(
        street=world.street, code="C1", name="路口", kind="camera", lon=LON, lat=LAT, q18=0, raw_x=LON, raw_y=LAT
    )


def made(point: Any, by: Any, **facts: Any) -> Camera:
    told = {"name": "路口一号", "way": "http", "every_minutes": 60} | facts
    return cameras.make_camera(street_id=point.street_id, point_id=point.pk, by=by, at=NOW, **told)


def turn(row: Camera, at: datetime) -> Camera:
    """Its turn comes, and what came is taken in."""
    cameras.enqueue_due(at)
    work_once(at=at, outside=True, line="sense.camera", limit=5)
    for _slice in range(8):
        work_once(at=at, outside=True, line="sense.take", limit=1)
    row.refresh_from_db()
    return row


def faults(row: Camera) -> list[tuple[str, int, bool]]:
    return list(CameraFault.objects.filter(camera=row).order_by("pk").values_list("code", "times", "is_open"))


def test_two_pictures_of_a_camera_are_kept_with_their_moment_and_compared(by: Any, world: World, point: Any, lens: Any) -> None:
    told, url = lens
    row = made(point, by, address=url)
    told.body = view(1)
    turn(row, NOW)
    assert cameras.enqueue_due(NOW + timedelta(minutes=59)) == 0, "not before its turn"
    told.body = view(2, house=True)
    later = NOW + timedelta(days=2)
    turn(row, later)
    first, second = Asset.objects.order_by("pk")
    assert [(one.state, one.reason, one.kind, one.source, one.point_id, one.camera_id) for one in (first, second)] == [
        ("ready", "", "snapshot", "camera", point.pk, row.pk)
    ] * 2
    assert (first.taken_at, second.taken_at, row.latest_id, faults(row)) == (NOW, later, second.pk, [])
    assert second.item["properties"]["datetime"].startswith(f"{later:%Y-%m-%dT}")
    assert files.store().has(files.item_key(world.street.pk, second.pk))
    pair = pairs.pair_at(pairs.Place(world.street.pk, point), pairs.day_of(first), pairs.day_of(second))
    asked = comparing.ask_comparison(street_id=world.street.pk, pair=pair, point_id=point.pk, by=by, at=later)
    for _slice in range(10):
        work_once(at=later, outside=True, line="sense.compare", limit=1)
    done = Comparison.objects.get(pk=asked.pk)
    assert (done.state, done.reason, done.in_pixels, done.before_id, done.after_id) == ("done", "", True, first.pk, second.pk)


def test_two_cameras_of_one_point_are_never_compared_with_each_other(by: Any, world: World, point: Any, lens: Any) -> None:
    told, url = lens
    one, other = made(point, by, address=url), made(point, by, address=url, name="路口二号")
    days = (NOW, NOW + timedelta(days=2))
    for camera, at in ((one, days[0]), (other, days[1])):
        told.body = view(camera.pk, scene=camera.pk)
        Camera.objects.exclude(pk=camera.pk).update(is_on=False)
        Camera.objects.filter(pk=camera.pk).update(is_on=True)
        turn(camera, at)
    first, second = Asset.objects.order_by("pk")
    with pytest.raises(Refusal, match="不能比对"):
        pairs.pair_at(pairs.Place(world.street.pk, point), pairs.day_of(first), pairs.day_of(second))


def test_what_is_wrong_is_listed_with_its_reason_and_over_when_a_picture_comes(by: Any, point: Any, lens: Any) -> None:
    told, url = lens
    row = made(point, by, address=url)
    at = NOW
    black = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 9, (200, 300, 3)).astype(np.uint8)).save(black, "JPEG")
    wrong = [
        (200, black.getvalue(), "camera_black"),
        (200, black.getvalue(), "camera_black"),
        (200, b"<html>", "unknown_format"),
    ]
    wrong += [(500, b"", "camera_status"), (401, b"", "camera_login"), (200, view(1)[:900], "truncated")]
    for status, body, _code in wrong:
        told.status, told.body = status, body
        turn(row, at)
        at += HOUR
    codes = [("camera_black", 2), ("unknown_format", 1), ("camera_status", 1), ("camera_login", 1), ("truncated", 1)]
    assert faults(row) == [(code, times, code == "truncated") for code, times in codes]
    assert not Asset.objects.exists(), "what cannot be used is no picture"
    assert not list(files.incoming("x").parent.glob("camera-*")), "and leaves no file"
    told.status, told.body = 200, view(1)
    turn(row, at)
    assert (Asset.objects.count(), [is_open for _c, _n, is_open in faults(row)]) == (1, [False] * 5)


def test_a_frozen_picture_is_found_though_its_clock_goes_on(by: Any, point: Any, lens: Any) -> None:
    told, url = lens
    row = made(point, by, address=url)
    told.body = view(1, stamp=1)
    turn(row, NOW)
    told.body = view(1, stamp=2)
    turn(row, NOW + HOUR)
    assert (Asset.objects.count(), faults(row)) == (1, [("camera_frozen", 1, True)])
    told.body = view(2, stamp=3)
    turn(row, NOW + 2 * HOUR)
    assert (Asset.objects.count(), faults(row)) == (2, [("camera_frozen", 1, False)])


def test_the_broken_twin_that_asks_only_for_the_same_bytes_takes_a_frozen_picture_for_a_new_one() -> None:
    grey = [glancing._grey(np.asarray(Image.open(io.BytesIO(view(1, stamp=stamp))))) for stamp in (1, 2)]
    assert view(1, stamp=1) != view(1, stamp=2)
    assert glancing.is_frozen(*grey)


def test_a_camera_that_asks_for_a_login_gets_it_by_digest_and_its_password_is_sealed(by: Any, point: Any, lens: Any) -> None:
    told, url = lens
    told.login, told.body = "admin", view(1)
    row = made(point, by, address=url, login="admin", password="only-for-it")
    turn(row, NOW)
    assert Asset.objects.count() == 1
    assert told.asked[0] == "", "no password before it is asked for"
    assert "only-for-it" not in " ".join(told.asked) + row.password_sealed


def test_an_address_inside_is_called_only_where_the_operator_named_it(by: Any, point: Any, lens: Any, settings: Any) -> None:
    told, url = lens
    row = made(point, by, address=url)
    settings.WEBHOOK_NETWORKS = ["10.0.0.0/8"]
    turn(row, NOW)
    assert (faults(row), told.asked) == ([("address_not_allowed", 1, True)], [])
    settings.WEBHOOK_NETWORKS = []
    for address in (url, "https://u:p@example.org/", "file:///etc/passwd"):
        with pytest.raises(Refusal):
            made(point, by, address=address, name="x")


def put(folder: Path, name: str, body: bytes, at: datetime) -> None:
    (folder / name).write_bytes(body)
    os.utime(folder / name, (at.timestamp(), at.timestamp()))


def test_a_folder_is_read_in_order_each_file_once_and_its_silence_told(by: Any, point: Any, settings: Any) -> None:
    folder = settings.SENSE_CAMERAS / "gate"
    folder.mkdir(parents=True)
    row = made(point, by, way="folder", address="gate")
    put(folder, "a.jpg", view(1), NOW - HOUR)
    put(folder, "b.jpg", view(2), NOW - HOUR / 2)
    put(folder, "c.jpg", view(3), NOW)
    (folder / "link.jpg").symlink_to("/etc/hostname")
    (folder / "notes.txt").write_text("x")
    at = NOW + timedelta(minutes=1)
    turn(row, at)
    names = list(Asset.objects.order_by("pk").values_list("name", "taken_at"))
    assert names == [("a.jpg", NOW - HOUR), ("c.jpg", NOW)], "one for each interval"
    assert (folder / "a.jpg").exists(), "somebody's own files stay"
    turn(row, at + HOUR)
    assert Asset.objects.count() == 2
    turn(row, at + 4 * HOUR)
    assert faults(row) == [("camera_silent", 1, True)]
    put(folder, "d.jpg", view(4), at + 5 * HOUR)
    turn(row, at + 6 * HOUR)
    assert (Asset.objects.count(), faults(row)) == (3, [("camera_silent", 1, False)])


def test_only_folders_below_the_operators_are_read_and_only_analysts_register(
    by: Any, world: World, point: Any, settings: Any, tmp_path: Path
) -> None:
    settings.SENSE_CAMERAS.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (settings.SENSE_CAMERAS / "way-out").symlink_to(tmp_path / "elsewhere")
    for address in ("../elsewhere", str(tmp_path / "elsewhere"), "way-out", "", ".", "nothing"):
        with pytest.raises(Refusal):
            made(point, by, way="folder", address=address)
    settings.SENSE_CAMERAS = None
    with pytest.raises(Refusal, match="JIEQU_SENSE_CAMERAS"):
        made(point, by, way="folder", address="gate")
    pilot = actor_for(staff(world, Role.PILOT, "fei"), at=NOW)
    with pytest.raises(Forbidden):
        made(point, pilot, address="https://example.org/")


def test_pictures_go_after_three_months_unless_something_rests_on_them(by: Any, world: World, point: Any, lens: Any) -> None:
    told, url = lens
    row = made(point, by, address=url)
    for number, at in enumerate((NOW, NOW + HOUR, NOW + 95 * 24 * HOUR)):
        told.body = view(number)
        turn(row, at)
    kept, gone, fresh = Asset.objects.order_by("pk")
    Comparison.objects.create(
        street=world.street, key="0" * 64, before=kept, after=fresh, before_on=NOW.date(), after_on=NOW.date(), asked_at=NOW
    )  # fmt: skip
    cameras.sweep(NOW + 100 * 24 * HOUR)
    work_once(at=NOW + 101 * 24 * HOUR, outside=True, limit=20)
    assert set(Asset.objects.values_list("pk", flat=True)) == {kept.pk, fresh.pk}
    assert not files.store().has(files.image_key(world.street.pk, gone.pk))
