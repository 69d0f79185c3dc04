"""A file comes in piece by piece: begun, appended to, and handed to a job when the last byte is on the disk.

What counts as received stands in the row and is set only after the bytes were synced, so that a kill or a power cut at any
moment costs the piece in hand and nothing else: the sender asks how far it got and goes on from there.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.rules import Actor

from .. import access, files
from ..models import AssetKind, AssetState, Flight, Source, Upload
from ..words import UNUSABLE
from .taking import new_asset

LARGEST_PIECE = 8 * 1024 * 1024
READ_AT_ONCE = 64 * 1024
ROOM_FACTOR = 2.2  # the file, its COG with overviews, and a little


class Stream(Protocol):
    """What is read from: the body of a request."""

    def read(self, size: int = ..., /) -> bytes: ...


class OtherPlace(Stale):
    """The piece does not begin where the file ends; ``facts["offset"]`` says where that is."""


class Busy(Refusal):
    """Another piece of the same file is coming in at this moment."""

    status = 423


def begin(
    *,
    street_id: int,
    name: str,
    size_bytes: int,
    by: Actor,
    at: datetime,
    flight_id: int | None = None,
    point_id: int | None = None,
    kind: str = "",
) -> Upload:
    """A row for a file that is about to come. Refused: too large, no room on the disk, an unknown kind, another's flight."""
    access.require_see(by, street_id)
    if by.person_id is None:
        raise NotFound("no_such_street", _("没有找到这个街道。"))
    _check_size(size_bytes)
    if not files.can_read():
        raise Refusal("not_installed", str(UNUSABLE["not_installed"]))
    if kind and kind not in AssetKind.values:
        raise Refusal("asset_kind", _("请选择这个文件的种类。"), facts={"field": "kind"})
    flight = flight_of(street_id, flight_id)
    point = point_of(street_id, point_id)
    row = Upload(
        token=secrets.token_hex(20),
        street_id=street_id,
        flight_id=flight,
        point_id=point,
        kind=kind,
        name=plain_name(name),
        size_bytes=size_bytes,
        made_at=at,
        made_by=by.person_id,
        touched_at=at,
    )
    path = files.incoming(row.token)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with writing():
        row.save(force_insert=True)
    return row


def upload_of(token: str, *, by: Actor) -> Upload:
    """The upload, for whoever began it; NotFound for everybody else."""
    found = Upload.objects.filter(token=token).first()
    if found is None or found.made_by != by.person_id or not access.may_see(by, found.street_id):
        raise NotFound("no_such_upload", _("没有找到这次上传，可能已经过期，请重新上传。"))
    return found


def append(upload: Upload, *, offset: int, stream: Stream, length: int, at: datetime) -> Upload:
    """Store a piece that begins at ``offset``; returns the row as it is then. The last one makes the asset and its job.

    What arrived of a piece whose connection broke is kept. Raises OtherPlace, Busy, or Refusal for a piece too large.
    """
    if length > LARGEST_PIECE:
        raise Refusal("piece_too_large", _("每一片最多 8 MB。"), facts={"max_bytes": LARGEST_PIECE})
    with _alone(files.incoming(upload.token)) as file:
        upload.refresh_from_db()
        if offset != upload.received:
            raise OtherPlace("other_place", _("这一片接不上：已收到 %(n)d 字节。") % {"n": upload.received},
                             facts={"offset": upload.received})  # fmt: skip
        if offset + length > upload.size_bytes:
            raise Refusal("too_much", _("发来的比说好的多。"), facts={"size": upload.size_bytes})
        written = _write(file, offset, stream, length)
        return _received(upload, offset + written, at)


def drop(upload: Upload) -> None:
    """Forget an upload that is not to be finished, with what came of it."""
    with writing():
        gone, _rows = Upload.objects.filter(pk=upload.pk, asset=None).delete()
    if gone:  # a whole file is its job's
        files.incoming(upload.token).unlink(missing_ok=True)


def sweep(*, before: datetime) -> int:
    """Forget uploads that nobody went on with since ``before``; returns how many. One whose file waits for its job stays."""
    old = Upload.objects.filter(touched_at__lt=before).exclude(asset__state__in=[AssetState.WAITING, AssetState.WORKING])
    stale = list(old.values_list("pk", "token"))
    for _pk, token in stale:
        files.incoming(token).unlink(missing_ok=True)
    with writing():
        Upload.objects.filter(pk__in=[pk for pk, _token in stale]).delete()
    return len(stale)


