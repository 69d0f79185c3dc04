"""The doors to the outside: what a way and a port are, which are configured, how one is called without being held up by it.

A *way* carries a message to a person (WeCom, a template of the official account, a text message); the ways stand in a chain.
A *port* is one provider of text messages; the way ``sms`` has as many as are configured. Both give each request a timeout of
their own (9 s at most) and hand ``key`` to the provider as idempotency key, so that a second try of the same message is shown
to its reader once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from jiequ.core.hands import Hands, TookTooLong

from .rules import KNOWN_WAYS, SEND_DEADLINE_SECONDS

log = logging.getLogger(__name__)
_HANGING_MAX = 4


class Result(StrEnum):
    """What became of one call. REFUSED_PERMANENT: not by this way (the next one is asked at once); TRY_LATER: it passes, or
    nobody knows whether it was shown and the provider shows a key once: the same way is tried again with the same key; UNKNOWN:
    nobody knows, and the provider takes no key: this way is never asked again."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REFUSED_PERMANENT = "refused_permanent"
    TRY_LATER = "try_later"
    UNKNOWN = "unknown"


class Again(StrEnum):
    """What a way makes of a message that it may have shown already."""

    SAME_KEY = "same_key"
    """The provider shows a key once, or is asked before a second try."""
    NEVER = "never"
    """The provider takes no key: a message is noted as unknown before it is handed over, and never handed over again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer. ``error`` is a short class of failure ("http_500", "45015"), never the provider's words; ``rest_seconds``: how
    long nobody need ask this way at all (its quota is used up)."""

    result: Result
    provider_id: str = ""
    error: str = ""
    rest_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a way is given: the rendered words and what they were made from (providers with templates want the latter).

    ``facts`` has at most ``number``, ``type`` (a name, or its names by language), ``grid`` and ``due`` (ISO 8601); ``url``
    opens the case in one tap, behind sign-in; ``about`` is its owner's reference ("case:12").
    """

    text: str
    template: str
    facts: dict[str, object]
    language: str
    title: str = ""
    url: str = ""
    is_urgent: bool = False
    about: str = ""
    is_again: bool = False
    """An earlier try got no answer and may have shown it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many messages in so many seconds; ``per`` is "account" (ours with the provider) or "address" (one reader)."""

    count: int
    seconds: int
    per: str = "account"


class Port(Protocol):
    """A provider of text messages. ``is_remote`` ports are called in a thread of their own, under a deadline."""

    name: str
    is_remote: bool

    def send(self, message: Outgoing, address: str, key: str) -> Outcome: ...


class Way:
    """One way to a person; subclass it and register a factory by ``register_way``. Instances hold no state of a call.

    An *address* is a string that only ways of one ``scheme`` understand: what follows the colon in an account ("17" of
    "wechat:17"), a user id of WeCom, a phone number.
    """

    name = ""
    """As the setting JIEQU_WAYS names it."""
    scheme = ""
    is_remote = True
    """Talks to a network: ``send`` is called in a thread of its own, in no transaction, under a deadline of 9 s."""
    only_urgent = False
    """Staff get only urgent messages by it."""
    limits: tuple[Limit, ...] = ()
    again = Again.SAME_KEY

    def addresses_of(self, persons: Collection[int]) -> Mapping[int, str]:
        """The addresses of these members of staff, by person id; whoever cannot be reached this way is left out. One query."""
        return {}

    def can_carry(self, message: Outgoing) -> bool:
        """False if this way has no form for the message (no template is set up for it): the next way is asked."""
        return True

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """Hand the message over. ``key`` (at most 160 characters) is the same at every try; the provider shows a key once,
        or ``again`` is NEVER. Several messages at a time, never two to one member of staff.

        May read and write the database in short transactions of its own; never calls the network inside one. What it raises
        counts as TRY_LATER (as UNKNOWN where ``again`` is NEVER).
        """
        raise NotImplementedError


Factory = Callable[[], Port]
WayFactory = Callable[[], Way | None]
_FACTORIES: dict[str, Factory] = {}
_WAYS: dict[str, WayFactory] = {}
_HANDS: dict[str, Hands] = {}


def register_port(name: str, factory: Factory) -> None:
    """Make a kind of SMS port available to the setting SMS_PORTS."""
    _FACTORIES[name] = factory


def register_way(name: str, factory: WayFactory) -> None:
    """Add a way to the chain, at its place in JIEQU_WAYS; ``factory`` gives None where it is not configured.

    Call it in ``AppConfig.ready``. The factory is asked for every message: keep clients and tokens outside of the way.
    """
    _WAYS[name] = factory


def way(name: str) -> Way | None:
    """The way of that name, if it is registered and configured."""
    return _WAYS[name]() if name in _WAYS else None


def sms_ports() -> list[Port]:
    """The configured SMS ports, the preferred first; empty: this installation sends no SMS. Raises ImproperlyConfigured."""
    unknown = sorted(set(settings.SMS_PORTS) - set(_FACTORIES))
    if unknown:
        raise ImproperlyConfigured(f"JIEQU_SMS_PORTS names {', '.join(unknown)}; known: {', '.join(sorted(_FACTORIES))}.")
    return [_FACTORIES[name]() for name in settings.SMS_PORTS]


def check(**_more: Any) -> list[Error]:
    """Django's system check: a way or port that does not exist is found at the start, not with the first message."""
    errors = []
    unknown = sorted(set(settings.WAYS) - KNOWN_WAYS - set(_WAYS))
    if unknown:
        known = ", ".join(sorted(KNOWN_WAYS))
        errors.append(Error(f"JIEQU_WAYS names {', '.join(unknown)}; known: {known}.", id="channels.E002"))
    try:
        sms_ports()
    except ImproperlyConfigured as error:
        errors.append(Error(str(error), id="channels.E001"))
    return errors


