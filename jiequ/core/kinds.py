"""The kinds of jobs that exist: a registry filled when apps are loaded (each app's jobs.py). No database here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Every:
    """When a periodic job comes round: each ``seconds``, or daily at a time of the installation's zone."""

    seconds: int | None = None
    daily_at: time | None = None

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first round strictly after ``moment``; rounds missed in a down-time collapse to one."""
        if self.seconds is not None:
            return moment + timedelta(seconds=self.seconds)
        assert self.daily_at is not None
        local = moment.astimezone(zone)
        today = datetime.combine(local.date(), self.daily_at, zone)
        return today if today > local else datetime.combine(local.date() + timedelta(days=1), self.daily_at, zone)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job. ``promise_seconds``: a job later than this makes the sweep alarm. ``line``: jobs wait for those of
    their own line only; ``hands``: so many calls of the line at a time."""

    name: str
    handler: Handler
    outside: bool = False
    promise_seconds: int = 300
    timeout_seconds: float = 10.0
    every: Every | None = None
    line: str = ""
    hands: int = 1


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that was given up, as told to the ``on_dead`` hooks."""

    kind: str
    key: str | None
    street_id: int | None
    args: dict[str, Any] = field(default_factory=dict)
    last_error: str = ""


DeadHook = Callable[..., None]

KINDS: dict[str, Kind] = {}
DEAD_HOOKS: list[tuple[str | None, DeadHook]] = []


def job(
    kind: str,
    *,
    outside: bool = False,
    promise_seconds: int = 300,
    timeout_seconds: float = 10.0,
    line: str = "",
    hands: int = 1,
) -> Callable[[Handler], Handler]:
    """Register the callable that does jobs of ``kind``.

    ``outside``: it acts on the world outside the database and runs in no transaction (see core.jobs). ``timeout_seconds``
    bounds such a try in the worker; past it the try has failed. A network client needs its own, shorter time-outs as well.
    ``line``: a worker has a loop for each, so that addresses of strangers that are slow, or much work of one sort, hold up no
    notice. ``hands`` above 1: the handler returns a ``Call``, and a worker makes so many of them at a time (core.crew).
    """

    def register(handler: Handler) -> Handler:
        _register(Kind(kind, handler, outside, promise_seconds, timeout_seconds, line=line, hands=hands))
        return handler

    return register


def every(
    kind: str, *, seconds: int | None = None, daily_at: str | None = None, outside: bool = False
) -> Callable[[Handler], Handler]:
    """Register a periodic job, ``seconds=2`` or ``daily_at="02:30"``: no args, never given up; missed rounds are one."""
    if (seconds is None) == (daily_at is None):
        raise ValueError("give either seconds or daily_at")
    rounds = Every(seconds, time.fromisoformat(daily_at) if daily_at else None)

    def register(handler: Handler) -> Handler:
        _register(Kind(kind, handler, outside, max(300, 3 * (seconds or 0)), 600.0, rounds))
        return handler

    return register


def round_key(kind: str) -> str:
    """The key of a periodic kind's one row."""
    return f"every:{kind}"


def on_dead(hook: DeadHook, *, kind: str | None = None) -> DeadHook:
    """Register ``hook(dead: DeadJob, *, at)``, called in the transaction that gives a job of ``kind`` (None: any) up."""
    if (kind, hook) not in DEAD_HOOKS:
        DEAD_HOOKS.append((kind, hook))
    return hook


def _register(kind: Kind) -> None:
    known = KINDS.get(kind.name)
    if known and (known.handler.__module__, known.handler.__qualname__) != (
        kind.handler.__module__,
        kind.handler.__qualname__,
    ):
        raise ValueError(f"two handlers for jobs of kind {kind.name!r}")
    KINDS[kind.name] = kind
