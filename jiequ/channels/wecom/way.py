"""The first way of the chain to a member of staff: a card of the application, with buttons where something may be tapped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from jiequ.channels.client import ApiError
from jiequ.channels.ports import Limit, Outcome, Outgoing, Result, Way
from jiequ.core import clock
from jiequ.people.models import Person

from . import cards, config, deeds, platform, queries, rules
from .models import Card

IS_SHOWN = 42016
"""This task id was sent before: the card is on the phone, the answer was lost. (The emulator's; the real one is unseen.)"""
NOT_THEIRS = frozenset({81013, 60111, 40031, 301007})
"""No such member, or outside the application's sight: the next way is asked."""
REST_SECONDS = {45009: 60, 45033: 5}


class WecomWay(Way):
    """Cards of the application to members that stand for one of ours."""

    name = "wecom"
    scheme = "wecom"
    limits = (Limit(rules.A_MINUTE_EACH, 60, "address"), Limit(rules.A_MINUTE_ALL, 60))

    def addresses_of(self, persons: Collection[int]) -> Mapping[int, str]:
        """Their user ids. One SELECT."""
        return queries.userids(persons)

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """A card, once a key: its task id and WeCom's own check for the same words see to that."""
        person = queries.person_of(address)
        if person is None:
            return Outcome(Result.REFUSED_PERMANENT, error="no_member")
        at = clock.now()
        with translation.override(message.language):
            card, row = drawn(message, person, address, key, at=at)
        if row is not None:
            Card.objects.bulk_create(
                [row], ignore_conflicts=True
            )  # before it is on the phone: a tap may be faster than the mark
        try:
            answer = platform.send_card(card, address)
        except ApiError as fault:
            outcome = _failed(fault)
            if row is not None and outcome.result is Result.REFUSED_PERMANENT:
                Card.objects.filter(task_id=row.task_id).delete()
            return outcome
        if address.lower() in str(answer.get("invaliduser", "")).lower().split("|"):
            return Outcome(Result.REFUSED_PERMANENT, error="no_member")
        if row is not None and answer.get("response_code"):
            Card.objects.filter(task_id=row.task_id).update(response_code=str(answer["response_code"])[:200])
        return Outcome(Result.DELIVERED, provider_id=str(answer.get("msgid", ""))[:120])


def make() -> Way | None:
    """For the chain: the way, where a corporation is set."""
    return WecomWay() if config.is_on() else None


def drawn(message: Outgoing, person: Person, userid: str, key: str, *, at: datetime) -> tuple[dict[str, object], Card | None]:
    """The card's body, and our row of it if it has buttons that come back."""
    owner, said = deeds.owner_of(message.about), _said(message)
    if owner is None:
        return cards.plain(said), None
    mark = owner[0].marks([owner[1]]).get(owner[1], 0)  # before the offer: a move between the two voids the card
    offer = owner[0].offer(owner[1], person, at=at)
    if not offer.is_tappable:
        return cards.plain(said), None
    row = Card(
        task_id=rules.task_id(key, userid),
        key=key,
        about=message.about,
        said=asdict(said),
        language=message.language,
        seen_version=mark,
        userid=userid,
        person=person,
        sent_at=at,
        ends_at=at + rules.CARD_LIFE,
    )
    return cards.with_buttons(said, offer.buttons, offer.question, task_id=row.task_id), row


def _said(message: Outgoing) -> cards.Said:
    """Number, type, grid and due time; everything else is behind the page it opens."""
    facts, rows = message.facts, []
    kind = facts.get("type")
    name = kind if isinstance(kind, str) else (kind or {}).get(message.language, "") if isinstance(kind, Mapping) else ""
    due = parse_datetime(str(facts["due"])) if facts.get("due") else None
    for label, value in (
        (_("编号"), facts.get("number")),
        (_("类型"), name),
        (_("网格"), facts.get("grid")),
        (_("时限"), date_format(timezone.localtime(due), "n月j日 H:i") if due else ""),  # data
    ):
        if value:
            rows.append((label, str(value)))
    title = message.title or message.text
    return cards.Said(title[:80], "" if rows else message.text[:300], message.url or settings.BASE_URL, tuple(rows))


def _failed(fault: ApiError) -> Outcome:
    if fault.errcode == IS_SHOWN:
        return Outcome(Result.DELIVERED, error="shown_before")
    if fault.is_passing:
        return Outcome(Result.TRY_LATER, error=fault.code, rest_seconds=REST_SECONDS.get(fault.errcode or 0, 0))
    return Outcome(Result.REFUSED_PERMANENT, error="no_member" if fault.errcode in NOT_THEIRS else fault.code)
