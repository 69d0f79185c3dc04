"""Webhooks: other systems are told of cases' events, signed, in order for each case, and somebody sees what did not arrive.

Deliveries follow ``CaseEvent``, which is never changed: a move makes no statement more. They wait out the ten seconds of
Undo; an event that was taken back is not told. What is sent holds numbers, codes, states and times only (DOMAIN §9).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.core import audit, outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.ids import new_token
from jiequ.core.jobs import RETRY_AFTER, JobSpec, enqueue
from jiequ.people.rules import Actor, Role

from ..flow import MOVES
from ..models import CaseEvent, Delivery, Webhook
from ..policy import Policy
from ..queries import gaps as holes
from .doors import check_street, clean_name

DELIVER = "cases.webhook_deliver"
PURPOSE = "webhook-secret"
EVENTS = (*MOVES, "light")
"""What can be told: the moves, and a clock that turns yellow or red."""
PAUSE_AFTER = 20  # (P) failures in a row
OLD_SECRET_LIFE = timedelta(hours=24)
KEPT, KEPT_LOST = timedelta(days=30), timedelta(days=90)
BATCH = 200


# -- the administrator's -----------------------------------------------------------------------------------------------


def make_webhook(
    *, name: str, url: str, events: Collection[str], street_id: int | None, by: Actor, at: datetime
) -> tuple[Webhook, str]:
    """A new address and its secret, which is shown once. What happened before is not told."""
    _require(by)
    name = clean_name(name, _("请填写名称，不超过 40 字。"))
    outgoing.target_of(url)
    known = [event for event in EVENTS if event in set(events)]
    if not known or len(known) != len(set(events)):
        raise Refusal("bad_events", _("请选择要告知的事件。"), facts={"field": "events"})
    check_street(street_id)
    secret, newest = new_token(), _newest_event()
    webhook = Webhook(
        name=name,
        url=url,
        secret_sealed=secrets.seal(secret, PURPOSE),
        events=known,
        begins_after=newest,
        followed_to=newest,
        street_id=street_id,
        made_at=at,
        made_by_id=by.person_id,
    )
    try:
        with writing():
            webhook.save(force_insert=True)
            _record(by, at, "webhook.made", webhook)
    except IntegrityError:
        raise Refusal("name_taken", _("已经有叫这个名称的回调。"), facts={"field": "name"}) from None
    return webhook, secret


def renew_secret(*, webhook_id: int, by: Actor, at: datetime) -> tuple[Webhook, str]:
    """Another secret; for a day everything is signed with both, so that the receiver may change over when it likes."""
    _require(by)
    secret = new_token()
    with writing():
        webhook = _living(webhook_id)
        _change(
            webhook,
            old_secret_sealed=webhook.secret_sealed,
            old_secret_until=at + OLD_SECRET_LIFE,
            secret_sealed=secrets.seal(secret, PURPOSE),
        )
        _record(by, at, "webhook.renewed", webhook)
    return webhook, secret


def end_webhook(*, webhook_id: int, by: Actor, at: datetime) -> Webhook:
    """Nothing is told any more; what waits is withdrawn."""
    _require(by)
    with writing():
        webhook = _living(webhook_id)
        _change(webhook, ended_at=at)
        waiting = Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING)
        waiting.update(state=Delivery.State.WITHDRAWN, ended_at=at, error="ended")
        _record(by, at, "webhook.ended", webhook)
    return webhook


def resume_webhook(*, webhook_id: int, by: Actor, at: datetime) -> Webhook:
    """After a pause: what waited goes out now, in order."""
    _require(by)
    with writing():
        webhook = _living(webhook_id)
        _change(webhook, paused_at=None, failures_in_row=0)
        Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING, is_queued=False).update(next_at=at)
        queue_heads(webhook)
        _record(by, at, "webhook.resumed", webhook)
    return webhook


def ping(*, webhook_id: int, by: Actor, at: datetime) -> Delivery:
    """A test call, signed like any other."""
    _require(by)
    with writing():
        webhook = _living(webhook_id)
        delivery = _delivery(webhook, None, "ping", {}, at=at, due_at=at)
        delivery.save(force_insert=True)
        queue_heads(webhook)
        _record(by, at, "webhook.pinged", webhook)
    return delivery


def resend(*, delivery_id: int, by: Actor, at: datetime) -> Delivery:
    """Try one that was given up again from the beginning, with the same bytes and the same key."""
    _require(by)
    with writing():
        delivery = Delivery.objects.select_related("webhook").filter(pk=delivery_id, webhook__ended_at=None).first()
        lost = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.NOT_DELIVERED)
        again = {"state": Delivery.State.WAITING, "round": F("round") + 1, "tries": 0, "next_at": at, "ended_at": None}
        if delivery is None or not lost.update(**again, is_queued=False, error=""):
            raise NotFound("no_such_delivery", _("没有这次投递，或者它没有失败。"))
        queue_heads(delivery.webhook)
        _record(by, at, "webhook.resent", delivery.webhook, delivery=delivery.pk)
    return delivery


def _require(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def _living(webhook_id: int) -> Webhook:
    found = Webhook.objects.filter(pk=webhook_id, ended_at=None).first()
    if found is None:
        raise NotFound("no_such_webhook", _("没有这个回调，或者已经停用。"))
    return found


def _change(webhook: Webhook, **values: Any) -> None:
    if not Webhook.objects.filter(pk=webhook.pk, ended_at=None).update(**values):
        raise NotFound("no_such_webhook", _("没有这个回调，或者已经停用。"))
    for name, value in values.items():
        setattr(webhook, name, value)


def _record(by: Actor, at: datetime, action: str, webhook: Webhook, **facts: Any) -> None:
    audit.record(
        street_id=webhook.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="webhook",
        object_id=webhook.pk,
        at=at,
        facts=facts,
    )


# -- following the events ----------------------------------------------------------------------------------------------


def follow(webhook: Webhook, *, at: datetime) -> int:
    """Make a delivery of each event since last time, in order; returns how many. Up to 200 a call, and as many late ones.

    Nothing is stored if it was ended meanwhile, or if somebody else has followed farther (and remembers what is late).
    Numbers are given before commits: an event that is stored after a higher one leaves a gap when we pass. Every gap is
    looked at again for an hour (``gaps``), however many events follow it.
    """
    newest = _newest_event()
    gaps = [*holes.gaps_in_hand(webhook.gaps, at=at), *holes.new_gaps(webhook.followed_to, newest, at=at)]
    events = CaseEvent.objects.filter(move__in=webhook.events).select_related(*_TOLD_OF).defer(*_UNREAD)
    if webhook.street_id is not None:
        events = events.filter(case__street_id=webhook.street_id)
    fresh = list(events.filter(pk__gt=webhook.followed_to, pk__lte=newest).order_by("pk")[:BATCH])
    told = Delivery.objects.filter(webhook=webhook, event_id=OuterRef("pk"))
    late = events.filter(holes.in_gaps(gaps), ~Exists(told), pk__lte=webhook.followed_to).order_by("pk")[:BATCH] if gaps else ()
    rows = [_of_event(webhook, event, at=at) for event in (*late, *fresh)]
    followed_to = fresh[-1].pk if len(fresh) == BATCH else newest
    gaps = [gap for gap in gaps if gap[0] <= followed_to][-holes.MOST :]
    with writing():
        if rows or followed_to > webhook.followed_to or gaps != webhook.gaps:
            # First, and on the row that ``end_webhook`` changes: once it is ended, nothing is stored for it any more.
            mine = Webhook.objects.filter(pk=webhook.pk, ended_at=None, followed_to__lte=followed_to)
            if not mine.update(followed_to=followed_to, gaps=gaps):
                return 0
            Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        queue_heads(webhook)
    return len(rows)


_TOLD_OF = ("case__street", "case__event_type", "case__unit_grid", "case__lead")
_UNREAD = ("case__clocks", "case__reply", "case__unit_grid__geometry")


def _newest_event() -> int:
    return CaseEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _of_event(webhook: Webhook, event: CaseEvent, *, at: datetime) -> Delivery:
    undo_seconds = Policy.of(event.case.street.settings).undo_seconds
    due_at = event.at + timedelta(seconds=undo_seconds + 1)
    delivery = _delivery(webhook, event.pk, event.move, _facts(event), at=at, due_at=due_at)
    delivery.case_id = event.case_id
    return delivery


def _delivery(
    webhook: Webhook, event_id: int | None, kind: str, facts: dict[str, Any], *, at: datetime, due_at: datetime
) -> Delivery:
    key = f"whd_{new_token()[:24]}"
    body = {"id": key, "event": f"case.{kind}" if event_id else kind, "at": at.isoformat()} | facts
    text = json.dumps(body, separators=(",", ":"))
    return Delivery(
        key=key, webhook=webhook, event_id=event_id, kind=kind, body=text, made_at=at, due_at=due_at, next_at=due_at
    )


def _facts(event: CaseEvent) -> dict[str, Any]:
    """Numbers, codes, states and times; a place only by its grid, and not even that where the reporter must stay unknown."""
    case = event.case
    grid = case.unit_grid.code15 if case.unit_grid and not case.is_confidential else None
    kind = {"kind": case.event_type.kind, "code": case.event_type.code} if case.event_type else None
    return {
        "at": event.at.isoformat(),
        "state": event.state,
        "reason": event.reason_code,
        "light": event.facts.get("mark", "") if event.move == "light" else "",
        "case": {
            "number": case.number,
            "street": case.street.code9,
            "type": kind,
            "unit_grid": grid,
            "is_urgent": case.is_urgent,
            "lead": case.lead.key if case.lead else None,
            "due_at": case.due_at.isoformat() if case.due_at and case.ended_at is None else None,
            "promised_at": case.promised_at.isoformat() if case.promised_at else None,
        },
    }


def queue_heads(webhook: Webhook) -> None:
    """A job for the first waiting delivery of each case: the next one goes when this has ended. In the caller's transaction."""
    if webhook.paused_at is not None or webhook.ended_at is not None:
        return
    waiting = Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING)
    earlier = waiting.filter(case=OuterRef("case"), pk__lt=OuterRef("pk"))
    heads = list(waiting.filter(~Exists(earlier), is_queued=False).order_by("pk")[:BATCH])
    if not heads:
        return
    Delivery.objects.filter(pk__in=[one.pk for one in heads]).update(is_queued=True)
    enqueue(
        *(
            JobSpec(
                DELIVER,
                {"delivery_id": one.pk, "round": one.round},
                run_at=one.next_at,
                key=f"hook:{one.pk}:{one.round}",
                street_id=webhook.street_id,
            )
            for one in heads
        )
    )


