"""A button on a card was tapped: done once, for whom it was sent to, by the rules of the thing's owner; then it greys out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from jiequ.core import jobs
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.people.models import Person

from .. import deeds, queries
from ..models import Card
from ..rules import CARD_KEPT, CardState

log = logging.getLogger(__name__)
DRAW = "wecom.draw"
OUTCOME_MAX = 200
MOST_FOLLOWED, MOST_ASKED = 500, 2000


def tap(*, userid: str, task_id: str, key: str, chosen: Mapping[str, str], code: str, at: datetime) -> None:
    """One tap, in the caller's transaction. ``code`` is the event's own ``response_code``, for the answer on the card.

    A second tap does nothing again and shows what came of the first; a tap by anybody but the one the card was sent to moves
    nothing and says so to them alone.
    """
    card = Card.objects.filter(task_id=task_id).select_related("person").first()
    if card is None:
        log.info("a tap on a card we know nothing of")
        return
    person = queries.person_of(userid)
    if card.userid != userid or person is None or person.pk != card.person_id:
        with translation.override(person.language if person else card.language):
            _answer(card, userid, code, grey=_("只有收到这张卡片的人可以办理"), at=at)
        return
    with translation.override(person.language):
        _press(card, person, key, chosen, code, at=at)


def _press(card: Card, person: Person, key: str, chosen: Mapping[str, str], code: str, *, at: datetime) -> None:
    if not Card.objects.filter(pk=card.pk, state=CardState.OPEN).update(state=CardState.PRESSED):
        card.refresh_from_db()
        _answer(card, card.userid, code, grey=card.outcome, at=at)
        return
    owner = deeds.owner_of(card.about)
    try:
        if owner is None or at >= card.ends_at:
            raise Refusal("card_over", _("这张卡片已经过时，请打开案件办理。"))
        with writing():
            words = owner[0].press(owner[1], key, chosen, person, at=at)
    except Refusal as refusal:
        Card.objects.filter(pk=card.pk).update(state=CardState.OPEN)
        _answer(card, card.userid, code, note=_("没有办成：%(why)s") % {"why": str(refusal)}, at=at)
        return
    outcome = f"{words} {timezone.localtime(at):%H:%M}"[:OUTCOME_MAX]
    Card.objects.filter(pk=card.pk).update(outcome=outcome)
    _answer(card, card.userid, code, grey=outcome, at=at)


def _answer(card: Card, userid: str, code: str, *, at: datetime, grey: str = "", note: str = "") -> None:
    """Draw the card anew on that member's phone, in the background: grey with these words, or as it is with a note."""
    if code:
        args = {"card_id": card.pk, "userid": userid, "code": code, "grey": grey, "note": note[:OUTCOME_MAX]}
        jobs.enqueue(jobs.JobSpec(DRAW, args, run_at=at, key=f"{DRAW}:{card.pk}:{code[:80]}"))


def mark_drawn(card_id: int, *, is_grey: bool) -> None:
    """The phone shows it."""
    if is_grey:
        Card.objects.filter(pk=card_id, state=CardState.PRESSED).update(state=CardState.DRAWN)


def follow(*, at: datetime) -> int:
    """Grey out the cards whose buttons have become void since (somebody else took it, the case moved on); returns how many.

    Every open card is compared, by two numbers; the oldest of those whose thing has changed are asked about now, the rest next.
    """
    open_ones = Card.objects.filter(state=CardState.OPEN, ends_at__gt=at).exclude(response_code="").order_by("pk")
    rows = list(open_ones.values_list("pk", "about", "seen_version"))
    done = 0
    for prefix, owner in deeds.owners().items():
        ours = [(pk, about.partition(":")[2], seen) for pk, about, seen in rows if about.startswith(f"{prefix}:")]
        marks = _marks(owner, sorted({identifier for _pk, identifier, _seen in ours}))
        moved = {pk: marks.get(one, seen + 1) for pk, one, seen in ours if marks.get(one, seen + 1) > seen}
        chosen = Card.objects.filter(pk__in=list(moved)[:MOST_FOLLOWED], state=CardState.OPEN).select_related("person")
        done += sum(_follow(card, owner, moved[card.pk], at=at) for card in chosen.order_by("pk"))
    return done


def _marks(owner: deeds.Deeds, identifiers: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for first in range(0, len(identifiers), MOST_ASKED):
        found.update(owner.marks(identifiers[first : first + MOST_ASKED]))
    return found


def _follow(card: Card, owner: deeds.Deeds, mark: int, *, at: datetime) -> int:
    identifier = card.about.partition(":")[2]
    with translation.override(card.person.language):
        if owner.offer(identifier, card.person, at=at).is_tappable:
            Card.objects.filter(pk=card.pk).update(seen_version=mark)
            return 0
        words = owner.stands(identifier, card.person, at=at)
    if not Card.objects.filter(pk=card.pk, state=CardState.OPEN).update(state=CardState.PRESSED, outcome=words[:OUTCOME_MAX]):
        return 0
    _answer(card, card.userid, card.response_code, grey=words, at=at)
    return 1


def forget_cards(*, at: datetime) -> int:
    """Cards go a month after they were sent."""
    return Card.objects.filter(sent_at__lt=at - CARD_KEPT).delete()[0]
