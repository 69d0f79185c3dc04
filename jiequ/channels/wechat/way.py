"""The account's three ways in the chain: a template message, a subscription notice to whoever has admitted one, then a
customer-service message while a window is open."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q

from jiequ.channels.client import ApiError
from jiequ.channels.ports import Again, Limit, Outcome, Outgoing, Result, Way
from jiequ.core.clock import now
from jiequ.core.numbers import whole

from . import config, rules
from .models import Follower
from .platform_words import OPEN
from .rules import FormKind
from .services import followers, grants, saying, sending

DAILY_QUOTA, MINUTE_QUOTA = 45009, 45011
TEMPLATES_A_DAY = 100_000


class _ToFollowers(Way):
    """An address is a follower's id."""

    scheme = config.CHANNEL

    def addresses_of(self, persons: Collection[int]) -> Mapping[int, str]:
        """The followers whom the roster ties to these persons."""
        rows = Follower.objects.filter(self._reached(), person__in=list(persons), appid=settings.WECHAT_APPID)
        return {person_id: str(pk) for person_id, pk in rows.values_list("person_id", "pk")}

    def _reached(self) -> Q:
        return Q(is_following=True)

    def _follower(self, address: str) -> Follower | None:
        """Whoever the address names, if they follow still."""
        number = whole(address)
        if number is None:
            return None
        return Follower.objects.filter(pk=number, appid=settings.WECHAT_APPID, is_following=True).first()


class TemplateWay(_ToFollowers):
    """A template message; its delivery is told later by TEMPLATESENDJOBFINISH."""

    name = "wechat_template"
    limits = (Limit(TEMPLATES_A_DAY, 24 * 3600),)

    def can_carry(self, message: Outgoing) -> bool:
        """Whether some form of ours can be filled with it."""
        return sending.filled_for(message, at=now()) is not None

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """Under a key that the platform shows once."""
        at, follower = now(), self._follower(address)
        found = sending.filled_for(message, at=at)
        if follower is None or found is None:
            return Outcome(Result.REFUSED_PERMANENT, error="no_form" if follower else "not_following")
        try:
            number = sending.send_template(follower, found, url=message.url, key=key)
        except ApiError as fault:
            if fault.errcode in rules.NOT_REACHED:
                followers.lose(follower.pk, at=at)
            return _outcome(fault)
        return Outcome(Result.ACCEPTED, provider_id=number)


class SubscriptionWay(_ToFollowers):
    """A subscription notice, to whoever has admitted one; its delivery is told later by ``subscribe_msg_sent_event``.

    The platform takes no key for these, so there is no second try: one without an answer counts as used up and unknown.
    """

    name = grants.PORT
    again = Again.NEVER

    def _reached(self) -> Q:
        return Q(is_following=True, grants__in=grants.usable())

    def can_carry(self, message: Outgoing) -> bool:
        """Whether some subscription template can be filled with it."""
        return sending.filled_for(message, at=now(), kind=FormKind.SUBSCRIPTION) is not None

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """By a template that the reader has admitted, which is used up."""
        follower = self._follower(address)
        if follower is None:
            return Outcome(Result.REFUSED_PERMANENT, error="not_following")
        found = sending.filled_for(message, at=now(), kind=FormKind.SUBSCRIPTION, of=grants.granted_to(follower))
        if found is None:
            return Outcome(Result.REFUSED_PERMANENT, error="no_grant")
        try:
            return Outcome(Result.ACCEPTED, provider_id=grants.send(follower, found, url=message.url))
        except grants.NotGranted:
            return Outcome(Result.REFUSED_PERMANENT, error="no_grant")
        except ApiError as fault:
            if fault.errcode in rules.NOT_REACHED:
                followers.lose(follower.pk, at=now())
            return Outcome(Result.UNKNOWN, error=fault.code) if fault.may_have_happened else _outcome(fault)


class ServiceWay(_ToFollowers):
    """A customer-service message, only while a window is open. The platform takes no key, so there is no second try."""

    name = "wechat_service"
    again = Again.NEVER

    def _reached(self) -> Q:
        at = now()
        return Q(is_following=True) & (Q(message_until__gt=at, message_left__gt=0) | Q(touch_until__gt=at, touch_left__gt=0))

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """The words and a link. What the platform accepted while the window was open is delivered: it tells nothing more."""
        follower = self._follower(address)
        if follower is None:
            return Outcome(Result.REFUSED_PERMANENT, error="not_following")
        try:
            saying.send_now(follower, _text(message), at=now())
        except saying.NotSaid as refused:
            return Outcome(Result.REFUSED_PERMANENT, error=refused.code)
        except saying.Unheard as lost:
            return Outcome(Result.UNKNOWN, error=str(lost))
        except ApiError as fault:
            return _outcome(fault)
        return Outcome(Result.DELIVERED)


def _text(message: Outgoing) -> dict[str, Any]:
    """The platform shows ``<a href>`` in texts; the words themselves are escaped."""
    words, more = html.escape(message.text, quote=False), OPEN.get(message.language, OPEN["zh-hans"])
    link = f'\n<a href="{html.escape(message.url)}">{more}</a>' if message.url else ""
    return {"msgtype": "text", "text": {"content": rules.shortened(words)[:1500] + link}}


def _outcome(fault: ApiError) -> Outcome:
    code = str(fault.errcode) if fault.errcode is not None else fault.code
    if fault.errcode == DAILY_QUOTA:
        return Outcome(Result.REFUSED_PERMANENT, error=code, rest_seconds=int(rules.next_day(now()).total_seconds()))
    if fault.errcode == MINUTE_QUOTA:
        return Outcome(Result.TRY_LATER, error=code, rest_seconds=60)
    return Outcome(Result.TRY_LATER if fault.is_passing else Result.REFUSED_PERMANENT, error=code)


def make_template() -> Way | None:
    """Where an account is configured."""
    return TemplateWay() if config.is_on() else None


def make_subscription() -> Way | None:
    """Where an account is configured."""
    return SubscriptionWay() if config.is_on() else None


def make_service() -> Way | None:
    """Where an account is configured."""
    return ServiceWay() if config.is_on() else None
