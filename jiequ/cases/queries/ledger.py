"""The ledger for those who count: which cases changed since a mark, and each of them as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from .. import clocks as c
from ..ledger import ClockSight, LedgerCase, Verdict, Voice
from ..models import Case, CaseEvent, FilingCondition, Rating, Report

IMPORTED = "imported"
"""The one event of a historic order."""

_TELLING = ("light", "dispatch", "accept_dispatch", "undo", IMPORTED)
_COLUMNS = (
    *("pk", "street_id", "community_id", "event_type_id", "condition_id", "lead_id", "source", "state", "closing"),
    *("reported_at", "accepted_at", "dispatched_at", "acknowledged_at", "confirmed_at", "checked_at", "ended_at"),
    *("is_exempt", "reworks", "reopens", "clocks"),
)


def last_event_id() -> int:
    """The newest line of any timeline. One SELECT, by the primary key."""
    return int(CaseEvent.objects.aggregate(last=Max("pk"))["last"] or 0)


def changed_after(event_id: int, *, limit: int) -> tuple[set[int], int]:
    """The cases of the next ``limit`` lines after ``event_id``, and the last of those lines. One or two SELECTs.

    An unmerge sends reports home out of a case that gets no line of its own: that case is among them.
    """
    rows = list(CaseEvent.objects.filter(pk__gt=event_id).order_by("pk").values_list("pk", "case_id", "move")[:limit])
    found = {case_id for _pk, case_id, _move in rows}
    if parted := [pk for pk, _case, move in rows if move == "unmerge"]:
        numbers = CaseEvent.objects.filter(pk__in=parted).values_list("facts__out_of", flat=True)
        found |= _hosts([n for n in numbers if n])
    return found, rows[-1][0] if rows else event_id


def _hosts(numbers: Sequence[str]) -> set[int]:
    """The cases of these numbers, and those they were merged into since."""
    found: set[int] = set()
    wave = set(Case.objects.filter(number__in=numbers).values_list("pk", flat=True))
    while wave - found:
        found |= wave
        onward = Case.objects.filter(pk__in=wave, merged_into__isnull=False).values_list("merged_into_id", flat=True)
        wave = {pk for pk in onward if pk is not None}
    return found


def case_ids_after(case_id: int, *, limit: int) -> list[int]:
    """The next cases by id, for a walk over all of them. One SELECT."""
    return list(Case.objects.filter(pk__gt=case_id).order_by("pk").values_list("pk", flat=True)[:limit])


CallBacks = Callable[[Sequence[int]], Mapping[int, list[Verdict]]]
_call_backs: dict[str, CallBacks] = {}


def register_call_backs(source: str, heard: CallBacks) -> None:
    """Say what an outside system's call-backs came to, for cases that came from it: ``heard(ids)`` gives verdicts by case."""
    _call_backs[source] = heard


def ledger_of(case_ids: Iterable[int]) -> list[LedgerCase]:
    """These cases as they stand. Four SELECTs (and one of filing conditions, one of call-backs where any came from a hotline),
    whatever their number; at most 1,000 ids."""
    ids = sorted(case_ids)
    rows = list(Case.objects.filter(pk__in=ids).values(*_COLUMNS))
    voices, verdicts = _voices(ids), _verdicts(ids)
    for source, heard in _call_backs.items():
        if theirs := [row["pk"] for row in rows if row["source"] == source]:
            for case_id, said in heard(theirs).items():
                verdicts[case_id] += said
    told = _told(ids)
    checked = _needs_check({row["condition_id"] for row in rows if row["condition_id"]})
    return [
        _sight(row, told, voices=voices[row["pk"]], verdicts=verdicts[row["pk"]], needs_check=row["condition_id"] in checked)
        for row in rows
    ]


def _voices(ids: Sequence[int]) -> Mapping[int, list[Voice]]:
    found: dict[int, list[Voice]] = defaultdict(list)
    for case_id, source, at in Report.objects.filter(case_id__in=ids).order_by("pk").values_list("case_id", "source", "at"):
        found[case_id].append(Voice(source, at))
    return found


def _verdicts(ids: Sequence[int]) -> dict[int, list[Verdict]]:
    found: dict[int, list[Verdict]] = defaultdict(list)
    given = Rating.objects.filter(case_id__in=ids).order_by("pk")
    for case_id, solved, score, by in given.values_list("case_id", "is_solved", "satisfaction", "taken_by_id"):
        found[case_id].append(Verdict(solved, score, by is not None))
    return found


@dataclass(slots=True)
class _Told:
    """What the timelines say: clocks that went red (with the due moment then), departments sent to, and what is historic."""

    red: dict[int, set[tuple[str, str]]]
    leads: dict[int, list[int]]
    imported: set[int]


def _told(ids: Sequence[int]) -> _Told:
    found = _Told(defaultdict(set), defaultdict(list), set())
    events = CaseEvent.objects.filter(case_id__in=ids, move__in=_TELLING).order_by("pk")
    rows = list(events.values_list("pk", "case_id", "move", "department_id", "facts"))
    undone = {facts.get("undone") for _pk, _case, move, _department, facts in rows if move == "undo"}
    for pk, case_id, move, department_id, facts in rows:
        if pk in undone:
            continue
        if move == "light" and facts.get("mark") == "red":
            found.red[case_id].add((facts.get("clock", ""), facts.get("due", "")))
        elif move in {"dispatch", "accept_dispatch"} and department_id:
            found.leads[case_id].append(department_id)
        elif move == IMPORTED:
            found.imported.add(case_id)
    return found


def _needs_check(condition_ids: set[int]) -> set[int]:
    found = FilingCondition.objects.filter(pk__in=condition_ids, edition__needs_check=True)
    return set(found.values_list("pk", flat=True))


def _sight(
    row: Mapping[str, Any], told: _Told, *, voices: Sequence[Voice], verdicts: Sequence[Verdict], needs_check: bool
) -> LedgerCase:
    case_id = row["pk"]
    clocks = c.load(row["clocks"])
    handle = clocks.get(c.ClockKind.HANDLE)
    leads = told.leads[case_id]
    plain = {name: row[name] for name in _COLUMNS if name not in {"pk", "condition_id", "lead_id", "clocks"}}
    return LedgerCase(
        case_id=case_id,
        department_id=row["lead_id"],
        is_deferred=handle is not None and (handle.extensions > 0 or handle.suspensions > 0),
        is_imported=case_id in told.imported,
        needs_check=needs_check,
        departments=len(set(leads)),
        clocks={kind.value: _outcome(clock, told.red[case_id]) for kind, clock in clocks.items()},
        voices=tuple(voices),
        verdicts=tuple(verdicts),
        **plain,
    )


_FORGIVEN = frozenset({c.ClockKind.HANDLE, c.ClockKind.OUTER})
"""Clocks that may be given more time: red once and then extended is not late. The desk's own clocks are counted run by run."""


def _outcome(clock: c.Clock, red: set[tuple[str, str]]) -> ClockSight:
    """How a clock came out: late by its own count, or because its mark was made when it passed its limit."""
    due = clock.due_at.isoformat()
    went_red = any(kind == clock.kind and (clock.kind not in _FORGIVEN or then == due) for kind, then in red)
    is_past = clock.counted > clock.limit
    is_kept = clock.condition == "stopped" and clock.kind in _FORGIVEN and not is_past
    return ClockSight(due_at=clock.due_at, stopped_at=clock.stopped_at, is_late=is_past or (went_red and not is_kept))
