"""Who the account knows, and which windows they have opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F

from jiequ.core import secrets

from .. import rules
from ..models import Follower

PURPOSE = "wechat.openid"


def follower_of(openid: str, *, at: datetime) -> Follower:
    """The row of an openid of this account, made if it is new. A snapshot user's openid is virtual and must not come here."""
    row, _is_new = Follower.objects.get_or_create(
        appid=settings.WECHAT_APPID,
        openid_blind=secrets.blind(openid, PURPOSE),
        defaults={"openid_sealed": secrets.seal(openid, PURPOSE), "seen_at": at},
    )
    return row


def openid_of(follower: Follower) -> str:
    """The openid, for a call to the platform; SealBroken."""
    return secrets.unseal(follower.openid_sealed, PURPOSE)


def note_deed(openid: str, *, kind: str, event: str, sent_at: datetime, at: datetime) -> Follower:
    """What somebody did: whether they follow, and the window it opened, counted from when they did it. Two statements."""
    follower = follower_of(openid, at=at)
    changes: dict[str, Any] = {"seen_at": at}
    if event == "unsubscribe":
        changes |= {"is_following": False, "unfollowed_at": sent_at, "message_left": 0, "touch_left": 0, "tag": ""}
    elif event == "subscribe":
        changes |= {"is_following": True, "followed_at": sent_at, "unfollowed_at": None}
    elif kind != "event":
        changes |= {"is_following": True}
        changes |= {"message_until": sent_at + rules.MESSAGE_WINDOW, "message_left": rules.MESSAGE_COUNT}
    if event in rules.TOUCHES:
        changes |= {"is_following": True, "touch_until": sent_at + rules.TOUCH_WINDOW, "touch_left": rules.TOUCH_COUNT}
    Follower.objects.filter(pk=follower.pk).update(**changes)
    for name, value in changes.items():
        setattr(follower, name, value)
    return follower


def spend_window(follower_id: int, *, at: datetime) -> str:
    """Use one message of the window that closes first: "touch" or "message"; empty if none is open. One or two UPDATEs."""
    for name in ("touch", "message"):
        open_now = Follower.objects.filter(pk=follower_id, **{f"{name}_until__gt": at, f"{name}_left__gt": 0})
        if open_now.update(**{f"{name}_left": F(f"{name}_left") - 1}):
            return name
    return ""


def give_back(follower_id: int, window: str) -> None:
    """The message was not sent after all."""
    Follower.objects.filter(pk=follower_id).update(**{f"{window}_left": F(f"{window}_left") + 1})


def close_windows(follower_id: int) -> None:
    """The platform says that none is open, whatever we had counted."""
    Follower.objects.filter(pk=follower_id).update(touch_left=0, message_left=0)


def lose(follower_id: int, *, at: datetime) -> None:
    """The platform says that they do not follow."""
    gone = Follower.objects.filter(pk=follower_id, is_following=True)
    gone.update(is_following=False, unfollowed_at=at, message_left=0, touch_left=0, tag="")
