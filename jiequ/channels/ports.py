"""The doors to the outside: what a port is, which are configured, and how one is called without being held up by it.

A port that talks to a network gives each request a timeout of its own (10 s at most) and hands ``key`` to the provider as
idempotency key, so that a second try of the same message is shown to its reader once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from .rules import SEND_DEADLINE_SECONDS

log = logging.getLogger(__name__)
_HANGING_MAX = 4


class Result(StrEnum):
    """What became of one call to a port."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REFUSED_PERMANENT = "refused_permanent"
    TRY_LATER = "try_later"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A port's answer. ``error`` is a short class of failure ("http_500", "timeout"), never the provider's words."""

    result: Result
    provider_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a port is given: the rendered words and what they were made from (providers with templates want the latter)."""

    text: str
    template: str
    facts: dict[str, object]
    language: str


class Port(Protocol):
    """A way to reach a phone. ``is_remote`` ports are called in a thread of their own, under a deadline."""

    name: str
    is_remote: bool

    def send(self, message: Outgoing, address: str, key: str) -> Outcome: ...


Factory = Callable[[], Port]
_FACTORIES: dict[str, Factory] = {}
_hanging: dict[str, int] = {}
_lock = threading.Lock()


def register_port(name: str, factory: Factory) -> None:
    """Make a kind of SMS port available to the setting SMS_PORTS."""
    _FACTORIES[name] = factory


def sms_ports() -> list[Port]:
    """The configured SMS ports, the preferred first; empty: this installation sends no SMS. Raises ImproperlyConfigured."""
    unknown = sorted(set(settings.SMS_PORTS) - set(_FACTORIES))
    if unknown:
        raise ImproperlyConfigured(f"JIEQU_SMS_PORTS names {', '.join(unknown)}; known: {', '.join(sorted(_FACTORIES))}.")
    return [_FACTORIES[name]() for name in settings.SMS_PORTS]


def check(**_more: Any) -> list[Error]:
    """Django's system check: a port that does not exist is found at the start, not with the first message."""
    try:
        sms_ports()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="channels.E001")]
    return []


def of_http_status(status: int, *, provider_id: str = "") -> Outcome:
    """How an HTTP answer reads: 2xx accepted; 408, 425, 429 and 5xx pass; every other one is final."""
    if 200 <= status < 300:
        return Outcome(Result.ACCEPTED, provider_id)
    passing = status in {408, 425, 429} or status >= 500
    return Outcome(Result.TRY_LATER if passing else Result.REFUSED_PERMANENT, error=f"http_{status}")


def call(port: Port, message: Outgoing, address: str, key: str, *, deadline: float = SEND_DEADLINE_SECONDS) -> Outcome:
    """Call a port; whatever happens there, an Outcome within ``deadline`` seconds.

    Python cannot stop a thread, so one that hangs is left behind; after four such the port is not called until one returns.
    """
    if not port.is_remote:
        return _guarded(port, message, address, key)
    with _lock:
        if _hanging.get(port.name, 0) >= _HANGING_MAX:
            return Outcome(Result.TRY_LATER, error="hanging")
        _hanging[port.name] = _hanging.get(port.name, 0) + 1
    answer: list[Outcome] = []
    thread = threading.Thread(
        target=_in_thread, args=(answer, port, message, address, key), name=f"port-{port.name}", daemon=True
    )
    thread.start()
    thread.join(deadline)
    return answer[0] if answer else Outcome(Result.TRY_LATER, error="timeout")


def _in_thread(answer: list[Outcome], port: Port, message: Outgoing, address: str, key: str) -> None:
    try:
        answer.append(_guarded(port, message, address, key))
    finally:
        with _lock:
            _hanging[port.name] -= 1


def _guarded(port: Port, message: Outgoing, address: str, key: str) -> Outcome:
    """A port that raises has failed for a passing reason: nothing it does may lose a message."""
    try:
        outcome = port.send(message, address, key)
    except Exception as error:
        log.warning("port failed", extra={"port": port.name, "error": type(error).__name__})
        return Outcome(Result.TRY_LATER, error=type(error).__name__[:60])
    return outcome if isinstance(outcome, Outcome) else Outcome(Result.TRY_LATER, error="bad_answer")
