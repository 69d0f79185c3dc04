"""How a move is written: one conditional UPDATE, the event, the audit row, tasks, notices and timers, all or none.

Every service of this app ends in ``make``; nothing else changes a case (a repository test says so).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from jiequ.channels.services import Notice, send
from jiequ.core import audit
from jiequ.core.bulk import store
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal, Stale
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.worktime import ZONE, WorkCalendar
from jiequ.people.models import Department
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import Standing, not_found, wrong_state
from ..flow import ENDED, MOVES, Grant, Move, State
from ..models import Case, CaseEvent, Proof, Report, Task, TaskKind
from ..policy import Policy
from . import rollups, searching, teaching
from .rehearsing import stop_here

MARK = "cases.clock_mark"
TELL = "cases.tell_reporters"


@dataclass(frozen=True, slots=True)
class End:
    """Open tasks to end: which (a filter), how, and with what answer."""

    which: dict[str, Any]
    state: str = Task.State.DONE
    outcome: str = ""
    answer: str = ""


@dataclass(slots=True)
class Change:
    """What a move writes besides the state."""

    fields: dict[str, Any] = field(default_factory=dict)
    clocks: c.Clocks | None = None
    reason_code: str = ""
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    department_id: int | None = None
    department_key: str = ""
    tasks: list[Task] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    tell: str = ""  # the template for the reporters
    target: State | None = None  # for a move that goes back to the state before


def policy_of(case: Case) -> Policy:
    """The street's settings for the loop."""
    return Policy.of(case.street.settings)


def make(
    case: Case,
    name: str,
    change: Change,
    *,
    by: Actor,
    at: datetime,
    version: int | None = None,
    standing: Standing | None = None,
) -> CaseEvent:
    """Make one move, or refuse it with nothing stored.

    Raises NotFound, Forbidden, Refusal("wrong_state") or Stale. ``version`` is what the reader's page showed; without it the
    version just read is meant.
    """
    move = MOVES[name]
    grant = (standing or Standing(by, case)).check(name)
    values = _values(case, move, change, at=at)
    before = {name: _plain(getattr(case, name)) for name in _columns(values)}
    stop_here(case, change, values)
    with writing():
        was = rollups.place_of(case)
        _update(case, move, values, by=by, version=version)
        rollups.moved(was, rollups.place_of(case))
        searching.follow(case, values)
        if change.proofs:
            store(change.proofs)
        event = _event(case, move, grant, change, by=by, at=at, before=before)
        _settle_tasks(case, move, change, by=by, at=at)
        _audit(case, event, by=by)
        timers = _timers(case, change) + _telling(case, change, event, at=at)
        timers += teaching.lessons_of(case, event, department=change.department_key, is_type_set="condition" in values)
        if timers:
            enqueue(*timers)
        if change.notices:
            send(change.notices, at=at, undo_seconds=0 if move.adds else policy_of(case).undo_seconds)
    return event


def _values(case: Case, move: Move, change: Change, *, at: datetime) -> dict[str, Any]:
    values = dict(change.fields)
    target = change.target if move.back else move.target
    if target is not None:
        values["state"] = target
        if target in ENDED:
            values["ended_at"] = at
    if change.clocks is not None:
        values |= clock_fields(change.clocks, at=at)
    if not move.adds:
        values["version"] = F("version") + 1
    values["changed_at"] = at
    return values


def clock_fields(clocks: c.Clocks, *, at: datetime) -> dict[str, Any]:
    """The columns of a case that follow from its clocks at ``at``; a clock that runs on late is late."""
    lamp = c.leading(clocks.values())
    promise = clocks.get(c.ClockKind.OUTER) or clocks.get(c.ClockKind.HANDLE)
    fields: dict[str, Any] = {
        "clocks": c.dump(clocks),
        "due_at": lamp.due_at if lamp else None,
        "yellow_at": lamp.yellow_at if lamp else None,
    }
    if promise:
        fields |= {"promised_at": promise.due_at, "is_promise_provisional": promise.is_provisional}
    handle = clocks.get(c.ClockKind.HANDLE)
    if handle:
        fields |= {"is_late": handle.was_due_by(at), "is_exempt": handle.is_exempt}
    return fields


