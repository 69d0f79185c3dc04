"""The orders of a source as plain values for the three rates, by the day on which they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jiequ.cases import clocks as c
from jiequ.cases.flow import State
from jiequ.cases.ledger import Verdict
from jiequ.cases.models import Case, CaseEvent

from ..models import Order, Source, Visit
from ..rules import OrderSight, heard_of

MOST_ORDERS = 50_000
CHUNK = 1000
_COLUMNS = ("pk", "lead_id", "state", "dispatched_at", "acknowledged_at", "merged_into_id", "clocks")


@dataclass(frozen=True, slots=True)
class Counted:
    """One order's case, and what is known of the order."""

    case_id: int
    sight: OrderSight


def sources_of(street_ids: Sequence[int]) -> list[Source]:
    """The sources whose orders may lie in these streets, by name. One SELECT."""
    rows = Source.objects.select_related("system__street").order_by("system__name")
    return [one for one in rows if one.system.street_id is None or one.system.street_id in street_ids]


def counted(source: Source, street_ids: Sequence[int], since: datetime, until: datetime) -> list[Counted]:
    """The orders that came in [since, until) to these streets. One SELECT, and three for each thousand of them."""
    rows = Order.objects.filter(source=source, state=Order.State.TAKEN, first_at__gte=since, first_at__lt=until)
    rows = rows.filter(case__street_id__in=street_ids).order_by("pk")
    found = list(rows.values_list("case_id", "due_at")[:MOST_ORDERS])
    return [one for i in range(0, len(found), CHUNK) for one in _sights(source, found[i : i + CHUNK])]


def _sights(source: Source, orders: Sequence[tuple[int, datetime | None]]) -> list[Counted]:
    cases, hosts = _cases([case_id for case_id, _due in orders])
    answered = _answered(list(cases))
    visits = _visits(source, list(cases))
    sights = []
    for own_id, due_at in orders:
        case_id = hosts[own_id]
        row = cases[case_id]
        clocks = c.load(row["clocks"])
        sight = OrderSight(
            department_id=row["lead_id"],
            is_returned=row["state"] == State.REJECTED,
            is_sent=row["dispatched_at"] is not None and row["lead_id"] is not None,
            is_accepted_ontime=_kept(clocks, c.ClockKind.ACCEPT),
            is_acknowledged_ontime=row["acknowledged_at"] is not None and _kept(clocks, c.ClockKind.ACKNOWLEDGE),
            answered_at=answered.get(case_id),
            due_at=clocks[c.ClockKind.OUTER].due_at if c.ClockKind.OUTER in clocks else due_at,
        )
        sights.append(Counted(case_id, _with_visit(sight, visits.get(case_id))))
    return sights


def _cases(ids: Sequence[int]) -> tuple[dict[int, Any], dict[int, int]]:
    """The cases' rows by id, and for each id the case it was merged into in the end (itself, mostly)."""
    rows: dict[int, Any] = {}
    wave = set(ids)
    while wave:
        rows |= {row["pk"]: row for row in Case.objects.filter(pk__in=wave).values(*_COLUMNS)}
        wave = {row["merged_into_id"] for row in rows.values() if row["merged_into_id"]} - rows.keys()
    hosts = {}
    for own_id in ids:
        host = own_id
        while rows[host]["merged_into_id"]:
            host = rows[host]["merged_into_id"]
        hosts[own_id] = host
    return rows, hosts


def _kept(clocks: c.Clocks, kind: c.ClockKind) -> bool:
    """True unless that clock counted more than its limit; a case without it has kept it."""
    clock = clocks.get(kind)
    return clock is None or (clock.condition == "stopped" and clock.counted <= clock.limit)


def _answered(ids: Sequence[int]) -> dict[int, datetime]:
    """When each case's result was first handed to the hotline: the question that asks to close it."""
    events = CaseEvent.objects.filter(case_id__in=ids, move="ask_hotline", facts__question="close").order_by("-pk")
    return dict(events.values_list("case_id", "at"))


def _visits(source: Source, ids: Sequence[int]) -> dict[int, Visit]:
    """The last call-back of each case."""
    rows = Visit.objects.filter(source=source, case_id__in=ids).defer("words_sealed").order_by("at", "pk")
    return {visit.case_id: visit for visit in rows}


MOST, LEAST = 5, 1
"""A satisfied and an unsatisfied caller on the scale of our own ratings: from where one is, each source says for itself."""


def call_backs_of(case_ids: Sequence[int]) -> dict[int, list[Verdict]]:
    """What the last call-back of each case came to, where it reached somebody: for the indicators. One SELECT."""
    rows = Visit.objects.filter(case_id__in=case_ids).select_related("source").defer("words_sealed").order_by("at", "pk")
    found: dict[int, list[Verdict]] = {}
    for visit in rows:
        is_heard, is_solved, is_satisfied = heard_of(
            visit.solved, visit.satisfaction, satisfied_from=visit.source.satisfied_from
        )
        said = Verdict(is_solved, MOST if is_satisfied else LEAST, is_by_phone=True, is_from_outside=True)
        found[visit.case_id] = [said] if is_heard else []
    return found


def _with_visit(sight: OrderSight, visit: Visit | None) -> OrderSight:
    if visit is None:
        return sight
    return replace(sight, is_visited=True, contacted=visit.contacted, solved=visit.solved, satisfaction=visit.satisfaction)
