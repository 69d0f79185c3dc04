"""The steps of a message's way, each one transaction of the caller's: inbox, port, call-back, retry, alarm."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db.models import F, Min

from jiequ.core import calendar
from jiequ.core.jobs import RETRY_AFTER, enqueue
from jiequ.people import queries as people
from jiequ.people.models import Person
from jiequ.people.rules import Role

from . import notices, ports, queries, services
from .models import InboxItem, Message, PortHealth
from .notices import Notice
from .ports import Outcome, Port, Result
from .rules import (
    CIRCUIT_OPENS_AFTER,
    CIRCUIT_STAYS_OPEN,
    GIVE_UP_AFTER,
    STALLED_AFTER,
    Channel,
    MessageState,
    resident_moment,
    retry_at,
    staff_moment,
)

log = logging.getLogger(__name__)


# -- staff ---------------------------------------------------------------------------------------------------------


def to_staff(message: Message, *, at: datetime) -> None:
    """Into the inbox of whoever is there for it; outside working time it waits, unless urgent or for somebody on shift."""
    readers = recipients(message, at=at)
    if not readers:
        services.mark_not_delivered(message, error="nobody_there", at=at)
        return
    moments = _staff_moments(message, readers, at=at)
    ready = [person_id for person_id in readers if moments[person_id] <= at]
    if not ready:
        _advance(message, round=F("round") + 1, due_at=min(moments.values()))
        enqueue(services.route_job(message))
        return
    if _advance(message, state=MessageState.DELIVERED, channel=Channel.INBOX, sent_at=at, ended_at=at):
        items = [InboxItem(message=message, person_id=person_id, put_at=at) for person_id in ready]
        InboxItem.objects.bulk_create(items, ignore_conflicts=True)
        if message.is_urgent:
            _copy_to_phones(message, ready, at=at)


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


def _copy_to_phones(message: Message, readers: list[int], *, at: datetime) -> None:
    """An urgent message rings the phone as well, where SMS is configured and a number is known."""
    if not ports.sms_ports():
        return
    persons = Person.objects.filter(pk__in=readers).exclude(phone="").values_list("pk", "phone", "language")
    copies = [
        Message(
            key=f"{message.key}:sms:{person_id}",
            copy_of=message,
            about=message.about,
            template=message.template,
            facts=message.facts,
            language=language,
            is_urgent=True,
            street_id=message.street_id,
            to_person_id=person_id,
            to_phone_sealed=notices.seal_phone(phone),
            created_at=at,
            due_at=at,
        )
        for person_id, phone, language in persons
    ]
    Message.objects.bulk_create(copies, ignore_conflicts=True)
    enqueue(*(services.route_job(copy) for copy in copies))


# -- phones --------------------------------------------------------------------------------------------------------


def to_phone(message: Message, *, at: datetime) -> None:
    """To a port if SMS is configured, else a call-back task for the desk; not in a resident's quiet hours."""
    moment = phone_moment(message, at=at)
    if moment > at:
        _advance(message, round=F("round") + 1, due_at=moment)
        enqueue(services.route_job(message))
    elif ports.sms_ports():
        if _advance(message, state=MessageState.SENDING, channel=Channel.SMS):
            enqueue(services.transmit_job(message, run_at=at))
    elif _advance(message, state=MessageState.SENDING, channel=Channel.CALL):
        services.open_call_back(message, at=at)


def phone_moment(message: Message, *, at: datetime) -> datetime:
    """When this phone may ring."""
    return resident_moment(at, is_urgent=message.is_urgent, hours=queries.resident_hours())


def choose_port(*, at: datetime) -> tuple[Port | None, datetime | None]:
    """The first configured port that is not resting; if all rest, None and when the first one wakes.

    A message keeps to the preferred port between tries: two providers do not share idempotency keys, so changing over
    after an unanswered call could show the message twice.
    """
    resting = {health.port: health.open_until or at for health in PortHealth.objects.filter(open_until__gt=at)}
    configured = ports.sms_ports()
    for port in configured:
        if port.name not in resting:
            return port, None
    return None, min((resting[port.name] for port in configured), default=None)


def mark(message: Message, port: str, outcome: Outcome, *, at: datetime) -> None:
    """Write down what one call to a port came to."""
    _learn(port, outcome, at=at)
    tried: dict[str, Any] = {"tries": F("tries") + 1, "port": port, "provider_id": outcome.provider_id}
    if outcome.result is Result.DELIVERED:
        _advance(message, **tried, state=MessageState.DELIVERED, sent_at=at, ended_at=at, last_error="")
    elif outcome.result is Result.ACCEPTED:
        _advance(message, **tried, state=MessageState.SENT, sent_at=at, last_error="")
    elif outcome.result is Result.REFUSED_PERMANENT:
        if _advance(message, **tried):
            services.mark_not_delivered(message, error=outcome.error or "refused", at=at)
    else:
        _try_later(message, tried, error=outcome.error, at=at)


def _try_later(message: Message, tried: dict[str, Any], *, error: str, at: datetime) -> None:
    moment = retry_at(at, tries=message.tries + 1, due_at=message.due_at, schedule=RETRY_AFTER)
    if moment is None:
        if _advance(message, **tried):
            services.mark_not_delivered(message, error=error, at=at)
    elif _advance(message, **tried, last_error=error, round=F("round") + 1):
        enqueue(services.transmit_job(message, run_at=moment))


def wait_for_quiet_hours(message: Message, until: datetime) -> None:
    """Put a transmission off to the next hour in which the phone may ring; its promise moves with it."""
    if _advance(message, round=F("round") + 1, due_at=until):
        enqueue(services.transmit_job(message, run_at=until))


def wait_for_port(message: Message, until: datetime | None, *, at: datetime) -> None:
    """Every port rests: wait without counting a try. A day late, or with no port left at all, it is not delivered."""
    if until is None or at - message.due_at >= GIVE_UP_AFTER:
        services.mark_not_delivered(message, error="no_port", at=at)
    elif _advance(message, round=F("round") + 1):
        enqueue(services.transmit_job(message, run_at=until))


def _learn(port: str, outcome: Outcome, *, at: datetime) -> None:
    """The circuit breaker: failures in a row put the port to rest, any real answer wakes it."""
    if outcome.result is not Result.TRY_LATER:
        PortHealth.objects.filter(port=port).exclude(failures_in_row=0).update(failures_in_row=0, open_until=None)
        return
    PortHealth.objects.bulk_create([PortHealth(port=port)], ignore_conflicts=True)
    PortHealth.objects.filter(port=port).update(failures_in_row=F("failures_in_row") + 1)
    tired = PortHealth.objects.filter(port=port, failures_in_row__gte=CIRCUIT_OPENS_AFTER)
    if tired.update(open_until=at + CIRCUIT_STAYS_OPEN):
        log.warning("port rests", extra={"port": port, "seconds": CIRCUIT_STAYS_OPEN.total_seconds()})


# -- all -----------------------------------------------------------------------------------------------------------


def _advance(message: Message, **changes: Any) -> bool:
    """One conditional UPDATE: only if nobody withdrew or moved the message meanwhile. Refreshes it when done."""
    same = Message.objects.filter(pk=message.pk, round=message.round, state=message.state)
    if not same.update(**changes):
        return False
    message.refresh_from_db()
    return True


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
