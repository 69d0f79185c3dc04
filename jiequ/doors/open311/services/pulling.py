"""One round with another server: its new requests become our cases, its changes are noted on them, its tokens become numbers.

Everything is asked outside of transactions and stored row by row, each in a transaction of its own. Windows overlap, and a
request is known by its number there (``Mirror``, and ``Report.source_ref`` with it), so a round that is made twice stores once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.cases import services as cases
from jiequ.cases.access import case_by_id
from jiequ.cases.flow import ENDED
from jiequ.cases.models import Case, Source
from jiequ.cases.queries.types import type_choice
from jiequ.cases.services.intake import site_of
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from .. import foreign, models, wire
from ..models import Direction, Mirror, Partner, Run, SeenUpdate, Use
from ..rules import CLOSED, LONGEST_DESCRIPTION, moment, told
from ..talk import Talk, Trouble
from . import media, pushing

OVERLAP = timedelta(days=2)
FIRST_REACH = timedelta(days=30)
PAGE, MOST_PAGES = 100, 50
ASKED_AGAIN = 200
ROOM = 300  # characters of an address for numbers asked after
TOKEN_PATIENCE = timedelta(days=7)


@dataclass(slots=True)
class Round:
    """What one round came to."""

    partner: Partner
    at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    error: str = ""
    detail: str = ""

    def note(self, refusal: Refusal, request_id: str) -> None:
        """One row that could not be stored: the round goes on."""
        self.counts["refused"] += 1
        self.detail = self.detail or f"{request_id[:60]}: {refusal}"[:300]


def pull(partner: Partner, *, at: datetime, ended_at: datetime | None = None) -> Run:
    """Make a round and keep a line of it. A fault ends the round; the next one begins where this one did."""
    this, talk = Round(partner, at), Talk(partner)
    try:
        if partner.pulls:
            _new(this, talk)
        _changed(this, talk)
        _tokens(this, talk)
        if partner.has_updates:
            _updates(this, talk)
    except Trouble as trouble:
        this.error, this.detail = trouble.code, trouble.detail
    return close_round(this, "pull", ended_at or at)


def close_round(this: Round, kind: str, ended_at: datetime) -> Run:
    """A line for the administrator."""
    failures = this.partner.failures_in_row + 1 if this.error else 0
    with writing():
        Partner.objects.filter(pk=this.partner.pk).update(failures_in_row=min(failures, 30_000))
        return Run.objects.create(
            partner=this.partner,
            kind=kind,
            began_at=this.at,
            ended_at=max(ended_at, this.at),
            counts=dict(this.counts),
            error=this.error[:40],
            detail=this.detail[:300],
        )


# -- new ones ------------------------------------------------------------------------------------------------------------


def _new(this: Round, talk: Talk) -> None:
    """Every request since the last round, page by page; the span is remembered once all of it was read."""
    start = (this.partner.pulled_to - OVERLAP) if this.partner.pulled_to else this.at - FIRST_REACH
    for row in _pages(this, talk, "requests", start_date=told(start), end_date=told(this.at), extensions="true"):
        _take(this, row)
    Partner.objects.filter(pk=this.partner.pk).update(pulled_to=this.at)


def _pages(this: Round, talk: Talk, what: str, **query: str) -> Iterator[dict[str, Any]]:
    """The rows of all pages. A server that knows no pages answers the same again, and that is the end.

    What lies beyond the last page that we ask for is not read, and the round says so.
    """
    first = ""
    for page in range(1, MOST_PAGES + 1):
        rows = talk.get(what, **query, page=str(page), page_size=str(PAGE))
        head = str(rows[0]) if rows else ""
        if not rows or head == first:
            return
        first = first or head
        yield from rows
        if len(rows) < PAGE:
            return
    this.detail = this.detail or _("超过 %(n)d 条，其余的这一轮没有读") % {"n": MOST_PAGES * PAGE}


def _take(this: Round, row: dict[str, Any]) -> None:
    request_id = foreign.text(row, "service_request_id")[:100]
    if not request_id:
        this.counts["unnumbered"] += 1
        return
    known = Mirror.objects.filter(partner=this.partner, request_id=request_id).first()
    if known is not None:
        _compare(this, known, row)
        return
    try:
        _open(this, row, request_id)
    except Refusal as refusal:
        this.note(refusal, request_id)
    except IntegrityError:
        this.counts["known"] += 1  # another round took it meanwhile


def _open(this: Round, row: dict[str, Any], request_id: str) -> None:
    """A request that is new to us becomes a case, if it is still open, lies in the street, and is not left out by mapping."""
    partner = this.partner
    if foreign.text(row, "status").lower() == CLOSED:
        this.counts["closed_there"] += 1
        return
    if _is_ours_already(partner, row):
        this.counts["ours"] += 1
        return
    is_wanted, condition_id = meaning_of(partner, foreign.text(row, "service_code"))
    if not is_wanted:
        this.counts["left_out"] += 1
        return
    account = _account(partner, row, request_id, condition_id, this.at)
    if site_of(account.place, partner.street_id).street_id != partner.street_id:
        this.counts["elsewhere"] += 1
        return
    with writing():
        done = cases.report_case(street_id=partner.street_id, account=account, by=Actor.system(), at=this.at)
        Mirror.objects.create(
            partner=partner,
            request_id=request_id,
            direction=Direction.IN,
            state=Mirror.State.KNOWN,
            their_code=foreign.text(row, "service_code")[:100],
            their_status=foreign.text(row, "status").lower()[:20],
            notes_hash=fingerprint(foreign.text(row, "status_notes")),
            case=done.case,
            made_at=this.at,
            asked_at=this.at,
        )
        if url := _picture(row):
            media.ask(done.report, url, at=this.at)
    this.counts["new"] += 1


def _is_ours_already(partner: Partner, row: dict[str, Any]) -> bool:
    """True if they handed this matter to us: a server of our own kind tells the number it has here."""
    extension = row.get("extended_attributes")
    numbers = extension.get("elsewhere") if isinstance(extension, dict) else None
    if not isinstance(numbers, list) or not numbers:
        return False
    theirs = [wire.plain(str(one))[:40] for one in numbers[:20]]
    return Case.objects.filter(street_id=partner.street_id, number__in=theirs).exists()


def meaning_of(partner: Partner, their_code: str) -> tuple[bool, int | None]:
    """Whether a service of theirs is taken, and the filing condition it stands for (None: somebody looks at it).

    A type that was changed since is asked for anew: its condition of the same key, else no type.
    """
    found = models.Mapping.objects.filter(partner=partner, direction=Direction.IN, their_code=their_code).first()
    if found is None or found.use == Use.UNTYPED:
        return True, None
    if found.use == Use.LEAVE or found.event_type_id is None:
        return False, None
    choice = type_choice(found.event_type_id)
    conditions = {one.key: one.id for one in choice.conditions} if choice else {}
    return True, conditions.get(found.condition_key)


def _account(partner: Partner, row: dict[str, Any], request_id: str, condition_id: int | None, at: datetime) -> cases.Account:
    name = foreign.text(row, "service_name")
    words = foreign.text(row, "description") or name or _("对方没有写内容")
    if condition_id is None and name and name not in words:
        words = f"{name}：{words}"
    lat, lon = foreign.number(row, "lat"), foreign.number(row, "long")
    has_point = lat is not None and lon is not None and abs(lat) <= 90
    address = foreign.text(row, "address")[:200]
    return cases.Account(
        source=Source.OUTSIDE,
        words=words[:LONGEST_DESCRIPTION],
        place=cases.Place(lon, lat, "wgs84", words=address) if has_point else cases.Place(words=address),
        condition_id=condition_id,
        seen_at=_seen_at(row, at),
        system=f"open311-partner:{partner.pk}",
        source_ref=request_id,
        words_most=LONGEST_DESCRIPTION,
    )


def _seen_at(row: dict[str, Any], at: datetime) -> datetime | None:
    try:
        seen = moment(foreign.text(row, "requested_datetime"))
    except (ValueError, OverflowError):
        return None
    return seen if seen.year >= 2000 and seen <= at else None


def _picture(row: dict[str, Any]) -> str:
    """The address of a picture if it is one that may be called."""
    try:
        return media.checked(foreign.text(row, "media_url"))
    except Refusal:
        return ""


# -- what changed --------------------------------------------------------------------------------------------------------


def _changed(this: Round, talk: Talk) -> None:
    """Ask again after the ones that were open there, those first that were asked longest ago."""
    open_there = Mirror.objects.filter(partner=this.partner, state=Mirror.State.KNOWN).exclude(their_status=CLOSED)
    mirrors = {one.request_id: one for one in open_there.order_by("asked_at")[:ASKED_AGAIN]}
    for numbers in _lots(list(mirrors)):
        for row in talk.get("requests", service_request_id=",".join(numbers)):
            if mirror := mirrors.get(foreign.text(row, "service_request_id")):
                _compare(this, mirror, row)
        Mirror.objects.filter(partner=this.partner, request_id__in=numbers).update(asked_at=this.at)


def _lots(numbers: list[str]) -> Iterator[list[str]]:
    lot: list[str] = []
    for number in numbers:
        if lot and sum(len(one) + 3 for one in lot) + len(number) > ROOM:
            yield lot
            lot = []
        if "," not in number:
            lot.append(number)
    if lot:
        yield lot


def _compare(this: Round, mirror: Mirror, row: dict[str, Any]) -> None:
    """Note on our case what is new with theirs: another status, other notes. What we told them ourselves is no news."""
    status, notes = foreign.text(row, "status").lower()[:20], foreign.text(row, "status_notes")
    is_news = fingerprint(notes) != mirror.notes_hash and bool(notes) and not _is_ours(mirror, notes)
    if (not status or status == mirror.their_status) and not is_news:
        this.counts["known"] += 1
        return
    fields: dict[str, Any] = {
        "their_status": status or mirror.their_status,
        "notes_hash": fingerprint(notes),
        "asked_at": this.at,
    }
    with writing():
        Mirror.objects.filter(pk=mirror.pk).update(**fields)
        if mirror.their_status or is_news:  # the first status after a push is no change
            _note(mirror, _said(status if status != mirror.their_status else "", notes if is_news else ""), at=this.at)
    this.counts["changed"] += 1


def _said(status: str, notes: str) -> str:
    parts = [_("对方状态：%(status)s") % {"status": status}] if status else []
    return "。".join([*parts, *([_("对方说：%(notes)s") % {"notes": notes}] if notes else [])])


def _note(mirror: Mirror, text: str, *, at: datetime) -> None:
    """A line in our case's record, unless it has ended: then there is nobody to read it."""
    case = case_by_id(Actor.system(), mirror.case_id)
    if text and case.state not in ENDED:
        cases.note(case, text=text[:2000], by=Actor.system(), at=at)


