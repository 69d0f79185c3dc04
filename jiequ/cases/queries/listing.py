"""The list of cases: filters as a query, keyset pages of the newest (or of what is due), and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.grid.models import GridMember, UnitGrid
from jiequ.people.rules import Actor

from .. import bigrams, search_index
from ..clocks import Light
from ..flow import ENDED, State
from ..models import Case, CaseEvent, CaseQuerySet, Report, Reporter, Task
from ..models.case import Ground, grounds
from .keyset import first_ids
from .line import Line, lines

Row = TypeVar("Row")
ROW_RELATED = ("condition__edition", "lead", "community")
ROW_UNREAD = ("clocks", "reply", "community__outline", "condition__required_proofs", "condition__edition__note")
NAMED_RELATED = (*ROW_RELATED, "street", "unit_grid", "event_type")
NAMED_UNREAD = (*ROW_UNREAD, "unit_grid__geometry")
PAGE = 50
COUNTED = 300
MINE = ("opened", "handled", "department")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty means no narrowing. ``numbers`` and ``terms`` are what a search box was understood as.

    ``department_id`` is the lead; with ``is_assist`` whoever was given a task. ``mine`` is one of MINE. ``last4_blind`` narrows
    to streets where the reader sits at the desk.
    """

    ids: Sequence[int] = ()
    states: Sequence[str] = ()
    light: str = ""
    event_type_id: int | None = None
    event_type_ids: Sequence[int] = ()
    department_id: int | None = None
    is_assist: bool = False
    community_id: int | None = None
    unit_grid: str = ""
    responsibility_grid_id: int | None = None
    street_id: int | None = None
    source: str = ""
    number: str = ""
    numbers: Sequence[str] = ()
    terms: Sequence[bigrams.Term] = ()
    last4_blind: str = ""
    finds_nothing: bool = False
    is_suspect: bool | None = None
    is_urgent: bool | None = None
    is_open: bool | None = None
    is_not_delivered: bool = False
    mine: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A keyset page; ``next_before`` and ``previous_after`` are the keys of its neighbours, None at the ends.

    ``count``: how many there are in all, at most COUNTED + 1; told with the first page only.
    """

    rows: list[Row]
    next_before: int | None = None
    previous_after: int | None = None
    count: int | None = None


def case_page(
    actor: Actor,
    filters: Filters,
    *,
    at: datetime,
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE,
    by_due: bool = False,
    is_counted: bool = False,
) -> Page[Line]:
    """Cases the actor may see, the newest first, from before ``before`` or up to ``after``. Two SELECTs.

    ``by_due``: open cases with a running clock, the one due first on top; ``before`` is then the last case of the page before.
    """
    return page_of(lines, actor, filters, at=at, before=before, after=after, size=size, by_due=by_due, is_counted=is_counted)


def page_of(
    read: Callable[[Sequence[int]], Mapping[int, Row]],
    actor: Actor,
    filters: Filters,
    *,
    at: datetime,
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE,
    by_due: bool = False,
    is_counted: bool = False,
) -> Page[Row]:
    """``case_page`` whose rows are read by ``read`` (ids → rows by id). One SELECT and its own."""
    if not 1 <= size <= 200:
        raise Refusal("bad_size", _("每页 1 至 200 条。"), facts={"field": "size"})
    counts = is_counted and before is None and after is None
    way = _Way(before=before, after=after, by_due=by_due)
    parts = _parts(actor, filters, way, at=at)
    columns = 2 if by_due else 1
    ids = first_ids(
        parts, most=COUNTED + 1 if counts else size + 1, columns=columns, is_descending=by_due == (after is not None)
    )
    more, count = len(ids) > size, len(ids) if counts else None
    ids = ids[:size] if after is None else ids[:size][::-1]
    found = read(ids)
    has_next, has_previous = (more, before is not None) if after is None else (True, more)
    return Page(
        rows=[found[pk] for pk in ids if pk in found],
        next_before=ids[-1] if ids and has_next else None,
        previous_after=ids[0] if ids and has_previous else None,
        count=count,
    )


def case_ids(actor: Actor, filters: Filters, *, at: datetime, most: int, by_due: bool = False) -> list[int]:
    """The ids of the first ``most`` cases of the list, in its order. One SELECT."""
    way = _Way(before=None, after=None, by_due=by_due)
    columns = 2 if by_due else 1
    return first_ids(_parts(actor, filters, way, at=at), most=most, columns=columns, is_descending=not by_due)


def row_of(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases with what ``queries.rows.row`` reads of them, and no more: outlines and clocks are long and stay where they are."""
    return cases.select_related(*ROW_RELATED).defer(*ROW_UNREAD)


