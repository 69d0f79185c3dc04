"""Some hundred cases in every state, walked by the same services as real ones, with times in the past weeks.

Hours and weekdays follow what was measured on real orders (DOMAIN §10): about 19 % outside 08:00–20:00, 17 % at weekends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from jiequ.cases import clocks, services
from jiequ.cases.access import case_by_id
from jiequ.cases.jobs import clock_mark
from jiequ.cases.models import Case, FilingCondition, Task
from jiequ.cases.offers import named_keys, own_departments, suggested_lead
from jiequ.cases.services import moving
from jiequ.channels.models import Message
from jiequ.core import pictures as door
from jiequ.core.errors import Refusal
from jiequ.core.models import Job, Street
from jiequ.core.worktime import ZONE
from jiequ.grid.queries import locate
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.people.rules import Actor

from . import pictures, texts

DAYS = 45
WALKS: tuple[tuple[str, int], ...] = (
    ("closed", 40),
    ("self_handled", 10),
    ("reported", 5),
    ("verifying", 2),
    ("rejected", 4),
    ("accepted", 3),
    ("dispatched", 5),
    ("returned", 3),
    ("handling", 8),
    ("suspended", 2),
    ("handled", 3),
    ("checking", 4),
    ("rework", 3),
    ("reopened", 2),
    ("cancelled", 1),
    ("merged", 3),
    ("forced", 1),
    ("suspect", 1),
)
"""Where the walks end, with weights."""

_AT_DESK = {"reported", "suspect", "verifying", "accepted", "returned", "dispatched", "merged"}
_AT_WORK = {"handling", "handled", "checking", "rework"}


@dataclass
class Walker:
    """One case on its way: a clock of its own that never passes ``now``."""

    street: Street
    now: datetime
    rng: Random
    at: datetime
    case: Case | None = None
    refusal: str = ""
    actors: dict[int, Actor] = field(default_factory=dict)

    def wait(self, low_minutes: float, high_minutes: float) -> datetime:
        """Some time passes; marks of clocks that came due meanwhile are made in their order."""
        later = self.at + timedelta(minutes=self.rng.uniform(low_minutes, high_minutes))
        self.at = min(later, self.now - timedelta(seconds=1))
        if self.case is not None:
            _make_marks(self.case, until=self.at)
        return self.at

    def actor(self, person_id: int) -> Actor:
        if person_id not in self.actors:
            self.actors[person_id] = actor_for(Person.objects.get(pk=person_id), at=self.now)
        return self.actors[person_id]

    def named(self, username: str) -> Actor:
        return self.actor(Person.objects.values_list("pk", flat=True).get(username=username))

    def of_department(self, department_id: int, role: str) -> Actor:
        roles = ["department_lead"] if role == "lead" else ["handler", "officer"]
        found = Person.objects.filter(posts__department_id=department_id, posts__role__in=roles)
        ids = sorted(set(found.values_list("pk", flat=True)))
        return self.actor(self.rng.choice(ids))

    def fresh(self) -> Case:
        assert self.case is not None
        self.case = case_by_id(Actor.system(), self.case.pk)
        return self.case


def walk(street: Street, number: int, now: datetime) -> Case | None:
    """The ``number``-th case of the history; None where its place or type does not take the walk."""
    rng, goal, at = _begin(number, now)
    walker = Walker(street, now, rng, at)
    subject = rng.choice(texts.SUBJECTS)
    condition = texts.condition_of(subject)
    if condition is None:
        return None
    try:
        _go(walker, subject, condition, goal, number)
    except Refusal:
        if walker.case is None:
            return None
    assert walker.case is not None
    _make_marks(walker.case, until=now)
    _forget_old_jobs(walker.case, now)
    return walker.case


def in_order(count: int, now: datetime) -> list[int]:
    """The numbers of the walks by the time they begin, so that case numbers follow the calendar."""
    return sorted(range(count), key=lambda number: _begin(number, now)[2])


def _begin(number: int, now: datetime) -> tuple[Random, str, datetime]:
    rng = Random(f"history{number}")
    goal = rng.choices([w for w, _n in WALKS], [n for _w, n in WALKS])[0]
    return rng, goal, _moment(rng, now, goal)


def _moment(rng: Random, now: datetime, goal: str) -> datetime:
    """When the walk begins: fresh for what still waits at a desk, some hours ago for what is at work, else over the weeks."""
    if goal in _AT_DESK and rng.random() < 0.85:
        return now - timedelta(minutes=rng.uniform(2, 40))
    if goal in _AT_WORK and rng.random() < 0.75:
        return now - timedelta(minutes=rng.uniform(60, 300))
    days = (
        rng.uniform(0.3, 2.5)
        if goal in _AT_DESK | _AT_WORK
        else rng.uniform(1, 4)
        if goal == "reopened"
        else rng.uniform(3, DAYS)
    )
    day = (now - timedelta(days=days)).astimezone(ZONE)
    if day.weekday() >= 5 and rng.random() < 0.45:
        day -= timedelta(days=rng.choice((2, 3)))
    hour = rng.uniform(8, 20) if rng.random() < 0.81 else rng.choice((rng.uniform(6, 8), rng.uniform(20, 24)))
    at = datetime.combine(day.date(), time(int(hour) % 24, int(hour % 1 * 60)), tzinfo=ZONE)
    return min(at, now - timedelta(minutes=rng.uniform(4, 40)))


def _go(w: Walker, subject: texts.Subject, condition: FilingCondition, goal: str, number: int) -> None:
    w.refusal = texts.refusal(w.rng, "resident") if goal == "rejected" else ""
    w.case = _report(w, subject, condition, goal, number)
    if goal in {"reported", "suspect", "self_handled"}:
        return
    lin, liang = w.named("lin"), w.named("liang")
    w.wait(3, 25)
    if goal == "verifying":
        services.ask_verify(w.fresh(), by=lin, at=w.at)
        return
    if goal == "rejected":
        services.reject(w.fresh(), reason_code=w.refusal, by=lin, at=w.at)
        return
    services.accept(w.fresh(), condition_id=condition.pk, by=lin, at=w.at)
    if goal == "accepted":
        return
    if goal == "merged":
        _merge(w, lin)
        return
    lead_id = suggested_lead(w.fresh()) or 0
    w.wait(2, 28)
    services.dispatch(w.fresh(), lead_id=lead_id, assist_ids=_assist(w), by=lin, at=w.at)
    _work(w, subject, goal, lead_id, liang, number)


def _assist(w: Walker) -> list[int]:
    case = w.fresh()
    assert case.condition is not None
    wanted = named_keys(case, case.condition.edition.assist_department_keys)
    return [d.pk for d in own_departments(case.street_id) if d.key in wanted][:2]


def _work(w: Walker, subject: texts.Subject, goal: str, lead_id: int, liang: Actor, number: int) -> None:
    if goal == "dispatched":
        return
    lead, hand = w.of_department(lead_id, "lead"), w.of_department(lead_id, "hand")
    if goal == "returned":
        w.wait(10, 60)
        services.return_case(w.fresh(), reason_code="wrong_type", text=texts.pick(w.rng, texts.RETURNED), by=lead, at=w.at)
        return
    w.wait(4, 40)
    services.acknowledge(w.fresh(), by=hand, at=w.at)
    if goal == "handling":
        return
    if goal == "cancelled":
        w.wait(20, 200)
        services.cancel(w.fresh(), reason_code="gone", text=texts.pick(w.rng, texts.GONE), by=liang, at=w.at)
        return
    if goal == "forced":
        w.wait(200, 2000)
        he = w.named("he")
        services.force_close(w.fresh(), reason_code="impossible", text=texts.pick(w.rng, texts.IMPOSSIBLE), by=he, at=w.at)
        return
    if goal == "suspended":
        _suspend(w, lead, liang)
        return
    _handle(w, subject, hand, number)
    if goal == "handled":
        return
    w.wait(5, 60)
    services.confirm(w.fresh(), by=lead, at=w.at)
    if goal != "checking":
        _finish(w, subject, goal, number)


def _suspend(w: Walker, lead: Actor, liang: Actor) -> None:
    w.wait(30, 200)
    until = w.now + timedelta(days=w.rng.randrange(5, 60))
    services.ask_suspend(w.fresh(), until=until, text=texts.pick(w.rng, texts.SUSPENDED), by=lead, at=w.at)
    w.wait(10, 60)
    services.suspend(w.fresh(), by=liang, at=w.at)


def _handle(w: Walker, subject: texts.Subject, hand: Actor, number: int) -> None:
    case = w.fresh()
    handle = clocks.load(case.clocks).get(clocks.ClockKind.HANDLE)
    span = (handle.due_at - w.at).total_seconds() / 60 if handle else 600.0
    share = w.rng.uniform(0.2, 0.9) if w.rng.random() < 0.91 else w.rng.uniform(1.05, 1.6)
    w.wait(max(5.0, span * share), max(6.0, span * share))
    shown = [services.Shown(phase="after", picture=_photo(w, subject, is_after=True, number=number))]
    missing = services.missing_proofs(w.fresh())
    for wanted in missing:
        if wanted["kind"] == "photo" and wanted["phase"] != "after":
            shown.append(services.Shown(phase=wanted["phase"], picture=_photo(w, subject, is_after=False, number=number)))
    text, document = texts.pick(w.rng, subject.done), f"龙街责改〔2026〕{number + 1}号"
    services.handle(w.fresh(), shown=shown, text=text, document=document, by=hand, at=w.at)


def _finish(w: Walker, subject: texts.Subject, goal: str, number: int) -> None:
    case = w.fresh()
    task = case.tasks.filter(kind="check", state=Task.State.OPEN).first()
    checker = w.actor(task.person_id) if task and task.person_id else w.named("lin")
    w.wait(15, 220)
    if goal == "rework":
        services.check_fail(w.fresh(), text=texts.pick(w.rng, texts.NOT_DONE), by=checker, at=w.at)
        return
    if task is not None:
        services.check_pass(w.fresh(), by=checker, at=w.at)
        w.wait(5, 120)
    lin = w.named("lin")
    services.close(w.fresh(), reply=texts.pick(w.rng, subject.replies), by=lin, at=w.at)
    report = w.fresh().reports.order_by("pk").first()
    if report is None or report.source != "resident":
        return
    if goal == "reopened":
        w.wait(300, 2000)
        resident = Actor.resident(report.pk)
        services.reopen(w.fresh(), text=texts.pick(w.rng, texts.NOT_DONE), by=resident, at=w.at)
    elif w.rng.random() < 0.45:
        w.wait(60, 2000)
        solved = w.rng.random() < 0.9
        mark = w.rng.choice((5, 5, 4, 4, 3)) if solved else w.rng.choice((1, 2))
        services.rate(w.fresh(), report=report, is_solved=solved, satisfaction=mark, by=Actor.resident(report.pk), at=w.at)


def _merge(w: Walker, lin: Actor) -> None:
    case = w.fresh()
    others = Case.objects.filter(street=case.street, reported_at__lte=w.at, event_type=case.event_type)
    target = others.exclude(pk=case.pk).exclude(state__in=["closed", "rejected", "cancelled", "merged"]).first()
    if target is not None:
        w.wait(2, 20)
        services.merge(case, into=target.number, by=lin, at=w.at)


def _report(w: Walker, subject: texts.Subject, condition: FilingCondition, goal: str, number: int) -> Case:
    place = _place(w, subject)
    is_staff = goal == "self_handled" or (w.rng.random() < 0.45 and w.refusal not in texts.NOT_OURS)
    is_after = goal == "self_handled"
    account = services.Account(
        source="staff" if is_staff else w.rng.choice(("resident", "resident", "resident", "caller")),
        words=texts.words_of(w.rng, subject, place.words, w.refusal),
        place=place,
        pictures=[] if w.refusal in texts.NOT_OURS else [_photo(w, subject, is_after=is_after, number=number)],
        contact=None if is_staff else services.Contact(name=texts.resident(w.rng), phone=texts.phone(w.rng)),
        condition_id=condition.pk if is_staff else None,
        is_urgent=subject.is_urgent and w.rng.random() < 0.5,
        is_suspect=goal == "suspect",
    )
    if not is_staff and account.source == "resident":
        return services.report_case(street_id=w.street.pk, account=account, by=Actor.resident(None), at=w.at).case
    by = _reporter(w, place) if is_staff else w.named("lin")
    report: Callable[..., Any] = services.self_handle if goal == "self_handled" else services.report_case
    done: services.Reported = report(street_id=w.street.pk, account=account, by=by, at=w.at)
    return done.case


def _reporter(w: Walker, place: services.Place) -> Actor:
    assert place.x is not None
    assert place.y is not None
    spot = locate(place.x, place.y)
    return w.actor(spot.worker_id) if spot and spot.worker_id else w.named("chen")


def _place(w: Walker, subject: texts.Subject) -> services.Place:
    lon, lat, name = texts.somewhere(w.rng, w.street.pk, subject.code)
    return services.Place(lon, lat, "cgcs2000", accuracy_m=w.rng.uniform(5, 30), words=name)


def _photo(w: Walker, subject: texts.Subject, *, is_after: bool, number: int) -> Any:
    clean = pictures.scene(subject.picture, is_after=is_after, number=number % 3)
    return door.keep(clean, street_id=w.street.pk, at=w.at)


def _make_marks(case: Case, *, until: datetime) -> None:
    due = Job.objects.filter(kind=moving.MARK, key__startswith=f"mark:{case.pk}:", run_at__lte=until).order_by("run_at")
    for job in list(due):
        clock_mark(**job.args, at=job.run_at)
        job.delete()


def _forget_old_jobs(case: Case, now: datetime) -> None:
    """Nobody is rung about the past: what would have been sent before now is taken out of the outbox."""
    Job.objects.filter(kind=moving.TELL, args__case_id=case.pk, run_at__lte=now).delete()
    old = list(Message.objects.filter(about=moving.about(case.pk), due_at__lt=now - timedelta(minutes=30)))
    Job.objects.filter(kind="channels.route", args__key__in=[m.key for m in old]).delete()
    Message.objects.filter(pk__in=[m.pk for m in old]).delete()