# -- one delivery ------------------------------------------------------------------------------------------------------


def to_send(delivery_id: int, round: int) -> Delivery | None:
    """The delivery if this try is still wanted, by an address that is not ended. One SELECT."""
    waiting = Delivery.objects.filter(pk=delivery_id, round=round, state=Delivery.State.WAITING, webhook__ended_at=None)
    return waiting.select_related("webhook").first()


def is_undone(delivery: Delivery) -> bool:
    """True if the event was taken back meanwhile."""
    if delivery.event_id is None or delivery.case_id is None:
        return False
    return CaseEvent.objects.filter(case_id=delivery.case_id, move="undo", facts__undone=delivery.event_id).exists()


def send(delivery: Delivery, *, at: datetime) -> tuple[int | None, str]:
    """Call the address: the status, or why there is none. No transaction, at most ten seconds."""
    webhook, body = delivery.webhook, delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Jiequ",
        "Jiequ-Event": f"case.{delivery.kind}" if delivery.event_id else delivery.kind,
        "Jiequ-Delivery": delivery.key,
        "Jiequ-Signature": signature(body, keys_of(webhook, at=at), at=at),
    }
    try:
        status = outgoing.post(webhook.url, body, headers)
    except outgoing.Unreachable as failed:
        return None, failed.code
    return status, "" if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "refused"


