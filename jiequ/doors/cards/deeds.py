"""接单, 转办, 反馈 on a card: offered by the rules of the case, done by the services of the pages, refused as there.

A tap shows no second factor. So only seats that need none count, and what a desk's or a leader's seat may do stays on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.cases import services
from jiequ.cases.access import Standing, case_by_id
from jiequ.cases.models import Case
from jiequ.cases.words import STATES
from jiequ.channels.wecom.cards import MOST_OPTIONS, Button, Question
from jiequ.channels.wecom.deeds import Offer
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.people.queries import deputies, members
from jiequ.people.rules import Actor, needs_second_factor

ACCEPT, PASS_ON, COLLEAGUE = "acknowledge", "assign", "colleague"
BY_PAGE = frozenset({"acknowledge", "handle", "assist_done", "check_pass", "verify"})
"""Moves that end with proofs or a text: 反馈 opens the case's page in one tap, where they are given."""


class CaseDeeds:
    """The owner of cards about ``case:…``."""

    def offer(self, identifier: str, person: Person, *, at: datetime) -> Offer:
        """The buttons of the moves that are open to this person now; nothing to tap where there is none. Some five SELECTs."""
        actor = actor_on_phone(person, at=at)
        try:
            case = case_by_id(actor, int(identifier))
        except NotFound:
            return Offer()
        moves = set(Standing(actor, case).moves())
        question = _question(case, person, at=at) if PASS_ON in moves else None
        buttons = []
        if ACCEPT in moves:
            buttons.append(Button(ACCEPT, _("接单")))
        if question is not None:
            buttons.append(Button(PASS_ON, _("转办")))
        if buttons and moves & BY_PAGE:
            buttons.append(Button("", _("反馈"), url=settings.BASE_URL + reverse("cases:case", args=[case.number])))
        return Offer(tuple(buttons), question)

    def press(self, identifier: str, key: str, chosen: Mapping[str, str], person: Person, *, at: datetime) -> str:
        """Make the move as this person."""
        actor = actor_on_phone(person, at=at)
        case = case_by_id(actor, int(identifier))
        if key == ACCEPT:
            services.acknowledge(case, by=actor, at=at)
            return _("已接单")
        if key == PASS_ON:
            colleague = chosen.get(COLLEAGUE, "")
            if not (colleague.isascii() and colleague.isdigit()):
                raise Refusal("nobody_chosen", _("请先在卡片上选择转给谁，再点“转办”。"), facts={"field": COLLEAGUE})
            services.assign(case, person_id=int(colleague[:18]), by=actor, at=at)
            assert case.handler_id is not None
            return _("已转给%(name)s") % {"name": Person.objects.get(pk=case.handler_id).name}
        raise Refusal("unknown_button", _("这张卡片已经过时，请打开案件办理。"))

    def marks(self, identifiers: Sequence[str]) -> Mapping[str, int]:
        """The version of each case: it grows with every move that changes what may follow."""
        found = Case.objects.filter(pk__in=[int(one) for one in identifiers]).values_list("pk", "version")
        return {str(pk): version for pk, version in found}

    def stands(self, identifier: str, person: Person, *, at: datetime) -> str:
        """Where the case is now; a word that tells nothing where the person may not see it any more."""
        try:
            case = case_by_id(actor_on_phone(person, at=at), int(identifier))
        except NotFound:
            return _("不再由您办理")
        return _("案件现在是：%(state)s") % {"state": STATES[case.state]}


def actor_on_phone(person: Person, *, at: datetime) -> Actor:
    """The person with those seats that need no second factor: a tap on a card proves a WeCom account and nothing more."""
    actor = actor_for(person, at=at, is_strong=False)
    return replace(actor, seats=frozenset(seat for seat in actor.seats if not needs_second_factor([seat.role])))


def _question(case: Case, person: Person, *, at: datetime) -> Question | None:
    """To whom: the lead department's people who are there, without the reader and whoever has it already."""
    if case.lead_id is None:
        return None
    absent = deputies(at)
    there = [one for one in members(case.lead_id, at) if one.pk not in absent and one.pk not in (person.pk, case.handler_id)]
    if not there or len(there) > MOST_OPTIONS:
        return None
    return Question(COLLEAGUE, _("转给谁"), tuple((str(one.pk), one.name) for one in there))
