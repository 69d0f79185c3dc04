"""What a notice may carry and when it may ring. Pure; imports nothing of Django.

DOMAIN §9: notices carry number, type, grid and due time only. DOMAIN §5 rule 5: no messages outside working time
except urgent ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Protocol

from jiequ.core.worktime import ZONE

ALLOWED_FACTS = frozenset({"number", "type", "grid", "due"})
GIVE_UP_AFTER = timedelta(hours=24)
FORGET_AFTER = timedelta(days=30)
STALLED_AFTER = timedelta(minutes=5)
SEND_DEADLINE_SECONDS = 9.0
CIRCUIT_OPENS_AFTER = 5
TRIES_BEFORE_NEXT = 3
"""So often in a row may a way leave a message unanswered (0, 1 and 6 minutes) before the next way is asked."""
SIGN_AFTER = timedelta(minutes=3)
"""So long a message that may have come waits for its reader to open it, before another way shows it again."""
CIRCUIT_STAYS_OPEN = timedelta(seconds=60)

_NUMBER = re.compile(r"[A-Z]{1,6}-\d{4}-\d{1,9}")
_GRID = re.compile(r"\d{15}")
_LONG_DIGITS = re.compile(r"\d{7,}")
_TYPE_MAX = 120


KNOWN_WAYS = frozenset({"wecom", "wechat_template", "wechat_subscription", "wechat_service", "sms", "email"})
"""The ways of JIEQU_WAYS; each has a line of its own in the worker."""


class MessageState(StrEnum):
    """Where a message is: waiting for its time, in a channel's hands, and the ends."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    WITHDRAWN = "withdrawn"


class Channel(StrEnum):
    """How a message travels; NONE until it is routed. WAY: by the way that ``Message.port`` names, SMS: a text message."""

    NONE = ""
    INBOX = "inbox"
    WAY = "way"
    SMS = "sms"
    CALL = "call"


class CallState(StrEnum):
    """A call-back task: to be made, made, tried in vain, or no longer needed because another way is tried."""

    OPEN = "open"
    DONE = "done"
    UNREACHABLE = "unreachable"
    WITHDRAWN = "withdrawn"


class FactRefused(ValueError):
    """A notice tried to carry something that must stay behind sign-in. ``fact`` names it."""

    def __init__(self, fact: str) -> None:
        super().__init__(f"a notice may carry number, type, grid and due only, well formed; refused: {fact!r}")
        self.fact = fact


def clean_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as they are stored (JSON values, absent ones dropped); raises FactRefused for anything else."""
    cleaned: dict[str, Any] = {}
    for name, value in facts.items():
        if name not in ALLOWED_FACTS:
            raise FactRefused(name)
        if value is not None and value != "":
            cleaned[name] = _CLEANERS[name](value)
    return cleaned


def _number(value: Any) -> str:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return value
    raise FactRefused("number")


def _grid(value: Any) -> str:
    if isinstance(value, str) and _GRID.fullmatch(value):
        return value
    raise FactRefused("grid")


def _due(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if moment.tzinfo is None:
            raise FactRefused("due")
        return str(moment.isoformat())
    except (AttributeError, TypeError, ValueError) as error:
        raise FactRefused("due") from error


def _type(value: Any) -> str | dict[str, str]:
    """The name of the event type, or its names by language ({"zh-hans": …, "en": …})."""
    if isinstance(value, Mapping):
        if not value or not set(value) <= {"zh-hans", "en"}:
            raise FactRefused("type")
        return {str(language): _type_name(name) for language, name in value.items()}
    return _type_name(value)


def _type_name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _TYPE_MAX:
        raise FactRefused("type")
    if not value.isprintable() or _LONG_DIGITS.search(value):
        raise FactRefused("type")
    return value


_CLEANERS = {"number": _number, "type": _type, "grid": _grid, "due": _due}


class WorkHours(Protocol):
    """The part of the work calendar that quiet hours need."""

    def is_working_time(self, at: datetime) -> bool: ...

    def next_working_moment(self, at: datetime) -> datetime: ...


@dataclass(frozen=True, slots=True)
class ResidentHours:
    """When a resident's phone may ring for something that is not urgent; local time, every day."""

    opens: time = time(8, 0)
    closes: time = time(21, 0)

    def next_moment(self, at: datetime) -> datetime:
        """``at`` itself inside the hours, else the next opening."""
        local = at.astimezone(ZONE)
        if self.opens <= local.time() < self.closes:
            return at
        day = local.date() if local.time() < self.opens else local.date() + timedelta(days=1)
        return datetime.combine(day, self.opens, tzinfo=ZONE)


def staff_moment(at: datetime, *, is_urgent: bool, is_on_shift: bool, hours: WorkHours) -> datetime:
    """When a member of staff may be told: now if urgent or on shift, else in working time."""
    if is_urgent or is_on_shift or hours.is_working_time(at):
        return at
    return hours.next_working_moment(at)


def resident_moment(at: datetime, *, is_urgent: bool, hours: ResidentHours) -> datetime:
    """When a resident may be told."""
    return at if is_urgent else hours.next_moment(at)


def retry_at(at: datetime, *, tries: int, due_at: datetime, schedule: Sequence[timedelta]) -> datetime | None:
    """When to try again after ``tries`` tries that failed for a passing reason; None: give up."""
    if tries > len(schedule) or at - due_at >= GIVE_UP_AFTER:
        return None
    return at + schedule[tries - 1]