def _update(case: Case, move: Move, values: dict[str, Any], *, by: Actor, version: int | None) -> None:
    wanted = case.version if version is None else version
    rows = Case.objects.visible_to(by).filter(pk=case.pk, state__in=move.sources)
    if not move.adds:  # what was read is what is changed: the event says what was before, and the rollup counts it out
        rows = rows.filter(version=wanted) if wanted == case.version else rows.none()
    if rows.update(**values) != 1:
        _refuse(case, move, by=by)
    for name, value in values.items():
        if name == "version":
            case.version = wanted + 1
        elif not isinstance(value, F) and not hasattr(value, "resolve_expression"):
            setattr(case, name, value)


def _refuse(case: Case, move: Move, *, by: Actor) -> None:
    now = Case.objects.visible_to(by).filter(pk=case.pk).values("state", "version").first()
    if now is None:
        raise not_found()
    if now["state"] not in move.sources:
        raise wrong_state(move.name, now["state"])
    raise Stale("stale", _("案件刚被别人更新过，请看过最新内容再办理。"), facts={"version": now["version"]})


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The changed columns by the name their plain value has (``lead_id`` for ``lead``), counters left out."""
    fields = {name: Case._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name) for name in values}
    return {
        getattr(field, "attname", name): None
        for name, field in fields.items()
        if name not in {"version", "changed_at"} and not hasattr(values[name], "resolve_expression")
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _event(
    case: Case, move: Move, grant: Grant, change: Change, *, by: Actor, at: datetime, before: dict[str, Any]
) -> CaseEvent:
    facts = dict(change.facts)
    if before.get("state", case.state) != case.state:
        facts["from"] = before["state"]
    if not move.adds:
        facts |= {
            "version": case.version,
            "before": before,
            "keys": [told.key for told in change.notices],
            "proofs": [proof.pk for proof in change.proofs],
        }
    event = CaseEvent(
        case=case,
        move=move.name,
        state=case.state,
        reason_code=change.reason_code,
        text=change.text,
        facts=facts,
        at=at,
        by_id=by.person_id,
        by_name=by.name,
        by_role=grant.role,
        department_id=change.department_id,
    )
    store([event])
    return event


def notice_keys(event: CaseEvent) -> list[str]:
    """The idempotency keys of the notices an event sent."""
    return list(event.facts.get("keys", ()))


def _settle_tasks(case: Case, move: Move, change: Change, *, by: Actor, at: datetime) -> None:
    for end in change.ends:
        Task.objects.filter(case=case, state=Task.State.OPEN, **end.which).update(
            state=end.state,
            outcome=end.outcome,
            answer=end.answer,
            done_at=at,
            done_by_id=by.person_id,
            done_version=case.version,
        )
    for task in change.tasks:
        task.case, task.street_id = case, case.street_id
        task.opened_at, task.opened_by_id, task.opened_version = at, by.person_id, case.version
    if change.tasks:
        store(change.tasks)


def _audit(case: Case, event: CaseEvent, *, by: Actor) -> None:
    facts = {"move": event.move, "state": case.state, "version": case.version}
    if event.reason_code:
        facts["reason_code"] = event.reason_code
    audit.record(
        street_id=case.street_id,
        person_id=by.person_id,
        action=f"case.{event.move}",
        object_kind="case",
        object_id=str(case.pk),
        at=event.at,
        facts=facts,
    )


def _timers(case: Case, change: Change) -> list[JobSpec]:
    if change.clocks is None:
        return []
    calendar = calendar_for()
    return [
        spec
        for clock in change.clocks.values()
        if clock.is_running
        for spec in clock_timers(case.pk, clock, calendar, street_id=case.street_id)
    ]


def clock_timers(case_id: int, clock: c.Clock, calendar: WorkCalendar, *, street_id: int) -> list[JobSpec]:
    """One job for each mark of a running clock. A mark that has moved meanwhile finds nothing to do when it fires."""
    specs = []
    for mark, share in c.ESCALATION_SHARES.items():
        moment = c.moment_of(clock, share, calendar)
        args = {"case_id": case_id, "clock": clock.kind, "mark": mark, "due": clock.due_at.isoformat()}
        key = f"mark:{case_id}:{clock.kind}:{mark}:{int(moment.timestamp())}"
        # A mark stands at the second after the limit: at the limit itself it is still kept.
        specs.append(JobSpec(MARK, args, run_at=moment + timedelta(seconds=1), key=key, street_id=street_id))
    return specs


def _telling(case: Case, change: Change, event: CaseEvent, *, at: datetime) -> list[JobSpec]:
    if not change.tell:
        return []
    return [tell_job(case, change.tell, event, at=at, undo_seconds=policy_of(case).undo_seconds)]


def tell_job(case: Case, template: str, event: CaseEvent, *, at: datetime, undo_seconds: int) -> JobSpec:
    """The job that tells every reporter of a case; it waits out the undo."""
    args = {"case_id": case.pk, "template": template, "event_id": event.pk}
    run_at = at + timedelta(seconds=undo_seconds)
    return JobSpec(TELL, args, run_at=run_at, key=tell_key(event.pk), street_id=case.street_id)


def tell_key(event_id: int) -> str:
    """The job that tells the reporters of one event."""
    return f"tell:{event_id}"


def notice(
    case: Case,
    template: str,
    *,
    key: str,
    person_id: int | None = None,
    post: tuple[str, int | None, int | None] | None = None,
    due_at: datetime | None = None,
) -> Notice:
    """A notice about a case to staff: number, type, grid and due time, nothing else (DOMAIN §9)."""
    return Notice(
        template=template,
        facts=facts_of(case, due_at=due_at),
        about=about(case.pk),
        key=f"{key}:{template}:{person_id or post}",
        to_person=person_id,
        to_post=post,
        is_urgent=case.is_urgent,
        street_id=case.street_id,
    )


def named(departments: Iterable[Department]) -> dict[str, list[str]]:
    """Departments as an event names them, in both languages: as they were called then."""
    found = list(departments)
    return {"names": [d.name_zh for d in found], "names_en": [d.name_en or d.name_zh for d in found]}


def about(case_id: int) -> str:
    """How channels name a case without knowing what one is."""
    return f"case:{case_id}"


def facts_of(case: Case, *, due_at: datetime | None = None) -> dict[str, Any]:
    """What a notice may say of a case."""
    facts: dict[str, Any] = {"number": case.number}
    if case.condition_id and case.condition:
        edition = case.condition.edition
        facts["type"] = {"zh-hans": edition.name_zh, "en": edition.name_en or edition.name_zh}
    if case.unit_grid_id and case.unit_grid:
        facts["grid"] = case.unit_grid.code15
    if due := due_at or case.due_at:
        facts["due"] = due.isoformat()
    return facts


def ticking(case: Case) -> tuple[c.Clocks, WorkCalendar]:
    """The case's clocks, to be changed and handed back in a Change, and the calendar they run by."""
    return c.load(case.clocks), calendar_for()


