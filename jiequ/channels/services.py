"""The acts on messages: send, withdraw, mark as not delivered, try again, read, call back, forget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit, jobs
from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.errors import Stale
from jiequ.people.rules import Actor, Role

from . import access, chain, texts
from .models import CallBack, InboxItem, Message, StubSms
from .notices import Notice, Post, row, seal_account, seal_phone, unseal_account, unseal_phone
from .ports import Result
from .rules import FORGET_AFTER, KNOWN_WAYS, CallState, Channel, MessageState

__all__ = ["Notice", "Post", "seal_account", "seal_phone", "unseal_account", "unseal_phone"]

log = logging.getLogger(__name__)
ROUTE = "channels.route"
TRANSMIT = "channels.transmit"
RECEIPT = "channels.receipt"
RECEIPT_AGAIN = (timedelta(seconds=5), timedelta(seconds=60))
ABOUT_THE_OUTBOX = frozenset({"not_delivered", "outbox_stalled"})
OUTCOME_MAX = 300
KEY_MAX = 200
NOBODY = {"to_account_sealed": "", "to_phone_sealed": "", "sentence": ""}


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """What the hooks are told: which notice, about what, reached nobody; ``error`` is a class of failure."""

    about: str
    key: str
    template: str
    street_id: int | None
    error: str
    at: datetime


Hook = Callable[[NotDelivered], None]
Links = Callable[[Sequence[str], Actor], Mapping[str, str]]
_hooks: list[Hook] = []
_sent_hooks: list[Callable[..., None]] = []
_links: dict[str, Links] = {}


def send(notices: Sequence[Notice], *, at: datetime, undo_seconds: int = 0) -> None:
    """Put notices in the outbox, in the caller's transaction: one INSERT of messages, one of jobs.

    A key that was sent before is left alone. With ``undo_seconds`` nothing leaves before ``at`` + that many seconds, so that
    ``withdraw`` can take it back. Raises Refusal if a notice carries what must stay behind sign-in.
    """
    rows = [row(notice, at=at, undo=timedelta(seconds=undo_seconds)) for notice in notices]
    if rows:
        store(rows, ignore_conflicts=True)
        jobs.enqueue(*(first_job(message) for message in rows))
        for hear in _sent_hooks:
            hear(rows, at=at)


def withdraw(keys: Sequence[str]) -> int:
    """Take back messages that have not left; returns how many. Their jobs find nothing to do."""
    waiting = Message.objects.filter(key__in=list(keys), state=MessageState.WAITING, tries=0)
    return waiting.update(state=MessageState.WITHDRAWN)


def first_job(message: Message) -> jobs.JobSpec:
    """The job a message begins with: staff are found, and have it in the inbox first; a resident's goes to its way at once."""
    if message.to_person_id is not None or message.to_role:
        return route_job(message)
    step = next((hop.step for hop in chain.hops(message)), "")
    return transmit_job(message, run_at=message.due_at, step=step)


def route_job(message: Message, *, run_at: datetime | None = None) -> jobs.JobSpec:
    """The job that finds out who of the staff gets a message; each round is a job of its own."""
    return _job(ROUTE, message, run_at or message.due_at)


def transmit_job(message: Message, *, run_at: datetime, step: str = "") -> jobs.JobSpec:
    """The job that hands a message to a way, in the line of that ``step`` (empty: of none yet). Those to one reader, or to the
    residents of one case, go one after the other."""
    kind = f"{TRANSMIT}.{step}" if step in KNOWN_WAYS else TRANSMIT
    lane = f"to:{message.to_person_id}" if message.to_person_id is not None else message.about and f"about:{message.about}"
    return _job(kind, message, run_at, lane=lane)


def _job(kind: str, message: Message, run_at: datetime, *, lane: str = "") -> jobs.JobSpec:
    return jobs.JobSpec(
        kind=kind,
        args={"key": message.key, "round": message.round},
        run_at=run_at,
        key=f"{kind}:{message.key}:{message.round}",
        street_id=message.street_id,
        lane=lane,
    )


def on_sent(hear: Callable[..., None]) -> None:
    """Register ``hear(messages, *, at)``, called in the transaction that sends, with the rows (also those sent before)."""
    if hear not in _sent_hooks:
        _sent_hooks.append(hear)


def on_not_delivered(hook: Hook) -> Hook:
    """Register a callable that hears, inside the marking transaction, of each notice that reached nobody.

    A failed copy to a phone is not such a notice: the inbox has it. The duty desk hears of the copy all the same.
    """
    if hook not in _hooks:
        _hooks.append(hook)
    return hook


