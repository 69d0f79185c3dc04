"""What is supervised: lights, urges and their answers, samples, returns, repeated matters. Each figure is a set of cases.

A *matter* is a name for such a set; its number on a board is the length of the list that it opens, because both come from
``matter``. All of it is by street, department, community and type, never by person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from jiequ.channels.queries import lost_abouts
from jiequ.core.models import Street
from jiequ.core.numbers import wholes
from jiequ.people.rules import Actor

from ..clocks import Light
from ..flow import OPEN, State
from ..models import Case, CaseEvent, CaseQuerySet, Rating, Task, TaskKind
from ..policy import Policy
from .lists import named_whole, row_of, tasks_for

PAGE = 50
OPEN_STATES = sorted(OPEN)
"""With ``ended_at=None`` the index ``case_open_board`` is read street by street, state by state: open cases alone."""
_WITH_LIGHT = sorted(OPEN - {State.SUSPENDED})
LIGHT_KEYS = (Light.RED.value, Light.YELLOW.value, Light.GREEN.value, Light.PAUSED.value, Light.NONE.value)
GROUPS = {"department": "lead_id", "community": "community_id", "type": "event_type_id"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and when: the streets, and a period for what has happened. ``actor`` for what waits for the reader."""

    street_ids: tuple[int, ...]
    since: datetime
    until: datetime
    at: datetime
    actor: Actor
    bounce: Mapping[int, int] = field(default_factory=dict)  # each street's bounce limit
    repeat: Mapping[int, int] = field(default_factory=dict)


def scope_of(streets: Sequence[Street], *, since: datetime, until: datetime, at: datetime, actor: Actor) -> Scope:
    """A scope over these streets with each one's own limits."""
    policies = {street.pk: Policy.of(street.settings) for street in streets}
    return Scope(
        street_ids=tuple(policies),
        since=since,
        until=until,
        at=at,
        actor=actor,
        bounce={pk: policy.bounce_limit for pk, policy in policies.items()},
        repeat={pk: policy.repeat_urge for pk, policy in policies.items()},
    )


def _open(scope: Scope, states: Sequence[str] = OPEN_STATES) -> CaseQuerySet:
    return Case.objects.filter(street_id__in=scope.street_ids, state__in=states, ended_at=None)


def lit(light: str, at: datetime) -> Q:
    """The open cases that show a light at ``at``; together they are all open cases, each once."""
    if light == Light.PAUSED:
        return Q(state=State.SUSPENDED)
    running = Q(state__in=_WITH_LIGHT)
    if light == Light.RED:
        return running & Q(due_at__lt=at)
    if light == Light.YELLOW:
        return running & Q(due_at__gte=at, yellow_at__lt=at)
    if light == Light.GREEN:
        return running & Q(due_at__gte=at) & (Q(yellow_at__gte=at) | Q(yellow_at=None))
    return running & Q(due_at=None)


def lights(scope: Scope) -> dict[str, dict[int, dict[str, int]]]:
    """Open cases by light: group → key (0: none) → light → how many; the group ``all`` has the key 0. One SELECT."""
    columns = tuple(GROUPS.values())
    counts = {light: Count("pk", filter=lit(light, scope.at)) for light in LIGHT_KEYS}
    found: dict[str, dict[int, dict[str, int]]] = {
        group: defaultdict(lambda: dict.fromkeys(LIGHT_KEYS, 0)) for group in ("all", *GROUPS)
    }
    for row in _open(scope).values(*columns).annotate(**counts).order_by():
        keys = {"all": 0} | {group: row[column] or 0 for group, column in GROUPS.items()}
        for group, key in keys.items():
            for light in LIGHT_KEYS:
                found[group][key][light] += row[light]
    return {group: dict(rows) for group, rows in found.items()}


def _asked(kind: str, **more: Any) -> Exists:
    return Exists(Task.objects.filter(case=OuterRef("pk"), kind=kind, **more))


def _cases_of(tasks: Any) -> CaseQuerySet:
    return Case.objects.filter(pk__in=tasks.values("case_id"))


def _tasks(scope: Scope, kind: str, **more: Any) -> Any:
    return Task.objects.filter(street_id__in=scope.street_ids, kind=kind, **more)


def _done_in(scope: Scope) -> dict[str, Any]:
    return {"state": Task.State.DONE, "done_at__gte": scope.since, "done_at__lt": scope.until}


def _urge_open(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.URGE, state=Task.State.OPEN))


def _urge_overdue(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.URGE, state=Task.State.OPEN, due_at__lt=scope.at))


def _urge_answered(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.URGE, **_done_in(scope)))


def _sample_open(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.SAMPLE, state=Task.State.OPEN)).filter(state=State.CLOSED)


def _sample_sound(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.SAMPLE, outcome="sound", **_done_in(scope)))


def _sample_unsound(scope: Scope) -> CaseQuerySet:
    return _cases_of(_tasks(scope, TaskKind.SAMPLE, outcome="unsound", **_done_in(scope)))


def _returns(scope: Scope) -> Any:
    return CaseEvent.objects.filter(
        move="return", at__gte=scope.since, at__lt=scope.until, case__street_id__in=scope.street_ids
    )


def _returned(scope: Scope) -> CaseQuerySet:
    return _open(scope, [State.RETURNED])


def _per_street(scope: Scope, limits: Mapping[int, int], name: str, less: int = 0) -> Q:
    wanted = Q(pk__in=())
    for street, limit in limits.items():
        wanted |= Q(**{"street_id": street, f"{name}__gte": max(1, limit - less)})
    return wanted