def started(
    clocks: c.Clocks,
    kind: c.ClockKind,
    limit: Any,
    *,
    at: datetime,
    calendar: WorkCalendar,
    by: Actor,
    reason: str = "",
) -> None:
    """Start a clock afresh in ``clocks``; the history of an earlier run of its kind stays in front of the new one."""
    fresh = c.start(kind, limit, at=at, calendar=calendar, by=by.name, reason=reason)
    earlier = clocks[kind].entries if kind in clocks else ()
    clocks[kind] = replace(fresh, entries=(*earlier, *fresh.entries))


def stopped(
    clocks: c.Clocks, kinds: Sequence[c.ClockKind], *, at: datetime, calendar: WorkCalendar, by: Actor, reason: str = ""
) -> None:
    """Stop those of ``kinds`` that run or pause."""
    for kind in kinds:
        if kind in clocks:
            clocks[kind] = c.stop(clocks[kind], at=at, calendar=calendar, by=by.name, reason=reason)


def handle_due(clocks: Mapping[c.ClockKind, c.Clock]) -> datetime | None:
    """When the handling is due; None for planned work without a lamp."""
    clock = clocks.get(c.ClockKind.HANDLE)
    return clock.due_at if clock else None


EVERY_CLOCK = tuple(c.ClockKind)