def mark_not_delivered(message: Message, *, error: str, at: datetime) -> bool:
    """End a message that reached nobody: visible mark, hooks, word to the duty desk, and for a resident a call-back.

    False (and nothing else happens) if the message has ended already.
    """
    changed = Message.objects.filter(
        pk=message.pk, state__in=[MessageState.WAITING, MessageState.SENDING, MessageState.SENT]
    ).update(state=MessageState.NOT_DELIVERED, last_error=error[:60], ended_at=at)
    if not changed:
        return False
    log.warning("notice not delivered", extra={"key": message.key, "template": message.template, "error": error})
    _tell_duty_desk(message, at=at)
    if message.to_phone_sealed and message.channel != Channel.CALL:
        open_call_back(message, at=at)
    for hook in _hooks if message.copy_of_id is None else ():
        hook(NotDelivered(message.about, message.key, message.template, message.street_id, error, at))
    return True


def _tell_duty_desk(message: Message, *, at: datetime) -> None:
    """Word of a lost notice. Only on the page 未送达: a lost word of a lost notice, so that nothing goes round, and a copy that
    was not urgent, which the inbox has."""
    is_at_rest = message.copy_of_id is not None and not message.is_urgent
    if message.template in ABOUT_THE_OUTBOX or message.street_id is None or is_at_rest:
        return
    facts = {name: value for name, value in message.facts.items() if name in {"number", "grid"}}
    post = (Role.DUTY_LEADER.value, message.street_id, None)
    key = f"lost:{message.pk}:{message.round}"
    word = Notice("not_delivered", facts=facts, about=message.about, key=key, to_post=post, is_urgent=message.is_urgent)
    send([word], at=at)


def open_call_back(message: Message, *, at: datetime) -> None:
    """Make the task to call a resident and read out the sentence; once a round of the message."""
    sentence = message.sentence or texts.render(message.template, message.facts, message.language).body
    call = CallBack(
        message=message,
        round=message.round,
        sentence=sentence,
        to_phone_sealed=message.to_phone_sealed,
        about=message.about,
        is_urgent=message.is_urgent,
        street_id=message.street_id,
        opened_at=at,
    )
    CallBack.objects.bulk_create([call], ignore_conflicts=True)


def finish_call_back(*, call_back_id: int, reached: bool, outcome: str, by: Actor, at: datetime) -> None:
    """Write down a call: the resident was told, or could not be reached. Refused if somebody else did so first."""
    with writing():
        call = access.call_back_for(by, call_back_id)
        state = CallState.DONE if reached else CallState.UNREACHABLE
        changed = CallBack.objects.filter(pk=call.pk, state=CallState.OPEN).update(
            state=state, outcome=outcome.strip()[:OUTCOME_MAX], done_at=at, done_by_id=by.person_id
        )
        if not changed:
            raise Stale("call_back_done", _("这个回访任务已经有人办过了。"))
        if reached:
            Message.objects.filter(pk=call.message_id).update(
                state=MessageState.DELIVERED, channel=Channel.CALL, ended_at=at, last_error=""
            )
        else:
            mark_not_delivered(call.message, error="unreachable", at=at)
        _audit("call_back", call, by=by, at=at, facts={"outcome": state.value})


def reveal_call_back_phone(*, call_back_id: int, by: Actor, at: datetime) -> str:
    """The number to dial; the look is written to the audit log."""
    with writing():
        call = access.call_back_for(by, call_back_id)
        if not call.to_phone_sealed:
            raise Stale("phone_forgotten", _("保留期已过，号码已经删除。"))
        _audit("phone_revealed", call, by=by, at=at, facts={"reason": "call_back"})
        return unseal_phone(call.to_phone_sealed)


def _audit(action: str, call: CallBack, *, by: Actor, at: datetime, facts: dict[str, str]) -> None:
    audit.record(
        street_id=call.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="call_back",
        object_id=str(call.pk),
        at=at,
        facts={**facts, "about": call.about},
    )


def retry_message(*, message_id: int, by: Actor, at: datetime) -> None:
    """Send a message that was not delivered once more, from the start of its chain; never by a way that may have shown it
    and takes no key."""
    with writing():
        message = access.lost_message_for(by, message_id)
        if not (message.to_person_id or message.to_role or message.to_account_sealed or message.to_phone_sealed):
            raise Stale("phone_forgotten", _("保留期已过，号码已经删除。"))
        changed = Message.objects.filter(pk=message.pk, state=MessageState.NOT_DELIVERED).update(
            state=MessageState.WAITING,
            channel=Channel.NONE,
            port="",
            trail=[step for step in message.trail if step[1] == Result.UNKNOWN],
            tries=0,
            round=F("round") + 1,
            due_at=at,
            ended_at=None,
        )
        if not changed:
            raise Stale("message_moved_on", _("这条通知已经在重新发送了。"))
        message.call_backs.filter(state=CallState.OPEN).update(state=CallState.WITHDRAWN, done_at=at, done_by_id=by.person_id)
        message.refresh_from_db()
        jobs.enqueue(first_job(message))


