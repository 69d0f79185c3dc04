"""Customer-service messages: what the account says to a follower while a window is open.

The platform takes no key for these: one whose answer was lost is sent again and may be seen twice. One follower's are sent in
the order they were queued: their jobs run one by one (a lane), and each first sends what an earlier one could not.
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


def end(key: str, error: str, *, at: datetime) -> None:
    """Sent, or refused for this reason; its words go."""
    state = SaidState.REFUSED if error else SaidState.SENT
    waits = Said.objects.filter(key=key, state=SaidState.WAITING)
    waits.update(state=state, error=error[:60], ended_at=at, body_sealed="")


def send_now(follower: Follower, body: Mapping[str, Any], *, at: datetime) -> None:
    """Send one message to one follower. Outside a transaction. NotSaid for a final no, ApiError for what may pass."""
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
        if fault.is_passing:
            raise
        raise NotSaid(str(fault.errcode or fault.code)) from None
