"""Random walks of one case by everybody who may touch it; after each step the promises of the loop are looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import transaction

from jiequ.cases import clocks, services
from jiequ.cases.access import Standing
from jiequ.cases.flow import ENDED, State
from jiequ.cases.models import Case, CaseEvent, Report
from jiequ.core.calendar import calendar_for
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor
from tests.actors import NOW
from tests.casework import Casework, make_picture

NAMES = ("lin", "chen", "huang", "wu", "zhao", "qian", "ding", "he", "liang", "du", "qu")


class Walk:
    """One case on a random way."""

    def __init__(self, work: Casework, seed: int) -> None:
        self.work, self.rng, self.at = work, Random(seed), NOW
        self.case = work.reported().case
        self.other = work.reported(words="另一件").case
        self.done: list[str] = []
        self.counted: dict[str, int] = {}
        self.actors: dict[str, Actor] = {}

    def step(self) -> None:
        """One try of one move by somebody, mostly one that is open to them; a refusal is an answer too."""
        self.at += timedelta(minutes=self.rng.expovariate(1 / 90))
        name, person = self.choice()
        actor = self.actor(person)
        try:
            with transaction.atomic():
                TRIES[name](self, self.work.fresh(self.case, person), actor)
            self.done.append(name)
            if name == "undo":  # what is taken back takes its clock along
                self.counted.clear()
        except Refusal:
            pass
        self.look()

    def choice(self) -> tuple[str, str]:
        """A try and who makes it: one in six blind, the others from what the table of moves opens."""
        if self.rng.random() < 1 / 6:
            return self.rng.choice(sorted(TRIES)), self.rng.choice(NAMES)
        case = Case.objects.select_related("street").get(pk=self.case.pk)
        tasks = list(case.tasks.all())
        found = [
            (name, person)
            for person in NAMES
            for move in Standing(self.actor(person), case, tasks=tasks).moves()
            for name in ALIKE.get(move, (move,))
            if name in TRIES and (name not in {"note", "urge", "merge", "force_close", "cancel"} or self.rng.random() < 0.1)
        ]
        return self.rng.choice(found) if found else ("undo", "lin")

    def actor(self, person: str) -> Actor:
        if person not in self.actors:
            self.actors[person] = self.work.world.actor(person)
        return self.actors[person]

    def look(self) -> None:
        """The invariants."""
        case = Case.objects.select_related("condition__edition").get(pk=self.case.pk)
        open_tasks = list(case.tasks.filter(state="open"))
        leads = [t for t in open_tasks if t.kind == "lead"]
        assert len(leads) <= 1
        assert not leads or leads[0].department_id == case.lead_id
        if case.state in {State.DISPATCHED, State.HANDLING, State.REWORK, State.HANDLED, State.SUSPENDED}:
            assert leads, (case.state, self.done)
        if case.state == State.CLOSED and case.closing == "normal":
            assert not services.missing_proofs(case), self.done
            assert case.checked_at is not None
        if case.state in ENDED - {State.MERGED}:
            assert not open_tasks or all(t.kind in {"appeal", "sample"} for t in open_tasks), (case.state, open_tasks)
        self.look_at_clocks(case)
        states = list(case.events.exclude(move__in=["light", "undo"]).order_by("pk").values_list("state", flat=True))
        assert states[-1] == case.state or case.events.filter(move="undo").exists()

    def look_at_clocks(self, case: Case) -> None:
        calendar = calendar_for()
        held = clocks.load(case.clocks)
        for kind, clock in held.items():
            key = f"{kind}:{sum(e.what == 'start' for e in clock.entries)}"
            now = clocks.counted_by(clock, self.at, calendar)
            assert now >= self.counted.get(key, 0), (key, self.done)
            self.counted[key] = now
            assert [e.at for e in clock.entries] == sorted(e.at for e in clock.entries)
        lamp = clocks.leading(held.values())
        assert case.due_at == (lamp.due_at if lamp else None)
        if case.state in ENDED:
            assert lamp is None, (case.state, self.done)
        if case.state == State.SUSPENDED:
            assert held[clocks.ClockKind.HANDLE].condition == "paused"

    def photo(self) -> services.Shown:
        return services.Shown(picture=make_picture(self.case.street_id, f"w{self.rng.random()}"))


def _service(name: str, **fixed: Any) -> Any:
    def act(walk: Walk, case: Case, actor: Actor) -> None:
        given = {k: v(walk) if callable(v) else v for k, v in fixed.items()}
        getattr(services, name)(case, by=actor, at=walk.at, **given)

    return act


def _undo(walk: Walk, case: Case, actor: Actor) -> None:
    event = CaseEvent.objects.filter(case=case).order_by("-pk").first()
    assert event is not None
    by = actor if event.by_id is None else walk.work.world.actor(_username(walk, event.by_id), walk.at)
    services.undo(event.pk, by=by, at=event.at + timedelta(seconds=walk.rng.choice((3, 20))))


def _username(walk: Walk, person_id: int) -> str:
    return next(name for name, person in walk.work.world.people.items() if person.pk == person_id)


def _merge(walk: Walk, case: Case, actor: Actor) -> None:
    services.merge(case, into=walk.other.number, by=actor, at=walk.at)


def _reopen(walk: Walk, case: Case, actor: Actor) -> None:
    report = Report.objects.filter(origin=case).first()
    assert report is not None
    services.reopen(case, text="又有了", by=Actor.resident(report.pk), at=walk.at)


def _departments(walk: Walk) -> list[int]:
    return walk.rng.sample([walk.work.sanitation, walk.work.water, walk.work.world.enforcement.pk], 2)


def _lead(walk: Walk) -> int:
    return walk.rng.choice([walk.work.sanitation, walk.work.water])


def _soon(walk: Walk) -> datetime:
    return walk.at + timedelta(days=walk.rng.randrange(1, 20))


def _photos(walk: Walk) -> list[services.Shown]:
    return [walk.photo()] if walk.rng.random() < 0.8 else []


TRIES: dict[str, Any] = {
    "accept": _service("accept", condition_id=lambda w: w.work.condition.pk),
    "accept_dispatch": _service("accept_dispatch", condition_id=lambda w: w.work.condition.pk, lead_id=_lead),
    "ask_verify": _service("ask_verify"),
    "verify": _service("verify", finding="true"),
    "correct": _service("correct", title=lambda w: f"标题{w.rng.random()}"),
    "correct_place": _service("correct", place=lambda w: w.work.place(w.rng.choice("abc"))),
    "dispatch": _service("dispatch", lead_id=_lead, assist_ids=_departments),
    "dispatch_alone": _service("dispatch", lead_id=_lead),
    "acknowledge": _service("acknowledge"),
    "assign": _service("assign", person_id=lambda w: w.work.world.huang.pk),
    "return": _service("return_case", reason_code="wrong_type", text="错"),
    "bring_in": _service("bring_in", department_ids=_departments),
    "assist_done": _service("assist_done", text="好"),
    "handle": _service("handle", shown=_photos, text="好"),
    "send_back": _service("send_back", text="补"),
    "confirm": _service("confirm"),
    "check_pass": _service("check_pass"),
    "check_fail": _service("check_fail", text="没好"),
    "close": _service("close", reply="好了"),
    "force_close": _service("force_close", reason_code="impossible", text="不"),
    "cancel": _service("cancel", reason_code="mistake", text="误"),
    "ask_suspend": _service("ask_suspend", until=_soon, text="等"),
    "suspend": _service("suspend"),
    "resume": _service("resume"),
    "ask_extend": _service("ask_extend", share=0.5, text="等"),
    "extend": _service("extend"),
    "urge": _service("urge", text="快"),
    "answer_urge": _service("answer_urge", text="好"),
    "note": _service("note", text="记"),
    "ask_appeal": _service("ask_appeal", text="雨"),
    "review_appeal": _service("review_appeal", granted=True, text="是"),
    "call": _service("call_bureau", department_id=lambda w: w.work.world.traffic.pk, question="?"),
    "merge": _merge,
    "unmerge": _service("unmerge"),
    "reopen": _reopen,
    "undo": _undo,
}

ALIKE = {"dispatch": ("dispatch", "dispatch_alone"), "correct": ("correct", "correct_place")}
