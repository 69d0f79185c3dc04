"""The door for photos: what it keeps, what it says, how it serves."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory, override_settings
from django.utils import translation
from PIL import Image

from jiequ.core import decode, picture_files, pictures
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Picture
from tests.hostile.picture_files import exif, photo, saved

AT = datetime(2026, 3, 11, 0, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def _admit(data: bytes, name: str = "photo.jpg") -> Picture:
    return pictures.admit(SimpleUploadedFile(name, data), street_id=1, at=AT)


def _files(media: Path) -> list[str]:
    return sorted(file.name for file in media.rglob("*") if file.is_file() and file.name != ".lock")


def _refused(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as refused:
        pictures.clean(io.BytesIO(data))
    return refused.value


def test_an_admitted_photo_has_a_row_and_two_files_named_by_their_content(media: Path) -> None:
    picture = _admit(saved("PNG", photo((3000, 2000))))
    assert (picture.street_id, picture.width, picture.height, picture.admitted_at) == (1, 2560, 1707, AT)
    assert picture.name == f"pictures/{picture.sha256[:2]}/{picture.sha256[2:4]}/{picture.sha256}.jpg"
    assert _files(media) == [f"{picture.sha256}.jpg", f"{picture.sha256}.thumb.jpg"]
    with pictures.open_picture(picture) as file, Image.open(file) as image:
        assert (image.format, image.size, picture.size_bytes) == ("JPEG", (2560, 1707), file.seek(0, os.SEEK_END))
    with pictures.open_picture(picture, "thumb") as file, Image.open(file) as image:
        assert max(image.size) == 320


def test_a_small_photo_is_not_blown_up() -> None:
    assert (_admit(saved("WEBP", photo((64, 48)))).width, _admit(saved("JPEG", photo((1, 1)))).height) == (64, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_stored_upright(orientation: int) -> None:
    """The red corner of the scene is at the top left, however the phone was held."""
    turns = Image.Transpose
    stored_as = {2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE,
                 6: turns.ROTATE_90, 7: turns.TRANSVERSE, 8: turns.ROTATE_270}  # fmt: skip
    scene = photo((160, 120))
    taken = scene.transpose(stored_as[orientation]) if orientation in stored_as else scene
    picture = _admit(saved("JPEG", taken, exif=exif(orientation), quality=95))
    assert (picture.width, picture.height) == (160, 120)
    with pictures.open_picture(picture) as file, Image.open(file) as image:
        red, green, blue = image.getpixel((10, 10))
        assert red > 200
        assert green < 80
        assert blue < 80


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("lon", "lat"), [(113.5, 23.18), (-70.25, -33.5)])
def test_time_and_place_of_exif_come_back_as_hints_and_are_in_no_file(media: Path, kind: str, lon: float, lat: float) -> None:
    clean = pictures.clean(io.BytesIO(saved(kind, exif=exif(lon=lon, lat=lat))))
    assert clean.hints.taken_at == AT
    assert (clean.hints.lon, clean.hints.lat) == (pytest.approx(lon, abs=1e-5), pytest.approx(lat, abs=1e-5))
    for file in media.rglob("*.jpg"):
        with Image.open(file) as image:
            assert not image.getexif()


def test_without_an_offset_exif_time_is_read_in_the_installations_zone_and_nonsense_is_no_hint() -> None:
    plain = exif()
    del plain.get_ifd(0x8769)[0x9011]
    assert pictures.clean(io.BytesIO(saved("JPEG", exif=plain))).hints.taken_at == AT
    nonsense = pictures.clean(io.BytesIO(saved("JPEG", exif=exif(lat=400, when="2026:99:99 88:88:88"))))
    assert nonsense.hints == pictures.Hints()


def test_the_same_photo_twice_is_two_rows_and_one_file_and_forgetting_one_keeps_the_file(media: Path) -> None:
    first, second = _admit(saved("JPEG")), _admit(saved("JPEG"))
    assert first.pk != second.pk
    assert len(_files(media)) == 2
    pictures.forget([first.pk])
    _age(media)
    assert picture_files.sweep_orphans(at=AT) == 0
    pictures.forget([second.pk])
    assert picture_files.sweep_orphans(at=AT) == 2
    assert _files(media) == []


def _age(media: Path, hours: int = 25) -> None:
    """As if the files had been written so many hours before AT."""
    for file in media.rglob("*"):
        os.utime(file, ((AT - timedelta(hours=hours)).timestamp(),) * 2)


def test_a_file_whose_request_died_before_its_row_is_swept_after_a_day_not_sooner(media: Path) -> None:
    kept = _admit(saved("PNG"))
    pictures.clean(io.BytesIO(saved("JPEG", photo((50, 50)))))
    part = media / "pictures" / kept.sha256[:2] / kept.sha256[2:4] / ".part-left"
    part.write_bytes(b"half")
    _age(media, hours=23)
    assert picture_files.sweep_orphans(at=AT) == 0
    _age(media)
    assert picture_files.sweep_orphans(at=AT) == 3
    assert _files(media) == [f"{kept.sha256}.jpg", f"{kept.sha256}.thumb.jpg"]


def test_a_photo_sent_again_while_its_old_file_waits_for_the_sweep_keeps_it(media: Path) -> None:
    pictures.clean(io.BytesIO(saved("JPEG")))
    _age(media)
    clean = pictures.clean(io.BytesIO(saved("JPEG")))
    assert picture_files.sweep_orphans(at=datetime.now(UTC)) == 0
    with pictures.open_picture(pictures.keep(clean, street_id=1, at=AT)) as file:
        assert file.read(2) == b"\xff\xd8"


def test_a_disk_that_fails_in_the_middle_leaves_no_file_and_no_row(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        _admit(saved("JPEG"))
    assert _files(media) == []
    assert not Picture.objects.exists()


def test_refused_files_leave_nothing(media: Path) -> None:
    for data in (b"", b"GIF89a", b"<svg>", saved("JPEG")[:900], b"\0" * (pictures.MAX_BYTES + 1)):
        _refused(data)
    assert _files(media) == []


def test_a_heic_photo_gets_advice_in_the_readers_language() -> None:
    heic = b"\0\0\0\x18ftypheic" + b"\0" * 100
    with translation.override("zh-hans"):
        assert "兼容性最佳" in str(_refused(heic))
    assert _refused(heic).code == "picture_heif"


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"GIF89a....", "picture_format", "GIF"),
        (b"%PDF-1.4", "picture_format", "PDF"),
        (b"II*\0....", "picture_format", "TIFF"),
        (b"  <svg xmlns=''>", "picture_format", "SVG"),
        (b"<!DOCTYPE html>", "picture_format", "HTML"),
        (b"hello", "picture_format", "JPEG"),
        (b"", "picture_empty", "空"),
        (saved("JPEG")[:600], "picture_damaged", "损坏"),
        (saved("JPEG")[:4], "picture_damaged", "损坏"),
    ],
)
def test_each_refusal_names_its_reason(data: bytes, code: str, word: str) -> None:
    refusal = _refused(data)
    assert refusal.code == code
    assert word in str(refusal)


def test_a_file_announced_too_large_is_refused_before_it_is_read() -> None:
    class Endless:
        size = pictures.MAX_BYTES + 1

        def read(self, size: int = -1, /) -> bytes:
            raise AssertionError("read")

    with pytest.raises(Refusal) as refused:
        pictures.clean(Endless())
    assert refused.value.code == "picture_too_large"


def test_the_header_is_read_without_a_decoder() -> None:
    assert decode.header(saved("JPEG", progressive=True)) == decode.Header("jpeg", 160, 120, True)
    assert decode.header(saved("PNG")) == decode.Header("png", 160, 120)
    for lossless in (True, False):
        assert decode.header(saved("WEBP", lossless=lossless)) == decode.Header("webp", 160, 120)
    assert decode.header(saved("WEBP", exif=exif())) == decode.Header("webp", 160, 120)


def test_a_picture_is_served_as_a_picture_and_as_nothing_else() -> None:
    answer = pictures.response(_admit(saved("JPEG")))
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Content-Disposition"].startswith('inline; filename="jiequ-')
    assert answer["Cache-Control"].startswith("private")


def test_a_reader_who_has_the_picture_gets_304_and_the_thumbnail_is_another_picture() -> None:
    picture = _admit(saved("JPEG", photo((800, 600))))
    full, thumb = pictures.response(picture), pictures.response(picture, "thumb")
    assert full["ETag"] != thumb["ETag"]
    assert len(thumb.content) < len(full.content)
    again = RequestFactory().get("/", headers={"If-None-Match": full["ETag"]})
    assert pictures.response(picture, request=again).status_code == 304
    assert pictures.response(picture, "thumb", request=again).status_code == 200


def test_nginx_may_send_the_file_itself() -> None:
    picture = _admit(saved("JPEG"))
    with override_settings(PICTURES_ACCEL="/inside/"):
        answer = pictures.response(picture)
    assert answer["X-Accel-Redirect"] == f"/inside/{picture.name}"
    assert answer.content == b""


def test_a_row_without_a_file_is_told_as_not_found(media: Path) -> None:
    picture = _admit(saved("JPEG"))
    (media / picture.name).unlink()
    with pytest.raises(NotFound):
        pictures.response(picture)


def test_a_crowded_door_says_come_back_instead_of_waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SECONDS_ALLOWED", 0.01)
    assert pictures.AT_ONCE.acquire()
    assert pictures.AT_ONCE.acquire()
    try:
        assert _refused(saved("JPEG")).code == "picture_busy"
    finally:
        pictures.AT_ONCE.release()
        pictures.AT_ONCE.release()


def test_the_decoder_finds_no_key_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    run = pictures.subprocess.run
    monkeypatch.setattr(pictures.subprocess, "run", lambda *a, **how: seen.update(how) or run(*a, **how))
    _admit(saved("JPEG"))
    assert seen["env"] == {}