def named_whole(cases: QuerySet[Case]) -> QuerySet[Case]:
    """The same with the street, the unit grid and the type: what a line for a file or a program names."""
    return cases.select_related(*NAMED_RELATED).defer(*NAMED_UNREAD)


def cases_in_order(ids: Sequence[int], *, size: int = 200) -> Iterator[Case]:
    """The cases of ids from ``case_ids``, read some at a time, with what a row of a file names."""
    rows = named_whole(Case.objects.all())
    for start in range(0, len(ids), size):
        found = rows.in_bulk(ids[start : start + size])
        yield from (found[pk] for pk in ids[start : start + size] if pk in found)


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a page begins and which way it reads."""

    before: int | None
    after: int | None
    by_due: bool = False

    @property
    def is_forward(self) -> bool:
        """Towards older cases (or later dues)."""
        return self.after is None

    def cut(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """The rows on this side of the page's beginning, in order, by the id in column ``name``."""
        if self.after is not None:
            return rows.filter(**{f"{name}__gt": self.after}).order_by(name)
        if self.before is not None:
            rows = rows.filter(**{f"{name}__lt": self.before})
        return rows.order_by(f"-{name}")

    def cut_by_due(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The same by due moment."""
        rows = rows.filter(ended_at=None, due_at__isnull=False)
        edge, sign = (self.before, "gt") if self.is_forward else (self.after, "lt")
        if edge is not None:
            due = Case.objects.filter(pk=edge).values_list("due_at", flat=True).first()
            rows = rows.filter(Q(**{f"due_at__{sign}": due}) | Q(due_at=due, **{f"pk__{sign}": edge}))
        return rows.order_by("due_at", "pk") if self.is_forward else rows.order_by("-due_at", "-pk")


def _parts(actor: Actor, filters: Filters, way: _Way, *, at: datetime) -> Iterable[QuerySet[Any]]:
    """One query for each ground, state and department: each can be read in order from an index of its own."""
    if filters.finds_nothing:
        return
    for ground in grounds(actor):
        if filters.last4_blind and not ground.is_desk:
            continue
        for one in _state_by_state(filters):
            if one.terms:
                yield _by_words(actor, ground, one, way, at=at)
            if one.numbers or not one.terms:
                yield from _by_column(actor, ground, one, way, at=at)


def _state_by_state(filters: Filters) -> list[Filters]:
    """With several states each is read by itself; of all open ones there are few, of all states none is a narrowing."""
    if filters.terms or len(filters.states) < 2 or not set(filters.states) & ENDED:
        return [filters]
    return [replace(filters, states=(state,)) for state in filters.states]


def _by_column(actor: Actor, ground: Ground, filters: Filters, way: _Way, *, at: datetime) -> Iterable[QuerySet[Any]]:
    cases = narrowed(Case.objects.all(), filters, at=at, actor=actor)
    if way.by_due:
        yield way.cut_by_due(cases.filter(ground.where)).values_list("due_at", "pk")
    elif ground.departments and not filters.numbers and not filters.ids:
        for department_id in ground.departments:
            of_them = Task.objects.filter(department_id=department_id)
            if cases.query.where:
                of_them = of_them.filter(Exists(cases.filter(pk=OuterRef("case_id"))))
            yield way.cut(of_them, "case_id").values_list("case_id").distinct()
    else:
        yield way.cut(cases.filter(ground.where), "pk").values_list("pk")


_SLACK = 64
"""Cases made at the same moment may have their reports in the other order: a page of a text search begins so much earlier."""


def _by_words(actor: Actor, ground: Ground, filters: Filters, way: _Way, *, at: datetime) -> QuerySet[Any]:
    """By the index over the words, read from the newest; the other filters are asked case by case."""
    scopes = [bigrams.scope("s", street_id) for street_id in ground.streets]
    found = search_index.matching(Report.objects.all(), filters.terms, scopes, is_newest_first=way.is_forward)
    edge, sign, name = (way.before, 1, "lt") if way.is_forward else (way.after, -1, "gt")
    if edge is not None:
        found = search_index.beyond(found, edge, slack=sign * _SLACK, is_newest_first=way.is_forward)
        found = found.filter(**{f"origin__{name}": edge})
    cases = narrowed(Case.objects.filter(ground.where), replace(filters, numbers=()), at=at, actor=actor)
    if cases.query.where and not (scopes and cases.query.where == Case.objects.filter(ground.where).query.where):
        found = found.filter(Exists(cases.filter(pk=OuterRef("origin_id"))))
    return found.values_list("origin_id")


def narrowed(cases: CaseQuerySet, filters: Filters, *, at: datetime, actor: Actor | None = None) -> CaseQuerySet:
    """The filters as a query, words apart; within the street that the actor's token is bound to, if it is."""
    where = Q() if actor is None or actor.only_street is None else Q(street_id=actor.only_street)
    if filters.ids:
        where &= Q(pk__in=list(filters.ids))
    if filters.states:
        where &= Q(state__in=list(filters.states)) if len(filters.states) > 1 else Q(state=filters.states[0])
    if filters.number:
        where &= Q(number=filters.number.strip().upper())
    if filters.numbers:
        where &= Q(number__in=list(filters.numbers))
    for name in ("event_type_id", "community_id", "street_id", "source", "is_suspect", "is_urgent"):
        value = getattr(filters, name)
        if value not in (None, ""):
            where &= Q(**{name: value})
    return _lit(cases.filter(where & _placed(filters) & _led(filters, actor)), filters.light, at)


def _placed(filters: Filters) -> Q:
    where = Q()
    if filters.event_type_ids:
        where &= Q(event_type__in=list(filters.event_type_ids))
    if filters.unit_grid:
        where &= Q(unit_grid__in=UnitGrid.objects.filter(code15=filters.unit_grid).values("pk"))
    if filters.responsibility_grid_id:
        members = GridMember.objects.filter(responsibility_grid=filters.responsibility_grid_id)
        where &= Q(unit_grid__in=members.values("unit_grid"))
    if filters.since:
        where &= Q(reported_at__gte=filters.since)
    if filters.until:
        where &= Q(reported_at__lt=filters.until)
    if filters.last4_blind:
        phones = Reporter.objects.filter(last4_blind=filters.last4_blind, erased_at=None)
        where &= Q(pk__in=Report.objects.filter(reporter__in=phones).values("case"))
    return where


def _led(filters: Filters, actor: Actor | None) -> Q:
    where = Q()
    if filters.department_id and filters.is_assist:
        where &= Q(Exists(Task.objects.filter(case=OuterRef("pk"), department_id=filters.department_id)))
    elif filters.department_id:
        where &= Q(lead_id=filters.department_id)
    if filters.is_open is not None:
        where &= Q(ended_at__isnull=filters.is_open)
    if filters.is_not_delivered:
        where &= Q(pk__in=CaseEvent.objects.filter(move="not_delivered").values("case"))
    if filters.mine and actor is not None:
        where &= _mine(filters.mine, actor)
    return where


def _mine(which: str, actor: Actor) -> Q:
    if which == "opened":
        return Q(opened_by_id=actor.person_id)
    if which == "handled":
        return Q(handler_id__in=sorted(actor.person_ids))
    return Q(lead_id__in=sorted(actor.departments()))


def _lit(cases: CaseQuerySet, light: str, at: datetime) -> CaseQuerySet:
    if not light:
        return cases
    if light == Light.PAUSED:
        return cases.filter(state=State.SUSPENDED)
    running = cases.filter(ended_at=None).exclude(state=State.SUSPENDED)
    if light == Light.RED:
        return running.filter(due_at__lt=at)
    if light == Light.YELLOW:
        return running.filter(due_at__gte=at, yellow_at__lt=at)
    return running.filter(yellow_at__gte=at)
