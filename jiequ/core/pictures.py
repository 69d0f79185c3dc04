"""The one door for photos: by form, link or message they go through ``admit`` (RELIABILITY rows 18, 26-28).

What is stored is never what was sent: the pixels are decoded in a limited process (``core.decode``), turned upright,
shrunk to a long side of 2,560 px and written as a new JPEG, so position, serial numbers, comments, thumbnails and
appended files are gone. Files are named by their content, written whole (temporary file, fsync, rename) before their
row; a file without a row is removed by a nightly sweep. Nothing here checks who may see a picture: callers do, then
answer with ``response``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import gettext as _

from . import decode, picture_files
from .db import writing
from .errors import NotFound, Refusal
from .models import Picture
from .picture_files import Variant

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
SECONDS_ALLOWED = 30
AT_ONCE = threading.BoundedSemaphore(2)  # decoders a web process may run side by side
CACHE_SECONDS = 300

log = logging.getLogger(__name__)


class Readable(Protocol):
    """An upload, or any open binary file."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Hints:
    """What the file's EXIF said. It only confirms what the page recorded at the shot, and is in no stored file."""

    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Clean:
    """A picture that has passed and lies on disk, but has no row yet. Sizes in pixels and bytes."""

    sha256: str
    width: int
    height: int
    size_bytes: int
    hints: Hints
    dhash: int | None = None


def admit(file: Readable, *, street_id: int, at: datetime) -> Picture:
    """Let a photo in and give it a row; raises Refusal with the reason. ``clean`` and ``keep`` are its two halves."""
    return keep(clean(file), street_id=street_id, at=at)


def clean(file: Readable) -> Clean:
    """Check, decode, re-encode and store the file of a photo; raises Refusal.

    It takes a fraction of a second, so call it before opening a transaction, and ``keep`` inside.
    """
    data = _bounded(file)
    facts, picture, thumb = _developed(data)
    sha256 = hashlib.sha256(picture).hexdigest()
    picture_files.store(sha256, picture, thumb)
    return Clean(sha256, facts["width"], facts["height"], len(picture), _hints(facts), facts["dhash"])


def keep(clean: Clean, *, street_id: int, at: datetime) -> Picture:
    """The row of a cleaned picture: one INSERT, in the caller's transaction."""
    with writing():
        return Picture.objects.create(
            street_id=street_id,
            sha256=clean.sha256,
            name=str(picture_files.relative(clean.sha256, Variant.FULL)),
            width=clean.width,
            height=clean.height,
            size_bytes=clean.size_bytes,
            dhash=_signed(clean.dhash),
            admitted_at=at,
        )


def _signed(dhash: int | None) -> int | None:
    """The 64 bits as a database's whole number holds them."""
    return dhash if dhash is None or dhash < 1 << 63 else dhash - (1 << 64)


def forget(picture_ids: Iterable[int]) -> int:
    """Delete rows (retention, erasure); the sweep removes the files within a day, unless another row has the same."""
    with writing():
        return Picture.objects.filter(pk__in=list(picture_ids)).delete()[0]


# -- checking --------------------------------------------------------------------------------------------------------


