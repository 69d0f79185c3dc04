"""Lists of cases and tasks: what waits for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from jiequ.core.prepared import Bind, Prepared
from jiequ.grid.rules import distance_m
from jiequ.people.rules import DEPARTMENT_ROLES, Actor, Role

from ..clocks import YELLOW_SHARE, Light
from ..flow import ENDED, State
from ..models import Case, CaseEvent, Proof, Task, TaskKind
from ..models.case import grounds
from .keyset import first_ids
from .line import Line
from .listing import (
    COUNTED,
    NAMED_RELATED,
    NAMED_UNREAD,
    PAGE,
    Filters,
    Page,
    case_page,
    named_whole,
    narrowed,
    page_of,
    row_of,
)
from .near import open_near

__all__ = ["COUNTED", "PAGE", "TRAYS", "Filters", "Page", "case_page", "named_whole", "narrowed", "page_of", "row_of"]

_MOST_TASKS = 200
_LIGHT_ORDER = {Light.RED: 0, Light.YELLOW: 1, Light.GREEN: 2, Light.PAUSED: 3, Light.NONE: 4}


def light_of(case: Case | Line, at: datetime) -> Light:
    """The lamp of a case at ``at``, from its two moments; no clock is read."""
    if case.state == State.SUSPENDED:
        return Light.PAUSED
    if case.state in ENDED:
        return Light.NONE
    return light_at(case.yellow_at, case.due_at, at)


def light_at(yellow_at: datetime | None, due_at: datetime | None, at: datetime) -> Light:
    """Green, yellow or red from the moments at which it changes."""
    if due_at is None:
        return Light.NONE
    if at > due_at:
        return Light.RED
    return Light.YELLOW if yellow_at is not None and at > yellow_at else Light.GREEN


@dataclass(frozen=True, slots=True)
class ToDo:
    """One line of 待办."""

    task: Task
    case: Case
    light: Light
    metres: float | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where something was confirmed; never a live position."""

    lon: float
    lat: float


def last_confirmed_stop(actor: Actor, at: datetime) -> Stop | None:
    """Where the actor last did something on a case today. One SELECT."""
    if actor.person_id is None:
        return None
    row = (
        CaseEvent.objects.filter(by_id=actor.person_id, at__gte=at - timedelta(hours=12), case__lon__isnull=False)
        .filter(move__in=["verify", "check_pass", "check_fail", "handle", "self_handle", "acknowledge"])
        .order_by("-id")
        .values_list("case__lon", "case__lat")
        .first()
    )
    return Stop(row[0] or 0.0, row[1] or 0.0) if row else None


def tasks_for(actor: Actor) -> QuerySet[Task]:
    """The open tasks addressed to the actor: to them, to a department of theirs, or to a role they hold there.

    A lead task that was assigned to somebody is that person's, and the department lead's.
    """
    wanted = Q(person_id__in=actor.person_ids)
    for seat in actor.seats:
        if seat.department_id is not None:
            of_department = Q(department_id=seat.department_id, person=None)
            if seat.role in DEPARTMENT_ROLES - {Role.DEPARTMENT_LEAD}:
                mine = Q(case__handler=None) | Q(case__handler_id__in=actor.person_ids)
                of_department &= ~Q(kind=TaskKind.LEAD) | mine
            wanted |= of_department
        else:
            of_role = Q(role=seat.role)
            wanted |= of_role if seat.street_id is None else of_role & Q(street_id=seat.street_id)
    if actor.has(Role.LEADER):
        wanted |= Q(role=Role.DUTY_LEADER, street_id__in=actor.streets(Role.LEADER))
    if actor.only_street is not None:
        wanted &= Q(street_id=actor.only_street)
    return Task.objects.filter(wanted, state=Task.State.OPEN)


def to_do(actor: Actor, *, at: datetime, only: Sequence[int] | None = None) -> list[ToDo]:
    """待办: by light, then by distance from the last confirmed stop, then by due time. Two SELECTs, at most 200 rows.

    ``only``: what is asked on these cases.
    """
    if actor.person_id is None:
        return []
    stop = last_confirmed_stop(actor, at)
    wanted = tasks_for(actor) if only is None else tasks_for(actor).filter(case__in=only)
    tasks = wanted.select_related(*(f"case__{name}" for name in NAMED_RELATED)).order_by("due_at", "id")
    rows = [_to_do(task, stop, at) for task in tasks.defer(*(f"case__{name}" for name in NAMED_UNREAD))[:_MOST_TASKS]]
    return sorted(rows, key=nearest_first)


def nearest_first(item: ToDo) -> tuple[int, float]:
    """By what 待办 is in order: the light, then the metres."""
    return _LIGHT_ORDER[item.light], item.metres if item.metres is not None else 1e9


