"""Somebody takes back what they had let us know of them: what is known of that follower is dropped.

The platform tells it by ``user_authorization_revoke`` (an authorization is withdrawn) and ``user_authorization_cancellation``
(the WeChat account is closed; from memory, in no sample). We hold an openid and what hangs on it, so both mean the same here:
consent that is taken back ends the processing, and what was held by it is deleted (个人信息保护法 §15, §47). What was reported
stays as a matter of the street; it is nobody's any more in WeChat. Whoever writes again begins as a stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from django.conf import settings

from jiequ.core import audit, secrets
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue

from .. import config
from ..models import Follower, Said
from ..rules import SaidState
from . import followers, menus

EVENTS = frozenset({"user_authorization_revoke", "user_authorization_cancellation"})
FORGET = "wechat.forget"
"""The job that takes the tag of a menu back at the platform and then deletes the row."""


class Forget(Protocol):
    """Drops what another app holds of a follower, in the caller's transaction; returns how many rows it touched."""

    def __call__(self, *, account: str, follower_id: int, person_id: int | None, at: datetime) -> int: ...


_hooks: dict[str, Forget] = {}


def on_forgotten(name: str, forget: Forget) -> None:
    """Register what an app holds of followers; ``account`` is "wechat:17". The same name again replaces it."""
    _hooks[name] = forget


def drop(openid: str, *, at: datetime) -> bool:
    """Nothing of this follower is used from here on; False if nobody is known by that openid.

    Sessions, drafts, what waits to be said, whose report it was and whose WeChat it is go at once. The row itself, which by
    then nobody can be found by, goes as soon as the platform was told that they have no menu of their own any more.
    """
    blind = secrets.blind(openid, followers.PURPOSE)
    row = Follower.objects.filter(appid=settings.WECHAT_APPID, openid_blind=blind).first()
    if row is None:
        return False
    account = f"{config.CHANNEL}:{row.pk}"
    with writing():
        told = {
            name: hook(account=account, follower_id=row.pk, person_id=row.person_id, at=at) for name, hook in _hooks.items()
        }
        waiting = Said.objects.filter(follower_id=row.pk, state=SaidState.WAITING)
        waiting.update(state=SaidState.REFUSED, error="revoked", ended_at=at, body_sealed="")
        Follower.objects.filter(pk=row.pk).update(
            openid_blind=f"gone:{row.pk}",
            is_following=False,
            person=None,
            bound_at=None,
            message_until=None,
            message_left=0,
            touch_until=None,
            touch_left=0,
        )
        audit.record(
            street_id=None,
            person_id=None,
            action="wechat.authorization_revoked",
            object_kind="wechat_follower",
            object_id=row.pk,
            at=at,
            facts=told,
        )
        enqueue(JobSpec(FORGET, {"follower_id": row.pk}, at, key=f"{FORGET}:{row.pk}"))
    return True


def take_tag_back(follower_id: int) -> Callable[[], None]:
    """Tell the platform, outside a transaction; returns the deletion. ApiError."""
    row = Follower.objects.filter(pk=follower_id).first()
    if row is not None and config.is_on():
        menus.take_tag(row)
    return partial(delete, follower_id)


def delete(follower_id: int) -> None:
    """The row, and with it what was said to them."""
    Follower.objects.filter(pk=follower_id, openid_blind=f"gone:{follower_id}").delete()
