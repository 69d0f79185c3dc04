"""What the pages do by themselves: make and remove sheets of plates, forget tries that are over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from jiequ.core.jobs import DeadJob, every, job, on_dead

from .services import binding, plates


@job(plates.MAKE, outside=True, timeout_seconds=600.0, promise_seconds=1800)
def make_sheet(*, sheet_id: int, at: datetime) -> Callable[[], None] | None:
    """A sheet is made; should the worker die over it, it is made again under the same name, with the same codes."""
    return plates.make(sheet_id, at=at)


def tell_of_failure(dead: DeadJob, *, at: datetime) -> None:
    """A sheet that could not be made says so to whoever asked for it."""
    plates.fail(int(dead.args["sheet_id"]), "job_failed")


on_dead(tell_of_failure, kind=plates.MAKE)


@every("wechat_pages.sweep", seconds=600)
def sweep(*, at: datetime) -> None:
    """Sheets whose day is over, and tries to tie a WeChat that are long over."""
    plates.expire(at=at)
    binding.forget(at=at)
