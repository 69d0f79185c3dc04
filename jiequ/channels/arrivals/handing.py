"""Handing arrivals on: claimed in the inbox's database, done in the default one, each sender's in order, each once in effect.

The effect and a ``Mark`` are one transaction of the default database. The row in the inbox is ended after it, in a transaction
of its own: a worker killed between the two leaves a row that the next one finds marked, and only ends.
"""

from __future__ import annotations

import logging
import time
import traceback
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.errors import plain

from .models import Arrival, Mark, State
from .router import ALIAS
from .services import HANDLERS, opened

log = logging.getLogger("jiequ.arrivals")

BATCH = 20
LEASE = timedelta(seconds=60)
RETRY_AFTER = (timedelta(seconds=2), timedelta(seconds=15), timedelta(seconds=60))
AFTER_A_FAULT_OF_THE_DATABASE = timedelta(seconds=2)
MOST_LOST_WORKERS = 5


def work() -> int:
    """One round of the worker's loop; how many arrivals came to an end or to their next try."""
    return hand_on(at=clock.now())


def hand_on(*, at: datetime, limit: int = BATCH) -> int:
    """Claim what waits, the first of each sender, and hand it to the handlers of its channel; returns how many.

    Raises OperationalError if a database does not answer: nothing is counted against an arrival for that. The one it happened
    to comes back a moment later than the others, for the fault may be its own.
    """
    claimed, ended, began = claim(at=at, limit=limit), [], time.monotonic()
    left = list(claimed)
    try:
        while left and (len(left) == len(claimed) or time.monotonic() - began < LEASE.total_seconds() / 3):
            if _handle(left[0], at):
                ended.append(left[0].pk)
            del left[0]
    except (OperationalError, InterfaceError):
        _release(left[:1], run_at=at + AFTER_A_FAULT_OF_THE_DATABASE)
        del left[0]
        raise
    finally:
        _end(ended, at)
        _release(left, run_at=at)
    return len(claimed)


def claim(*, at: datetime, limit: int) -> list[Arrival]:
    """Lease the first waiting arrival of each sender, oldest first; no two workers get the same."""
    rows = list(_heads(at).order_by("id")[:limit])  # a plain read, so that an idle worker never queues with the callbacks
    if not rows:
        return []
    with transaction.atomic(using=ALIAS):
        return [row for row in rows if _leased(row, at)]


def _heads(at: datetime) -> QuerySet[Arrival]:
    earlier = Arrival.objects.filter(lane=OuterRef("lane"), state=State.WAITING, id__lt=OuterRef("id"))
    free = Q(lease_until=None) | Q(lease_until__lte=at)
    return Arrival.objects.filter(free, ~Exists(earlier), state=State.WAITING, run_at__lte=at)


def _leased(row: Arrival, at: datetime) -> bool:
    same = Arrival.objects.filter(pk=row.pk, state=State.WAITING, claims=row.claims)
    row.claims += 1
    return bool(same.update(lease_until=at + LEASE, claims=F("claims") + 1))


def _handle(row: Arrival, at: datetime) -> bool:
    """True if it is done (now, or by a worker that did not live to say so); a failure ends in its row."""
    if row.claims - row.failures > MOST_LOST_WORKERS:
        _fail(row, at, f"its worker was killed {row.claims - row.failures - 1} times", is_last=True)
        return False
    try:
        with writing():
            if _marked(row.key, at):
                incoming = opened(row)
                for handler in HANDLERS.get(row.channel, ()):
                    handler(incoming, at=at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a handler raises is this arrival's own failure
        where = "".join(traceback.format_tb(error.__traceback__))
        log.warning("arrival %s %s %s failed: %s\n%s", row.channel, row.kind, row.pk, plain(error), where)
        _fail(row, at, plain(error))
        return False
    return True


def _marked(key: str, at: datetime) -> bool:
    """Write the mark first, so that whoever is second waits for the first one's transaction. False if it was there."""
    sql = f"INSERT INTO {Mark._meta.db_table} (key, at) VALUES (%s, %s) ON CONFLICT (key) DO NOTHING"  # our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, [key, connection.ops.adapt_datetimefield_value(at)])
        return bool(cursor.rowcount == 1)


def _end(ids: list[int], at: datetime) -> None:
    """Done: what was said is no longer kept here."""
    if ids:
        Arrival.objects.filter(pk__in=ids, state=State.WAITING).update(
            state=State.DONE, ended_at=at, lease_until=None, body_sealed="", last_error=""
        )


def _fail(row: Arrival, at: datetime, error: str, *, is_last: bool = False) -> None:
    """Set the next try, or give it up; the sender's next arrival goes on."""
    mine = Arrival.objects.filter(pk=row.pk, claims=row.claims, state=State.WAITING)
    told = {"lease_until": None, "failures": row.failures + 1, "last_error": error[:300]}
    if is_last or row.failures >= len(RETRY_AFTER):
        log.error("arrival %s %s %s is given up: %s", row.channel, row.kind, row.pk, error)
        mine.update(state=State.DEAD, ended_at=at, **told)
    else:
        mine.update(run_at=at + RETRY_AFTER[row.failures], **told)


def _release(rows: list[Arrival], *, run_at: datetime) -> None:
    """Give claims back as if they had not been."""
    for row in rows:
        mine = Arrival.objects.filter(pk=row.pk, claims=row.claims, state=State.WAITING)
        mine.update(lease_until=None, run_at=run_at, claims=F("claims") - 1)
