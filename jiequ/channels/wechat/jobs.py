"""What the account does later: customer-service messages, menus that follow a person's roles, forgetting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q

from jiequ.core.jobs import Call, DeadJob, JobSpec, enqueue, every, job, on_dead

from . import config
from .models import Follower, Said
from .rules import SaidState
from .services import binding, forgetting, menus, saying

TAGS_SECONDS = 60
HANDS = 8
"""Followers who are answered side by side; one follower's messages keep their order."""
SAID_KEPT = timedelta(days=7)
UNKNOWN_KEPT = timedelta(days=365)


@job(saying.SAY, outside=True, line="wechat", promise_seconds=60, timeout_seconds=30, hands=HANDS)
def say(*, key: str, at: datetime) -> Call:
    """Send what waits for one follower up to this one; a final no is written down, what may pass is tried again."""
    return Call(act=partial(_say_all, key, at), then=_nothing_more)


def _say_all(key: str, at: datetime) -> None:
    for row in saying.waiting(key):
        saying.say_waiting(row, at=at)


def _nothing_more(_answer: None) -> None:
    """Each was written down before and after it was sent."""


def _never_said(dead: DeadJob, *, at: datetime) -> None:
    saying.give_up(str(dead.args.get("key", "")), at=at)


on_dead(_never_said, kind=saying.SAY)


@job(binding.TAG, outside=True, line="wechat menus")
def tag(*, follower_id: int, at: datetime) -> Callable[[], None] | None:
    """Show a follower the menu of whoever they are now."""
    return menus.tag_follower(follower_id, at=at)


@job(forgetting.FORGET, outside=True, line="wechat menus")
def forget_follower(*, follower_id: int, at: datetime) -> Callable[[], None]:
    """Whoever took their consent back: their menu's tag at the platform, then the row."""
    return forgetting.take_tag_back(follower_id)


def _forget_anyway(dead: DeadJob, *, at: datetime) -> None:
    """The platform did not answer for fifteen hours: its tag stays, the row does not."""
    forgetting.delete(int(dead.args["follower_id"]))


on_dead(_forget_anyway, kind=forgetting.FORGET)


@every("wechat.tags", seconds=TAGS_SECONDS)
def follow_posts(*, at: datetime) -> None:
    """Menus follow posts: whoever is shown another group's than their own is tagged anew. What the platform refuses is tried
    again as any job, and anew the next day."""
    if config.is_on():
        enqueue(
            *(
                JobSpec(binding.TAG, {"follower_id": pk}, at, key=f"{binding.TAG}:{pk}:{wanted}:{at.date()}")
                for pk, wanted in menus.strayed(at=at)
            )
        )


@every("wechat.retention", daily_at="03:35")
def forget(*, at: datetime) -> None:
    """What was said, after a week; a follower who is gone for a year and is nobody of the roster."""
    Said.objects.filter(queued_at__lt=at - SAID_KEPT).exclude(state=SaidState.WAITING).delete()
    gone = Q(is_following=False, person=None, seen_at__lt=at - UNKNOWN_KEPT)
    Follower.objects.filter(gone).delete()
