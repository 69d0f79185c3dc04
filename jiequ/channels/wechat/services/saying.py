"""Customer-service messages: what the account says to a follower while a window is open.

The platform takes no key for these: each is noted as unknown before it is handed over, and one whose answer was lost stays so:
nobody is told the same twice (docs/adr/0051-said-once-or-unknown.md). One follower's are sent in the order they were queued:
their jobs run one by one (a lane), and each first sends what an earlier one could not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jiequ.channels.client import ApiError
from jiequ.core import secrets
from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.jobs import JobSpec, enqueue

from .. import config, rules
from ..models import Follower, Said
from ..rules import SaidState
from . import followers

SAY = "wechat.say"
PURPOSE = "wechat.said"


class Unheard(Exception):
    """Nobody knows whether it was shown: no answer came."""


class NotSaid(Exception):
    """It cannot be said to this follower now; ``code``: no_window, not_following, or the platform's errcode."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def say(
    *,
    follower_id: int,
    key: str,
    at: datetime,
    text: str = "",
    article: Mapping[str, str] | None = None,
    choices: Sequence[tuple[str, str]] = (),
) -> None:
    """Queue a message, in the caller's transaction; the same key is sent once. Nothing is sent to whoever has no window open.

    ``text`` with ``choices`` ((id, words), …) becomes a list to tap: a tap sends the words back with ``bizmsgmenuid``.
    ``article``: ``title``, ``description``, ``url`` and ``picurl``, a card that opens a page.
    """
    body = _body(text, article, choices)
    sealed = secrets.seal(json.dumps(body, ensure_ascii=False), PURPOSE)
    with writing():
        store([Said(key=key, follower_id=follower_id, body_sealed=sealed, queued_at=at)], ignore_conflicts=True)
        enqueue(JobSpec(SAY, {"key": key}, at, key=f"{SAY}:{key}", lane=f"{SAY}:{follower_id}"))


def _body(text: str, article: Mapping[str, str] | None, choices: Sequence[tuple[str, str]]) -> dict[str, Any]:
    if article is not None:
        return {"msgtype": "news", "news": {"articles": [dict(article)]}}
    text = rules.shortened(text)
    if not text:
        raise ValueError("nothing to say")
    if choices:
        listed = [{"id": name, "content": words} for name, words in choices]
        return {"msgtype": "msgmenu", "msgmenu": {"head_content": text, "list": listed, "tail_content": ""}}
    return {"msgtype": "text", "text": {"content": text}}


def waiting(key: str) -> list[Said]:
    """What is to be said so that this can be: everything queued for its follower before it and not said yet, in order."""
    last = Said.objects.filter(key=key, state=SaidState.WAITING).values("follower_id", "id").first()
    if last is None:
        return []
    earlier = Said.objects.filter(follower_id=last["follower_id"], id__lte=last["id"], state=SaidState.WAITING)
    return list(earlier.select_related("follower").order_by("id"))


def body_of(row: Said) -> dict[str, Any]:
    """What the platform is given; SealBroken."""
    body: dict[str, Any] = json.loads(secrets.unseal(row.body_sealed, PURPOSE))
    return body


def say_waiting(row: Said, *, at: datetime) -> None:
    """Hand one over, once: noted as unknown before, as what came of it after. ApiError for what may pass and was not shown.

    Outside a transaction. A worker killed in between leaves it unknown, and so does an answer that never came.
    """
    body = body_of(row)
    if not Said.objects.filter(pk=row.pk, state=SaidState.WAITING).update(state=SaidState.UNKNOWN):
        return
    begun = Said.objects.filter(pk=row.pk, state=SaidState.UNKNOWN)
    try:
        send_now(row.follower, body, at=at)
    except NotSaid as refused:
        begun.update(**_ended(SaidState.REFUSED, refused.code, at))
    except Unheard as lost:
        begun.update(**_ended(SaidState.UNKNOWN, str(lost), at))
    except ApiError:
        begun.update(state=SaidState.WAITING)
        raise
    else:
        begun.update(**_ended(SaidState.SENT, "", at))


def give_up(key: str, *, at: datetime) -> None:
    """Its job was given up: what still waits will not be said."""
    Said.objects.filter(key=key, state=SaidState.WAITING).update(**_ended(SaidState.REFUSED, "given_up", at))


def _ended(state: SaidState, error: str, at: datetime) -> dict[str, Any]:
    """The row of one that is over; its words go."""
    return {"state": state, "error": error[:60], "ended_at": at, "body_sealed": ""}


def send_now(follower: Follower, body: Mapping[str, Any], *, at: datetime) -> None:
    """Send one message to one follower. Outside a transaction. NotSaid for a final no, Unheard where it may have been shown,
    ApiError for what was not shown and may pass."""
    if not follower.is_following:
        raise NotSaid("not_following")
    window = followers.spend_window(follower.pk, at=at)
    if not window:
        raise NotSaid("no_window")
    try:
        config.api().post("/cgi-bin/message/custom/send", {"touser": followers.openid_of(follower), **body})
    except ApiError as fault:
        if fault.errcode in rules.WINDOW_OVER:
            followers.close_windows(follower.pk)
        elif not fault.may_have_happened:
            followers.give_back(follower.pk, window)
        if fault.errcode in rules.NOT_REACHED:
            followers.lose(follower.pk, at=at)
        if fault.may_have_happened:
            raise Unheard(fault.code) from None
        if fault.is_passing:
            raise
        raise NotSaid(str(fault.errcode or fault.code)) from None
