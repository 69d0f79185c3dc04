"""交接班: handing a desk over, taking it, and the list a desk keeps an eye on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.people.rules import Actor

from ..models import Case, Handover, WatchItem
from ..queries import shift

LONGEST_NOTE = 2000


def give_desk(*, street_id: int, text: str, by: Actor, at: datetime) -> Handover:
    """The outgoing person leaves the desk as the ledger stands, with a word of their own."""
    need_a_seat(by, street_id)
    if len(text) > LONGEST_NOTE:
        raise Refusal("note_too_long", _("交班的话请不要超过 2000 字。"), facts={"limit": LONGEST_NOTE})
    facts = shift.draft(by, street_id, at=at)
    with writing():
        note = Handover.objects.create(
            street_id=street_id, text=text.strip(), facts=facts, given_at=at, given_by_id=by.person_id or 0
        )
        _audit("desk.given", note, by=by, at=at, counts={name: len(lines) for name, lines in facts.items()})
    return note


def take_desk(note: Handover, *, by: Actor, at: datetime) -> Handover:
    """The incoming person takes it over: once, and not the one who gave it. Part of the record, no read receipt."""
    need_a_seat(by, note.street_id)
    if note.given_by_id == by.person_id:
        raise Refusal("own_note", _("自己交的班由接班的人确认。"))
    with writing():
        if not Handover.objects.filter(pk=note.pk, taken_at=None).update(taken_at=at, taken_by_id=by.person_id):
            raise Stale("taken_already", _("这一班已经有人接了。"))
        _audit("desk.taken", note, by=by, at=at, counts={})
    return note


def note_of(note_id: int, *, by: Actor) -> Handover:
    """A note of one of the actor's own desks; NotFound for any other."""
    rows = Handover.objects.filter(pk=note_id, street_id__in=by.streets(*shift.AT_HAND))
    note = rows.select_related("given_by", "taken_by").first()
    if note is None:
        raise NotFound("note_not_found", _("没有找到这份交班记录。"))
    return note


def put_on_watch(case: Case, *, text: str, by: Actor, at: datetime) -> WatchItem:
    """The street's desk keeps an eye on the case, with a word why."""
    need_a_seat(by, case.street_id)
    if not text.strip():
        raise Refusal("text_missing", _("请写一句为什么要盯着。"), facts={"field": "text"})
    try:
        with writing():
            return WatchItem.objects.create(
                case=case, street_id=case.street_id, text=text.strip()[:200], put_at=at, put_by_id=by.person_id or 0
            )
    except IntegrityError:
        raise Refusal("watched_already", _("这件已经在关注里了。")) from None


def take_off_watch(case: Case, *, by: Actor, at: datetime) -> None:
    """Nobody needs to keep an eye on it any more; nothing to do where nobody does."""
    need_a_seat(by, case.street_id)
    WatchItem.objects.filter(case=case, off_at=None).update(off_at=at, off_by_id=by.person_id)


def need_a_seat(by: Actor, street_id: int) -> None:
    """Forbidden for whoever does not sit at the desk of that street."""
    if not by.has(*shift.AT_HAND, street_id=street_id):
        raise Forbidden("not_your_desk", _("交接班由本街道坐席办理。"))


def _audit(action: str, note: Handover, *, by: Actor, at: datetime, counts: dict[str, Any]) -> None:
    audit.record(
        street_id=note.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="handover",
        object_id=str(note.pk),
        at=at,
        facts=counts,
    )
