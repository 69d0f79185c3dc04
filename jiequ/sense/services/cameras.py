"""Fixed cameras: registered to a monitoring point, asked for a picture every so often, their faults listed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F, Q
from django.utils.translation import gettext as _

from jiequ.core import outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, camera_call, children, files
from ..models import Asset, AssetKind, AssetState, Camera, CameraFault, Comparison, Release, Source
from ..models.ways import PASSWORD_PURPOSE
from .flights import record
from .taking import drop_files, new_asset
from .uploading import point_of

SNAP = "sense.snap"
LEAST_MINUTES, MOST_MINUTES = 5, 7 * 24 * 60
BATCH = 200
AT_ONCE = 4
MOST_FORGOTTEN = 2000
SETTLED = timedelta(seconds=5)  # a file that is still being written is left for the next time
SILENT_AFTER = 3  # turns without a new file
SECONDS = 25.0
KEPT = timedelta(days=90)  # (P) of pictures that nothing was compared with, and of faults


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that came: where it lies, when it was taken, what its file was called."""

    file: Path
    at: datetime
    name: str


def make_camera(
    *, street_id: int, point_id: int, name: str, way: str, address: str, every_minutes: int, by: Actor, at: datetime,
    login: str = "", password: str = "",
) -> Camera:  # fmt: skip
    """A camera that is asked from now on. Refusal: no name, no point, an address or a folder that may not be read."""
    access.require_judge(by, street_id)
    name, address = name.strip(), address.strip()
    if not name or len(name) > 40 or len(login) > 60 or len(password) > 100:
        raise Refusal("camera_name", _("请填写名称，不超过 40 字；用户名 60 字、密码 100 字以内。"), facts={"field": "name"})
    if way not in Camera.Way.values:
        raise Refusal("camera_way", _("请选择怎样取图。"), facts={"field": "way"})
    if not LEAST_MINUTES <= every_minutes <= MOST_MINUTES:
        raise Refusal("camera_every", _("间隔在 5 分钟到 7 天之间。"), facts={"field": "every_minutes"})
    if way == Camera.Way.HTTP:
        outgoing.target_of(address)
    else:
        folder_of(address)
    sealed = secrets.seal(password, PASSWORD_PURPOSE) if password else ""
    row = Camera(
        street_id=street_id, point_id=point_of(street_id, point_id) or 0, name=name, way=way, address=address,
        login=login.strip(), password_sealed=sealed, every_minutes=every_minutes, next_at=at, made_at=at, made_by=by.person_id,
    )  # fmt: skip
    try:
        with writing():
            row.save(force_insert=True)
            record(by, street_id, at, "camera_add", "camera", row.pk)
    except IntegrityError:
        raise Refusal("name_taken", _("已经有叫这个名称的摄像头。"), facts={"field": "name"}) from None
    return row


def folder_of(address: str) -> Path:
    """The folder below the one that the operator named for cameras; Refusal for any other."""
    root = settings.SENSE_CAMERAS
    if root is None:
        raise Refusal(
            "no_camera_folder", _("这台服务器没有设摄像头文件夹（JIEQU_SENSE_CAMERAS）。"), facts={"field": "address"}
        )
    found = (root / address).resolve()
    if not address or not found.is_relative_to(root) or found == root or not found.is_dir():
        raise Refusal("camera_folder", _("摄像头文件夹里没有这个子文件夹。"), facts={"field": "address"})
    return found


def camera_by_id(camera_id: int, by: Actor) -> Camera:
    """The camera; NotFound for one of another street."""
    found = Camera.objects.select_related("street", "point", "latest").filter(pk=camera_id).first()
    if found is None or not access.may_see(by, found.street_id):
        raise NotFound("no_such_camera", _("没有找到这台摄像头。"))
    return found


def switch(*, camera_id: int, is_on: bool, by: Actor, at: datetime) -> Camera:
    """Ask it no more, or again."""
    row = camera_by_id(camera_id, by)
    access.require_judge(by, row.street_id)
    with writing():
        Camera.objects.filter(pk=row.pk).update(is_on=is_on, next_at=at)
        record(by, row.street_id, at, "camera_on" if is_on else "camera_off", "camera", row.pk)
    return row


def ask_now(*, camera_id: int, by: Actor, at: datetime) -> None:
    """Ask it at once, whenever it was its turn."""
    row = camera_by_id(camera_id, by)
    access.require_judge(by, row.street_id)
    if not row.is_on:
        raise Refusal("camera_off", _("这台摄像头已停用。"))
    with writing():
        enqueue(_job(row, at))


def enqueue_due(at: datetime) -> int:
    """A job for each camera whose turn it is; how many. One SELECT, one INSERT, one UPDATE."""
    due = list(Camera.objects.filter(is_on=True, next_at__lte=at).order_by("next_at")[:BATCH])
    for row in due:
        row.next_at = at + timedelta(minutes=row.every_minutes)
    enqueue(*(_job(row, at) for row in due))
    Camera.objects.bulk_update(due, ["next_at"], batch_size=100)
    return len(due)


def _job(row: Camera, at: datetime) -> JobSpec:
    return JobSpec(SNAP, {"camera_id": row.pk}, at, key=f"{SNAP}:{row.pk}", street_id=row.street_id)


# ---- one turn


def snap(camera_id: int, at: datetime) -> Callable[[], Any] | None:
    """What is new of a camera; returns what is to be stored. What cannot be used becomes a fault with its reason."""
    row = Camera.objects.select_related("latest").filter(pk=camera_id, is_on=True).first()
    if row is None:
        return None
    try:
        shots, read_to = (_called(row, at), "") if row.way == Camera.Way.HTTP else _read(row, at)
    except outgoing.Unreachable as fault:
        return partial(_faulty, row, fault.code, at)
    kept, code = [], ""
    for shot in shots:
        fault_code = _glance(row, shot)
        if fault_code:
            shot.file.unlink(missing_ok=True)
            code = fault_code
        else:
            kept.append(shot)
    return partial(_turned, row, kept, code, read_to, at)


