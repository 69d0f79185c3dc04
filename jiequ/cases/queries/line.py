"""What a list needs of a case, read as one row: a page of fifty would else make three hundred model objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from jiequ.core.prepared import Bind, Prepared
from jiequ.grid.models import Community
from jiequ.people.models import Department

from ..models import Case, CaseQuerySet


@dataclass(slots=True)
class Line:
    """A case as one line: its own columns, and the names of its type, department and community in both languages."""

    pk: int
    number: str
    version: int
    state: str
    title: str
    source: str
    address: str
    is_urgent: bool
    voices: int
    is_promise_provisional: bool
    street_id: int
    lon: float | None
    lat: float | None
    reported_at: datetime
    yellow_at: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    changed_at: datetime
    major: str | None
    type_zh: str | None
    type_en: str | None
    lead_zh: str | None
    lead_en: str | None
    community_zh: str | None
    community_en: str | None


_NAMED = {
    "major": "condition__edition__major_code",
    "type_zh": "condition__edition__name_zh",
    "type_en": "condition__edition__name_en",
    "lead_zh": "lead__name_zh",
    "lead_en": "lead__name_en",
    "community_zh": "community__name_zh",
    "community_en": "community__name_en",
}
_OWN = tuple(one.name for one in fields(Line) if one.name not in _NAMED)
_COLUMNS = (*_OWN, *_NAMED.values())


_LINES = Prepared(lambda: Case.objects.filter(pk__in=Bind("cases")).order_by().values_list(*_COLUMNS))


def lines(ids: Sequence[int]) -> dict[int, Line]:
    """The lines of these cases, by id. One SELECT, none for none."""
    return {line.pk: line for line in _made(_LINES(cases=list(ids)))}


def lines_of(cases: CaseQuerySet) -> list[Line]:
    """A query of cases as lines, in its order. One SELECT."""
    return _made(cases.values_list(*_COLUMNS))


def _made(rows: Iterable[tuple[Any, ...]]) -> list[Line]:
    return [Line(*row) for row in rows]


def line_of(case: Case) -> Line:
    """The line of a case that is at hand with its type, department and community."""
    edition = case.condition.edition if case.condition_id and case.condition else None
    kind = (edition.major_code, edition.name_zh, edition.name_en) if edition else (None, None, None)
    lead, community = (case.lead if case.lead_id else None), (case.community if case.community_id else None)
    return Line(*[*(getattr(case, name) for name in _OWN), *kind, *_names(lead), *_names(community)])


def _names(thing: Department | Community | None) -> tuple[str | None, str | None]:
    return (thing.name_zh, thing.name_en) if thing else (None, None)
