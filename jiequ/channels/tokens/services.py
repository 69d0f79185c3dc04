"""Tokens and tickets: one for the whole installation, fetched by one process at a time, so that none takes another's away.

``token(source)`` gives the one in the database while it is good. In its last five minutes one process fetches the next while
the others go on with the old; when there is none, they wait for the one that fetches. ``renewed`` is for a token that the
platform refused: if another process has put a new one there meanwhile, that is it; else one plain fetch, and only if that
brings the very token that was refused, one by force (``stable_token`` allows 20 a day, 30 s apart).
The network is never called inside a transaction. Times are the real ones, for the platform counts by them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from jiequ.core import clock, secrets
from jiequ.core.bulk import store

from .models import Token

PURPOSE = "channels.token"
EARLY = timedelta(minutes=5)
LEAST = timedelta(seconds=60)
CLAIM = timedelta(seconds=15)
FORCED_APART = timedelta(seconds=31)
WAIT_SECONDS, PAUSE_SECONDS = 12.0, 0.05
LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class NoToken(Exception):
    """Another process fetches the token and did not come to an end in time."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a token comes from. ``fetch(force)`` asks the platform: (value, seconds it is good for); it may raise."""

    name: str
    fetch: Callable[[bool], tuple[str, int]]


def token(source: Source) -> str:
    """The token in force; fetches one if there is none or it is nearly over. Raises what ``fetch`` raises, or NoToken."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        at, row = clock.now(), _row(source.name)
        if row.renew_from > at:
            return _value(row)
        if _claimed(row, at):
            return _value(_fetched(source, row, at, refused=None))
        if row.good_until > at:
            return _value(row)  # somebody is fetching the next one; this one still holds
        if time.monotonic() > give_up_at:
            raise NoToken(source.name)
        time.sleep(PAUSE_SECONDS)


def renewed(source: Source, *, refused: str) -> str:
    """Another token than ``refused``, which the platform did not take. One fetch by one process, whoever asks."""
    at, row = clock.now(), _row(source.name)
    if _value(row) == refused:
        Token.objects.filter(pk=row.pk, version=row.version).update(good_until=LONG_AGO, renew_from=LONG_AGO)
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        at, row = clock.now(), _row(source.name)
        if _value(row) != refused and row.renew_from > at:
            return _value(row)
        if _claimed(row, at):
            return _value(_fetched(source, row, at, refused=refused))
        if time.monotonic() > give_up_at:
            raise NoToken(source.name)
        time.sleep(PAUSE_SECONDS)


def forget(name: str) -> None:
    """Let the next caller fetch anew (another secret was configured, a test of the connection)."""
    Token.objects.filter(name=name).update(good_until=LONG_AGO, renew_from=LONG_AGO, version=F("version") + 1)


def _row(name: str) -> Token:
    found = Token.objects.filter(name=name).first()
    if found is None:
        empty = Token(name=name, good_until=LONG_AGO, renew_from=LONG_AGO, claimed_until=LONG_AGO)
        store([empty], ignore_conflicts=True)
        found = Token.objects.get(name=name)
    return found


def _value(row: Token) -> str:
    return secrets.unseal(row.value_sealed, PURPOSE) if row.value_sealed else ""


def _claimed(row: Token, at: datetime) -> bool:
    """True if the fetching is ours now: one conditional UPDATE, a dead process's claim runs out."""
    free = Token.objects.filter(Q(claimed_until__lte=at), pk=row.pk, version=row.version)
    return bool(free.update(claimed_until=at + CLAIM))


def _fetched(source: Source, row: Token, at: datetime, *, refused: str | None) -> Token:
    forced_at = row.forced_at
    try:
        value, seconds = source.fetch(False)
        if value == refused and (forced_at is None or at - forced_at > FORCED_APART):
            forced_at = at
            value, seconds = source.fetch(True)
    except BaseException:
        Token.objects.filter(pk=row.pk, version=row.version).update(claimed_until=at, forced_at=forced_at)
        raise
    lasts = timedelta(seconds=seconds)
    mine = Token.objects.filter(pk=row.pk, version=row.version)
    mine.update(
        value_sealed=secrets.seal(value, PURPOSE),
        good_until=at + lasts,
        renew_from=at + max(lasts - EARLY, min(lasts, LEAST)),
        claimed_until=at,
        forced_at=forced_at,
        version=row.version + 1,
    )
    return Token.objects.get(pk=row.pk)  # ours, or that of whoever was faster because we took too long