def _bounce_near(scope: Scope) -> CaseQuerySet:
    return _open(scope).filter(_per_street(scope, scope.bounce, "returns", 1), returns__gte=1)


def _bounced(scope: Scope) -> CaseQuerySet:
    return _returned(scope).filter(_per_street(scope, scope.bounce, "returns"))


def _repeated(scope: Scope) -> CaseQuerySet:
    return _open(scope).filter(voices__gt=1)


def _urgent(scope: Scope) -> CaseQuerySet:
    return _open(scope).filter(is_urgent=True)


def _unsolved(scope: Scope) -> CaseQuerySet:
    """Closed, and a reporter says 未解决; those taken up again are no longer among them."""
    said = Rating.objects.filter(is_solved=False, at__gte=scope.since, at__lt=scope.until)
    return _cases_of(said).filter(street_id__in=scope.street_ids, state=State.CLOSED)


def _decide(scope: Scope) -> CaseQuerySet:
    """What waits for the reader's own decision: asked of their role, or bounced as often as departments may."""
    asked = tasks_for(scope.actor).filter(street_id__in=scope.street_ids).exclude(role="").exclude(kind=TaskKind.SAMPLE)
    return Case.objects.filter(Q(pk__in=asked.values("case_id")) | Q(pk__in=_bounced(scope).values("pk")))


def _undelivered(scope: Scope) -> CaseQuerySet:
    """A notice about it reached nobody."""
    prefix = "case:"
    ids = [about.removeprefix(prefix) for about in lost_abouts(scope.street_ids) if about.startswith(prefix)]
    return Case.objects.filter(pk__in=wholes(ids)[-_MOST_LOST:])


_MOST_LOST = 900  # SQLite takes a thousand parameters in every build

MATTERS: dict[str, Callable[[Scope], CaseQuerySet]] = {
    "unsolved": _unsolved,
    "urgent": _urgent,
    "repeated": _repeated,
    "decide": _decide,
    "urge_open": _urge_open,
    "urge_overdue": _urge_overdue,
    "urge_answered": _urge_answered,
    "sample_open": _sample_open,
    "sample_sound": _sample_sound,
    "sample_unsound": _sample_unsound,
    "returned": _returned,
    "bounce_near": _bounce_near,
    "undelivered": _undelivered,
}


def is_matter(name: str) -> bool:
    """True if there is such a matter."""
    return name in MATTERS or name.startswith("return_") or name.removeprefix("light_") in LIGHT_KEYS


def matter(name: str, scope: Scope, *, group: str = "", key: int = 0) -> CaseQuerySet | None:
    """The cases of a matter that the scope's reader may see; None for a name that is none.

    ``light_red`` … with a group's key are the lights; ``return_CODE`` the cases given back for that reason in the period.
    """
    if name.startswith("light_") and name.removeprefix("light_") in LIGHT_KEYS:
        rows = _open(scope).filter(lit(name.removeprefix("light_"), scope.at))
        if group in GROUPS:
            rows = rows.filter(**{GROUPS[group]: key or None})
    elif name.startswith("return_"):
        given = _returns(scope).filter(reason_code=name.removeprefix("return_"))
        rows = Case.objects.filter(pk__in=given.values("case_id"))
    elif name in MATTERS:
        rows = MATTERS[name](scope)
    else:
        return None
    return rows.visible_to(scope.actor)


def how_many(scope: Scope, names: Sequence[str]) -> dict[str, int]:
    """How many cases each matter has. One SELECT a matter."""
    found = {}
    for name in names:
        rows = matter(name, scope)
        found[name] = rows.count() if rows is not None else 0
    return found


def return_reasons(scope: Scope) -> dict[str, int]:
    """For which reasons cases were given back in the period: reason → how many cases. One SELECT."""
    rows = _returns(scope).values_list("reason_code").annotate(n=Count("case_id", distinct=True)).order_by()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class MatterPage:
    """A keyset page, newest first by id; ``next_before`` is the key of the following page, None at the end."""

    rows: list[Case]
    next_before: int | None


def matter_page(rows: CaseQuerySet, *, before: int | None = None, size: int = PAGE) -> MatterPage:
    """A page of a matter's cases. One SELECT, which finds the page by an index before it reads whole rows."""
    if before is not None:
        rows = rows.filter(pk__lt=before)
    wanted = rows.order_by("-pk").values("pk")[: size + 1]
    found = list(named_whole(Case.objects.filter(pk__in=wanted)).order_by("-pk"))
    return MatterPage(found[:size], found[size - 1].pk if len(found) > size else None)


def reddest(scope: Scope, *, size: int = 20) -> list[Case]:
    """The open cases whose limit passed longest ago, for urging. One SELECT by street, state and due moment."""
    rows = matter("light_red", scope)
    assert rows is not None
    asked = _asked(TaskKind.URGE, state=Task.State.OPEN)
    found = row_of(rows.annotate(is_urged=asked))
    return list(found.order_by("due_at", "pk")[:size])


def red_by_department(scope: Scope) -> list[tuple[int, int]]:
    """Department → red cases, the most first. One SELECT."""
    rows = _open(scope, _WITH_LIGHT).filter(lit(Light.RED, scope.at), lead__isnull=False)
    counted = rows.values_list("lead_id").annotate(n=Count("pk")).order_by("-n", "lead_id")
    return [(department, n) for department, n in counted]
