"""How a message travels: routed inside a transaction, handed to a port outside of one, watched by a sweep.

``route`` decides by recipient and hour: the staff inbox (effect and removal of the job are one transaction: once), a port,
or a call-back. ``transmit`` calls the port and then marks, in one short transaction: a worker killed between the two calls
again with the same key. Mark first and a kill loses the message (tests/crash/test_notices.py has that twin).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from jiequ.core.jobs import DeadJob, every, job, on_dead

from . import delivery, notices, ports, services, texts
from .models import Message
from .ports import Outgoing
from .rules import MessageState

SWEEP_SECONDS = 30


@job(services.ROUTE)
def route(*, key: str, round: int, at: datetime) -> None:
    """Find the way for one message; nothing to do if it was withdrawn or has moved on."""
    message = Message.objects.filter(key=key, round=round, state=MessageState.WAITING).first()
    if message is None:
        return
    if message.to_phone_sealed:
        delivery.to_phone(message, at=at)
    else:
        delivery.to_staff(message, at=at)


@job(services.TRANSMIT, outside=True)
def transmit(*, key: str, round: int, at: datetime) -> Callable[[], None] | None:
    """Hand one message to the best port that is up; what came of it is marked in the transaction that removes the job."""
    message = Message.objects.filter(key=key, round=round, state=MessageState.SENDING).first()
    if message is None:
        return None
    quiet_until = delivery.phone_moment(message, at=at)
    if quiet_until > at:
        return partial(delivery.wait_for_quiet_hours, message, quiet_until)
    port, rests_until = delivery.choose_port(at=at)
    if port is None:
        return partial(delivery.wait_for_port, message, rests_until, at=at)
    outgoing = Outgoing(
        texts.as_sms(message.template, message.facts, message.language), message.template, dict(message.facts), message.language
    )
    outcome = ports.call(port, outgoing, notices.unseal_phone(message.to_phone_sealed), message.key)
    return partial(delivery.mark, message, port.name, outcome, at=at)


@every("channels.sweep", seconds=SWEEP_SECONDS)
def sweep(*, at: datetime) -> None:
    """Alarm the duty desks whose oldest unsent message is later than promised."""
    delivery.alarm_stalled(at=at)


@every("channels.retention", daily_at="03:10")
def retention(*, at: datetime) -> None:
    """Forget phones and read-out sentences once their time is over."""
    services.forget_ended(at=at)


def give_up(dead: DeadJob, *, at: datetime) -> None:
    """A job of ours that core gave up: its message is not delivered, and somebody hears of it."""
    message = Message.objects.filter(key=dead.args["key"], round=dead.args["round"]).first()
    if message is not None:
        services.mark_not_delivered(message, error="job_failed", at=at)


on_dead(give_up, kind=services.ROUTE)
on_dead(give_up, kind=services.TRANSMIT)