def of_http_status(status: int, *, provider_id: str = "") -> Outcome:
    """How an HTTP answer reads: 2xx accepted; 408, 425, 429 and 5xx pass; every other one is final."""
    if 200 <= status < 300:
        return Outcome(Result.ACCEPTED, provider_id)
    passing = status in {408, 425, 429} or status >= 500
    return Outcome(Result.TRY_LATER if passing else Result.REFUSED_PERMANENT, error=f"http_{status}")


def call(port: Port | Way, message: Outgoing, address: str, key: str, *, deadline: float = SEND_DEADLINE_SECONDS) -> Outcome:
    """Call a way or port; whatever happens there, an Outcome within ``deadline`` seconds.

    Python cannot stop a thread, so one that hangs is left behind; after four such it is not called until one returns.
    """
    if not port.is_remote:
        return _guarded(port, message, address, key)
    hands = _HANDS.setdefault(port.name, Hands(f"way {port.name}"))
    if hands.left_behind >= _HANGING_MAX:
        return Outcome(Result.TRY_LATER, error="hanging")
    try:
        outcome = hands.call(partial(_guarded, port, message, address, key), deadline)
    except TookTooLong:
        return Outcome(_unheard(port), error="timeout")
    assert isinstance(outcome, Outcome)
    return outcome


def _guarded(port: Port | Way, message: Outgoing, address: str, key: str) -> Outcome:
    """A port that raises has failed for a passing reason: nothing it does may lose a message."""
    try:
        outcome = port.send(message, address, key)
    except Exception as error:
        log.warning("port failed", extra={"port": port.name, "error": type(error).__name__})
        return Outcome(_unheard(port), error=type(error).__name__[:60])
    return outcome if isinstance(outcome, Outcome) else Outcome(_unheard(port), error="bad_answer")


def _unheard(port: Port | Way) -> Result:
    """What a call means of which nobody knows how it ended; a port for text messages has a key."""
    return Result.UNKNOWN if getattr(port, "again", Again.SAME_KEY) is Again.NEVER else Result.TRY_LATER
