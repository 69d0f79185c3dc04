"""The rollup pyramid, kept in the transaction of every change of a case: one statement a transaction, none if no tile changes.

The statement is SQL of its own because the ORM's upsert can only overwrite (``bulk_create(update_conflicts=True)``), while a
count has to be added to; SQLite 3.35 and PostgreSQL 14 both read it. It runs last in its transaction (``core.db.at_the_end``)
and takes its rows in the order of their key, so that of two writers on one tile one waits for the other and never both.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from jiequ.core.db import at_the_end, writing
from jiequ.core.models import Street

from ..models import Case, EventType, Rollup
from ..pyramid import MAJOR_LENGTH, ZOOMS, Cell, Place, RowKey, Sums, cells, class_of, counted, group_of

log = logging.getLogger("jiequ.cases")

Key = tuple[int, int, int, str, int | None]  # street, zoom, tile, state group, event type
Change = tuple[Place, int]  # a place, and how many cases more lie there

MOST_ROWS = 3000  # eight parameters a row: SQLite takes 32,766 in a statement

_ADD = """INSERT INTO cases_rollup (street_id, zoom, tile, state_group, type_group, count, east, south)
SELECT street_id, zoom, tile, state_group, type_group, SUM(more), SUM(east), SUM(south)
FROM (
    SELECT v.column1 AS street_id, v.column2 AS zoom, v.column3 AS tile, v.column4 AS state_group,
           COALESCE(SUBSTR(t.kind, 1, 1) || SUBSTR(t.code, 1, {major}), '') AS type_group,
           v.column6 AS more, v.column7 AS east, v.column8 AS south
    FROM (VALUES {rows}) AS v LEFT JOIN cases_eventtype t ON t.id = CAST(v.column5 AS BIGINT)
) AS one
GROUP BY street_id, zoom, tile, state_group, type_group
HAVING SUM(more) <> 0 OR SUM(east) <> 0 OR SUM(south) <> 0
ORDER BY street_id, zoom, tile, state_group, type_group
ON CONFLICT (street_id, zoom, tile, state_group, type_group) DO UPDATE
SET count = cases_rollup.count + excluded.count,
    east = cases_rollup.east + excluded.east,
    south = cases_rollup.south + excluded.south
"""


def place_of(case: Case) -> Place | None:
    """Where the case is counted; None without a point."""
    if case.q18 is None:
        return None
    return Place(case.street_id, group_of(case.state), case.event_type_id, case.q18)


def moved(before: Place | None, after: Place | None) -> None:
    """A case that was counted at ``before`` belongs to ``after`` now. Call inside the transaction that changed it."""
    if before != after:
        at_the_end(_add, *[(place, more) for place, more in ((before, -1), (after, 1)) if place])


def count_in(cases: Iterable[Case]) -> None:
    """Count freshly stored cases: for importers, who write many at once. One statement a transaction (3,000 rows each)."""
    at_the_end(_add, *[(place, 1) for place in map(place_of, cases) if place])


def count_in_places(places: Iterable[Place]) -> None:
    """The same, where there are no case objects."""
    at_the_end(_add, *[(place, 1) for place in places])


def _add(changes: Sequence[Change]) -> None:
    rows = sorted(_summed(changes).items(), key=lambda row: (*row[0][:4], row[0][4] or 0))
    for start in range(0, len(rows), MOST_ROWS):
        chunk = rows[start : start + MOST_ROWS]
        sql = _ADD.format(major=MAJOR_LENGTH, rows=", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(chunk)))
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for key, sums in chunk for value in (*key, *sums)])


def _summed(changes: Iterable[Change]) -> dict[Key, list[int]]:
    """(count, east, south) by key; what cancels out is left out."""
    found: dict[Key, list[int]] = {}
    for place, more in _merged(changes):
        for cell in cells(place.q18):
            sums = found.setdefault(_key(place, cell), [0, 0, 0])
            sums[0] += more
            sums[1] += more * cell.east
            sums[2] += more * cell.south
    return {key: sums for key, sums in found.items() if any(sums)}


def _merged(changes: Iterable[Change]) -> list[Change]:
    merged: Counter[Place] = Counter()
    for place, more in changes:
        merged[place] += more
    return [(place, more) for place, more in merged.items() if more]


def _key(place: Place, cell: Cell) -> Key:
    return place.street_id, cell.zoom, cell.tile, place.group, place.type_id


# ---- the recount


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount of one street found: rows that are right, rows that are not, cases on the map."""

    street: Street
    right: int
    wrong: int
    cases: int


def recount(*, repair: bool, street_id: int | None = None) -> list[Recount]:
    """Count every street (or one) anew and compare; with ``repair`` put right what differs, and remove rows without a case.

    A street at a time, so that a writer waits for the fraction of a second that one street takes.
    """
    streets = Street.objects.order_by("pk") if street_id is None else Street.objects.filter(pk=street_id)
    found = [_recount(street, repair=repair) for street in streets]
    for one in found:
        if one.wrong:
            log.error("rollup of street %d: %d rows differed from a recount", one.street.pk, one.wrong)
    return found


def _recount(street: Street, *, repair: bool) -> Recount:
    with writing():
        _keep_writers_out()
        true, stored = _counted(street.pk), _stored(street.pk)
        every, nothing = true.keys() | stored.keys(), (0, 0, 0)
        wrong = {key for key in every if true.get(key, nothing) != stored.get(key, nothing)}
        if repair:
            _put_right(street.pk, wrong, true)
    cases = sum(sums[0] for key, sums in true.items() if key[0] == ZOOMS[-1])
    return Recount(street, len(every) - len(wrong), len(wrong), cases)


def _keep_writers_out() -> None:
    """Nobody adds while a street is compared. SQLite's one writer at a time does that by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE cases_rollup IN SHARE ROW EXCLUSIVE MODE")


def _counted(street_id: int) -> dict[RowKey, Sums]:
    classes = {pk: class_of(kind, code) for pk, kind, code in EventType.objects.values_list("pk", "kind", "code")}
    rows = Case.objects.filter(street_id=street_id, q18__isnull=False).order_by()
    return counted(rows.values_list("state", "event_type", "q18").annotate(n=Count("pk")).iterator(), classes)


def _stored(street_id: int) -> dict[RowKey, Sums]:
    rows = Rollup.objects.filter(street_id=street_id).values_list(
        "zoom", "tile", "state_group", "type_group", "count", "east", "south"
    )
    return {row[:4]: row[4:] for row in rows.iterator()}


def _put_right(street_id: int, wrong: set[RowKey], true: dict[RowKey, Sums]) -> None:
    rows = [
        Rollup(
            street_id=street_id,
            **dict(zip(("zoom", "tile", "state_group", "type_group"), key, strict=True)),
            **dict(zip(("count", "east", "south"), true.get(key, (0, 0, 0)), strict=True)),
        )
        for key in sorted(wrong)
    ]
    Rollup.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["street", "zoom", "tile", "state_group", "type_group"],
        update_fields=["count", "east", "south"],
        batch_size=1000,
    )
    Rollup.objects.filter(street_id=street_id, count=0, east=0, south=0).delete()
