"""A street's standard replies: every change is a new edition."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal, Stale
from jiequ.people.rules import Actor, Role

from ..models import StandardReply
from ..policy import REASONS
from ..queries.replies import MOVES, PLACES, Reply, editions, places_in, replies_of

EDITORS = (Role.DUTY_LEADER, Role.SYSTEM_ADMIN)
_KEY = re.compile(r"^[a-z0-9-]{1,40}$")


def set_reply(reply: Reply, *, street_id: int, shown_edition: int, by: Actor, at: datetime) -> StandardReply:
    """A new edition of a reply. ``shown_edition``: what the editor saw; Stale when somebody was quicker."""
    if not by.has(*EDITORS, street_id=street_id):
        raise Forbidden("not_your_replies", _("标准答复由值班长或系统管理员修改。"))
    _check(reply)
    newest = next((row.edition for row in editions(street_id, reply.key)), 0)
    if newest != shown_edition:
        raise Stale("stale", _("这条标准答复刚被别人改过，请看过最新内容再改。"))
    with writing():
        row = StandardReply.objects.create(
            street_id=street_id,
            key=reply.key,
            edition=newest + 1,
            move=reply.move,
            reason_code=reply.reason_code,
            event_type_id=reply.event_type_id,
            title_zh=reply.title_zh.strip(),
            title_en=reply.title_en.strip(),
            body_zh=reply.body_zh.strip(),
            body_en=reply.body_en.strip(),
            is_active=reply.is_active,
            made_at=at,
            made_by_id=by.person_id or 0,
        )
        audit.record(
            street_id=street_id,
            person_id=by.person_id,
            action="reply.edited",
            object_kind="standard_reply",
            object_id=reply.key,
            at=at,
            facts={"edition": row.edition, "is_active": row.is_active},
        )
    return row


def fresh_key(street_id: int) -> str:
    """A key for a reply of the street's own."""
    taken = {reply.key for reply in replies_of(street_id, all_of_them=True)}
    return next(f"own-{n}" for n in range(1, len(taken) + 2) if f"own-{n}" not in taken)


def _check(reply: Reply) -> None:
    if reply.move not in MOVES or not _KEY.match(reply.key):
        raise Refusal("bad_move", _("请选择用在哪一步。"), facts={"field": "move"})
    if reply.reason_code and reply.reason_code not in REASONS.get(reply.move, ()):
        raise Refusal("bad_reason", _("这个理由不属于这一步。"), facts={"field": "move"})
    if not all(text.strip() for text in (reply.title_zh, reply.title_en, reply.body_zh, reply.body_en)):
        raise Refusal("both_languages", _("名称和内容请用中文和英文都写上。"), facts={"field": "body_en"})
    if max(len(reply.body_zh), len(reply.body_en)) > 500 or len(reply.title_zh) > 60 or len(reply.title_en) > 120:
        raise Refusal("too_long", _("标准答复请不要超过 500 字。"), facts={"field": "body_zh"})
    for field, text in (("body_zh", reply.body_zh), ("body_en", reply.body_en)):
        _check_places(field, text)


def _check_places(field: str, text: str) -> None:
    known = "、".join(f"{{{name}}}" for name in PLACES)  # data
    try:
        unknown = places_in(text) - set(PLACES)
    except ValueError:
        unknown = {"{ }"}
    if unknown:
        raise Refusal(
            "unknown_place",
            _("大括号里只能写：%(known)s。") % {"known": known},
            facts={"field": field, "unknown": sorted(unknown)},
        )
