"""交接班: what one shift of a street's desk leaves to the next, drafted from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from jiequ.channels.queries import lost_messages, open_call_backs
from jiequ.people.rules import Actor, Role

from ..flow import ENDED, State
from ..models import Case, Handover, Report, WatchItem
from .listing import row_of

AT_HAND = (Role.ACCEPTOR, Role.DUTY_LEADER, Role.DISPATCHER, Role.LEADER)
"""Who sits at a street's desk in turns."""
MOST_OF_A_KIND = 50
OFFERED_FOR = timedelta(hours=24)
SECTIONS = ("urgent", "call_backs", "late", "soon", "watch", "undelivered")
_OF_A_CASE = "case:"


def street_of(actor: Actor) -> int | None:
    """The street whose desk the actor sits at; the home one first, None for somebody of the whole district."""
    streets = actor.streets(*AT_HAND)
    return actor.street_id if actor.street_id in streets else min(streets, default=None)


def draft(actor: Actor, street_id: int, *, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Section → cases as they stand now, the one due first on top, at most fifty of a kind. Eight SELECTs."""
    running = Case.objects.visible_to(actor).filter(street_id=street_id).exclude(state__in=[*ENDED, State.SUSPENDED])
    asked = Report.objects.filter(street_id=street_id, wants_call=True).exclude(case__state__in=list(ENDED))
    calls = _case_ids(call.about for call in open_call_backs(actor, limit=MOST_OF_A_KIND) if call.street_id == street_id)
    lost = _case_ids(told.about for told in lost_messages(actor, limit=MOST_OF_A_KIND) if told.street_id == street_id)
    watched = watch_list(street_id)
    found = {
        "urgent": running.filter(is_urgent=True),
        "call_backs": Case.objects.visible_to(actor).filter(Q(pk__in=calls) | Q(pk__in=asked.values("case"))),
        "late": running.filter(due_at__lt=at),
        "soon": running.filter(due_at__gte=at, yellow_at__lt=at),
        "watch": Case.objects.visible_to(actor).filter(pk__in=[item.case_id for item in watched]),
        "undelivered": Case.objects.visible_to(actor).filter(pk__in=lost),
    }
    why = {item.case_id: item.text for item in watched}
    return {name: [_line(case, why if name == "watch" else {}) for case in _first(cases)] for name, cases in found.items()}


def _case_ids(abouts: Iterable[str]) -> list[int]:
    return [int(about.removeprefix(_OF_A_CASE)) for about in abouts if about.startswith(_OF_A_CASE)]


def _first(cases: Any) -> Any:
    in_order = cases.filter(street__isnull=False).order_by(F("due_at").asc(nulls_last=True), "pk")
    return in_order.only("number", "state", "due_at")[:MOST_OF_A_KIND]


def _line(case: Case, why: Mapping[int, str]) -> dict[str, Any]:
    line = {"case": case.pk, "number": case.number, "state": case.state}
    return line | ({"why": why[case.pk]} if case.pk in why else {})


def watch_list(street_id: int) -> list[WatchItem]:
    """What the street's desk keeps an eye on, the oldest first. One SELECT."""
    return list(WatchItem.objects.filter(street_id=street_id, off_at=None).order_by("pk")[:MOST_OF_A_KIND])


def watched(case: Case) -> WatchItem | None:
    """Why the case stands on the watch list; None if it does not. One SELECT."""
    return WatchItem.objects.filter(case=case, off_at=None).select_related("put_by").first()


def notes_of(street_ids: Iterable[int], *, before: int | None = None, size: int = 20) -> list[Handover]:
    """A page of the notes of these streets, newest first. One SELECT."""
    rows = Handover.objects.filter(street_id__in=list(street_ids)).select_related("given_by", "taken_by").order_by("-pk")
    return list((rows.filter(pk__lt=before) if before else rows)[:size])


def left_for(actor: Actor, *, at: datetime) -> Handover | None:
    """The newest note that waits for somebody of the actor's desk to take it over. One SELECT; None for one's own."""
    streets = actor.streets(*AT_HAND)
    if not streets:
        return None
    rows = Handover.objects.filter(street_id__in=streets, given_at__gte=at - OFFERED_FOR).select_related("given_by")
    newest = rows.order_by("-pk").first()
    return newest if newest and newest.taken_at is None and newest.given_by_id != actor.person_id else None


def cases_in(actor: Actor, note: Mapping[str, Any]) -> dict[int, Case]:
    """The cases a note names, as they stand now, for those of them the reader may see. One SELECT."""
    ids = {line["case"] for lines in note.values() for line in lines}
    return {case.pk: case for case in row_of(Case.objects.visible_to(actor).filter(pk__in=ids))}