def _updates(this: Round, talk: Talk) -> None:
    """Their updates since the last round, each noted once; those that we told them are left where they are."""
    partner = this.partner
    start = (partner.updates_to - OVERLAP) if partner.updates_to else this.at - OVERLAP
    mirrors = {one.request_id: one for one in Mirror.objects.filter(partner=partner, state=Mirror.State.KNOWN)}
    for row in _pages(this, talk, "servicerequestupdates", start_date=told(start), end_date=told(this.at)):
        mirror = mirrors.get(foreign.text(row, "service_request_id"))
        update_id, text = foreign.text(row, "update_id")[:100], foreign.text(row, "description")
        if mirror is not None and update_id:
            _one_update(this, mirror, update_id, foreign.text(row, "status").lower()[:20], text)
    Partner.objects.filter(pk=partner.pk).update(updates_to=this.at)


def _one_update(this: Round, mirror: Mirror, update_id: str, status: str, text: str) -> None:
    if SeenUpdate.objects.filter(mirror=mirror, update_id=update_id).exists() or _is_ours(mirror, text):
        return
    try:
        with writing():
            SeenUpdate.objects.create(
                mirror=mirror, update_id=update_id, said_hash=fingerprint(text), is_ours=False, at=this.at
            )
            news = status if status and status != mirror.their_status else ""
            if news:
                Mirror.objects.filter(pk=mirror.pk).update(their_status=status)
                mirror.their_status = status
            _note(mirror, _said(news, text), at=this.at)
    except IntegrityError:
        return
    this.counts["updates"] += 1


def _is_ours(mirror: Mirror, text: str) -> bool:
    return bool(text) and SeenUpdate.objects.filter(mirror=mirror, said_hash=fingerprint(text), is_ours=True).exists()


def fingerprint(text: str) -> str:
    """What was said, as a hash; "" for nothing."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


# -- tokens ----------------------------------------------------------------------------------------------------------------


def _tokens(this: Round, talk: Talk) -> None:
    """The numbers of pushes that were answered by a token; after a week without one somebody is told."""
    for mirror in Mirror.objects.filter(partner=this.partner, state=Mirror.State.TOKEN):
        try:
            rows = talk.get(f"tokens/{mirror.token}")
        except Trouble as trouble:
            if not trouble.is_final:
                raise
            rows = []
        request_id = foreign.text(rows[0], "service_request_id")[:100] if rows else ""
        if request_id:
            pushing.known(mirror, request_id, at=this.at)
            this.counts["numbered"] += 1
        elif this.at - mirror.made_at > TOKEN_PATIENCE:
            Mirror.objects.filter(pk=mirror.pk).update(state=Mirror.State.FAILED, error="no_number")
