"""A flight's photos go to a server and come back as orthophoto and surface model: slices of a job, each step in a child."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files
from ..models import Asset, AssetKind, AssetState, Flight, Mosaic, OdmServer, Source
from .flights import record
from .servers import asked_of
from .taking import new_asset

JOB, END = "sense.mosaic", "sense.mosaic_end"
LANE = "sense.mosaic"
LEAST_PHOTOS = 3
LOOK_EVERY = timedelta(seconds=15)
S = Mosaic.State
OPEN = (S.WAITING, S.SENDING, S.RUNNING, S.FETCHING)


def ask_mosaic(*, flight_id: int, server_id: int | None, by: Actor, at: datetime) -> Mosaic:
    """Send a flight's photos off. Refusal: too few photos, no server, one on its way already."""
    flight = flight_by_id(flight_id, by)
    access.require_judge(by, flight.street_id)
    servers = list(OdmServer.objects.filter(ended_at=None).order_by("name"))
    server = next((one for one in servers if server_id in (None, one.pk)), None)
    if server is None:
        raise Refusal("no_odm_server", _("还没有可用的拼图服务器，请系统管理员登记。"), facts={"field": "server"})
    count = photos_of(flight.pk).count()
    if count < LEAST_PHOTOS:
        raise Refusal("too_few_photos", _("这个架次可拼的照片只有 %(n)d 张，至少要 3 张。") % {"n": count})
    row = Mosaic(
        street_id=flight.street_id, flight=flight, server=server, photos=count, asked_at=at, asked_by=by.person_id
    )  # fmt: skip
    try:
        with writing():
            row.save(force_insert=True)
            enqueue(_job(row, 0, at))
            record(by, flight.street_id, at, "mosaic", "mosaic", row.pk, photos=count)
    except IntegrityError:
        raise Refusal("mosaic_open", _("这个架次已经在拼了。")) from None
    return row


def flight_by_id(flight_id: int, by: Actor) -> Flight:
    """The flight; NotFound for one of another street."""
    found = Flight.objects.select_related("street").filter(pk=flight_id).first()
    if found is None or not access.may_see(by, found.street_id):
        raise NotFound("no_such_flight", _("没有找到这个架次。"))
    return found


def photos_of(flight_id: int) -> Any:
    """Usable photos whose original is kept."""
    found = Asset.objects.filter(flight_id=flight_id, kind=AssetKind.PHOTO, state=AssetState.READY)
    return found.filter(item__assets__original__isnull=False).order_by("taken_at", "pk")


def stop_mosaic(*, mosaic_id: int, by: Actor, at: datetime) -> Mosaic:
    """Stop one that is not done; what the server has of it is cancelled and removed. Refusal where it has ended."""
    row = Mosaic.objects.filter(pk=mosaic_id).first()
    if row is None or not access.may_see(by, row.street_id):
        raise NotFound("no_such_mosaic", _("没有找到这次拼图。"))
    access.require_judge(by, row.street_id)
    with writing():
        if not Mosaic.objects.filter(pk=row.pk, state__in=OPEN).update(state=S.STOPPED, ended_at=at):
            raise Refusal("mosaic_ended", _("这次拼图已经结束。"))
        is_sending = row.state in (S.WAITING, S.SENDING)  # whoever sends sees it within a slice, and only then is cleared
        enqueue(_end(row, at + timedelta(minutes=1) if is_sending else at))
        record(by, row.street_id, at, "mosaic_stop", "mosaic", row.pk)
    return row


def work(mosaic_id: int, part: int, at: datetime) -> Callable[[], Any] | None:
    """One slice: the next step begun or waited for; returns what is to be stored."""
    row = Mosaic.objects.select_related("server", "flight").filter(pk=mosaic_id).first()
    if row is None or row.state not in OPEN:
        if row is not None and row.reason == "given_up":
            return partial(_again, row, part, at)
        children.stop(_name(mosaic_id))
        return None
    step = {S.RUNNING: "look", S.FETCHING: "fetch"}.get(S(row.state), "send")
    told = children.ask("mosaic", _name(row.pk), _request(row, step), on_progress=partial(_tell, row.pk))
    if told is None:
        return partial(enqueue, _job(row, part + 1, row.asked_at - children.BEFORE_OTHERS))
    if "fault" in told:
        return partial(_failed, row, told["fault"], str(told.get("facts", {}).get("said", "")), at)
    if "trouble" in told:
        Mosaic.objects.filter(pk=row.pk).update(trouble=told["trouble"], said=told.get("said", ""))
        raise children.ChildFailed(told["trouble"])
    return partial({"send": _sent, "look": _looked, "fetch": _fetched}[step], row, part, told, at)


def _request(row: Mosaic, step: str) -> dict[str, Any]:
    """What the child is asked; a first slice of sending has a new uuid, stored before anything is sent under it."""
    if step == "send" and not children.is_busy("mosaic", _name(row.pk)):
        row.tried = [*row.tried, str(uuid4())]
        Mosaic.objects.filter(pk=row.pk, state__in=OPEN).update(state=S.SENDING, percent=0, tried=row.tried)
    more = {"uuid": row.uuid, "tried": row.tried, "work": str(folder(row.pk))}
    if step == "send":
        ids = photos_of(row.flight_id).values_list("pk", flat=True)
        photos = [(f"{pk}.jpg", files.original_key(row.street_id, pk)) for pk in ids]
        name = f"jiequ-{row.street_id}-{row.pk}"
        more |= {"uuid": row.tried[-1], "photos": photos, "name": name, "place": files.described()}
    if step == "fetch":
        more["most_bytes"] = settings.SENSE_UPLOAD_GB * 1024**3
    return asked_of(row.server, step, **more)


