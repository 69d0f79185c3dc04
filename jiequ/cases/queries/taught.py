"""What the ledger hands down to the triage: its types, its confirmed cases and its dispatches, in keyset parts.

Nothing is kept there: triage fits from what it is handed and drops it. Undone moves teach nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from jiequ.people.models import Department
from jiequ.triage.services import CaseRow, DispatchRow, TypeFact, type_code

from ..flow import State
from ..models import Case, CaseEvent, Report
from ..taught import DEPARTMENT_TAUGHT, NOT_OURS, OTHER, TYPE_TAUGHT, WRONG_DEPARTMENT
from ..type_rules import IMPORTED_CODE
from .types import current_types

CHINESE = "zh-hans"
IMPORTED = "imported"
_FIRST_WORDS = Report.objects.filter(origin=OuterRef("pk")).exclude(words="").order_by("pk").values("words")[:1]
_CONFIRMED = CaseEvent.objects.filter(case=OuterRef("pk"), move__in=TYPE_TAUGHT).order_by("-pk")
_CASE = ("pk", "said", "event_type__kind", "event_type__code", "state", "street__code9", "community__code12", "source")


class Ledger:
    """``triage.feed.Feed`` over the cases of the installation."""

    def types(self) -> list[TypeFact]:
        """The types in force with the names of their filing conditions as hints."""
        return [
            TypeFact(type_code(kind.kind, kind.code), (major.name, kind.name), _hints(kind.name, kind.conditions))
            for major in current_types(CHINESE)
            for kind in major.types
        ]

    def names(self) -> dict[str, str]:
        """The types in force by code, in the reader's language."""
        return {type_code(kind.kind, kind.code): kind.name for major in current_types() for kind in major.types}

    def before_newest(self, most: int) -> int:
        """The id after which the newest ``most`` confirmed cases begin."""
        older = _confirmed().order_by("-pk").values_list("pk", flat=True)[most : most + 1]
        return next(iter(older), 0)

    def cases(self, after: int, size: int) -> list[CaseRow]:
        """Confirmed cases with words, and refused ones that were not ours. One SELECT."""
        rows = _confirmed().filter(pk__gt=after).order_by("pk")
        rows = rows.annotate(by=Subquery(_CONFIRMED.values("by_id")[:1]), chosen_at=Subquery(_CONFIRMED.values("at")[:1]))
        return [_case_row(row) for row in rows.values(*_CASE, "by", "chosen_at", "reported_at")[:size]]

    def latest(self, size: int) -> list[CaseRow]:
        """The newest reports that have words. One SELECT."""
        rows = Case.objects.annotate(said=Subquery(_FIRST_WORDS)).filter(said__isnull=False).order_by("-pk")
        return [_case_row(row) for row in rows.values(*_CASE, "reported_at")[:size]]

    def before_newest_dispatches(self, most: int) -> int:
        """The id after which the newest ``most`` dispatches and returns begin."""
        return next(iter(_steps().order_by("-pk").values_list("pk", flat=True)[most : most + 1]), 0)

    def dispatches(self, after: int, size: int) -> list[DispatchRow]:
        """Dispatches, returns for a wrong department, and imported orders with a unit. Three SELECTs."""
        events = _steps().filter(pk__gt=after)
        said = Report.objects.filter(origin=OuterRef("case")).exclude(words="").order_by("pk").values("words")[:1]
        rows = list(events.order_by("pk").annotate(said=Subquery(said)).values(*_EVENT)[:size])
        undone = _undone(row["case_id"] for row in rows)
        keys = dict(Department.objects.values_list("pk", "key"))
        return [_dispatch_row(row, keys, is_undone=row["pk"] in undone) for row in rows]

    def words(self, refs: Sequence[int]) -> dict[int, str]:
        """The words of the first report of each case that has any. One SELECT."""
        found: dict[int, str] = {}
        rows = Report.objects.filter(origin__in=list(refs)).exclude(words="").order_by("pk").values_list("origin_id", "words")
        for ref, words in rows:
            found.setdefault(ref, words)
        return found


def _hints(name: str, conditions: Iterable[Any]) -> str:
    return "，".join(dict.fromkeys(one.name for one in conditions if one.name != name))


def _confirmed() -> QuerySet[Case]:
    """Cases whose type a person chose, with words; the class "other" from refusals that say so."""
    filed = Q(accepted_at__isnull=False, event_type__isnull=False) & ~Q(event_type__code=IMPORTED_CODE)
    refused = Q(state=State.REJECTED, reason_code__in=NOT_OURS)
    told = Case.objects.annotate(said=Subquery(_FIRST_WORDS)).filter(said__isnull=False)
    return told.filter(filed | refused).exclude(state=State.CANCELLED)


def _steps() -> QuerySet[CaseEvent]:
    """Dispatches, returns and imported orders of cases that have a type."""
    events = CaseEvent.objects.filter(move__in=[*DEPARTMENT_TAUGHT, IMPORTED])
    return events.filter(Q(case__event_type__isnull=False) & ~Q(case__event_type__code=IMPORTED_CODE))


def _case_row(row: Mapping[str, Any]) -> CaseRow:
    is_refused = row["state"] == State.REJECTED
    code = type_code(row["event_type__kind"], row["event_type__code"]) if row["event_type__code"] else ""
    return CaseRow(
        ref=row["pk"],
        words=row["said"],
        type_code=OTHER if is_refused else code,
        street=row["street__code9"],
        community=row["community__code12"] or "",
        source=row["source"],
        at=row["reported_at"],
        by=str(row.get("by") or ""),
        chosen_at=row.get("chosen_at"),
    )


_EVENT = (
    *("pk", "case_id", "move", "reason_code", "department_id", "at", "said", "case__lead_id", "case__reported_at"),
    *("case__event_type__kind", "case__event_type__code", "case__street__code9", "case__community__code12", "case__source"),
)


def _undone(case_ids: Iterable[int]) -> set[int]:
    undo = CaseEvent.objects.filter(case_id__in=set(case_ids), move="undo")
    return set(undo.values_list("facts__undone", flat=True))


def _dispatch_row(row: Mapping[str, Any], keys: Mapping[int, str], *, is_undone: bool) -> DispatchRow:
    """One event; without a department where it teaches nothing (undone, or returned for another reason)."""
    is_import, is_return = row["move"] == IMPORTED, row["move"] == "return"
    is_void = is_undone or (is_return and row["reason_code"] not in WRONG_DEPARTMENT)
    department = row["case__lead_id"] if is_import else row["department_id"]
    return DispatchRow(
        ref=row["pk"],
        case_ref=row["case_id"],
        type_code=type_code(row["case__event_type__kind"], row["case__event_type__code"]),
        department="" if is_void else keys.get(department or 0, ""),
        is_return=is_return,
        street=row["case__street__code9"],
        community=row["case__community__code12"] or "",
        source=row["case__source"],
        at=row["case__reported_at"] if is_import else row["at"],
        words=row["said"] or "",
    )
