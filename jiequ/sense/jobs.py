"""What sense does later: files are taken in, dates compared, files made, what nobody went on with is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from jiequ.core.jobs import DeadJob, enqueue, every, job, on_dead

from . import files, places
from .services import (
    cameras,
    comparing,
    examples,
    exporting,
    mosaicking,
    pairing,
    permits,
    releasing,
    servers,
    taking,
    teaching,
    uploading,
)

UPLOADS_KEPT = timedelta(days=7)
DRAFTS_KEPT = timedelta(days=1)
COPIES_KEPT = timedelta(days=3)
SLICE_TIMEOUT = 30.0  # so that with LEASE / 2 a killed worker is missed within a minute


@job(taking.JOB, outside=True, promise_seconds=12 * 3600, timeout_seconds=SLICE_TIMEOUT, line="sense.take")
def take(*, asset_id: int, file: str, keep: bool, part: int, at: datetime) -> Any:
    """A slice of taking in a file."""
    return taking.look(asset_id, file, keep, part, at)


@job(taking.DROP, outside=True, promise_seconds=12 * 3600, timeout_seconds=60.0)
def drop(*, prefix: str, at: datetime) -> None:
    """The files of a picture that was removed go; done again if the store was away."""
    files.store().drop(prefix)


@job(comparing.JOB, outside=True, promise_seconds=48 * 3600, timeout_seconds=SLICE_TIMEOUT, line="sense.compare")
def compare(*, comparison_id: int, part: int, runner: str, at: datetime) -> Any:
    """A slice of comparing two dates."""
    return comparing.work(comparison_id, part, at, runner)


@job(pairing.JOB, promise_seconds=12 * 3600)
def two_files(*, asked: dict[str, Any], part: int, at: datetime) -> None:
    """Are both files of somebody's own pictures by now?"""
    pairing.look(asked, part, at)


@job(mosaicking.JOB, outside=True, promise_seconds=48 * 3600, timeout_seconds=SLICE_TIMEOUT, line="sense.mosaic")
def mosaic(*, mosaic_id: int, part: int, at: datetime) -> Any:
    """A slice of having a mosaic made."""
    return mosaicking.work(mosaic_id, part, at)


@job(mosaicking.END, outside=True, promise_seconds=24 * 3600, timeout_seconds=120.0, line="sense.odm")
def mosaic_end(*, mosaic_id: int, at: datetime) -> None:
    """Nothing of a mosaic stays on the server once it has ended."""
    mosaicking.clear(mosaic_id)


@job(servers.TRY, outside=True, promise_seconds=600, timeout_seconds=60.0, line="sense.odm")
def odm_try(*, server_id: int, at: datetime) -> None:
    """Does it answer?"""
    servers.try_it(server_id, at)


@job(cameras.SNAP, outside=True, promise_seconds=1800, timeout_seconds=120.0, line="sense.camera")
def snap(*, camera_id: int, at: datetime) -> Any:
    """A fixed camera's turn."""
    return cameras.snap(camera_id, at)


@every("sense.cameras", seconds=60)
def camera_turns(*, at: datetime) -> None:
    """Whose turn it is."""
    cameras.enqueue_due(at)


@job(exporting.JOB, outside=True, promise_seconds=1800, timeout_seconds=300.0)
def export(*, export_id: int, at: datetime) -> Any:
    """A file is made; should the worker die over it, it is made again from the beginning under the same name."""
    return exporting.make(export_id, at)


@job(teaching.JOB, outside=True, promise_seconds=48 * 3600, timeout_seconds=SLICE_TIMEOUT, line="sense.learn")
def learn(*, what: str, day: str, part: int, at: datetime) -> Any:
    """A slice of fine-tuning a net, or of weighing the one in the shadow."""
    return teaching.work(what, day, part, at)


@job(releasing.JOB, outside=True, promise_seconds=600, timeout_seconds=90.0)
def release(*, release_id: int, at: datetime) -> Any:
    """A picture that may leave the desk is made."""
    return releasing.make(release_id, at)


@every("sense.cut_pairs", seconds=300, outside=True)
def cut_pairs(*, at: datetime) -> Any:
    """Verdicts become pairs to learn from."""
    return examples.cut_some(at)


@every("sense.nightly", daily_at="01:40", outside=True)
def nightly(*, at: datetime) -> Any:
    """What a confidence is worth, anew; and the net, if there is something to learn from."""
    teaching.calibrate_all(at)
    spec = teaching.tonight(at)
    return partial(enqueue, spec) if spec else None


@every("sense.sweep_exports", seconds=600)
def sweep_exports(*, at: datetime) -> None:
    """Files whose time is over, and files of permits that nobody took over."""
    exporting.expire(at=at)
    permits.forget_drafts(before=at - DRAFTS_KEPT)


@every("sense.sweep", daily_at="03:40", outside=True)
def sweep(*, at: datetime) -> None:
    """Forget uploads that nobody went on with for a week, and copies of a store's files that nobody used for some days."""
    uploading.sweep(before=at - UPLOADS_KEPT)
    cameras.sweep(at)
    places.sweep_scratch(files.scratch(), before=(at - COPIES_KEPT).timestamp())


def _given_up(dead: DeadJob, *, at: datetime) -> None:
    """A job that was given up says so where somebody waits for it."""
    if dead.kind == taking.JOB:
        taking.given_up(dead.args["asset_id"], at)
    elif dead.kind == comparing.JOB:
        comparing.given_up(dead.args["comparison_id"], at)
    elif dead.kind == cameras.SNAP:
        cameras.given_up(dead.args["camera_id"], at)
    elif dead.kind == mosaicking.JOB:
        mosaicking.given_up(dead.args["mosaic_id"], at)
    elif dead.kind == releasing.JOB:
        releasing.given_up(dead.args["release_id"])
    else:
        exporting.give_up(dead.args["export_id"])


for _kind in (taking.JOB, comparing.JOB, mosaicking.JOB, cameras.SNAP, releasing.JOB, exporting.JOB):
    on_dead(_given_up, kind=_kind)
