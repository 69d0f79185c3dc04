"""What is done in the background: the contacts page by page, cards drawn anew, cards that others made void, forgetting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.utils import translation

from jiequ.channels.client import ApiError
from jiequ.core.errors import Refusal
from jiequ.core.jobs import DeadJob, every, job, on_dead

from . import cards, config, deeds, platform, services
from .models import Card, Sync
from .services.contacts import SYNC
from .services.taps import DRAW

log = logging.getLogger(__name__)
LINE = "wecom"
CODE_IS_OVER = 42045


@job(SYNC, outside=True, timeout_seconds=20.0, line=LINE)
def read_contacts(*, sync_id: int, page: int, at: datetime) -> Callable[[], None] | None:
    """The departments, or a page of members; the next page is a job of its own."""
    sync = Sync.objects.filter(pk=sync_id, pages=page, ended_at=None).first()
    if sync is None:
        return None
    try:
        if page == 0:
            return partial(services.store_units, sync, platform.list_units(), at=at)
        members, cursor = platform.list_members(sync.cursor)
    except ApiError as fault:
        if fault.is_passing:
            raise
        return partial(services.end_sync, sync, error=fault.code, at=at)
    return partial(services.store_page, sync, members, cursor, at=at)


def give_up(dead: DeadJob, *, at: datetime) -> None:
    """A page that was tried in vain for hours: the pass is over."""
    sync = Sync.objects.filter(pk=dead.args["sync_id"]).first()
    if sync is not None:
        services.end_sync(sync, error="no_answer", at=at)


on_dead(give_up, kind=SYNC)


@every("wecom.contacts", daily_at="02:40")
def nightly(*, at: datetime) -> None:
    """A pass each night: pushed changes may be lost."""
    if config.syncs_contacts():
        try:
            services.begin_sync(by=None, at=at)
        except Refusal:  # one runs already
            return


@job(DRAW, outside=True, line=LINE)
def draw(*, card_id: int, userid: str, code: str, grey: str, note: str, at: datetime) -> Callable[[], None] | None:
    """Draw a card anew. The code is good once: when it is used up, it was drawn before a worker died."""
    card = Card.objects.filter(pk=card_id).select_related("person").first()
    if card is None or not config.is_on():
        return None
    try:
        platform.draw_again(code, userid, cards.greyed(grey) if grey else _anew(card, note, at=at))
    except ApiError as fault:
        if fault.is_passing:
            raise
        if fault.errcode != CODE_IS_OVER:
            log.warning("a card was not drawn anew", extra={"card": card_id, "error": fault.code})
    return partial(services.mark_drawn, card_id, is_grey=bool(grey))


def _anew(card: Card, note: str, *, at: datetime) -> dict[str, object]:
    """The same card with a note on it, and whatever may still be tapped."""
    said, owner = cards.Said.of(card.said, note=note), deeds.owner_of(card.about)
    with translation.override(card.person.language):
        offer = owner[0].offer(owner[1], card.person, at=at) if owner else deeds.Offer()
    if not offer.is_tappable:
        return cards.redrawn(cards.plain(said))
    return cards.redrawn(cards.with_buttons(said, offer.buttons, offer.question, task_id=card.task_id))


@every("wecom.follow", seconds=15)
def follow(*, at: datetime) -> None:
    """Cards that others made void grey out by themselves."""
    if config.is_on():
        services.follow(at=at)


@every("wecom.retention", daily_at="03:15")
def retention(*, at: datetime) -> None:
    """Forget old cards."""
    services.forget_cards(at=at)
