"""A picture leaves the desk in two steps by two people: one has it made and marks what must not be seen, another passes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files, sight
from ..models import Release, Suspect
from ..queries import comparisons
from .flights import record
from .taking import was_given_up

JOB = "sense.release"
SECONDS = 60.0
MOST_BOXES = 40
Box = Sequence[float]


def ask_release(suspect: Suspect, *, window: str, boxes: Sequence[Box], by: Actor, at: datetime) -> Release:
    """Have a softened cut-out of the later picture made. Refusal where there is none, or a box is none."""
    access.require_judge(by, suspect.street_id)
    pair = comparisons.pair_of(suspect)
    asset = (pair.after or pair.after_dsm) if pair else None
    if asset is None:
        raise Refusal("no_pictures", _("没有可以放行的图。"))
    if len(boxes) > MOST_BOXES or any(len(box) != 4 or not all(0 <= value <= 1 for value in box) for box in boxes):
        raise Refusal("boxes", _("遮盖框写得不对：每行四个 0 到 100 的数，左、上、右、下。"), facts={"field": "boxes"})
    looked = sight.sight_of(suspect.geometry).window(window)
    row = Release(
        suspect=suspect, asset=asset, bounds=list(looked.bounds), boxes=[list(box) for box in boxes], made_at=at,
        made_by=by.person_id or 0,
    )  # fmt: skip
    with writing():
        row.save(force_insert=True)
        enqueue(JobSpec(JOB, {"release_id": row.pk}, at, key=f"{JOB}:{row.pk}", street_id=suspect.street_id))
        record(by, suspect.street_id, at, "release_ask", "release", row.pk)
    return row


def key_of(row: Release) -> str:
    """Where the picture lies in the store."""
    return f"{row.suspect.street_id}/releases/{row.pk}/picture.jpg"


def make(release_id: int, at: datetime) -> Callable[[], Any] | None:
    """The picture by a child."""
    row = Release.objects.select_related("suspect", "asset").filter(pk=release_id).first()
    if row is None or (row.state != Release.State.MAKING and not was_given_up(row)):
        return None
    Release.objects.filter(pk=row.pk, state=row.state).update(state=Release.State.MAKING, reason="")
    asked = {
        "do": "release", "place": files.described(), "source": files.image_key(row.asset.street_id, row.asset_id),
        "bounds": row.bounds, "boxes": row.boxes, "target": key_of(row), "work": str(files.work(f"release-{row.pk}")),
    }  # fmt: skip
    told = children.once("release", asked, seconds=SECONDS)
    changes = {"state": Release.State.FAILED, "reason": told["fault"]} if "fault" in told else {"state": Release.State.TO_SEE}
    return partial(Release.objects.filter(pk=row.pk, state=Release.State.MAKING).update, **changes)


def given_up(release_id: int) -> None:
    """Said so where somebody waits for it."""
    Release.objects.filter(pk=release_id, state=Release.State.MAKING).update(state=Release.State.FAILED, reason="given_up")


def release_for(release_id: int, by: Actor) -> Release:
    """A release of a street whose pictures the reader may see or pass; NotFound otherwise."""
    row = Release.objects.filter(pk=release_id).select_related("suspect__street").first()
    street_id = row.suspect.street_id if row else 0
    if row is None or not (access.may_judge(by, street_id) or access.may_release(by, street_id)):
        raise NotFound("no_such_release", _("没有找到这张图。"))
    return row


def decide(row: Release, *, passes: bool, looked: bool, by: Actor, at: datetime) -> None:
    """Pass it or not. Forbidden for whoever had it made, and without the right; Refusal without the word that one looked."""
    if not access.may_release(by, row.suspect.street_id):
        raise Forbidden("not_releaser", _("放行由有放行权的人做。"))
    if row.made_by == by.person_id:
        raise Forbidden("own_release", _("自己做的图要由另一个人放行。"))
    if passes and not looked:
        raise Refusal("look_first", _("请先看过原样大小的图，确认看不出人脸和车牌，再勾选放行。"), facts={"field": "looked"})
    state = Release.State.PASSED if passes else Release.State.REFUSED
    with writing():
        open_one = Release.objects.filter(pk=row.pk, state=Release.State.TO_SEE)
        if not open_one.update(state=state, ended_at=at, ended_by=by.person_id):
            raise Refusal("release_ended", _("这张图已经处理过，或还没有做好。"))
        record(by, row.suspect.street_id, at, "release_pass" if passes else "release_refuse", "release", row.pk)