def plain_name(name: str) -> str:
    """The last part of a file's name as a browser tells it, without what no file name holds."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(character for character in last if character.isprintable()).strip()
    return kept[-200:] or "image"


def flight_of(street_id: int, flight_id: int | None) -> int | None:
    """The flight's id if it is the street's; NotFound otherwise."""
    if flight_id is not None and not Flight.objects.filter(pk=flight_id, street_id=street_id).exists():
        raise NotFound("no_such_flight", _("没有找到这个架次。"))
    return flight_id


def point_of(street_id: int, point_id: int | None) -> int | None:
    """The monitoring point's id if it is the street's; NotFound otherwise."""
    from jiequ.grid.models import MonitoringPoint

    if point_id is not None and not MonitoringPoint.objects.filter(pk=point_id, street_id=street_id).exists():
        raise NotFound("no_such_point", _("没有找到这个监控点。"))
    return point_id


def _check_size(size_bytes: int) -> None:
    most = settings.SENSE_UPLOAD_GB * 1024**3
    if size_bytes < 1:
        raise Refusal("file_empty", _("文件是空的。"))
    if size_bytes > most:
        raise Refusal("file_too_large", _("文件超过 %(n)d GB。") % {"n": settings.SENSE_UPLOAD_GB}, facts={"max_bytes": most})
    settings.SENSE.mkdir(parents=True, exist_ok=True)
    free = max(0, shutil.disk_usage(settings.SENSE).free - spoken_for())
    if free < size_bytes * ROOM_FACTOR:
        raise Refusal(
            "no_room",
            _("磁盘放不下：还剩 %(free)d MB，这个文件处理时要用 %(need)d MB。")
            % {"free": free >> 20, "need": int(size_bytes * ROOM_FACTOR) >> 20},
        )


def spoken_for() -> int:
    """Bytes of the disk that uploads on their way, of all streets, and files that wait for their job will still take. One
    SELECT."""
    under_way = Q(asset=None) | Q(asset__state__in=[AssetState.WAITING, AssetState.WORKING])
    told = Upload.objects.filter(under_way).aggregate(size=Sum("size_bytes"), came=Sum("received"))
    return int((told["size"] or 0) * ROOM_FACTOR) - (told["came"] or 0)


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """The open file, while nobody else writes to it. The kernel lets go when a process dies."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("no_such_upload", _("没有找到这次上传，可能已经过期，请重新上传。")) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    except BlockingIOError:
        raise Busy("busy", _("同一个文件的另一片正在上传，请稍等。")) from None
    finally:
        os.close(file)


def _write(file: int, offset: int, stream: Stream, length: int) -> int:
    """Through a small buffer to the disk, synced; how many bytes came."""
    came = 0
    while came < length:
        try:
            piece = stream.read(min(READ_AT_ONCE, length - came))
        except OSError:  # the connection broke: what came is kept
            break
        if not piece:
            break
        os.pwrite(file, piece, offset + came)
        came += len(piece)
    os.fsync(file)
    return came


def _received(upload: Upload, received: int, at: datetime) -> Upload:
    """The row, and with the last byte the asset and the job that looks at it, in one transaction."""
    with writing():
        changed = Upload.objects.filter(pk=upload.pk, received=upload.received).update(received=received, touched_at=at)
        if not changed:
            raise OtherPlace("other_place", _("这一片接不上，请重新开始这一片。"), facts={"offset": upload.received})
        upload.received, upload.touched_at = received, at
        if received == upload.size_bytes and upload.asset_id is None:  # an empty piece at the end makes no second one
            upload.asset = new_asset(
                street_id=upload.street_id,
                name=upload.name,
                source=Source.UPLOAD,
                file=str(files.incoming(upload.token)),
                size_bytes=upload.size_bytes,
                made_by=upload.made_by,
                flight_id=upload.flight_id,
                point_id=upload.point_id,
                kind=upload.kind,
                at=at,
            )
            Upload.objects.filter(pk=upload.pk).update(asset=upload.asset)
    return upload
