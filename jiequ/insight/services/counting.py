"""Keeps ``CaseCount`` and ``DayFigure`` in step with the ledger.

``follow`` reads the timelines' new lines and counts their cases anew: what a case counted for before is taken off its days,
what it counts for now is put on. The check walks over every case, counts it again and adds every day up again; whatever it
finds wrong it puts right and says. Both run as jobs, one at a time (``_turn``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Max, Min

from jiequ.cases.ledger import LedgerCase
from jiequ.cases.queries import ledger
from jiequ.core.db import writing

from ..models import CaseCount, DayFigure, Group, Mark
from ..rules import BASIS_OF, NOTHING, OF_BASIS, Basis, Marks, marks_of, names_of

LINES, CASES = 500, 500
"""How many lines of timelines one round reads, and how many cases one step of the check."""
OVERLAP = 200
"""Lines read again each round: on PostgreSQL a line may be committed after one with a higher id."""

Cell = tuple[int, date, str, int, str]
"""Street, day, group, key, part."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a round did; ``is_behind``: there is more to read."""

    cases: int
    is_behind: bool


def follow(*, at: datetime) -> Followed:
    """One round: the cases of the next lines, counted anew. Nothing is written when nothing is new."""
    mark = _turn(at)
    if ledger.last_event_id() <= mark.event_id:
        Mark.objects.filter(pk=mark.pk).update(counted_at=at)
        return Followed(0, False)
    again, _last = ledger.changed_after(max(0, mark.event_id - OVERLAP), limit=OVERLAP) if mark.event_id else (set(), 0)
    fresh, last = ledger.changed_after(mark.event_id, limit=LINES)
    count(fresh | again)
    is_behind = last < ledger.last_event_id()
    changes = {"event_id": last} if is_behind else {"event_id": last, "counted_at": at}
    Mark.objects.filter(pk=mark.pk).update(**changes)
    return Followed(len(fresh), is_behind)


def _turn(at: datetime) -> Mark:
    """The mark, held for this transaction: an UPDATE first, so that two rounds never run at once."""
    if not Mark.objects.filter(pk=1).update(event_id=F("event_id")):
        Mark.objects.bulk_create([Mark(pk=1)], ignore_conflicts=True)
        Mark.objects.filter(pk=1).update(event_id=F("event_id"))
    return Mark.objects.get(pk=1)


def anew(case_ids: Iterable[int], *, at: datetime) -> int:
    """Count these cases anew for something that no line of their timeline tells; returns how many counted differently."""
    _turn(at)
    return count(case_ids)


def count(case_ids: Iterable[int]) -> int:
    """Count these cases anew; returns how many counted differently before. Seven SELECTs and at most four writes."""
    cases = ledger.ledger_of(case_ids)
    before = CaseCount.objects.in_bulk([case.case_id for case in cases])
    changed: list[CaseCount] = []
    moves: Counter[Cell] = Counter()
    for case in cases:
        fresh, old = _row(case), before.get(case.case_id)
        if old is not None and _same(old, fresh):
            continue
        changed.append(fresh)
        if old is not None:
            moves.subtract(_cells(old))
        moves.update(_cells(fresh))
    with writing():
        _store(changed, new={row.case_id for row in changed} - before.keys())
        _add(moves)
    return len(changed)


_FIELDS = ("parts", "event_type_id", "street_id", "community_id", "department_id", *(f"{basis}_on" for basis in Basis))


def _row(case: LedgerCase) -> CaseCount:
    marks: Marks = marks_of(case)
    days = {f"{basis}_on": marks.days.get(basis) for basis in Basis} if marks is not NOTHING else {}
    return CaseCount(
        case_id=case.case_id,
        parts=marks.parts,
        event_type_id=case.event_type_id,
        street_id=case.street_id,
        community_id=case.community_id,
        department_id=case.department_id,
        **days,
    )


def _same(one: CaseCount, other: CaseCount) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _FIELDS)


def _store(rows: Sequence[CaseCount], *, new: set[int]) -> None:
    CaseCount.objects.bulk_create([row for row in rows if row.case_id in new], batch_size=200)
    old = [row for row in rows if row.case_id not in new]
    CaseCount.objects.bulk_update(old, [name.removesuffix("_id") for name in _FIELDS], batch_size=50)


def _cells(row: CaseCount) -> list[Cell]:
    """Every cell of the day figures that the case is one of."""
    keys = _keys(row.department_id, row.community_id, row.event_type_id)
    cells = []
    for part in names_of(row.parts):
        day = getattr(row, f"{BASIS_OF[part]}_on")
        cells += [(row.street_id, day, group, key, part) for group, key in keys]
    return cells


def _keys(department_id: int | None, community_id: int | None, type_id: int | None) -> list[tuple[str, int]]:
    return [
        (Group.ALL.value, 0),
        (Group.DEPARTMENT.value, department_id or 0),
        (Group.COMMUNITY.value, community_id or 0),
        (Group.TYPE.value, type_id or 0),
    ]


