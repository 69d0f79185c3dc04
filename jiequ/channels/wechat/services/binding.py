"""Which follower is which member of staff: at most one account a person. Who may do it is for the pages that call this."""

from __future__ import annotations

from datetime import datetime

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from ..models import Follower

TAG = "wechat.tag"
"""The job that tells the platform whose menu one follower is shown now."""


def bind(follower_id: int, person_id: int, *, by: Actor, at: datetime) -> None:
    """From now on this account is that person's; one they had before is let go."""
    with writing():
        _let_go(person_id, but=follower_id, by=by, at=at)
        if Follower.objects.filter(pk=follower_id).exclude(person_id=person_id).update(person_id=person_id, bound_at=at):
            _record("wechat.bind", follower_id, person_id, by, at)
        enqueue(_tag_job(follower_id, at))


def unbind(person_id: int, *, by: Actor, at: datetime) -> bool:
    """The person's account is theirs no more (a lost phone); False if there was none."""
    with writing():
        return _let_go(person_id, but=0, by=by, at=at)


def _let_go(person_id: int, *, but: int, by: Actor, at: datetime) -> bool:
    held = list(Follower.objects.filter(person_id=person_id).exclude(pk=but).values_list("pk", flat=True))
    for follower_id in held:
        Follower.objects.filter(pk=follower_id, person_id=person_id).update(person=None, bound_at=None)
        _record("wechat.unbind", follower_id, person_id, by, at)
    enqueue(*(_tag_job(follower_id, at) for follower_id in held))
    return bool(held)


def _record(action: str, follower_id: int, person_id: int, by: Actor, at: datetime) -> None:
    audit.record(
        street_id=None,
        person_id=by.person_id,
        action=action,
        object_kind="wechat_follower",
        object_id=follower_id,
        at=at,
        facts={"whose": person_id},
    )


def _tag_job(follower_id: int, at: datetime) -> JobSpec:
    """Menus follow the person; not keyed by more than the moment, for each change is told."""
    return JobSpec(TAG, {"follower_id": follower_id}, at, key=f"{TAG}:{follower_id}:{at.timestamp()}")