def _open(row: Mosaic) -> Any:
    return Mosaic.objects.filter(pk=row.pk, state__in=OPEN)


def _sent(row: Mosaic, part: int, told: dict[str, Any], at: datetime) -> None:
    if _open(row).update(state=S.RUNNING, uuid=told["uuid"], percent=0, trouble="", said=""):
        enqueue(_job(row, part + 1, at + LOOK_EVERY))
    else:
        enqueue(_end(row, at))


def _looked(row: Mosaic, part: int, told: dict[str, Any], at: datetime) -> None:
    state = S.RUNNING if told["runs"] else S.FETCHING
    if _open(row).update(state=state, percent=told["percent"] if told["runs"] else 0, trouble="", said=""):
        enqueue(_job(row, part + 1, at + LOOK_EVERY if told["runs"] else at))


def _fetched(row: Mosaic, part: int, told: dict[str, Any], at: datetime) -> None:
    """Both files become pictures of the flight in the transaction that ends the work; a kill before it fetches them anew."""
    done = {"state": S.DONE, "percent": 100, "trouble": "", "said": "", "ended_at": at}
    if not _open(row).update(**done):  # stopped meanwhile
        return
    made = {kind: _asset(row, kind, Path(told[kind]), at) for kind in ("ortho", "dsm") if kind in told}
    Mosaic.objects.filter(pk=row.pk).update(**made)
    enqueue(_end(row, at))


def _asset(row: Mosaic, kind: str, file: Path, at: datetime) -> Asset:
    """Of the photos' point, if they have one, and of the moment of the first."""
    target = files.incoming(f"mosaic-{row.pk}-{kind}.tif")
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, target)
    shown = list(photos_of(row.flight_id).values_list("point_id", "taken_at"))
    points, moments = {point for point, _at in shown}, [moment for _point, moment in shown if moment]
    return new_asset(
        street_id=row.street_id, flight_id=row.flight_id, point_id=points.pop() if len(points) == 1 else None, kind=kind,
        name=f"{row.flight.name} {row.flight.flown_on} {kind}.tif"[-200:], source=Source.NODEODM, file=str(target),
        size_bytes=target.stat().st_size, at=at, made_by=row.asked_by, taken_at=min(moments, default=None),
    )  # fmt: skip


def _again(row: Mosaic, part: int, at: datetime) -> None:
    """An administrator revived the job: from the task that is there, or from the beginning."""
    state = S.RUNNING if row.uuid else S.WAITING
    other = Mosaic.objects.filter(flight_id=row.flight_id, state__in=OPEN).exists()
    if not other and Mosaic.objects.filter(pk=row.pk, state=row.state).update(state=state, reason="", ended_at=None):
        enqueue(_job(row, part + 1, at))


def _failed(row: Mosaic, code: str, said: str, at: datetime) -> None:
    _open(row).update(state=S.FAILED, reason=code[:40], said=said[:200], trouble="", ended_at=at)
    enqueue(_end(row, at))


def given_up(mosaic_id: int, at: datetime) -> None:
    """The job was given up: said so; what troubled it stays beside it."""
    Mosaic.objects.filter(pk=mosaic_id, state__in=OPEN).update(state=S.FAILED, reason="given_up", ended_at=at)


def clear(mosaic_id: int) -> None:
    """Nothing of it is left on the server and in the work folder. Done again if the server was away."""
    row = Mosaic.objects.select_related("server").filter(pk=mosaic_id).exclude(state__in=OPEN).first()
    if row is None:
        return
    children.stop(_name(row.pk))
    shutil.rmtree(folder(row.pk), ignore_errors=True)
    tried = list(dict.fromkeys([*row.tried, row.uuid])) if row.uuid else row.tried
    if not tried:
        return
    told = children.once("mosaic", asked_of(row.server, "end", tried=tried), seconds=SECONDS)
    if trouble := told.get("trouble"):
        raise children.ChildFailed(trouble)


SECONDS = 100.0


def folder(mosaic_id: int) -> Path:
    """What is on its way, either way."""
    return files.work(f"mosaic-{mosaic_id}")


def _tell(mosaic_id: int, progress: dict[str, Any]) -> None:
    Mosaic.objects.filter(pk=mosaic_id).update(percent=min(99, int(progress.get("percent", 0))))


def _name(mosaic_id: int) -> str:
    return f"mosaic:{mosaic_id}"


def _job(row: Mosaic, part: int, due: datetime) -> JobSpec:
    args = {"mosaic_id": row.pk, "part": part}
    return JobSpec(JOB, args, due, key=f"{JOB}:{row.pk}:{part}", street_id=row.street_id, lane=LANE)


def _end(row: Mosaic, at: datetime) -> JobSpec:
    return JobSpec(END, {"mosaic_id": row.pk}, at, key=f"{END}:{row.pk}", street_id=row.street_id)