def _bounded(file: Readable) -> bytes:
    """The bytes, if they are few enough and their header announces an allowed format and size."""
    size = getattr(file, "size", None)
    data = b"" if size is not None and size > MAX_BYTES else file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES or (size or 0) > MAX_BYTES:
        raise Refusal("picture_too_large", _("照片超过 10 MB，请压缩后再上传"), facts={"max_bytes": MAX_BYTES})
    if not data:
        raise Refusal("picture_empty", _("照片是空的，请重新选择"))
    header = decode.header(data)
    if header is None:
        raise _not_a_photo(data)
    if not header.width or not header.height:
        raise _damaged()
    if header.width * header.height > MAX_PIXELS:
        raise Refusal(
            "picture_too_many_pixels",
            _("照片有 %(mp)d 百万像素，最多 4000 万像素。请把照片缩小后再上传")
            % {"mp": header.width * header.height // 1_000_000},
            facts={"width": header.width, "height": header.height, "max_pixels": MAX_PIXELS},
        )
    if header.bytes_needed > decode.MEMORY_BYTES:
        raise _heavy()
    return data


_BEGINNINGS = (
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"PK\x03\x04", "ZIP"),
    (b"RIFF", "RIFF"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")


def _not_a_photo(data: bytes) -> Refusal:
    """Why these bytes are no photo, told by what they are, never by the name or type that came along."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return Refusal(
            "picture_heif",
            _(
                "这张照片是 HEIC 格式，电脑和多数手机打不开。苹果手机请在“设置 → 相机 → 格式”里选“兼容性最佳”后重拍；"
                "或者对这张照片截屏，上传截屏"
            ),
        )
    if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n":
        return _damaged()
    kind = next((kind for start, kind in _BEGINNINGS if data.startswith(start)), None) or _markup(data)
    if kind:
        message = _("这是 %(kind)s 文件，不是照片。请上传 JPEG、PNG 或 WEBP 格式的照片") % {"kind": kind}
    else:
        message = _("这个文件不是照片。请上传 JPEG、PNG 或 WEBP 格式的照片")
    return Refusal("picture_format", message, facts={"kind": kind or "unknown"})


def _markup(data: bytes) -> str | None:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "SVG"
    return "HTML" if start.startswith((b"<!doctype html", b"<html", b"<script", b"<?xml")) else None


def _damaged() -> Refusal:
    return Refusal("picture_damaged", _("照片不完整或已损坏，请重新拍摄，或重新选择一张"))


def _heavy() -> Refusal:
    return Refusal("picture_heavy", _("打开这张照片要用太多内存。请在手机上另存为普通 JPEG，或把它缩小后再上传"))


# -- decoding --------------------------------------------------------------------------------------------------------


def _developed(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Run the decoder's process; raises Refusal for what it cannot open."""
    if not AT_ONCE.acquire(timeout=SECONDS_ALLOWED):
        raise Refusal("picture_busy", _("正在处理的照片太多，请过一分钟再上传"))
    try:
        done = subprocess.run(
            [sys.executable, "-I", decode.__file__, str(MAX_PIXELS), str(decode.CPU_SECONDS)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_ALLOWED,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _heavy() from error
    finally:
        AT_ONCE.release()
    first, _newline, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not first:
        log.warning("picture decoder ended with %s", done.returncode)
        raise _heavy() if done.returncode < 0 else _damaged()
    facts = json.loads(first)
    if not facts["ok"]:
        raise _heavy() if facts["code"] == "heavy" else _damaged()
    return facts, rest[: facts["picture_bytes"]], rest[facts["picture_bytes"] :]


def _hints(facts: dict[str, Any]) -> Hints:
    """EXIF's local time becomes a moment: by its own offset, else by the installation's time zone."""
    try:
        naive = datetime.strptime((facts.get("taken") or "")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  # zone follows
        zone = datetime.strptime(facts["offset"], "%z").tzinfo if facts.get("offset") else None
        taken_at = naive.replace(tzinfo=zone or ZoneInfo(settings.TIME_ZONE))
    except ValueError:
        taken_at = None
    return Hints(taken_at, facts.get("lon"), facts.get("lat"))


# -- serving ---------------------------------------------------------------------------------------------------------


def open_picture(picture: Picture, variant: Variant | str = Variant.FULL) -> BinaryIO:
    """The stored file, open for reading; raises NotFound if it is gone. Check access first."""
    try:
        return picture_files.place(picture.sha256, Variant(variant)).open("rb")
    except FileNotFoundError as error:
        log.error("picture %s has no file", picture.pk)
        raise NotFound("picture_gone", _("没有找到这张照片")) from error


def response(picture: Picture, variant: Variant | str = Variant.FULL, *, request: HttpRequest | None = None) -> HttpResponse:
    """The answer that shows a picture; the caller has checked that the reader may see it.

    With ``PICTURES_ACCEL`` (nginx: an internal location) nginx sends the file itself. With ``request`` it knows 304.
    """
    variant = Variant(variant)
    etag = f'"{picture.sha256[:32]}-{variant}"'
    if request is not None and etag in request.headers.get("If-None-Match", ""):
        answer: HttpResponse = HttpResponseNotModified()
    elif settings.PICTURES_ACCEL:
        answer = HttpResponse(content_type="image/jpeg")
        answer["X-Accel-Redirect"] = settings.PICTURES_ACCEL.rstrip("/") + f"/{picture_files.relative(picture.sha256, variant)}"
    else:
        with open_picture(picture, variant) as file:
            answer = HttpResponse(file.read(), content_type="image/jpeg")
    answer["ETag"] = etag
    answer["Cache-Control"] = f"private, max-age={CACHE_SECONDS}"
    answer["Content-Disposition"] = f'inline; filename="jiequ-{picture.sha256[:12]}.jpg"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
