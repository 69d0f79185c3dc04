"""A file becomes an asset: a row and a job at once; a child process writes its COG and STAC item, or says why not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files
from ..models import Asset, AssetState, Comparison, Flight, Release, Source
from .flights import record

JOB = "sense.take"
DROP = "sense.drop"
LANE = "sense.take"


def new_asset(
    *,
    street_id: int,
    name: str,
    source: str,
    file: str,
    size_bytes: int,
    at: datetime,
    made_by: int | None = None,
    flight_id: int | None = None,
    point_id: int | None = None,
    camera_id: int | None = None,
    kind: str = "",
    keep: bool = False,
    taken_at: datetime | None = None,
) -> Asset:
    """The row of a file that lies complete on this machine, and the job that looks at it; in the caller's transaction.

    ``keep``: the file is somebody's own (a folder) and is copied; otherwise it is ours and goes when it was taken in.
    """
    row = Asset(
        street_id=street_id, flight_id=flight_id, point_id=point_id, camera_id=camera_id, kind=kind, name=name, source=source,
        size_bytes=size_bytes, made_at=at, made_by=made_by, taken_at=taken_at,
    )  # fmt: skip
    row.save(force_insert=True)
    enqueue(_job(row.pk, file, keep, 0, street_id, at))
    return row


def take_in(
    *,
    street_id: int,
    path: Path,
    by: Actor,
    at: datetime,
    flight_id: int | None = None,
    point_id: int | None = None,
    kind: str = "",
    source: str = Source.FOLDER,
    keep: bool = True,
) -> Asset:
    """Take in a file of this machine."""
    access.require_see(by, street_id)
    with writing():
        return new_asset(
            street_id=street_id, name=path.name[-200:], source=source, file=str(path), size_bytes=path.stat().st_size, at=at,
            made_by=by.person_id, flight_id=flight_id, point_id=point_id, kind=kind, keep=keep,
        )  # fmt: skip


def _job(asset_id: int, file: str, keep: bool, part: int, street_id: int, at: datetime) -> JobSpec:
    args = {"asset_id": asset_id, "file": file, "keep": keep, "part": part}
    return JobSpec(JOB, args, at, key=f"{JOB}:{asset_id}:{part}", street_id=street_id, lane=LANE)


def look(asset_id: int, file: str, keep: bool, part: int, at: datetime) -> Any:
    """One slice of the work of taking a file in: start the child or go on waiting for it; returns what is to be stored."""
    asset = Asset.objects.select_related("flight").filter(pk=asset_id).first()
    if asset is None or (asset.state in (AssetState.READY, AssetState.UNUSABLE) and not was_given_up(asset)):
        return None
    if asset.state != AssetState.WORKING:
        working = {"state": AssetState.WORKING, "reason": "", "ready_at": None}
        Asset.objects.filter(pk=asset_id, state=asset.state).update(**working)
    work = scratch(asset_id)
    work.mkdir(parents=True, exist_ok=True)
    told = children.ask("take", f"take:{asset_id}", _request(asset, file, keep, work), on_progress=partial(_tell, asset_id))
    if told is None:
        due = asset.made_at - children.BEFORE_OTHERS
        return partial(enqueue, _job(asset_id, file, keep, part + 1, asset.street_id, due))
    if "fault" in told:
        return partial(_unusable, asset, file, keep, told["fault"], told.get("facts", {}), at)
    return partial(_ready, asset, file, keep, told, at)


def was_given_up(row: Asset | Comparison | Release) -> bool:
    """True for what its job gave up on: a job that still comes to it was revived by an administrator and begins anew."""
    return row.reason == "given_up"


def scratch(asset_id: int) -> Path:
    """The folder of the work on one asset; emptied when it is done."""
    return files.work(f"take-{asset_id}")


def _request(asset: Asset, file: str, keep: bool, work: Path) -> dict[str, Any]:
    return {
        "do": "take",
        "place": files.described(),
        "image_key": files.image_key(asset.street_id, asset.pk),
        "item_key": files.item_key(asset.street_id, asset.pk),
        "original_key": files.original_key(asset.street_id, asset.pk),
        "file": file,
        "name": asset.name,
        "kind": asset.kind or None,
        "keep": keep,
        "work": str(work),
        "item_id": f"{asset.street_id}-{asset.pk}",
        "flown_on": asset.flight.flown_on.isoformat() if asset.flight else None,
        "flight": asset.flight.name if asset.flight else "",
        "aircraft": asset.flight.aircraft if asset.flight else "",
        "taken_at": asset.taken_at.isoformat() if asset.taken_at else None,
        "zone": str(timezone.get_default_timezone()),
    }


def _tell(asset_id: int, progress: dict[str, Any]) -> None:
    Asset.objects.filter(pk=asset_id).update(percent=min(99, int(progress.get("percent", 0))))


def _ready(asset: Asset, file: str, keep: bool, told: dict[str, Any], at: datetime) -> None:
    """Everything that is known, and the file that came is no longer needed. A picture that is there already is not one more."""
    changes = {name: told["asset"].get(name) for name in _COLUMNS if name in told["asset"]}
    taken = told["asset"].get("taken_at")
    changes["taken_at"] = datetime.fromisoformat(taken).astimezone(UTC) if taken else None
    twin = Asset.objects.filter(street_id=asset.street_id, sha256=changes["sha256"]).exclude(state=AssetState.UNUSABLE)
    if other := twin.exclude(pk=asset.pk).first():
        drop_files(asset, at)
        return _unusable(asset, file, keep, "twice", {"asset": other.pk}, at)
    with writing():
        ready = {"state": AssetState.READY, "percent": 100, "item": told["item"], "ready_at": at}
        if not Asset.objects.filter(pk=asset.pk).update(**changes, **ready):  # removed meanwhile: so is what was made of it
            drop_files(asset, at)
        if asset.flight_id and not asset.flight.aircraft and changes.get("aircraft"):  # type: ignore[union-attr]
            Flight.objects.filter(pk=asset.flight_id, aircraft="").update(aircraft=changes["aircraft"])
    _clear(asset, file, keep)
    return None


_COLUMNS = tuple("kind sha256 gsd_m width height bands epsg aircraft west south east north footprint low high".split())


def _unusable(asset: Asset, file: str, keep: bool, code: str, facts: dict[str, Any], at: datetime) -> None:
    with writing():
        Asset.objects.filter(pk=asset.pk).update(state=AssetState.UNUSABLE, reason=code[:40], reason_facts=facts, ready_at=at)
    _clear(asset, file, keep)


def drop_files(asset: Asset, at: datetime) -> None:
    """By a job, in the caller's transaction: a store elsewhere may be away, and no web worker speaks to one."""
    prefix = f"{asset.street_id}/{asset.pk}"
    enqueue(JobSpec(DROP, {"prefix": prefix}, at, key=f"{DROP}:{asset.pk}", street_id=asset.street_id))


def _clear(asset: Asset, file: str, keep: bool) -> None:
    """After the row says so, never before: a rolled back transaction must find the file again."""
    transaction.on_commit(partial(_clear_now, asset, file, keep))


def _clear_now(asset: Asset, file: str, keep: bool) -> None:
    shutil.rmtree(scratch(asset.pk), ignore_errors=True)
    if not keep:
        Path(file).unlink(missing_ok=True)


def given_up(asset_id: int, at: datetime) -> None:
    """The job was given up: said so in the list, so that nobody waits for it."""
    Asset.objects.filter(pk=asset_id).exclude(state=AssetState.READY).update(
        state=AssetState.UNUSABLE, reason="given_up", ready_at=at
    )


def forget_asset(*, asset_id: int, by: Actor, at: datetime) -> None:
    """Remove a picture, its files and its row."""
    asset = Asset.objects.filter(pk=asset_id).first()
    if asset is None or not access.may_see(by, asset.street_id):
        raise NotFound("no_such_asset", _("没有找到这份影像。"))
    access.require_judge(by, asset.street_id)
    with writing():
        Asset.objects.filter(pk=asset.pk).delete()
        record(by, asset.street_id, at, "asset_remove", "asset", asset.pk)
        drop_files(asset, at)