def keys_of(webhook: Webhook, *, at: datetime) -> list[str]:
    """The secrets to sign with: the one in force, and for a day the one before."""
    keys = [secrets.unseal(webhook.secret_sealed, PURPOSE)]
    if webhook.old_secret_sealed and webhook.old_secret_until is not None and at < webhook.old_secret_until:
        keys.append(secrets.unseal(webhook.old_secret_sealed, PURPOSE))
    return keys


def signature(body: bytes, keys: Collection[str], *, at: datetime) -> str:
    """``t=…,v1=…``: HMAC-SHA256 over the moment (epoch seconds), a point and the body; one ``v1`` for each secret."""
    moment = int(at.timestamp())
    signed = f"{moment}.".encode() + body
    return ",".join([f"t={moment}", *(f"v1={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}" for key in keys)])


def mark(delivery: Delivery, status: int | None, error: str, *, at: datetime) -> None:
    """What one try came to, in the transaction that removes its job; then the next of the case may go."""
    if error:
        _failed(delivery, status, error, at=at)
    else:
        end(delivery, Delivery.State.DELIVERED, at=at, status=status, tries=F("tries") + 1)
        Webhook.objects.filter(pk=delivery.webhook_id).exclude(failures_in_row=0).update(failures_in_row=0)
    webhook = Webhook.objects.get(pk=delivery.webhook_id)
    queue_heads(webhook)


def _failed(delivery: Delivery, status: int | None, error: str, *, at: datetime) -> None:
    tried: dict[str, Any] = {"status": status, "error": error, "tries": F("tries") + 1}
    if delivery.tries < len(RETRY_AFTER):
        next_at = at + RETRY_AFTER[delivery.tries]
        _same(delivery).update(**tried, round=F("round") + 1, next_at=next_at, is_queued=False)
    else:
        end(delivery, Delivery.State.NOT_DELIVERED, at=at, **tried)
    Webhook.objects.filter(pk=delivery.webhook_id).update(failures_in_row=F("failures_in_row") + 1)
    tired = Webhook.objects.filter(pk=delivery.webhook_id, failures_in_row__gte=PAUSE_AFTER, paused_at=None)
    if tired.update(paused_at=at):
        _record(Actor.system(), at, "webhook.paused", delivery.webhook)


def end(delivery: Delivery, state: str, *, at: datetime, **values: Any) -> None:
    """The end of a delivery, whatever it was."""
    _same(delivery).update(state=state, ended_at=at, is_queued=False, **{"error": "", **values})


def put_back(delivery: Delivery) -> None:
    """The address is paused: the delivery waits without a job until it goes on."""
    _same(delivery).update(is_queued=False)


def _same(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, round=delivery.round, state=Delivery.State.WAITING)


def forget_deliveries(*, at: datetime) -> int:
    """Deliveries past their time, and old secrets; returns how many rows went."""
    over = Q(state=Delivery.State.NOT_DELIVERED, ended_at__lt=at - KEPT_LOST)
    over |= Q(state__in=[Delivery.State.DELIVERED, Delivery.State.WITHDRAWN], ended_at__lt=at - KEPT)
    with writing():
        Webhook.objects.filter(old_secret_until__lte=at).update(old_secret_sealed="", old_secret_until=None)
        return Delivery.objects.filter(over).delete()[0]
