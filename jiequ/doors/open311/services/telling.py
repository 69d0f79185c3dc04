"""What happens to mirrored cases here is told to the other side: the step in a reporter's words, open or closed.

Never what staff wrote to one another, and never back what the other side told us. A step waits until it can no longer be
undone. Told at least once, by the same ``update_id`` at each try.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, QuerySet

from jiequ.cases import words
from jiequ.cases.flow import ENDED
from jiequ.cases.models import Case, CaseEvent
from jiequ.cases.public_words import public
from jiequ.core.db import writing

from .. import foreign
from ..models import Mirror, Partner, Push, Run, SeenUpdate, TakenUpdate
from ..queries.requests import tellable
from ..queries.updates import TOLD
from ..rules import CLOSED, OPEN, told
from ..talk import Talk, Trouble
from . import pushing
from .pulling import Round, close_round, fingerprint

LOOK_BACK = 500
"""Numbers are given before commits: so many events are looked at again in each round."""
SETTLED = timedelta(seconds=75)
"""Undo is possible for at most sixty seconds (cases.policy)."""
BATCH = 200
FINAL_WORDS = frozenset({"close", "force_close", "reject", "cancel"})


def events_of(partner: Partner, *, at: datetime) -> QuerySet[CaseEvent]:
    """The events that may concern this partner and are settled."""
    theirs = TakenUpdate.objects.filter(event_id=OuterRef("pk"))
    after = max(0, partner.followed_to - LOOK_BACK)
    found = CaseEvent.objects.filter(~Exists(theirs), pk__gt=after, at__lte=at - SETTLED, case__street_id=partner.street_id)
    return found.order_by("pk")


def undone_among(events: list[CaseEvent]) -> set[int]:
    """Those that were taken back. One SELECT."""
    undos = CaseEvent.objects.filter(case_id__in={event.case_id for event in events}, move="undo")
    return {facts.get("undone") for facts in undos.values_list("facts", flat=True)}


def tell(partner: Partner, *, at: datetime, ended_at: datetime | None = None) -> Run | None:
    """Tell what is new, and have cases pushed whose type is mapped. None where there was nothing."""
    seen = list(events_of(partner, at=at)[: BATCH + LOOK_BACK])
    undone = undone_among(seen)
    events = [event for event in seen if event.pk not in undone]
    this = Round(partner, at, Counter())
    try:
        if partner.push == Push.MAPPED:
            with writing():
                this.counts["pushes"] += pushing.choose_by_type(partner, events, at=at)
        if partner.has_updates:
            _tell_all(this, events)
        newest = seen[-1].pk if seen else partner.followed_to
        Partner.objects.filter(pk=partner.pk, followed_to__lt=newest).update(followed_to=newest)
    except Trouble as trouble:
        this.error, this.detail = trouble.code, trouble.detail
    if not this.error and not +this.counts:
        return None
    return close_round(this, "tell", ended_at or at)


def _tell_all(this: Round, events: list[CaseEvent]) -> None:
    case_ids = {event.case_id for event in events if event.move in TOLD}
    cases = tellable(Case.objects.filter(pk__in=case_ids))
    mirrors = Mirror.objects.filter(partner=this.partner, state=Mirror.State.KNOWN, case__in=cases.values("pk"))
    by_case = {mirror.case_id: mirror for mirror in mirrors.select_related("case")}
    for event in events:
        mirror = by_case.get(event.case_id)
        if mirror is not None and event.move in TOLD and event.at >= mirror.made_at and event.move != "report":
            _tell_one(this, mirror, event)


def _tell_one(this: Round, mirror: Mirror, event: CaseEvent) -> None:
    own_id = f"{this.partner.street.code9}-{event.pk}"
    if SeenUpdate.objects.filter(mirror=mirror, update_id=own_id, is_ours=True).exists():
        return
    text = said_of(mirror, event)
    form = [
        ("service_request_id", mirror.request_id),
        ("update_id", own_id),
        ("updated_datetime", told(event.at)),
        ("status", CLOSED if event.state in ENDED else OPEN),
        ("description", text),
    ]
    came_to = "told"
    try:
        rows = Talk(this.partner).post("servicerequestupdates", form, key=f"jiequ-update-{own_id}")
    except Trouble as trouble:
        if not trouble.is_final:
            raise
        came_to, rows, this.detail = "refused", [], trouble.detail or trouble.code
    their_id = foreign.text(rows[0], "update_id")[:100] if rows else ""
    _remember(mirror, {own_id, their_id} - {""}, text, at=this.at)
    this.counts[came_to] += 1


def _remember(mirror: Mirror, ids: set[str], text: str, *, at: datetime) -> None:
    """Both numbers of it: ours, so that it is told once; theirs, so that it is no news when it comes back."""
    rows = [SeenUpdate(mirror=mirror, update_id=one, said_hash=fingerprint(text), is_ours=True, at=at) for one in sorted(ids)]
    try:
        with writing():
            SeenUpdate.objects.bulk_create(rows, ignore_conflicts=True)
    except IntegrityError:
        return


def said_of(mirror: Mirror, event: CaseEvent) -> str:
    """The step in a reporter's words; where the case ends, the reply that was written for whoever reported it."""
    text = str(words.FOR_REPORTER[event.move])
    reply = public(words.masked(mirror.case.reply)) if event.move in FINAL_WORDS else ""
    return f"{text}。{reply}" if reply else text
