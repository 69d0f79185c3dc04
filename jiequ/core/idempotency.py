"""Repeating a request does it once: the answer is stored in the transaction of its effect and replayed byte for byte.

The key is inserted first. Whoever comes second waits (PostgreSQL: for the first one's transaction; SQLite: for its turn)
and then finds the stored answer. A refusal or an error rolls the key back with everything else: mend it and try again.
Happy path: two statements (INSERT, UPDATE) beside those of the effect. A replay: two (INSERT, SELECT).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from .db import writing
from .errors import Refusal
from .kinds import every
from .models import IdempotencyKey

KEPT_FOR = timedelta(hours=48)
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as bytes, so that its replay is the same to the last one."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def fingerprint_of(*parts: str | bytes) -> str:
    """SHA-256 over what makes a request the same request: method, path, body. Parts cannot run into each other."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def once(*, scope: str, key: str, fingerprint: str, at: datetime, do: Callable[[], Reply]) -> Reply:
    """Call ``do`` unless this key was answered before; then give that answer again.

    ``scope`` names who asks for what (``person:12 POST /cases``): nobody is answered with another's reply. Kept for 48 h.
    Raises Refusal ``idempotency_key_reused`` when the key comes with other content, and whatever ``do`` raises.
    """
    if not key or len(key) > LONGEST_KEY:
        raise Refusal("idempotency_key_malformed", _("请求编号是空的或超过 200 个字符，请重新打开页面再提交。"))
    with writing():
        if not _inserted(scope, key, fingerprint, at):
            return _stored(scope, key, fingerprint)
        reply = do()
        with connection.cursor() as cursor:
            headers = json.dumps(reply.headers, ensure_ascii=False)
            cursor.execute(_ANSWER, [reply.status, reply.body, reply.content_type, headers, scope, key])
        return reply


_INSERT = (
    f"INSERT INTO {IdempotencyKey._meta.db_table} (scope, key, fingerprint, body, content_type, headers, stored_at) "
    "VALUES (%s, %s, %s, %s, '', '{}', %s) ON CONFLICT (scope, key) DO NOTHING"
)


_ANSWER = (
    f"UPDATE {IdempotencyKey._meta.db_table} SET status = %s, body = %s, content_type = %s, headers = %s "
    "WHERE scope = %s AND key = %s"
)


def _inserted(scope: str, key: str, fingerprint: str, at: datetime) -> bool:
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [scope, key, fingerprint, b"", moment])
        return bool(cursor.rowcount == 1)


def _stored(scope: str, key: str, fingerprint: str) -> Reply:
    row = IdempotencyKey.objects.get(scope=scope, key=key)
    if row.fingerprint != fingerprint:
        raise Refusal("idempotency_key_reused", _("这个请求编号已经用于另一项内容，请重新打开页面再提交。"))
    if row.status is None:
        raise RuntimeError("once() was called with the same key inside itself")
    return Reply(row.status, bytes(row.body), row.content_type, row.headers)


@every("core.idempotency_purge", seconds=3600)
def purge(*, at: datetime) -> None:
    """Forget answers older than KEPT_FOR."""
    IdempotencyKey.objects.filter(stored_at__lt=at - KEPT_FOR).delete()
