"""The steps of a message, each one transaction of the caller's: inbox, way, next way, call-back, retry, alarm."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import F, Min

from jiequ.core import calendar
from jiequ.core.bulk import store
from jiequ.core.jobs import RETRY_AFTER, JobSpec, enqueue
from jiequ.people import queries as people
from jiequ.people.models import Person
from jiequ.people.rules import Role

from . import chain, queries, services
from .chain import Choice, Hop
from .models import InboxItem, Message, PortHealth
from .notices import Notice
from .ports import Again, Outcome, Result
from .rules import (
    CIRCUIT_OPENS_AFTER,
    CIRCUIT_STAYS_OPEN,
    GIVE_UP_AFTER,
    SIGN_AFTER,
    STALLED_AFTER,
    TRIES_BEFORE_NEXT,
    Channel,
    MessageState,
    resident_moment,
    retry_at,
    staff_moment,
)

log = logging.getLogger(__name__)


# -- staff ---------------------------------------------------------------------------------------------------------


def to_staff(message: Message, *, at: datetime) -> None:
    """Into the inbox of whoever is there for it; outside working time it waits, unless urgent or for somebody on shift.

    What is a day late (after an outage; the demonstration's past) goes to the inbox at once, where it rings nobody.
    """
    readers = recipients(message, at=at)
    if not readers:
        services.mark_not_delivered(message, error="nobody_there", at=at)
        return
    is_old = at - message.due_at >= GIVE_UP_AFTER
    moments = {} if is_old else _staff_moments(message, readers, at=at)
    ready = [person_id for person_id in readers if moments.get(person_id, at) <= at]
    if not ready:
        until = min(moments.values())
        _next_round(message, services.route_job, at=until, due_at=until)
        return
    if _advance(message, state=MessageState.DELIVERED, channel=Channel.INBOX, sent_at=at, ended_at=at):
        items = [InboxItem(message=message, person_id=person_id, put_at=at) for person_id in ready]
        InboxItem.objects.bulk_create(items, ignore_conflicts=True)
        if not is_old:
            _carry(message, ready, at=at)


def recipients(message: Message, *, at: datetime) -> list[int]:
    """Who gets a message to a person or a duty post now: never somebody on leave, never somebody whose account is closed."""
    person_id = message.to_person_id
    named = [person_id] if person_id is not None else [person.pk for person in _on_duty(message, at=at)]
    absent = people.deputies(at)
    standing_in = dict.fromkeys(people.stand_in(person_id, absent) for person_id in named)
    active = set(Person.objects.filter(pk__in=standing_in, is_active=True).values_list("pk", flat=True))
    return [person_id for person_id in standing_in if person_id in active]


def _on_duty(message: Message, *, at: datetime) -> list[Person]:
    """The duty post: in a department whoever is on its rota, else its lead, not each of its members."""
    role: Role | None = Role(message.to_role)
    if message.to_department_id is not None and role is not Role.DEPARTMENT_LEAD:
        role = None
    return people.on_duty(role=role, street_id=message.street_id, department_id=message.to_department_id, at=at)


def _staff_moments(message: Message, readers: list[int], *, at: datetime) -> dict[int, datetime]:
    on_shift = set() if message.is_urgent else people.on_shift(readers, at=at)
    hours = calendar.calendar_for(at)
    return {
        person_id: staff_moment(at, is_urgent=message.is_urgent, is_on_shift=person_id in on_shift, hours=hours)
        for person_id in readers
    }


def _carry(message: Message, readers: list[int], *, at: datetime) -> None:
    """What lies in the inbox is also carried to whoever some way reaches: a copy each, which finds its way by itself."""
    reached = chain.reached(readers, is_urgent=message.is_urgent)
    if not reached:
        return
    languages = dict(Person.objects.filter(pk__in=reached).values_list("pk", "language"))
    copies = [
        Message(
            key=f"{message.key}:to:{person_id}",
            copy_of=message,
            about=message.about,
            template=message.template,
            facts=message.facts,
            language=languages[person_id],
            is_urgent=message.is_urgent,
            street_id=message.street_id,
            to_person_id=person_id,
            state=MessageState.SENDING,
            channel=Channel.WAY,
            created_at=at,
            due_at=at,
        )
        for person_id in reached
    ]
    store(copies, ignore_conflicts=True)
    enqueue(*(services.transmit_job(one, run_at=at, step=reached[one.to_person_id or 0]) for one in copies))


def to_hand(message: Message, *, at: datetime) -> None:
    """A copy that is to be carried once more."""
    fresh = _advance(message, state=MessageState.SENDING, channel=Channel.WAY)
    if fresh is not None:
        enqueue(services.transmit_job(fresh, run_at=at))


# -- residents -----------------------------------------------------------------------------------------------------


def to_desk(message: Message, *, at: datetime) -> None:
    """No way reaches this resident: a call-back task for the desk, or, without a phone, word that nobody was told."""
    if not message.to_phone_sealed:
        services.mark_not_delivered(message, error="no_way", at=at)
    elif (fresh := _advance(message, state=MessageState.SENDING, channel=Channel.CALL)) is not None:
        services.open_call_back(fresh, at=at)


def leave(message: Message, hop: Hop) -> Message | None:
    """A message is about to leave and can no longer be taken back; None if it was.

    By a way that takes no key it is unknown from here on, until an answer is noted: whoever finds it so sends it no more.
    """
    changes: dict[str, Any] = {}
    if message.state != MessageState.SENDING:
        changes = {"state": MessageState.SENDING, "channel": _channel(hop)}
    if hop.way.again is Again.NEVER:
        changes |= {"port": hop.way.name, "last_error": Result.UNKNOWN.value}
    return _advance(message, **changes) if changes else message


def _channel(hop: Hop) -> Channel:
    return Channel.SMS if hop.step == chain.SMS else Channel.WAY


# -- ways that take no key -----------------------------------------------------------------------------------------


def is_unheard(message: Message) -> bool:
    """True if it was handed to a way that takes no key, and what came of it was never noted: the worker died in between."""
    is_out = message.state == MessageState.SENDING and message.last_error == Result.UNKNOWN
    return is_out and bool(message.port)


def never_again(message: Message, *, at: datetime, **tried: Any) -> None:
    """It may have come by the way it was handed to: that one is not asked again. The next is, unless its reader opens it first.

    Of a resident nothing is kept that could show it (no read receipts), so nothing is waited for.
    """
    moment = at + SIGN_AFTER if message.to_person_id is not None else at
    trail = [*tried.pop("trail", message.trail), [tried.get("port") or message.port, Result.UNKNOWN.value]]
    onward = {"trail": trail, "port": "", "tries": 0, "last_error": Result.UNKNOWN.value}
    _next_round(message, services.transmit_job, at=moment, **{**tried, **onward})


def came_by(message: Message) -> str:
    """The way by which an unknown message came after all: its reader has opened what it tells. Empty: nothing shows it."""
    unknown = next((step for step, why in message.trail if why == Result.UNKNOWN), "")
    if not unknown or message.copy_of_id is None or message.to_person_id is None:
        return ""
    opened = InboxItem.objects.filter(message_id=message.copy_of_id, person_id=message.to_person_id, read_at__isnull=False)
    return unknown if opened.exists() else ""


def has_come(message: Message, way: str, *, at: datetime) -> None:
    """It came by that way, and no other one is asked."""
    _advance(message, state=MessageState.DELIVERED, channel=Channel.WAY, port=way, sent_at=at, ended_at=at, last_error="")


# -- ways ----------------------------------------------------------------------------------------------------------


def moment_of(message: Message, *, at: datetime) -> datetime:
    """When this message may ring: quiet hours count at each try."""
    if message.to_person_id is None:
        return resident_moment(at, is_urgent=message.is_urgent, hours=queries.resident_hours())
    return _staff_moments(message, [message.to_person_id], at=at)[message.to_person_id]


def mark(message: Message, choice: Choice, outcome: Outcome, *, at: datetime) -> None:
    """Write down what one call came to; a way that said no hands the message on to the next."""
    hop = choice.hop
    assert hop is not None
    _learn(hop.way.name, outcome, is_known=choice.is_known, at=at)
    tried: dict[str, Any] = {
        "tries": message.tries + 1,
        "port": hop.way.name,
        "provider_id": outcome.provider_id,
        "channel": _channel(hop),
        "trail": [*message.trail, *map(list, choice.passed)],
    }
    if outcome.result is Result.DELIVERED:
        _advance(message, **tried, state=MessageState.DELIVERED, sent_at=at, ended_at=at, last_error="")
    elif outcome.result is Result.ACCEPTED:
        _advance(message, **tried, state=MessageState.SENT, sent_at=at, last_error="")
    elif outcome.result is Result.REFUSED_PERMANENT:
        _said_no(message, tried, hop.step, outcome.error or "refused", has_more=choice.has_more, at=at)
    elif outcome.result is Result.UNKNOWN:
        never_again(message, at=at, **tried)
    else:
        _try_later(message, tried, hop.step, outcome.error, has_more=choice.has_more, at=at)


def _said_no(message: Message, tried: dict[str, Any], step: str, error: str, *, has_more: bool, at: datetime) -> None:
    """On to the next way at once; without one the message is not delivered."""
    tried = {**tried, "trail": [*tried.get("trail", message.trail), [step, error]]}
    if has_more:
        onward = {"state": MessageState.SENDING, "port": "", "tries": 0, "provider_id": "", "last_error": error}
        _next_round(message, services.transmit_job, at=at, **{**tried, **onward})
    elif (fresh := _advance(message, **tried)) is not None:
        services.mark_not_delivered(fresh, error=error, at=at)


def _try_later(message: Message, tried: dict[str, Any], step: str, error: str, *, has_more: bool, at: datetime) -> None:
    """The same way again; one that has left the message unanswered too often counts as a no where another can be asked."""
    tries = message.tries + 1
    moment = retry_at(at, tries=tries, due_at=message.due_at, schedule=RETRY_AFTER)
    if moment is None or (has_more and tries >= TRIES_BEFORE_NEXT):
        _said_no(message, tried, step, error, has_more=has_more, at=at)
    else:
        _next_round(message, partial(services.transmit_job, step=step), at=moment, **tried, last_error=error)


def receipt_failed(message: Message, error: str, *, at: datetime) -> None:
    """A provider that had accepted a message says later that it did not arrive: the next way, if there is one."""
    found = chain.hops(message)
    step = next((hop.step for hop in found if hop.way.name == message.port), message.port)
    gone = {step, *(passed for passed, _why in message.trail)}
    has_more = any(hop.step not in gone for hop in found)
    _said_no(message, {}, step, error, has_more=has_more, at=at)


def wait_for_quiet_hours(message: Message, until: datetime, *, step: str = "") -> None:
    """Put a transmission off to the next hour in which it may ring; its promise moves with it."""
    _next_round(message, partial(services.transmit_job, step=step), at=until, due_at=until)


def wait_for_way(message: Message, until: datetime | None, *, step: str = "", at: datetime) -> None:
    """Nobody can be asked yet: wait without counting a try. A day late, or with no way left at all, it is not delivered."""
    if until is None or at - message.due_at >= GIVE_UP_AFTER:
        services.mark_not_delivered(message, error=message.last_error or "no_port", at=at)
    else:
        _next_round(message, partial(services.transmit_job, step=step), at=until)


def change_line(message: Message, step: str, *, at: datetime) -> None:
    """It goes by another way than the one in whose line it stood: what is slow there holds up nothing here."""
    _next_round(message, partial(services.transmit_job, step=step), at=at)


def _learn(port: str, outcome: Outcome, *, is_known: bool, at: datetime) -> None:
    """The circuit breaker: failures in a row put a way to rest, any real answer wakes it, one whose quota is used up rests
    until there is a new one. ``is_known``: there is a row of it."""
    if outcome.result not in {Result.TRY_LATER, Result.UNKNOWN} and not outcome.rest_seconds:
        if is_known:
            PortHealth.objects.filter(port=port).exclude(failures_in_row=0).update(failures_in_row=0, open_until=None)
        return
    PortHealth.objects.bulk_create([PortHealth(port=port)], ignore_conflicts=True)
    if outcome.rest_seconds:
        rests_until = at + timedelta(seconds=outcome.rest_seconds)
        PortHealth.objects.filter(port=port).update(open_until=rests_until)
        return
    PortHealth.objects.filter(port=port).update(failures_in_row=F("failures_in_row") + 1)
    tired = PortHealth.objects.filter(port=port, failures_in_row__gte=CIRCUIT_OPENS_AFTER)
    if tired.update(open_until=at + CIRCUIT_STAYS_OPEN):
        log.warning("way rests", extra={"port": port, "seconds": CIRCUIT_STAYS_OPEN.total_seconds()})


# -- all -----------------------------------------------------------------------------------------------------------


def _advance(message: Message, **changes: Any) -> Message | None:
    """One conditional UPDATE: the message as it is then, or None if somebody withdrew or moved it meanwhile.

    What it was given stays as it was: the transaction may be rolled back and the step made again.
    """
    same = Message.objects.filter(pk=message.pk, round=message.round, state=message.state)
    if not same.update(**changes):
        return None
    fresh = copy.copy(message)
    for name, value in changes.items():
        setattr(fresh, name, value)
    return fresh


def _next_round(message: Message, job: Callable[..., JobSpec], *, at: datetime, **changes: Any) -> None:
    """The message goes on by another job at that time."""
    fresh = _advance(message, round=message.round + 1, **changes)
    if fresh is not None:
        enqueue(job(fresh, run_at=at))


def alarm_stalled(*, at: datetime) -> int:
    """Tell each duty desk whose oldest unsent message is later than promised, once a message; returns how many were told.

    The word is put into the inbox here and now: it must not wait behind the very queue it complains about.
    """
    late = queries.unsent().filter(due_at__lt=at - STALLED_AFTER)
    told = 0
    for street_id, oldest in late.values_list("street_id").annotate(oldest=Min("id")):
        key = f"stalled:{oldest}"
        log.error("outbox stalled", extra={"street_id": street_id, "oldest_message": oldest})
        if street_id is None or Message.objects.filter(key=key).exists():
            continue
        due = Message.objects.values_list("due_at", flat=True).get(pk=oldest)
        post = (Role.DUTY_LEADER.value, street_id, None)
        services.send([Notice("outbox_stalled", facts={"due": due}, key=key, to_post=post, is_urgent=True)], at=at)
        to_staff(Message.objects.get(key=key), at=at)
        told += 1
    return told
