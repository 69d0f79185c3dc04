"""Large files come in piece by piece: tus 1.0 and Content-Range, broken off anywhere, gone on with, their sender's only."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.core import clock
from jiequ.core.models import Job
from jiequ.sense import files
from jiequ.sense.models import Asset, Flight, Upload
from jiequ.sense.services import uploading
from tests.actors import NOW, World
from tests.support.sense import PIECE, TUS, analyst, begin, patch

DATA = bytes(range(256)) * 40


@pytest.fixture
def client(world: World, settings: Any, tmp_path: Path) -> Client:
    settings.SENSE = tmp_path
    return analyst(world)[2]


def stored(address: str) -> bytes:
    return files.incoming(address.rsplit("/", 1)[1]).read_bytes()


def test_pieces_make_the_file_and_the_last_one_makes_the_asset_with_its_job(client: Client) -> None:
    address = begin(client, len(DATA), "第一轮.tif")
    for first in range(0, len(DATA), 3000):
        answer = patch(client, address, DATA[first : first + 3000], first)
        assert answer.status_code == 204
        assert int(answer["Upload-Offset"]) == min(len(DATA), first + 3000)
    asset = Asset.objects.get()
    assert (asset.name, asset.size_bytes, asset.state) == ("第一轮.tif", len(DATA), "waiting")
    assert Job.objects.get(kind="sense.take").args["asset_id"] == asset.pk
    assert stored(address) == DATA


def test_the_sender_asks_how_far_it_got_and_goes_on_there(client: Client) -> None:
    address = begin(client, len(DATA))
    patch(client, address, DATA[:5000], 0)
    told = client.head(address, **TUS)
    assert (told["Upload-Offset"], told["Upload-Length"], told["Cache-Control"]) == ("5000", str(len(DATA)), "no-store")
    wrong = patch(client, address, DATA[4000:], 4000)
    assert (wrong.status_code, Upload.objects.get().received) == (409, 5000)
    assert patch(client, address, DATA[5000:], 5000).status_code == 204
    assert stored(address) == DATA


def test_what_came_of_a_piece_whose_connection_broke_is_kept(client: Client, world: World) -> None:
    address = begin(client, len(DATA))
    row = Upload.objects.get()

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(size)
            if not piece:
                raise OSError("connection reset")
            return piece

    uploading.append(row, offset=0, stream=Broken(DATA[:777]), length=5000, at=NOW)
    assert client.head(address, **TUS)["Upload-Offset"] == "777"


def test_bytes_written_before_a_kill_but_not_told_are_written_again(client: Client) -> None:
    address = begin(client, len(DATA))
    with open(files.incoming(address.rsplit("/", 1)[1]), "wb") as file:
        file.write(b"x" * 4000)  # synced, then killed before the row said so
    assert client.head(address, **TUS)["Upload-Offset"] == "0"
    patch(client, address, DATA, 0)
    assert stored(address) == DATA


def test_the_same_by_content_range(client: Client) -> None:
    address = begin(client, len(DATA))

    def put(first: int, data: bytes, said: str | None = None) -> Any:
        said = said or f"bytes {first}-{first + len(data) - 1}/{len(DATA)}"
        return client.put(address, data, content_type="application/octet-stream", HTTP_CONTENT_RANGE=said)

    answer = put(0, DATA[:4000])
    assert (answer.status_code, answer["Range"]) == (308, "bytes=0-3999")
    again = put(0, DATA[:4000])
    assert (again.status_code, again["Range"]) == (416, "bytes=0-3999")
    asked = client.put(address, HTTP_CONTENT_RANGE=f"bytes */{len(DATA)}")
    assert (asked.status_code, asked["Range"]) == (308, "bytes=0-3999")
    assert put(4000, DATA[4000:], f"bytes 4000-4001/{len(DATA)}").status_code == 422
    done = put(4000, DATA[4000:])
    assert (done.status_code, done.json()["asset"]) == (200, Asset.objects.get().pk)
    assert stored(address) == DATA


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 412), ({**TUS, "HTTP_UPLOAD_LENGTH": "0"}, 422), (TUS, 422), ({**TUS, "HTTP_UPLOAD_LENGTH": str(10**15)}, 422)],
    ids=["another version", "empty", "no length", "too large"],
)
def test_what_cannot_be_begun_is_refused(client: Client, headers: dict[str, str], status: int) -> None:
    assert client.post("/sense/uploads/", **headers).status_code == status
    assert not Upload.objects.exists()


def test_where_nothing_can_read_imagery_none_is_sent_for_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "can_read", lambda: False)
    refused = client.post("/sense/uploads/", **TUS, HTTP_UPLOAD_LENGTH="9", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_installed")
    assert "影像组件" in client.post("/sense/imagery/", {"files": [io.BytesIO(b"x")]}).content.decode()


def test_a_piece_over_8_mb_is_refused_before_it_is_read(client: Client) -> None:
    address = begin(client, 20 << 20)
    huge = io.BytesIO(b"")
    answer = client.generic(
        "PATCH", address, b"", PIECE, **TUS, HTTP_UPLOAD_OFFSET="0", CONTENT_LENGTH=str((8 << 20) + 1), **{"wsgi.input": huge}
    )
    assert answer.status_code == 413
    assert Upload.objects.get().received == 0


def test_an_upload_is_its_senders_alone(client: Client, world: World) -> None:
    address = begin(client, len(DATA))
    for other in (analyst(world, "other")[2], analyst(world, "far", other_street=True)[2]):
        assert other.head(address, **TUS).status_code == 404
        assert patch(other, address, DATA, 0).status_code == 404
    assert Client().head(address, **TUS).status_code in (302, 401)
    assert world.client("ding").post("/sense/uploads/", **TUS, HTTP_UPLOAD_LENGTH="5").status_code == 403


def test_an_upload_that_is_given_up_leaves_nothing(client: Client) -> None:
    address = begin(client, len(DATA))
    patch(client, address, DATA[:10], 0)
    assert client.delete(address, **TUS).status_code == 204
    assert client.head(address, **TUS).status_code == 404
    kept = begin(client, len(DATA))
    assert uploading.sweep(before=clock.now() + timedelta(days=1)) == 1
    assert not files.incoming(kept.rsplit("/", 1)[1]).exists()
    assert not Upload.objects.exists()


def test_a_whole_file_is_its_jobs_whatever_its_sender_still_asks(client: Client) -> None:
    address = begin(client, len(DATA))
    patch(client, address, DATA, 0)
    again = client.generic(
        "PATCH", address, b"", **TUS, HTTP_UPLOAD_OFFSET=str(len(DATA)), CONTENT_TYPE=PIECE, CONTENT_LENGTH="0"
    )
    assert again.status_code == 204
    assert Asset.objects.count() == 1
    assert client.delete(address, **TUS).status_code == 204
    assert uploading.sweep(before=clock.now() + timedelta(days=1)) == 0
    assert stored(address) == DATA
    Asset.objects.update(state="unusable", reason="given_up")
    assert uploading.sweep(before=clock.now() + timedelta(days=1)) == 1
    assert not files.incoming(address.rsplit("/", 1)[1]).exists()


def begun(client: Client, size: int) -> int:
    return int(client.post("/sense/uploads/", **TUS, HTTP_UPLOAD_LENGTH=str(size)).status_code)


def test_room_that_other_uploads_will_take_is_not_given_away_twice(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = uploading.shutil.disk_usage("/")._replace(free=40_000)
    monkeypatch.setattr(uploading.shutil, "disk_usage", lambda _path: disk)
    first, far = begin(client, len(DATA)), analyst(world, "far", other_street=True)[2]  # 10,240 bytes take 22,528
    assert begun(far, len(DATA)) == 422, "of whatever street: it is one disk"
    disk = disk._replace(free=40_000 - len(DATA))
    patch(client, first, DATA, 0)
    assert begun(far, len(DATA)) == 422, "its job has still to write what it makes of it"
    Asset.objects.update(state="ready")
    assert begun(far, len(DATA)) == 201


def test_the_broken_twin_that_looks_at_the_free_disk_alone_promises_it_to_everybody(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = uploading.shutil.disk_usage("/")._replace(free=40_000)
    monkeypatch.setattr(uploading.shutil, "disk_usage", lambda _path: disk)
    monkeypatch.setattr(uploading, "spoken_for", lambda: 0)
    assert [begun(client, len(DATA)) for _n in range(4)] == [201] * 4


def test_the_plain_form_takes_files_without_scripts(client: Client) -> None:
    file = io.BytesIO(DATA)
    file.name = "C:\\bilder\\plain.tif"
    answer = client.post("/sense/imagery/", {"files": [file]})
    assert answer.status_code == 302
    assert Asset.objects.get().name == "plain.tif"
    assert client.post("/sense/imagery/", {}).status_code == 422
    for day, status in (("2026-02-30", 422), ("2999-01-01", 422), ("2026-01-05", 302)):
        file = io.BytesIO(DATA + day.encode())
        file.name = "dated.tif"
        assert client.post("/sense/imagery/", {"files": [file], "taken_on": day}).status_code == status
    begin(client, 9, "more.tif", taken_on="2026-01-05")
    flight = Flight.objects.get()
    assert flight.flown_on.isoformat() == "2026-01-05"
    assert {row.flight_id for row in (*Upload.objects.filter(name="more.tif"), *Asset.objects.filter(name="dated.tif"))} == {
        flight.pk
    }
    assert "plain.tif" in client.get("/sense/imagery/").content.decode()
