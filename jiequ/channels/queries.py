"""What can be asked about messages; reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Min, QuerySet

from jiequ.core import calendar
from jiequ.people.rules import Actor

from . import access, texts
from .models import CallBack, InboxItem, Message, StubSms
from .rules import STALLED_AFTER, CallState, Channel, MessageState, ResidentHours, resident_moment, staff_moment

PAGE = 30
UNSENT = (MessageState.WAITING, MessageState.SENDING)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message as a case's page shows it: what was said, by which way, how far it got. Never whether it was read."""

    id: int
    key: str
    title: str
    body: str
    channel: str
    port: str
    state: str
    error: str
    is_to_resident: bool
    due_at: datetime
    ended_at: datetime | None


def messages_about(about: str, *, language: str = "zh-hans") -> list[MessageLine]:
    """Every message about a thing, oldest first; copies to phones included."""
    rows = Message.objects.filter(about=about).exclude(state=MessageState.WITHDRAWN).order_by("created_at", "id")
    return [_line(message, language) for message in rows]


def undelivered(about: str, *, language: str = "zh-hans") -> list[MessageLine]:
    """The messages about a thing that reached nobody."""
    rows = Message.objects.filter(about=about, state=MessageState.NOT_DELIVERED).order_by("created_at", "id")
    return [_line(message, language) for message in rows]


def _line(message: Message, language: str) -> MessageLine:
    text = texts.render(message.template, message.facts, language)
    return MessageLine(
        id=message.pk,
        key=message.key,
        title=text.title,
        body=text.body,
        channel=message.channel,
        port=message.port,
        state=message.state,
        error=message.last_error,
        is_to_resident=not texts.TEMPLATES[message.template].for_staff,
        due_at=message.due_at,
        ended_at=message.ended_at,
    )


@dataclass(frozen=True, slots=True)
class InboxLine:
    """An item as its owner sees it."""

    id: int
    title: str
    body: str
    about: str
    is_urgent: bool
    is_read: bool
    put_at: datetime


def inbox(person_id: int, *, language: str, before: int | None = None, limit: int = PAGE) -> list[InboxLine]:
    """A page of somebody's own inbox, newest first; ``before`` is the last id of the page above."""
    rows = InboxItem.objects.filter(person_id=person_id).select_related("message").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [_inbox_line(item, language) for item in rows[:limit]]


def _inbox_line(item: InboxItem, language: str) -> InboxLine:
    message = item.message
    text = texts.render(message.template, message.facts, language)
    return InboxLine(item.pk, text.title, text.body, message.about, message.is_urgent, item.read_at is not None, item.put_at)


def open_call_backs(actor: Actor, *, after: int = 0, limit: int = PAGE) -> list[CallBack]:
    """Calls still to be made for the actor's desks, oldest first."""
    rows = access.call_backs_for(actor).filter(state=CallState.OPEN, id__gt=after).select_related("message")
    return list(rows.order_by("id")[:limit])


def lost_messages(actor: Actor, *, before: int | None = None, limit: int = PAGE) -> list[Message]:
    """Notices that reached nobody, newest first."""
    rows = access.lost_messages_for(actor).select_related("to_person", "to_department").order_by("-id")
    return list((rows.filter(id__lt=before) if before is not None else rows)[:limit])


@dataclass(frozen=True, slots=True)
class OldestLost:
    """The oldest notice that reached nobody: about what, what it was, since when."""

    about: str
    title: str
    since: datetime


def oldest_lost(street_ids: Sequence[int], *, language: str = "zh-hans") -> OldestLost | None:
    """The oldest notice of these streets that reached nobody and was not sent again; None if there is none. One SELECT."""
    rows = Message.objects.filter(street_id__in=street_ids, state=MessageState.NOT_DELIVERED, copy_of=None)
    oldest = rows.exclude(about="").order_by("due_at", "id").first()
    if oldest is None:
        return None
    return OldestLost(oldest.about, texts.render(oldest.template, oldest.facts, language).title, oldest.due_at)


def lost_abouts(street_ids: Sequence[int]) -> list[str]:
    """What the notices of these streets that reached nobody are about, each once. One SELECT."""
    rows = Message.objects.filter(street_id__in=street_ids, state=MessageState.NOT_DELIVERED, copy_of=None)
    return list(rows.exclude(about="").order_by("about").values_list("about", flat=True).distinct())


def unsent() -> QuerySet[Message]:
    """Messages that still have to leave; an open call-back is in people's hands and has its own list."""
    late = Message.objects.filter(state__in=UNSENT).exclude(channel=Channel.CALL)
    return late.exclude(template="outbox_stalled")


def oldest_unsent_seconds(at: datetime) -> float:
    """Age past its due moment of the oldest notice that has not left, in seconds; 0 if none is late. For metrics."""
    oldest = unsent().filter(due_at__lt=at).aggregate(at=Min("due_at"))
    return (at - oldest["at"]).total_seconds() if oldest["at"] else 0.0


def is_stalled(at: datetime) -> bool:
    """True if a notice is later than promised; asked by the desk's pages themselves, so a dead worker shows too."""
    return oldest_unsent_seconds(at) > STALLED_AFTER.total_seconds()


def staff_hears_at(at: datetime, *, is_urgent: bool = False, is_on_shift: bool = False) -> datetime:
    """When a notice to staff sent now would be put before them (quiet hours)."""
    return staff_moment(at, is_urgent=is_urgent, is_on_shift=is_on_shift, hours=calendar.calendar_for(at))


def resident_hears_at(at: datetime, *, is_urgent: bool = False) -> datetime:
    """When a notice to a resident sent now would go out (quiet hours)."""
    return resident_moment(at, is_urgent=is_urgent, hours=resident_hours())


def way_words(name: str) -> str:
    """A way (``MessageLine.port``) in plain words."""
    return texts.way(name)


def wording(template: str, facts: Mapping[str, Any], language: str) -> texts.Text:
    """The words of a notice before it is sent, to show what somebody will read."""
    return texts.render(template, facts, language)


def resident_hours() -> ResidentHours:
    """The hours in which a resident's phone may ring, from the settings."""
    opens, closes = settings.RESIDENT_HOURS
    return ResidentHours(opens, closes)


def stub_texts(limit: int = 50) -> list[StubSms]:
    """What the stub SMS port kept, newest first."""
    return list(StubSms.objects.order_by("-id")[:limit])
