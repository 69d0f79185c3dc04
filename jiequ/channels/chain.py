"""The chain of ways: which of them reach a reader, in which order, and which is asked next.

Staff are carried a copy of what lies in their inbox by the first way that reaches them; a resident by the ways of their
account, then by text message, then by telephone. A message keeps to its way until that way says no: two ways share no
idempotency key, so changing over after an unanswered call could show it twice. ``Message.trail`` remembers who said no.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField
from django.urls import reverse

from jiequ.core.prepared import Bind, Prepared
from jiequ.people.models import Person

from . import notices, ports, texts
from .models import Message, PortHealth
from .ports import Outcome, Outgoing, Port, Way

SMS = "sms"
PHONE = "tel"
PROBE = timedelta(seconds=10)
"""So long the others wait for the answer of the one that tries whether a way is back."""


class PhoneWay(Way):
    """A port for text messages as a way: to the phones of the roster, for urgent messages only (DOMAIN §5 rule 5)."""

    scheme = PHONE
    only_urgent = True

    def __init__(self, port: Port) -> None:
        self.port = port
        self.name = port.name
        self.is_remote = port.is_remote
        self.limits = getattr(port, "limits", ())

    def addresses_of(self, persons: Collection[int]) -> Mapping[int, str]:
        """The phone numbers of the roster."""
        return dict(Person.objects.filter(pk__in=list(persons)).exclude(phone="").values_list("pk", "phone"))

    def can_carry(self, message: Outgoing) -> bool:
        """Whether the provider has a form for it; a port that does not say takes every text."""
        asked: Callable[[Outgoing], bool] | None = getattr(self.port, "can_carry", None)
        return asked is None or asked(message)

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """Through the port."""
        return self.port.send(message, address, key)


@dataclass(frozen=True, slots=True)
class Hop:
    """A way that reaches the reader. ``step``: its name in JIEQU_WAYS; the ports of ``sms`` are one step."""

    step: str
    way: Way
    address: str


def steps() -> list[tuple[str, Way]]:
    """The configured ways by their step, in the order of the chain. Raises ImproperlyConfigured for an unknown port."""
    found: list[tuple[str, Way]] = []
    for step in settings.WAYS:
        if step == SMS:
            found += [(step, PhoneWay(port)) for port in ports.sms_ports()]
        elif (way := ports.way(step)) is not None:
            found.append((step, way))
    return found


def reached(persons: Iterable[int], *, is_urgent: bool) -> dict[int, str]:
    """Which of these members of staff some way reaches, and the first step that does. One query a way, none without a way."""
    found: dict[int, str] = {}
    left = set(persons)
    for step, way in steps():
        if left and (is_urgent or not way.only_urgent):
            found |= dict.fromkeys(way.addresses_of(left), step)
            left -= found.keys()
    return found


def hops(message: Message) -> list[Hop]:
    """The ways that reach the message's reader, in order, those that said no included."""
    if message.to_person_id is not None:
        return _to_staff(message, message.to_person_id)
    found = []
    if message.to_account_sealed:
        scheme, address = notices.unseal_account(message.to_account_sealed)
        found = [Hop(step, way, address) for step, way in steps() if way.scheme == scheme]
    if message.to_phone_sealed:
        phone = notices.unseal_phone(message.to_phone_sealed)
        found += [Hop(step, way, phone) for step, way in steps() if way.scheme == PHONE]
    return found


def _to_staff(message: Message, person_id: int) -> list[Hop]:
    found = []
    for step, way in steps():
        if message.is_urgent or not way.only_urgent:
            address = way.addresses_of([person_id]).get(person_id)
            if address:
                found.append(Hop(step, way, address))
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to ask now. Without a ``hop``: nobody, or nobody before ``rests_until``.

    ``passed``: steps that cannot, with why; ``has_more``: another step can be asked should this one say no; ``is_known``: there
    is a row of the way's health.
    """

    hop: Hop | None
    passed: tuple[tuple[str, str], ...] = ()
    has_more: bool = False
    rests_until: datetime | None = None
    is_known: bool = False


_HEALTH = Prepared(lambda: PortHealth.objects.filter(port__in=Bind("names", CharField())))


def choose(message: Message, outgoing: Outgoing, found: list[Hop], *, at: datetime) -> Choice:
    """The way this message goes by now: the step that was asked before and has not said no, else the first that is up.

    One that rests is passed over, unless it was asked already (it may have shown the message) or no other is up.
    """
    gone = {step for step, _why in message.trail}
    able = [hop for hop in found if hop.step not in gone and hop.way.can_carry(outgoing)]
    passed = {hop.step: "no_form" for hop in found if hop.step not in gone and hop not in able}
    asked = {hop.step for hop in able if hop.way.name == message.port and message.tries}
    health = {one.port: one for one in _HEALTH(names=[hop.way.name for hop in able])}
    rests: list[datetime] = []
    for hop in able:
        if asked and hop.step not in asked:
            continue
        state = health.get(hop.way.name)
        if _is_up(state, at=at):
            passed.pop(hop.step, None)
            has_more = any(other.step != hop.step and other.step not in passed for other in able)
            return Choice(hop, tuple(passed.items()), has_more, is_known=state is not None)
        assert state is not None
        rests.append(max(state.open_until or at, at + PROBE))
        passed[hop.step] = "rests"
    return Choice(None, tuple(passed.items()), rests_until=min(rests, default=None))


def _is_up(state: PortHealth | None, *, at: datetime) -> bool:
    """Whether a way may be called. One that has rested is tried by a single message first; the others wait for its answer."""
    if state is None or state.open_until is None:
        return True
    if state.open_until > at:
        return False
    if not state.is_tired:
        return True
    same = PortHealth.objects.filter(pk=state.pk, open_until=state.open_until)
    return bool(same.update(open_until=at + PROBE))


def outgoing(message: Message) -> Outgoing:
    """The message as a way is given it."""
    text = texts.render(message.template, message.facts, message.language)
    return Outgoing(
        text=texts.in_one(text, message.template, message.language),
        template=message.template,
        facts=dict(message.facts),
        language=message.language,
        title=text.title,
        url=settings.BASE_URL + page_of(message),
        is_urgent=message.is_urgent,
        about=message.about,
        is_again=message.tries > 0,
    )


Page = Callable[[str, Mapping[str, Any]], str]
_PAGES: dict[str, Page] = {}


def register_page(scheme: str, page: Page) -> None:
    """Say where a resident's message opens: ``page(about, facts)`` is a path of ours. ``scheme`` of the account it is sent to,
    "tel" for whoever has none."""
    _PAGES[scheme] = page


def page_of(message: Message) -> str:
    """The path that opens what the message is about: staff by their inbox, residents by the page of their account's kind."""
    if message.to_person_id is not None:
        return reverse("channels:go", args=[message.copy_of_id or message.pk])
    scheme = notices.unseal_account(message.to_account_sealed)[0] if message.to_account_sealed else PHONE
    page = _PAGES.get(scheme) or _PAGES.get(PHONE)
    return page(message.about, message.facts) if page else "/"
