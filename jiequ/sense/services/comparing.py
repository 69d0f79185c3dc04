"""Two dates are compared: asked once for the same files, done by a child process in slices, stored whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files, ground
from ..engine.results import outcome_from_json
from ..engine.shapes import Outcome
from ..models import Asset, AssetKind, Comparison
from ..queries.covering import Part
from ..queries.pairs import Pair
from . import recognising, weights
from .flights import record
from .taking import was_given_up

JOB = "sense.compare"
LANE = "sense.compare"
AROUND_M = 40.0  # beside an area that was drawn: what the two dates are registered by, and a whole house at its border
ENDED = (Comparison.State.DONE, Comparison.State.FAILED, Comparison.State.STOPPED)


def ask_comparison(
    *,
    street_id: int,
    pair: Pair,
    by: Actor,
    at: datetime,
    point_id: int | None = None,
    area: dict[str, Any] | None = None,
    runner: str = "",
) -> Comparison:
    """The comparison of these pictures, asked for now or before: the same question is worked on once.

    ``runner``: the address of a Dask scheduler; "" for what the settings say.
    """
    access.require_judge(by, street_id)
    key = key_of(pair, area)
    with writing():
        asked = Comparison.objects.filter(street_id=street_id, key=key).exclude(state__in=["failed", "stopped"]).first()
        if asked is not None:
            return asked
        row = Comparison(
            street_id=street_id, point_id=point_id, key=key, area=area, before=pair.before, after=pair.after,
            before_dsm=pair.before_dsm, after_dsm=pair.after_dsm, before_on=pair.before_on, after_on=pair.after_on,
            in_pixels=pair.is_snapshot, asked_at=at, asked_by=by.person_id,
        )  # fmt: skip
        row.save(force_insert=True)
        enqueue(_job(row, 0, runner))
        record(by, street_id, at, "compare", "comparison", row.pk)
    return row


def ask_area(*, street_id: int, parts: Sequence[Part], by: Actor, at: datetime) -> list[Comparison]:
    """A comparison for each part of an area, all or none; those that were asked before are the same."""
    with writing():
        return [
            ask_comparison(street_id=street_id, pair=part.pair, area=ground.to_json(part.area), by=by, at=at) for part in parts
        ]


def key_of(pair: Pair, area: dict[str, Any] | None) -> str:
    """The hash of the question: which files, which part of them, which net."""
    told = [asset.sha256 if asset else "" for asset in (pair.before, pair.after, pair.before_dsm, pair.after_dsm)]
    return hashlib.sha256(json.dumps([told, area, weights.hash_in_use()], sort_keys=True).encode()).hexdigest()


def comparison_by_id(comparison_id: int, by: Actor) -> Comparison:
    """The comparison; NotFound for one of another street."""
    joined = ("street", "point", "before", "after", "before_dsm", "after_dsm")
    found = Comparison.objects.filter(pk=comparison_id).select_related(*joined).first()
    if found is None or not access.may_see(by, found.street_id):
        raise NotFound("no_such_comparison", _("没有找到这次比对。"))
    return found


def stop_comparison(*, comparison_id: int, by: Actor, at: datetime) -> None:
    """Stop what is not done yet; its slice sees it and ends the child. Refusal where it has ended."""
    row = comparison_by_id(comparison_id, by)
    access.require_judge(by, row.street_id)
    with writing():
        open_ones = Comparison.objects.filter(pk=row.pk).exclude(state__in=ENDED)
        if not open_ones.update(state=Comparison.State.STOPPED, ended_at=at):
            raise Refusal("comparison_ended", _("这次比对已经结束。"))
        record(by, row.street_id, at, "compare_stop", "comparison", row.pk)


def work(comparison_id: int, part: int, at: datetime, runner: str = "") -> Callable[[], Any] | None:
    """One slice: start the child or go on waiting for it; returns what is to be stored."""
    row = Comparison.objects.select_related("before", "after", "before_dsm", "after_dsm").filter(pk=comparison_id).first()
    if row is None or (row.state in ENDED and not was_given_up(row)):
        children.stop(_name(comparison_id))
        return None
    if row.state != Comparison.State.RUNNING and not _begun(row):
        return None
    told = children.ask("compare", _name(row.pk), _request(row, runner), on_progress=partial(_tell, row.pk))
    if told is None:
        return partial(enqueue, _job(row, part + 1, runner))
    if "fault" in told:
        return partial(_failed, row, told["fault"], at)
    outcome = outcome_from_json(Path(told["outcome"]).read_bytes())
    asked, suspects = recognising.question(row, outcome)
    answer = children.ask("compare", f"{_name(row.pk)}:known", {"do": "recognise", "outcome": told["outcome"], **asked})
    if answer is None or "fault" in answer:
        raise children.ChildFailed("recognise")
    return partial(_kept, row, recognising.recognised(row, outcome, answer, suspects), outcome, told["sha256"], at)


def _begun(row: Comparison) -> bool:
    """It runs; False where the same question, given up, was meanwhile asked anew and stands in another row."""
    again = Comparison.objects.filter(street_id=row.street_id, key=row.key).exclude(state__in=["failed", "stopped"])
    if again.exclude(pk=row.pk).exists():
        return False
    running = {"state": Comparison.State.RUNNING, "reason": "", "ended_at": None}
    return bool(Comparison.objects.filter(pk=row.pk, state=row.state).update(**running))


def _kept(row: Comparison, seen: recognising.Recognised, outcome: Outcome, sha256: str, at: datetime) -> None:
    recognising.keep(row, seen, outcome, sha256, at)
    transaction.on_commit(partial(clear, row.pk))


def clear(comparison_id: int) -> None:
    """The work folder of a comparison that is stored is no longer needed."""
    shutil.rmtree(folder(comparison_id), ignore_errors=True)


def folder(comparison_id: int) -> Path:
    """What is done of a comparison, by hash."""
    return files.work(f"compare-{comparison_id}")


def given_up(comparison_id: int, at: datetime) -> None:
    """The job was given up: said so, so that nobody waits for it."""
    Comparison.objects.filter(pk=comparison_id).exclude(state__in=ENDED).update(
        state=Comparison.State.FAILED, reason="given_up", ended_at=at
    )


def _name(comparison_id: int) -> str:
    return f"compare:{comparison_id}"


def _job(row: Comparison, part: int, runner: str = "") -> JobSpec:
    """A slice; further ones stand before every comparison that waits."""
    args = {"comparison_id": row.pk, "part": part, "runner": runner}
    due = row.asked_at - (children.BEFORE_OTHERS if part else timedelta())
    return JobSpec(JOB, args, due, key=f"{JOB}:{row.pk}:{part}", street_id=row.street_id, lane=LANE)


def _request(row: Comparison, runner: str) -> dict[str, Any]:
    return {
        "do": "compare",
        "place": files.described(),
        "before": _keys(row.before, row.before_dsm),
        "after": _keys(row.after, row.after_dsm),
        "area": ground.widened(row.area, AROUND_M) if row.area else None,
        "cut": row.area,
        "work": str(folder(row.pk)),
        "weights": weights.path_in_use(),
        "runner": runner or settings.SENSE_DASK or "pool",
        "processes": settings.SENSE_PROCESSES,
    }


def _keys(picture: Asset | None, surface: Asset | None) -> dict[str, str]:
    """Where the files of one date lie, by what they are to the engine: a photo that was laid on the ground is an orthophoto."""
    found = {}
    if picture is not None:
        kind = "snapshot" if picture.kind == AssetKind.SNAPSHOT else "ortho"
        found[kind] = files.image_key(picture.street_id, picture.pk)
    if surface is not None:
        found["dsm"] = files.image_key(surface.street_id, surface.pk)
    return found


def _tell(comparison_id: int, progress: dict[str, Any]) -> None:
    Comparison.objects.filter(pk=comparison_id).update(
        stage=str(progress["stage"])[:20], done=progress["done"], total=progress["of"]
    )


def _failed(row: Comparison, code: str, at: datetime) -> None:
    Comparison.objects.filter(pk=row.pk).exclude(state__in=ENDED).update(
        state=Comparison.State.FAILED, reason=code[:40], ended_at=at
    )
    clear(row.pk)
