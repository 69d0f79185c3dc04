"""Taking in what the platforms push: stored once in the inbox's own database, in one short transaction, only then answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections, models, transaction
from django.utils.translation import gettext as _

from jiequ.channels.xml import many
from jiequ.core import audit, secrets
from jiequ.core.errors import Forbidden
from jiequ.people.rules import Actor, Role

from .models import Arrival, Nonce, State
from .router import ALIAS

PURPOSE = "arrivals.body"


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person sent or did. ``channel``: wechat, wecom. ``account``: the appid, or ``corpid:agentid``. ``sender``: openid,
    userid. ``kind``: text, image, voice, video, shortvideo, location, link, event … ``event``: lower case, empty for messages.
    ``key``: the same message has the same. ``at``: when it was sent. ``fields``: the body as parsed (texts, dicts, lists)."""

    channel: str
    account: str
    sender: str
    kind: str
    event: str
    key: str
    at: datetime
    fields: Mapping[str, Any]


NAMES_AN_EVENT = (
    *("FromUserName", "CreateTime", "Event", "EventKey", "MsgID", "TaskId"),
    *("ChangeType", "UserID", "Id"),  # changes of WeCom's contacts all come from "sys"
)
Handler = Callable[..., None]
HANDLERS: dict[str, list[Handler]] = {}


class Replayed(Exception):
    """A signed request that was seen before, with another message in it."""


def on_arrival(channel: str, handler: Handler) -> Handler:
    """Have ``handler(incoming, *, at)`` called for what arrives by this channel, the first registered first.

    All handlers of one arrival run in one transaction of the default database, once in effect, and in the order of each sender.
    A handler that raises undoes it all; it is tried again after 2, 15 and 60 s, then the arrival is dead and shown to the
    system administrator. No network in it: enqueue a job.
    """
    known = HANDLERS.setdefault(channel, [])
    if handler not in known:
        known.append(handler)
    return handler


def incoming_of(channel: str, account: str, fields: Mapping[str, Any]) -> Incoming:
    """The parsed body of a push. Raises ValueError if it is none."""
    kind, event = _text(fields, "MsgType").lower(), _text(fields, "Event").lower()
    sender, sent = _text(fields, "FromUserName"), _text(fields, "CreateTime")
    if not kind or not sender or not sent.isdigit() or len(sent) > 10:
        raise ValueError("not a push")
    key = secrets.blind("\0".join([channel, account, *_identity(fields)]), "arrivals.key")
    return Incoming(channel, account, sender, kind, event, key, datetime.fromtimestamp(int(sent), UTC), fields)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _identity(fields: Mapping[str, Any]) -> list[str]:
    """What stays the same when the platform sends it again: the MsgId of a message; of an event who, when and which.

    ``EventKey`` and the ids of what the event reports on are in it: two events of one person in one second do happen.
    """
    if message := _text(fields, "MsgId"):
        return ["message", message]
    named = [_text(fields, name) for name in NAMES_AN_EVENT]
    inner = [one for value in fields.values() if isinstance(value, dict) for one in many(value.get("List"))]
    return ["event", *named, *(_text(one, "TemplateId") + _text(one, "MsgID") for one in inner if isinstance(one, dict))]


def receive(incoming: Incoming, *, timestamp: str, nonce: str, at: datetime, is_bound: bool = False) -> bool:
    """Store an arrival; False if it is known already (a platform's second try, or one that overtook the first).

    ``timestamp`` and ``nonce``: those of the signed request. Raises Replayed for a pair that came before with another message,
    and DatabaseError if the inbox is down: then answer 5xx, so that the platform sends it again. ``is_bound``: the signature
    covers the body, so nobody can put other words under this pair; a second delivery then costs a read and no write.
    """
    if is_bound and Arrival.objects.filter(key=incoming.key).exists():
        return False
    with transaction.atomic(using=ALIAS):
        pair = secrets.blind("\0".join([incoming.channel, incoming.account, timestamp, nonce]), "arrivals.nonce")
        is_fresh = _stored(Nonce(key=pair, at=at))
        is_new = _stored(_row(incoming, at))
        if is_new and not is_fresh:
            raise Replayed
    return is_new


def _row(incoming: Incoming, at: datetime) -> Arrival:
    body = {"sender": incoming.sender, "fields": dict(incoming.fields)}
    return Arrival(
        key=incoming.key,
        channel=incoming.channel,
        account=incoming.account[:80],
        kind=incoming.kind[:32],
        event=incoming.event[:64],
        lane=secrets.blind("\0".join([incoming.channel, incoming.account, incoming.sender]), "arrivals.lane"),
        body_sealed=secrets.seal(json.dumps(body, ensure_ascii=False), PURPOSE),
        sent_at=incoming.at,
        arrived_at=at,
        run_at=at,
    )


def _stored(row: models.Model) -> bool:
    """INSERT, unless its key is there; a second one at the same moment waits for the first. True if it is stored now."""
    connection = connections[ALIAS]
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    sql = (
        f"INSERT INTO {quote(row._meta.db_table)} ({', '.join(quote(str(field.column)) for field in fields)}) "  # our own names
        f"VALUES ({', '.join(['%s'] * len(fields))}) ON CONFLICT DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields])
        return bool(cursor.rowcount == 1)


def opened(row: Arrival) -> Incoming:
    """The arrival as it was taken in; SealBroken if its key is gone from the ring."""
    body = json.loads(secrets.unseal(row.body_sealed, PURPOSE))
    return Incoming(row.channel, row.account, body["sender"], row.kind, row.event, row.key, row.sent_at, body["fields"])


def revive(arrival_id: int, *, by: Actor, at: datetime) -> bool:
    """Hand a dead arrival on once more: what it failed at was mended. False if it is not dead. System administrators only."""
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))
    dead = Arrival.objects.filter(pk=arrival_id, state=State.DEAD)
    if not dead.update(state=State.WAITING, run_at=at, lease_until=None, failures=0, claims=0, ended_at=None):
        return False
    audit.record(
        street_id=None,
        person_id=by.person_id,
        action="arrivals.revive",
        object_kind="arrival",
        object_id=arrival_id,
        at=at,
    )
    return True