def mark_read(*, item_id: int, by: Actor, at: datetime) -> InboxItem:
    """Open an item of one's own inbox; only its owner ever learns that it was read."""
    item = access.inbox_item_for(by, item_id)
    if item.read_at is None:
        InboxItem.objects.filter(pk=item.pk, read_at=None).update(read_at=at)
    return item


def mark_all_read(*, by: Actor, at: datetime) -> int:
    """Empty one's own pile; returns how many were unread."""
    mine = InboxItem.objects.filter(person_id__in=[by.person_id] if by.person_id else [])
    return mine.filter(read_at=None).update(read_at=at)


def register_links(prefix: str, links: Links) -> None:
    """Say how an ``about`` opens: ``links(["12", "7"], actor)`` gives the addresses for "case:12" and "case:7" by id.

    Those the actor may not open are left out. Asked once a page, so it may take one query, not one a row.
    """
    _links[prefix] = links


def links_of(abouts: Iterable[str], actor: Actor) -> dict[str, str]:
    """The addresses of what messages are about, for this reader; what has none is left out."""
    by_prefix: dict[str, set[str]] = {}
    for about in abouts:
        prefix, _colon, identifier = about.partition(":")
        if identifier and prefix in _links:
            by_prefix.setdefault(prefix, set()).add(identifier)
    return {
        f"{prefix}:{identifier}": address
        for prefix, identifiers in by_prefix.items()
        for identifier, address in _links[prefix](sorted(identifiers), actor).items()
    }


def record_receipt(
    *,
    port: str,
    provider_id: str,
    is_delivered: bool,
    at: datetime,
    key: str = "",
    error: str = "receipt_failed",
    late: int = 0,
) -> bool:
    """A provider's later word on a message it had accepted; one that did not arrive moves on to the next way.

    ``port``: the name of the way (or of the port for text messages) that sent it; ``error``: a class of failure; ``key``: ours,
    where the provider repeats it: a message whose number was never told bears it instead. False if it fits no message. It may
    have come before our own note that the message was accepted, so it is then tried again twice.
    """
    with writing():
        numbers = [number for number in (provider_id, key) if number]
        message = Message.objects.filter(port=port, provider_id__in=numbers, state=MessageState.SENT).first()
        if message is None or not provider_id:
            if provider_id and late < len(RECEIPT_AGAIN):
                word = {"port": port, "provider_id": provider_id, "is_delivered": is_delivered, "key": key, "error": error}
                name = f"{RECEIPT}:{port}:{provider_id}:{late}"[:KEY_MAX]
                jobs.enqueue(jobs.JobSpec(RECEIPT, {**word, "late": late + 1}, run_at=at + RECEIPT_AGAIN[late], key=name))
            return False
        if not is_delivered:
            from .delivery import receipt_failed

            receipt_failed(message, error, at=at)
            return True
        still_sent = Message.objects.filter(pk=message.pk, state=MessageState.SENT)
        return bool(still_sent.update(state=MessageState.DELIVERED, ended_at=at))


def forget_ended(*, at: datetime) -> int:
    """Drop the phones and sentences of what ended FORGET_AFTER ago; returns how many messages lost theirs. Runs nightly."""
    limit = at - FORGET_AFTER
    with writing():
        CallBack.objects.filter(done_at__lt=limit).update(to_phone_sealed="", sentence="")
        StubSms.objects.filter(sent_at__lt=limit).delete()
        old = Message.objects.filter(ended_at__lt=limit).exclude(to_account_sealed="", to_phone_sealed="", sentence="")
        return old.exclude(call_backs__state=CallState.OPEN).update(**NOBODY)


def forget(about: str, *, account: str | None = None, phone: str | None = None) -> int:
    """Drop accounts, phones and sentences of what was told ``about`` something: to ``account`` ("wechat:17") or ``phone`` only
    if given (others may share a case).

    Part of a person's erasure; that something was sent stays as a fact. A message still on its way to them is given up.
    Returns how many messages lost their reader.
    """
    rows = Message.objects.filter(about=about, to_person=None).exclude(to_account_sealed="", to_phone_sealed="")
    is_all = account is None and phone is None
    theirs = [message.pk for message in rows if is_all or _is_to(message, account, phone)]
    with writing():
        waiting = Message.objects.filter(pk__in=theirs, state__in=[MessageState.WAITING, MessageState.SENDING])
        waiting.update(state=MessageState.WITHDRAWN)
        CallBack.objects.filter(message_id__in=theirs).update(to_phone_sealed="", sentence="")
        return Message.objects.filter(pk__in=theirs).update(**NOBODY)


def _is_to(message: Message, account: str | None, phone: str | None) -> bool:
    if message.to_account_sealed and account and ":".join(unseal_account(message.to_account_sealed)) == account:
        return True
    return bool(message.to_phone_sealed and phone and unseal_phone(message.to_phone_sealed) == phone)