def _add(moves: Counter[Cell]) -> None:
    """Put the differences on their days: one SELECT a street, then one write each for rows that are new and that change."""
    wanted: dict[tuple[int, date, str, int], dict[str, int]] = {}
    for (street, day, group, key, part), n in moves.items():
        if n:
            wanted.setdefault((street, day, group, key), {})[part] = n
    rows = _rows_of({(street, day) for street, day, _group, _key in wanted})
    new: list[DayFigure] = []
    old: list[DayFigure] = []
    touched: set[str] = set()
    for place, parts in wanted.items():
        row = rows.get(place)
        (old if row else new).append(row := row or DayFigure(street_id=place[0], day=place[1], group=place[2], key=place[3]))
        for part, n in parts.items():
            setattr(row, part, getattr(row, part) + n)
            touched.add(part)
    DayFigure.objects.bulk_create(new, batch_size=15)
    if old:
        DayFigure.objects.bulk_update(old, sorted(touched), batch_size=15)


def _rows_of(days: set[tuple[int, date]]) -> dict[tuple[int, date, str, int], DayFigure]:
    found: dict[tuple[int, date, str, int], DayFigure] = {}
    for street in {street for street, _day in days}:
        asked = [day for one, day in days if one == street]
        for start in range(0, len(asked), 300):
            rows = DayFigure.objects.filter(street_id=street, day__in=asked[start : start + 300])
            found |= {(row.street_id, row.day, row.group, row.key): row for row in rows}
    return found


# -- the full check --------------------------------------------------------------------------------------------------


def check_cases(*, at: datetime) -> bool:
    """One step of the walk over every case; True when the walk has come to the end (then ``check_days``)."""
    mark = _turn(at)
    ids = ledger.case_ids_after(mark.walked_to, limit=CASES)
    wrong = count(ids)
    is_first = mark.walked_to == 0
    Mark.objects.filter(pk=mark.pk).update(
        walked_to=ids[-1] if ids else 0,
        checked_cases=(0 if is_first else mark.checked_cases) + len(ids),
        checked_wrong=(0 if is_first else mark.checked_wrong) + wrong,
    )
    return len(ids) < CASES


SPAN = timedelta(days=7)
"""How many days one step of the check adds up again: the database is held for as long."""


def span_of(street_id: int) -> tuple[date, date] | None:
    """The first and last day on which anything of a street is counted; None if nothing is."""
    days = DayFigure.objects.filter(street_id=street_id).aggregate(first=Min("day"), last=Max("day"))
    ends = [days["first"], days["last"]]
    for basis in Basis:
        day = f"{basis}_on"
        found = CaseCount.objects.filter(street_id=street_id).aggregate(first=Min(day), last=Max(day))
        ends += [found["first"], found["last"]]
    known = [day for day in ends if day is not None]
    return (min(known), max(known)) if known else None


def check_days(street_id: int, since: date, *, at: datetime) -> int:
    """Add a street's days from ``since`` (``SPAN`` of them) up again; returns how many rows were wrong, and puts them right."""
    mark = _turn(at)
    wanted = recount(street_id, since, since + SPAN)
    wrong, fresh = 0, []
    with writing():
        for row in DayFigure.objects.filter(street_id=street_id, day__gte=since, day__lt=since + SPAN):
            parts = wanted.pop((row.day, row.group, row.key), {})
            if {name: n for name, n in _counts(row).items() if n} != parts:
                wrong += 1
                DayFigure.objects.filter(pk=row.pk).update(**{part: parts.get(part, 0) for part in BASIS_OF})
        for (day, group, key), parts in wanted.items():
            wrong += 1
            fresh.append(DayFigure(street_id=street_id, day=day, group=group, key=key, **parts))
        DayFigure.objects.bulk_create(fresh, batch_size=15)
        Mark.objects.filter(pk=mark.pk).update(checked_wrong=mark.checked_wrong + wrong)
    return wrong


def finish_check(*, at: datetime) -> None:
    """Write down that the walk is over."""
    Mark.objects.filter(pk=_turn(at).pk).update(checked_at=at, walked_to=0)


def recount(street_id: int, since: date, until: date) -> dict[tuple[date, str, int], dict[str, int]]:
    """A street's days from ``since`` to before ``until``, added up from the cases' rows alone: one SELECT a basis."""
    found: dict[tuple[date, str, int], Counter[str]] = {}
    for basis in Basis:
        day = f"{basis}_on"
        rows = CaseCount.objects.filter(street_id=street_id, **{f"{day}__gte": since, f"{day}__lt": until})
        grouped = rows.values_list(day, "department_id", "community_id", "event_type_id", "parts").annotate(n=Count("pk"))
        for on, department, community, type_id, parts, n in grouped.order_by().iterator():
            names = names_of(parts & OF_BASIS[basis])
            for group, key in _keys(department, community, type_id):
                found.setdefault((on, group, key), Counter()).update(dict.fromkeys(names, n))
    return {place: dict(parts) for place, parts in found.items() if parts}


def _counts(row: DayFigure) -> dict[str, int]:
    return {part: getattr(row, part) for part in BASIS_OF}