def _to_do(task: Task, stop: Stop | None, at: datetime) -> ToDo:
    case = task.case
    light = light_of(case, at)
    if task.kind not in {TaskKind.LEAD, TaskKind.ASSIST} and task.due_at and light != Light.PAUSED:
        light = light_at(task.opened_at + (task.due_at - task.opened_at) * YELLOW_SHARE, task.due_at, at)
    metres = None
    if stop and case.lon is not None and case.lat is not None:
        metres = distance_m(stop.lon, stop.lat, case.lon, case.lat)
    return ToDo(task, case, light, metres)


def pending(actor: Actor, *, at: datetime, size: int = PAGE, only: Sequence[int] | None = None) -> list[Case]:
    """The leader's 待处理: what nobody has sent to a department yet, or what came back; urgent first, then the newest.

    ``only``: those of these cases. One SELECT.
    """
    waiting = [State.REPORTED, State.ACCEPTED, State.RETURNED, State.REOPENED]
    found = Case.objects.visible_to(actor).filter(state__in=waiting, is_suspect=False)
    if only is not None:
        return _PENDING(cases=found.filter(pk__in=only).values("pk"))[:size]
    return list(_most_urgent_first(found)[:size])


def _most_urgent_first(cases: QuerySet[Case]) -> QuerySet[Case]:
    return row_of(cases).order_by("-is_urgent", "-changed_at", "-id")


_PENDING = Prepared(lambda: _most_urgent_first(Case.objects.filter(pk__in=Bind("cases"))))