def _called(row: Camera, at: datetime) -> list[Shot]:
    password = secrets.unseal(row.password_sealed, PASSWORD_PURPOSE) if row.password_sealed else ""
    body = camera_call.picture(row.address, login=row.login, password=password)
    file = files.incoming(f"camera-{row.pk}-{int(at.timestamp())}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return [Shot(file, at, f"{row.name} {at:%Y%m%d-%H%M%S}.jpg")]


def _read(row: Camera, at: datetime) -> tuple[list[Shot], str]:
    """New files of the folder, at most one for each interval, and how far it is read then."""
    try:
        folder = folder_of(row.address)
    except Refusal as refusal:
        raise outgoing.Unreachable(refusal.code) from None
    found = sorted((file.stat().st_mtime, file.name, file) for file in folder.iterdir() if _is_picture(file))
    settled = [one for one in found if one[0] <= (at - SETTLED).timestamp()]
    shots, read_to = [], row.read_to
    taken = float(read_to.split(" ", 1)[0]) if read_to else 0.0
    for moment, name, source in settled:
        if (moment, name) <= (taken, read_to.partition(" ")[2]) or (read_to and moment < taken + row.every_minutes * 60):
            continue
        file = files.incoming(f"camera-{row.pk}-{int(moment * 1000)}")
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, file)
        shots.append(Shot(file, datetime.fromtimestamp(moment, UTC), name))
        taken, read_to = moment, f"{moment:.6f} {name}"[:260]
        if len(shots) == AT_ONCE:
            break
    if not shots and at - (row.seen_at or row.made_at) > SILENT_AFTER * timedelta(minutes=row.every_minutes):
        raise outgoing.Unreachable("camera_silent")
    return shots, read_to


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in (".jpg", ".jpeg", ".png") and file.is_file() and not file.is_symlink()


def _glance(row: Camera, shot: Shot) -> str:
    """ "" for a picture that may be kept, else why not. A machine that is too busy to look is no fault of the camera's: the job
    fails and is done again."""
    latest = row.latest
    is_there = latest is not None and latest.state == AssetState.READY
    before = files.image_key(latest.street_id, latest.pk) if latest is not None and is_there else ""
    asked = {"do": "glance", "file": str(shot.file), "before": before, "place": files.described()}
    told = children.ask("glance", f"glance:{row.pk}:{shot.file.name}", asked, seconds=SECONDS)
    if told is None:
        children.stop(f"glance:{row.pk}:{shot.file.name}")
        shot.file.unlink(missing_ok=True)
        raise children.ChildFailed("too busy to look at a picture")
    return str(told.get("fault", ""))


def _turned(row: Camera, kept: list[Shot], code: str, read_to: str, at: datetime) -> None:
    """Each picture with its job, how far it is read, and the fault that began, went on or is over: in one transaction."""
    asset = None
    for shot in kept:
        asset = new_asset(
            street_id=row.street_id, point_id=row.point_id, camera_id=row.pk, kind=AssetKind.SNAPSHOT, name=shot.name[-200:],
            source=Source.CAMERA, file=str(shot.file), size_bytes=shot.file.stat().st_size, at=at, taken_at=shot.at,
        )  # fmt: skip
    changes: dict[str, Any] = {"read_to": read_to} if read_to else {}
    if asset is not None:
        changes |= {"latest": asset, "seen_at": at}
    if changes:
        Camera.objects.filter(pk=row.pk).update(**changes)
    if code:
        _faulty(row, code, at)
    elif kept:
        CameraFault.objects.filter(camera=row, is_open=True).update(is_open=False)


def _faulty(row: Camera, code: str, at: datetime) -> None:
    """The same fault goes on; another begins and the one before is over."""
    still = CameraFault.objects.filter(camera=row, is_open=True, code=code[:40])
    if still.update(last_at=at, times=F("times") + 1):
        return
    CameraFault.objects.filter(camera=row, is_open=True).update(is_open=False)
    CameraFault.objects.create(camera=row, code=code[:40], first_at=at, last_at=at)


def given_up(camera_id: int, at: datetime) -> None:
    """The job was given up: a fault like others, in the list."""
    if row := Camera.objects.filter(pk=camera_id).first():
        _faulty(row, "given_up", at)


def _forget_pictures(at: datetime) -> None:
    """A street's people walk through these pictures: what no comparison and no release rests on goes, some each night."""
    old = Asset.objects.filter(source=Source.CAMERA, taken_at__lt=at - KEPT)
    for table, column in ((Comparison, "before"), (Comparison, "after"), (Release, "asset")):
        old = old.exclude(pk__in=table.objects.filter(**{f"{column}__isnull": False}).values(column))
    for row in list(old.order_by("pk")[:MOST_FORGOTTEN]):
        with writing():
            drop_files(row, at)
            row.delete()


def sweep(at: datetime) -> None:
    """Pictures and faults of three months ago are forgotten, and files that no picture came of."""
    _forget_pictures(at)
    CameraFault.objects.filter(Q(last_at__lt=at - KEPT), is_open=False).delete()
    folder = files.incoming("x").parent
    old = (at - timedelta(days=7)).timestamp()
    for prefix in ("camera-*", "mosaic-*"):
        for file in folder.glob(prefix) if folder.is_dir() else ():
            if file.stat().st_mtime < old:
                file.unlink(missing_ok=True)
