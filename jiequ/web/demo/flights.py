"""Invented flights over the demonstration's monitoring points, as jobs: rendered, taken in, compared like real ones.

They wait until the extra ``imagery`` is there (``./run demo`` installs it after the first page). Each point is flown on two
days; of the first one's buildings one has a permit, a trellis for loofahs will be a false alarm, a shed on a roof shows in
the heights only.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from shapely.geometry import shape

from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.jobs import job as kind
from jiequ.core.models import Job, Street
from jiequ.grid.models import MonitoringPoint
from jiequ.people.rules import Actor
from jiequ.sense import children, ground
from jiequ.sense.models import Asset, AssetState, Comparison, Source
from jiequ.sense.permit_files import Row
from jiequ.sense.queries import pairs
from jiequ.sense.services import make_flight, take_in
from jiequ.sense.services.comparing import ask_comparison
from jiequ.sense.services.permits import keep_permit

FLY, LOOK = "demo.fly", "demo.look"
LINE = "demo.fly"
AT_ONCE = 12
AGAIN = timedelta(seconds=5)
SEED = 20260723
DAYS_AGO = (35, 2)
STORIES: Sequence[Sequence[str]] = (
    ("new_building", "permitted", "demolition", "roof_shed", "trellis"),
    ("roof_shed", "trellis"),
    ("new_building", "demolition"),
    ("permitted", "roof_shed"),
    ("new_building", "trellis", "roof_shed"),
    ("demolition", "permitted"),
)
GROUND_M = 0.00002  # degrees, some two metres: a permit's plan is drawn a little wider than the house


def ask(street: Street, at: datetime, count: int = AT_ONCE, *, point_id: int | None = None) -> int:
    """The next points that were not flown yet, or the one that is named, each a job; returns how many."""
    flown = set(Asset.objects.filter(street=street, source=Source.DEMO).values_list("point_id", flat=True)) | set(_asked())
    points = [point for point in MonitoringPoint.objects.filter(street=street).order_by("code") if point.pk not in flown]
    chosen = points[:count] if point_id is None else [point for point in points if point.pk == point_id]
    with writing():
        enqueue(*(_fly(point, point.pk if point_id else number, 0, at) for number, point in enumerate(chosen)))
    return len(chosen)


def _asked() -> list[int]:
    """Points that a job is flying or will look at. One SELECT."""
    return [args["point_id"] for args in Job.objects.filter(kind__in=[FLY, LOOK]).values_list("args", flat=True)]


def progress(street: Street) -> dict[str, Any]:
    """Points asked for, flown and compared; whether the imagery libraries are still being installed. Five SELECTs."""
    asked = _asked()
    names = list(MonitoringPoint.objects.filter(pk__in=asked).order_by("code").values_list("pk", "code", "name"))
    done = Comparison.objects.filter(street=street, state__in=["done", "failed"], point__isnull=False).count()
    flown = Asset.objects.filter(street=street, source=Source.DEMO).values("point_id").distinct().count()
    points = MonitoringPoint.objects.filter(street=street).count()
    return {"waiting": len(asked), "now": names, "done": done, "flown": flown, "points": points, "is_installed": is_installed()}


def is_installed() -> bool:
    """Whether the extra ``imagery`` is here; looked for anew each time, for it comes while we run."""
    importlib.invalidate_caches()
    return importlib.util.find_spec("rasterio") is not None and importlib.util.find_spec("cv2") is not None


def _fly(point: MonitoringPoint, number: int, tries: int, at: datetime) -> JobSpec:
    args = {"point_id": point.pk, "number": number, "tries": tries}
    return JobSpec(FLY, args, at, key=f"{FLY}:{point.pk}:{tries}", street_id=point.street_id)


@kind(FLY, outside=True, promise_seconds=3600, timeout_seconds=30.0, line=LINE)
def fly(*, point_id: int, number: int, tries: int, at: datetime) -> Callable[[], Any] | None:
    """One point: rendered by a child, its four files handed to the ingest, its permit to the register."""
    point = MonitoringPoint.objects.filter(pk=point_id).first()
    if not settings.DEMO or point is None:
        return None
    if not is_installed():
        return partial(enqueue, _fly(point, number, tries + 1, at + AGAIN))
    folder = Path(settings.SENSE) / "demo" / str(point.pk)
    request = {
        "do": "fly", "folder": str(folder), "code": point.code, "lon": point.lon, "lat": point.lat, "seed": SEED,
        "stories": list(STORIES[number % len(STORIES)]),
    }  # fmt: skip
    told = children.ask("fly", f"fly:{point.pk}", request)
    if told is None:
        return partial(enqueue, _fly(point, number, tries + 1, at))
    return partial(_landed, point, told, at)


def _landed(point: MonitoringPoint, told: Mapping[str, Any], at: datetime) -> None:
    by = Actor.system()
    for when, ago, turn in zip(("before", "after"), DAYS_AGO, ("演示 第 1 轮", "演示 第 2 轮"), strict=True):
        day = timezone.localtime(at).date() - timedelta(days=ago)
        flight = make_flight(street_id=point.street_id, name=turn, flown_on=day, aircraft="演示机", by=by, at=at)
        for what in ("ortho", "dsm"):
            path = Path(told["files"][f"{when}_{what}"])
            path = _named(path, f"{point.code}-{day}-{what}.tif")
            take_in(street_id=point.street_id, path=path, flight_id=flight.pk, point_id=point.pk, kind=what, source=Source.DEMO,
                    keep=False, by=by, at=at)  # fmt: skip
    for truth in told["truth"]:
        if truth["has_permit"]:
            _register(point, truth, at)
    enqueue(_look(point, 0, at + AGAIN))


def _named(path: Path, name: str) -> Path:
    """The file under the name that lists show; it has it already where a job is done again."""
    target = path.with_name(name)
    if path.exists():
        path.rename(target)
    return target


def _register(point: MonitoringPoint, truth: Mapping[str, Any], at: datetime) -> None:
    plan = ground.to_json(shape(truth["geometry"]).buffer(GROUND_M))
    day = timezone.localtime(at).date()
    row = Row(
        1, f"演示许可 {point.code}", "planning", "村民住宅", "规划部门（演示）", truth["height_m"] + 0.5,
        day - timedelta(days=200), day + timedelta(days=500), plan,
    )  # fmt: skip
    keep_permit(street_id=point.street_id, row=row, by=Actor.system(), at=at)


def _look(point: MonitoringPoint, tries: int, at: datetime) -> JobSpec:
    args = {"point_id": point.pk, "tries": tries}
    return JobSpec(LOOK, args, at, key=f"{LOOK}:{point.pk}:{tries}", street_id=point.street_id)


@kind(LOOK, promise_seconds=3600, line=LINE)
def look(*, point_id: int, tries: int, at: datetime) -> None:
    """Ask for the comparison when both dates were taken in; look again in some seconds otherwise."""
    point = MonitoringPoint.objects.filter(pk=point_id).first()
    if not settings.DEMO or point is None:
        return
    assets = list(Asset.objects.filter(point=point, source=Source.DEMO))
    if any(asset.state in (AssetState.WAITING, AssetState.WORKING) for asset in assets):
        enqueue(_look(point, tries + 1, at + AGAIN))
        return
    shutil.rmtree(Path(settings.SENSE) / "demo" / str(point.pk), ignore_errors=True)
    days = sorted({pairs.day_of(asset) for asset in assets if asset.state == AssetState.READY})
    if len(days) == len(DAYS_AGO):
        pair = pairs.pair_at(pairs.Place(point.street_id, point), *days)
        ask_comparison(street_id=point.street_id, pair=pair, point_id=point.pk, by=Actor.system(), at=at)