def local_day(at: datetime) -> date:
    """The date on the street's own calendar."""
    return at.astimezone(ZONE).date()


def asked_task(case: Case, kind: str, *, by: Actor) -> Task:
    """The open task of that kind which one of the actor's departments was given; Forbidden if there is none."""
    task = case.tasks.filter(kind=kind, state=Task.State.OPEN, department_id__in=by.departments()).order_by("pk").first()
    if task is None:
        raise Forbidden("not_asked", _("没有请您的部门办理这一项，或已经办理。"), facts={"kind": str(kind)})
    return task


def tell_lead(case: Case, template: str, *, key: str = "", due_at: datetime | None = None) -> list[Notice]:
    """A notice to the lead department's duty post; none if there is no lead department."""
    if not case.lead_id:
        return []
    post = (Role.DEPARTMENT_LEAD, case.street_id, case.lead_id)
    return [notice(case, template, key=key or move_key(case), post=post, due_at=due_at)]


def move_key(case: Case) -> str:
    """The idempotency key of the notices of the case's next version."""
    return f"case:{case.pk}:v{case.version + 1}"


def need_text(text: str) -> None:
    """Refusal if nothing was written."""
    if not text.strip():
        raise Refusal("text_missing", _("请写明情况。"), facts={"field": "text"})


def need_reason(reason_code: str, text: str, known: Mapping[str, tuple[str, str]]) -> None:
    """Refusal unless a known reason code and a text are given."""
    if reason_code not in known or not text.strip():
        raise Refusal("reason_missing", _("请选择理由并写明情况。"), facts={"field": "reason_code"})


def ask_hotline(case: Case, question: str, *, by: Actor, at: datetime, facts: dict[str, Any]) -> CaseEvent:
    """Return, extension and closing of a hotline case stay "asked" until the hotline answers (DOMAIN §8)."""
    if case.tasks.filter(kind=TaskKind.HOTLINE, state=Task.State.OPEN).exists():
        raise Refusal("hotline_asked", _("已经向热线提出请求，请等待答复。"))
    change = Change(
        facts={"question": question},
        tasks=[Task(kind=TaskKind.HOTLINE, role=Role.ACCEPTOR, facts={"question": question, **facts})],
    )
    return make(case, "ask_hotline", change, by=by, at=at)


def link_split(second: Case, first: Case) -> None:
    """Mark a fresh case as split off another (inside the transaction that opened it)."""
    second.split_from = first
    Case.objects.filter(pk=second.pk).update(split_from=first)


def store_clocks(case: Case, fields: dict[str, Any]) -> bool:
    """Write clocks worked out again from the version that was read; False if the case moved on meanwhile."""
    return Case.objects.filter(pk=case.pk, version=case.version).update(**fields) == 1


FORGOTTEN = "（已按期删除）"  # data
"""What stands where a reporter's words stood; a mark in the record, so not translated."""


_FROM_WORDS = frozenset({"title", "address", "lon", "lat", "q18", "raw_x", "raw_y"})


def forget_words(case_ids: Iterable[int], *, report_ids: Iterable[int] = ()) -> None:
    """What these reports' people wrote when they asked again goes; and from ended cases with no reporter's words left, the
    title and the address that came from such words, in the events too. Search forgets both."""
    case_ids = list(case_ids)
    CaseEvent.objects.filter(move="reopen", facts__report__in=list(report_ids)).update(text="")
    left = Report.objects.filter(case=OuterRef("pk")).exclude(words="", place_words="")
    ended = Case.objects.filter(pk__in=case_ids, state__in=list(ENDED)).exclude(Exists(left))
    told = list(ended.filter(source__in=["resident", "caller"]).values_list("pk", flat=True))
    Case.objects.filter(pk__in=told).update(title=FORGOTTEN, address="")
    quoting = [e for e in CaseEvent.objects.filter(case_id__in=told) if _FROM_WORDS & set(e.facts.get("before", ()))]
    for event in quoting:
        event.facts["before"] = {k: v for k, v in event.facts["before"].items() if k not in _FROM_WORDS}
    CaseEvent.objects.bulk_update(quoting, ["facts"], batch_size=100)
    searching.reindex(case_ids)
