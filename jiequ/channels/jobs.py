"""How a message travels: routed inside a transaction, handed to a port outside of one, watched by a sweep.

``route`` puts it into the staff inbox (effect and removal of the job are one transaction: once). ``transmit`` calls a way, or
has a resident called, and then marks, in one short transaction: a worker killed between the two calls again with the same key.
Mark first and a kill loses the message (tests/crash/test_notices.py has that twin). Only for a way that takes no key there is a
mark before the call as well: "unknown", and a worker that finds it calls that way no more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial, update_wrapper
from typing import Any

from django.db.models import CharField

from jiequ.core.jobs import Call, DeadJob, enqueue, every, job, on_dead
from jiequ.core.prepared import Bind, Prepared

from . import chain, delivery, limits, ports, services
from .models import Message
from .rules import KNOWN_WAYS, MessageState

SWEEP_SECONDS = 30
HANDS = 24
"""Calls to one way that one worker has open at a time: 200 a second and more to a provider that answers in 50 ms."""


@job(services.ROUTE)
def route(*, key: str, round: int, at: datetime) -> None:
    """Put one message before the staff it is for; nothing to do if it was withdrawn or has moved on."""
    message = Message.objects.filter(key=key, round=round, state=MessageState.WAITING).first()
    if message is None:
        return
    if message.copy_of_id is not None:
        delivery.to_hand(message, at=at)
    elif message.to_person_id is not None or message.to_role:
        delivery.to_staff(message, at=at)
    else:  # a job of the release before
        enqueue(services.transmit_job(message, run_at=at))


_BY_KEY = Prepared(lambda: Message.objects.filter(key=Bind("key", CharField())))


def transmit(*, key: str, round: int, at: datetime, step: str = "") -> Call | Callable[[], None] | None:
    """Hand one message to the way that is next; what came of it is marked in the transaction that removes the job.

    ``step``: in whose line it stands. A message that goes by another way changes to that one's line.
    """
    message = _BY_KEY.first(key=key)
    if message is None or message.round != round or message.state not in {MessageState.WAITING, MessageState.SENDING}:
        return None
    quiet_until = delivery.moment_of(message, at=at)
    if quiet_until > at:
        return partial(delivery.wait_for_quiet_hours, message, quiet_until, step=step)
    if delivery.is_unheard(message):
        return partial(delivery.never_again, message, at=at)
    if came_by := delivery.came_by(message):
        return partial(delivery.has_come, message, came_by, at=at)
    hops = chain.hops(message)
    if not hops and message.state == MessageState.WAITING:
        return partial(delivery.to_desk, message, at=at)
    outgoing = chain.outgoing(message)
    choice = chain.choose(message, outgoing, hops, at=at)
    hop = choice.hop
    if hop is None:
        return partial(delivery.wait_for_way, message, choice.rests_until, step=step, at=at)
    if hop.step != step and hop.step in KNOWN_WAYS:
        return partial(delivery.change_line, message, hop.step, at=at)
    free_at = limits.free_at(hop, at=at)
    if free_at > at:
        return partial(delivery.wait_for_way, message, free_at, step=step, at=at)
    leaving = delivery.leave(message, hop)
    if leaving is None:
        return None
    return Call(
        act=partial(ports.call, hop.way, outgoing, hop.address, message.key),
        then=partial(partial, delivery.mark, leaving, choice, at=at),
    )


def _lines() -> None:
    """A kind and a line of its own for each way that is known by name; one for all others."""
    job(services.TRANSMIT, outside=True, line="notices", hands=HANDS)(transmit)
    for step in sorted(KNOWN_WAYS):
        name = f"{services.TRANSMIT}.{step}"
        job(name, outside=True, line=f"notices {step}", hands=HANDS)(update_wrapper(partial(transmit, step=step), transmit))
        on_dead(give_up, kind=name)


@job(services.RECEIPT)
def receipt(*, at: datetime, **word: Any) -> None:
    """A provider's word that came before our note of the message it speaks of: once more."""
    services.record_receipt(**word, at=at)


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
_lines()