def _of(only: Sequence[int] | None, cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases if only is None else cases.filter(pk__in=only)


def strangers_may_see() -> QuerySet[Case]:
    """Open cases that whoever reports may be told of and join."""
    return Case.objects.filter(is_confidential=False, is_suspect=False).exclude(state__in=list(ENDED))


_SOME = 8
"""So many of the nearest are read at once with what a line shows: a few more than are shown, for those no stranger may see."""
_TOLD_NEAR = Prepared(lambda: row_of(strangers_may_see().filter(pk__in=Bind("cases"))))


def near_open(
    lon: float,
    lat: float,
    *,
    radius_m: float,
    event_type_id: int | None = None,
    without: Collection[int] = (),
    size: int = 5,
) -> list[tuple[Case, float]]:
    """Open cases near a point, of one type if asked, with metres, the nearest first; nothing that is hidden from strangers.

    ``without``: cases that stand there already. One SELECT of points, one of the lines that are shown (more only where many
    are hidden).
    """
    around = (one for one in open_near(lon, lat, radius_m) if one.pk not in without)
    order = [one for one in around if event_type_id in (None, 0, one.event_type_id)]
    found: list[tuple[Case, float]] = []
    while order and len(found) < size:
        some, order = order[:_SOME], order[_SOME:]
        shown = {case.pk: case for case in _TOLD_NEAR(cases=[one.pk for one in some])}
        found += [(shown[one.pk], one.metres) for one in some if one.pk in shown]
    return found[:size]


def recent_types(actor: Actor, *, size: int = 5) -> list[int]:
    """The event types the actor used last, for the top of the picker. One SELECT."""
    if actor.person_id is None:
        return []
    used = (
        Case.objects.filter(opened_by_id=actor.person_id, event_type__isnull=False)
        .order_by("-pk")
        .values_list("event_type_id", flat=True)[:50]
    )
    return [i for i in dict.fromkeys(used) if i is not None][:size]


@dataclass(frozen=True, slots=True)
class Tray:
    """One tray of the desk: a name, and the cases that lie in it."""

    key: str
    states: tuple[str, ...] = ()
    light: str = ""
    is_suspect: bool | None = None


TRAYS: tuple[Tray, ...] = (
    Tray("accept", (State.REPORTED, State.VERIFYING), is_suspect=False),
    Tray("dispatch", (State.ACCEPTED, State.REOPENED), is_suspect=False),
    Tray("returned", (State.RETURNED,)),
    Tray("work", (State.DISPATCHED, State.HANDLING, State.HANDLED, State.REWORK)),
    Tray("close", (State.CHECKING,)),
    Tray("suspended", (State.SUSPENDED,)),
    Tray("late", light=Light.RED),
    Tray("suspect", (State.REPORTED, State.VERIFYING), is_suspect=True),
)
"""What lies before a desk, tray by tray (受理, 分流, 退单, 在办, 结案, 挂账, 超期, 待甄别)."""


def tray_counts(actor: Actor, *, at: datetime) -> dict[str, int]:
    """How many cases lie in each tray. One SELECT."""
    counts = {tray.key: Count("pk", filter=_tray_filter(tray, at)) for tray in TRAYS}
    found: dict[str, int] = _before_the_desk(actor).aggregate(**counts)
    return found


def _before_the_desk(actor: Actor) -> QuerySet[Case]:
    """Open cases by the actor's seats, by a partial index. What they once opened elsewhere is in the list, not in a tray."""
    sight = Q(pk__in=())
    for ground in grounds(actor):
        if ground.is_desk or ground.departments:
            sight = sight | ground.where if ground.where else Q()
    return Case.objects.filter(sight, ended_at=None)


def _tray_filter(tray: Tray, at: datetime) -> Q:
    wanted = Q(state__in=tray.states) if tray.states else ~Q(state=State.SUSPENDED)
    if tray.light:
        wanted &= Q(due_at__lt=at)
    if tray.is_suspect is not None:
        wanted &= Q(is_suspect=tray.is_suspect)
    return wanted


def tray_page(actor: Actor, key: str, *, at: datetime, after: tuple[datetime, int] | None = None, size: int = PAGE) -> TrayPage:
    """A tray's cases, the one due first on top, those without a running clock last; keyset pages. Two SELECTs."""
    tray = tray_of(key)
    turn = F("changed_at") if tray.key == "suspended" else Coalesce("due_at", Value(NO_DUE))
    rows = _in_tray(actor, tray, at).annotate(turn=turn)
    if after is not None:
        moment, pk = after
        rows = rows.filter(Q(turn__gt=moment) | Q(turn=moment, pk__gt=pk))
    ids = first_ids([rows.order_by("turn", "pk").values_list("turn", "pk")], most=size + 1, columns=2)
    found = _in_turn(_TRAY(cases=ids), tray)
    more = found[size - 1] if len(found) > size else None
    return TrayPage(tray, found[:size], (turn_of(more, tray), more.pk) if more else None)


def _tray_rows(cases: QuerySet[Case]) -> QuerySet[Case]:
    return row_of(cases.order_by())


_TRAY = Prepared(lambda: _tray_rows(Case.objects.filter(pk__in=Bind("cases"))))


def tray_rows(actor: Actor, key: str, only: Sequence[int], *, at: datetime) -> TrayPage:
    """Those of these cases that lie in the tray, in its order. One SELECT."""
    tray = tray_of(key)
    return TrayPage(tray, _in_turn(_TRAY(cases=_in_tray(actor, tray, at).filter(pk__in=only).values("pk")), tray), None)


def tray_of(key: str) -> Tray:
    """The tray of that name, else the first."""
    return next((tray for tray in TRAYS if tray.key == key), TRAYS[0])


def _in_tray(actor: Actor, tray: Tray, at: datetime) -> QuerySet[Case]:
    return _before_the_desk(actor).filter(_tray_filter(tray, at))


def _in_turn(cases: Iterable[Case], tray: Tray) -> list[Case]:
    return sorted(cases, key=lambda case: (turn_of(case, tray), case.pk))


def turn_of(case: Case, tray: Tray) -> datetime:
    """By what a tray is in order: when its clock runs out, or since when it waits."""
    return case.changed_at if tray.key == "suspended" else case.due_at or NO_DUE


NO_DUE = datetime(9999, 1, 1, tzinfo=UTC)
"""Where no clock runs (checked and ready to close, planned work): after everything that is due."""


@dataclass(frozen=True, slots=True)
class TrayPage:
    """A page of a tray; ``next_after`` is the key of the following one."""

    tray: Tray
    rows: list[Case]
    next_after: tuple[datetime, int] | None


def lately_dispatched(actor: Actor, *, at: datetime, size: int = 10, only: Sequence[int] | None = None) -> list[Case]:
    """What was sent to a department within two days and is still at work, newest first, with open tasks' departments."""
    found = (
        _of(only, Case.objects.visible_to(actor))
        .filter(dispatched_at__gte=at - timedelta(days=2), lead__isnull=False)
        .exclude(state__in=list(ENDED))
    )
    tasks = Prefetch("tasks", queryset=Task.objects.filter(kind__in=["lead", "assist"]).select_related("department"))
    return list(row_of(found).prefetch_related(tasks).order_by("-dispatched_at", "-pk")[:size])


def first_photos(cases: Sequence[Case]) -> dict[int, Proof]:
    """The first photo of each case that has one. One SELECT."""
    return {proof.case_id: proof for proof in _PHOTOS(cases=[case.pk for case in cases])}


_PHOTOS = Prepared(lambda: Proof.objects.filter(case__in=Bind("cases"), picture__isnull=False).order_by("-pk"))
