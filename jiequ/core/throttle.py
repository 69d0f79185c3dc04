"""Token buckets in the database: how often one address, account or device may try something.

A bucket is one number, the moment from which all its tries are there again (the "generic cell rate" form of a token
bucket): each try moves it on by ``per_seconds / capacity``, and a try that would move it further than ``per_seconds``
from now is refused and changes nothing. The happy path is one statement; two processes cannot both take the last try.

If the database fails, nothing passes: the error goes up and the request fails, as it would without a throttle,
because whatever is throttled needs the same database. There is no second store that could fail open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from . import secrets
from .db import writing
from .errors import Throttled
from .kinds import every
from .models import Throttle


def bucket(purpose: str, *who: object) -> str:
    """The name of a bucket: a purpose, and whose it is, blinded (addresses and phones are not stored in clear)."""
    return f"{purpose}:{secrets.blind(chr(0).join(map(str, who)), 'throttle:' + purpose)[:40]}"


def take(bucket: str, *, capacity: int, per_seconds: int, at: datetime, cost: int = 1) -> None:
    """Take ``cost`` tries from a bucket of ``capacity`` that fills up in ``per_seconds``; raises Throttled.

    Call it outside the transaction of what it guards: a refusal further down must not give the try back.
    """
    now_ms = _milliseconds(at)
    step_ms = max(1, per_seconds * 1000 * cost // capacity)
    if _moved(bucket, now_ms, step_ms, now_ms + per_seconds * 1000):
        return
    full_at_ms = Throttle.objects.filter(bucket=bucket).values_list("full_at_ms", flat=True).first() or now_ms
    wait_ms = max(full_at_ms, now_ms) + step_ms - (now_ms + per_seconds * 1000)
    seconds = max(1, -(-wait_ms // 1000))
    raise Throttled("throttled", _sentence(seconds), facts={"retry_after_seconds": seconds})


def forget(bucket: str) -> None:
    """Give a bucket all its tries back (after the right password, say)."""
    with writing():
        Throttle.objects.filter(bucket=bucket).delete()


@every("core.throttle_sweep", daily_at="03:40")
def sweep(*, at: datetime) -> int:
    """Remove buckets that are full again: they say nothing. Returns how many."""
    with writing():
        return Throttle.objects.filter(full_at_ms__lt=_milliseconds(at - timedelta(minutes=1))).delete()[0]


def _moved(name: str, now_ms: int, step_ms: int, latest_ms: int) -> bool:
    """The one statement: move the bucket on if that stays within ``latest_ms``. No row comes back when it does not."""
    if now_ms + step_ms > latest_ms:  # dearer than a whole bucket
        return False
    greatest = "MAX" if connection.vendor == "sqlite" else "GREATEST"
    table = Throttle._meta.db_table  # our own names, no input
    full = f"{greatest}({table}.full_at_ms, %s) + %s"
    sql = (
        f"INSERT INTO {table} (bucket, full_at_ms) VALUES (%s, %s) "
        f"ON CONFLICT (bucket) DO UPDATE SET full_at_ms = {full} WHERE {full} <= %s RETURNING full_at_ms"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [name, now_ms + step_ms, now_ms, step_ms, now_ms, step_ms, latest_ms])
        return cursor.fetchone() is not None


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _sentence(seconds: int) -> str:
    if seconds < 90:
        return _("操作太频繁了，请 %(seconds)d 秒后再试") % {"seconds": seconds}
    return _("操作太频繁了，请 %(minutes)d 分钟后再试") % {"minutes": -(-seconds // 60)}
