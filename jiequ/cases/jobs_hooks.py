"""The jobs of webhooks: follow the events, call an address outside of any transaction, forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from jiequ.core.jobs import DeadJob, every, job, on_dead

from .models import Delivery, Webhook
from .services import hooks


@every("cases.webhooks_follow", seconds=2)
def follow(*, at: datetime) -> None:
    """Deliveries of what happened since the last round, for each address that lives (also one that is paused)."""
    for webhook in Webhook.objects.filter(ended_at=None):
        hooks.follow(webhook, at=at)


@job(hooks.DELIVER, outside=True, timeout_seconds=15.0, line="webhooks")
def deliver(*, delivery_id: int, round: int, at: datetime) -> Callable[[], None] | None:
    """Call the address, then mark: a worker killed in between calls again with the same key and the same bytes."""
    delivery = hooks.to_send(delivery_id, round)
    if delivery is None:
        return None
    if delivery.webhook.paused_at is not None:
        return partial(hooks.put_back, delivery)
    if hooks.is_undone(delivery):
        return partial(_withdrawn, delivery, at)
    status, error = hooks.send(delivery, at=at)
    return partial(hooks.mark, delivery, status, error, at=at)


def _withdrawn(delivery: Delivery, at: datetime) -> None:
    hooks.end(delivery, Delivery.State.WITHDRAWN, at=at, error="undone")
    hooks.queue_heads(delivery.webhook)


@every("cases.webhook_retention", daily_at="03:20")
def retention(*, at: datetime) -> None:
    """Deliveries and old secrets past their time."""
    hooks.forget_deliveries(at=at)


def give_up(dead: DeadJob, *, at: datetime) -> None:
    """A job that core gave up (it killed its workers): the delivery is not delivered, and the administrator sees it."""
    delivery = hooks.to_send(dead.args["delivery_id"], dead.args["round"])
    if delivery is not None:
        hooks.end(delivery, Delivery.State.NOT_DELIVERED, at=at, error="job_failed")
        hooks.queue_heads(delivery.webhook)


on_dead(give_up, kind=hooks.DELIVER)
