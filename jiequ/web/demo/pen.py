"""One matter of the past written down: its clocks run by the same rules as living ones, its events, tasks and proofs in order.

The early months are written in bulk, not walked: 7,000 walks by the services would take a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from jiequ.cases import clocks as c
from jiequ.cases.flow import ENDED, Closing, State
from jiequ.cases.models import FilingCondition, TaskKind
from jiequ.cases.policy import Policy
from jiequ.cases.services import moving
from jiequ.cases.services.filing import limit_of, runs_from_dispatch
from jiequ.core.worktime import Limit, Unit, WorkCalendar
from jiequ.people.rules import Actor, Role

from . import texts
from .year import Plan

ANSWER_LIMIT = Limit(4, Unit.WORK_HOUR)
HOTLINE_DAYS = Limit(10, Unit.WORK_DAY)


class TooYoung(Exception):
    """The matter would not be over yet: it is for the services to walk."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does what on this matter."""

    desk: Actor
    duty: Actor
    leader: Actor
    supervisor: Actor
    worker: Actor
    department_id: int
    names: dict[str, list[str]]
    lead: Actor
    hand: Actor


@dataclass
class Pen:
    """Writes one matter. ``events``, ``tasks``, ``proofs`` and ``voices`` are rows in the making; ``fields`` is the case's."""

    plan: Plan
    subject: texts.Subject
    condition: FilingCondition
    crew: Crew
    now: datetime
    calendar: WorkCalendar
    policy: Policy
    at: datetime
    rng: Random
    is_urgent: bool = False
    refusal: str = ""
    version: int = 1
    state: str = State.REPORTED
    clocks: c.Clocks = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[dict[str, Any]] = field(default_factory=list)
    voices: list[datetime] = field(default_factory=list)
    rating: tuple[datetime, bool, int] | None = None

    # ---- small strokes

    def wait(self, low_minutes: float, high_minutes: float) -> None:
        """Some time passes."""
        self.pass_to(self.at + timedelta(minutes=self.rng.uniform(low_minutes, high_minutes)))

    def pass_to(self, moment: datetime) -> None:
        """Time passes up to a moment; TooYoung past the present."""
        self.at = max(moment, self.at + timedelta(seconds=1)).replace(microsecond=0)
        if self.at >= self.now - timedelta(hours=1):
            raise TooYoung

    def share(self, kind: c.ClockKind, low: float, high: float) -> None:
        """Until that share of a limit has counted: so people work when they are there."""
        clock = self.clocks.get(kind)
        if clock is None:
            self.wait(30, 600)
        else:
            self.pass_to(c.moment_of(clock, self.rng.uniform(low, high), self.calendar))

    def start(self, kind: c.ClockKind, limit: Limit, by: Actor) -> None:
        moving.started(self.clocks, kind, limit, at=self.at, calendar=self.calendar, by=by)

    def stop(self, by: Actor, *kinds: c.ClockKind, reason: str = "") -> None:
        moving.stopped(self.clocks, kinds, at=self.at, calendar=self.calendar, by=by, reason=reason)

    def event(
        self, move: str, by: Actor, role: Role | str, *, to: str = "", text: str = "", reason: str = "", adds: bool = False,
        department_id: int | None = None, **facts: Any,
    ) -> None:  # fmt: skip
        """A line of the timeline; with ``to`` the state changes."""
        if to and to != self.state and self.events:
            facts["from"] = self.state
        self.state = to or self.state
        if self.events and not adds:
            self.version += 1
            facts["version"] = self.version
        self.events.append(
            {
                "move": move, "state": self.state, "reason_code": reason, "text": text, "facts": facts, "at": self.at,
                "by_id": by.person_id, "by_name": by.name, "by_role": str(role), "department_id": department_id,
            }
        )  # fmt: skip
        if to in ENDED:
            self.fields["ended_at"] = self.at

    def task(self, kind: TaskKind, by: Actor, **values: Any) -> dict[str, Any]:
        """Something asked for; ``done`` ends it."""
        plain = {"kind": str(kind), "opened_at": self.at, "opened_by_id": by.person_id, "opened_version": self.version}
        self.tasks.append({"state": "open", **plain, **values})
        return self.tasks[-1]

    def done(self, by: Actor, *kinds: TaskKind, state: str = "done", answer: str = "", outcome: str = "") -> None:
        """The open tasks of these kinds end."""
        ended = {"state": state, "answer": answer, "outcome": outcome, "done_at": self.at, "done_by_id": by.person_id}
        for task in self.tasks:
            if task["state"] == "open" and (not kinds or task["kind"] in kinds):
                task.update(ended, done_version=self.version)

    # ---- the way of a matter

    def write(self) -> None:
        """All of it. Raises TooYoung."""
        {"self_handled": self._self_handled, "rejected": self._rejected}.get(self.plan.end, self._filed)()

    def _reported(self) -> None:
        by, role = self._reporter()
        self.event("report", by, role)
        limit = self.policy.desk_limit(is_urgent=self.is_urgent, source=self.plan.source)
        self.start(c.ClockKind.ACCEPT, limit, by)
        if self.plan.source == "hotline":
            due = self.calendar.add(self.at, HOTLINE_DAYS).at
            self.clocks[c.ClockKind.OUTER] = c.start_until(c.ClockKind.OUTER, due, at=self.at, by=by.name)

    def _reporter(self) -> tuple[Actor, Role]:
        source = self.plan.source
        if source == "staff":
            return self.crew.worker, Role.GRID_WORKER
        if source == "leader":
            return self.crew.leader, Role.LEADER
        if source == "caller":
            return self.crew.desk, Role.ACCEPTOR
        return (Actor.resident(None), Role.RESIDENT) if source == "resident" else (Actor.system(), Role.SYSTEM)

    def _self_handled(self) -> None:
        self.state = State.CLOSED
        self.event("self_handle", self.crew.worker, Role.GRID_WORKER)
        self.fields |= {"closing": Closing.SELF_HANDLED, "ended_at": self.at}
        self.fields |= dict.fromkeys(("accepted_at", "handled_at", "confirmed_at"), self.at)

    def _rejected(self) -> None:
        self._reported()
        self.share(c.ClockKind.ACCEPT, 0.2, 0.9)
        self.stop(self.crew.desk, *moving.EVERY_CLOCK)
        self.event("reject", self.crew.desk, Role.ACCEPTOR, to=State.REJECTED, reason=self.refusal)
        self.fields["reason_code"] = self.refusal

    def _filed(self) -> None:
        self._reported()
        self._accept()
        self._dispatch()
        if self.plan.is_returned:
            self._return()
            self._dispatch()
        self._acknowledge()
        if self.plan.end == "cancelled":
            self._end("cancel", self.crew.duty, Role.DUTY_LEADER, State.CANCELLED, "gone", texts.GONE)
            return
        if self.plan.end == "forced":
            self.wait(200, 2000)
            self._end("force_close", self.crew.leader, Role.LEADER, State.CLOSED, "impossible", texts.IMPOSSIBLE)
            self.fields["closing"] = Closing.FORCED
            return
        self._work(late=self.plan.is_late)
        if self.plan.is_reworked:
            self._check_fail()
            self._acknowledge(again=True)
            self._work(late=False)
        self._close()
        if self.plan.is_reopened:
            self._reopen()
        self._rate()

    def _accept(self) -> None:
        desk = self.crew.desk
        self._need_verification()
        self.share(c.ClockKind.ACCEPT, *((0.1, 0.9) if self.rng.random() < 0.95 else (1.1, 2.0)))
        self.stop(desk, c.ClockKind.ACCEPT, c.ClockKind.VERIFY)
        self.start(c.ClockKind.DISPATCH, self.policy.desk_limit(is_urgent=self.is_urgent, source=self.plan.source), desk)
        self.event("accept", desk, Role.ACCEPTOR, to=State.ACCEPTED)
        self.fields["accepted_at"] = self.at

    def _need_verification(self) -> None:
        """A type that is looked at before filing is, unless the street's own people found it."""
        if not self.condition.edition.needs_verify or self.plan.source in {"staff", "leader", "camera"}:
            return
        desk, worker = self.crew.desk, self.crew.worker
        self.share(c.ClockKind.ACCEPT, 0.1, 0.5)
        accept = self.clocks[c.ClockKind.ACCEPT]
        self.clocks[c.ClockKind.ACCEPT] = c.pause(accept, at=self.at, calendar=self.calendar, by=desk.name, reason="verify")
        self.start(c.ClockKind.VERIFY, self.policy.spot_limit(is_urgent=self.is_urgent), desk)
        self.event("ask_verify", desk, Role.ACCEPTOR, to=State.VERIFYING)
        self.task(TaskKind.VERIFY, desk, person_id=worker.person_id, due_at=self.clocks[c.ClockKind.VERIFY].due_at)
        self.share(c.ClockKind.VERIFY, 0.2, 0.9)
        self.stop(worker, c.ClockKind.VERIFY)
        paused = self.clocks[c.ClockKind.ACCEPT]
        self.clocks[c.ClockKind.ACCEPT] = c.resume(paused, at=self.at, calendar=self.calendar, by=worker.name)
        self.event("verify", worker, Role.GRID_WORKER, to=State.REPORTED, finding="true")
        self.done(worker, TaskKind.VERIFY, outcome="true")

    def _dispatch(self) -> None:
        desk, department_id = self.crew.desk, self.crew.department_id
        self.share(c.ClockKind.DISPATCH, *((0.1, 0.9) if self.rng.random() < 0.96 else (1.1, 1.8)))
        self.stop(desk, c.ClockKind.DISPATCH)
        self.start(c.ClockKind.ACKNOWLEDGE, self.policy.desk_limit(is_urgent=self.is_urgent, source=self.plan.source), desk)
        if runs_from_dispatch(self.condition):
            self.start(c.ClockKind.HANDLE, limit_of(self.condition), desk)
        facts: dict[str, Any] = {"lead": department_id, "assist": [], **self.crew.names}
        self.event("dispatch", desk, Role.DISPATCHER, to=State.DISPATCHED, department_id=department_id, **facts)
        self.task(TaskKind.LEAD, desk, department_id=department_id, due_at=moving.handle_due(self.clocks))
        self.fields |= {"dispatched_at": self.at, "lead_id": department_id, "first_lead_id": department_id}

    def _return(self) -> None:
        lead, department_id = self.crew.lead, self.crew.department_id
        self.share(c.ClockKind.ACKNOWLEDGE, 0.2, 0.9)
        text = texts.pick(self.rng, texts.RETURNED)
        self.stop(lead, c.ClockKind.ACKNOWLEDGE, c.ClockKind.HANDLE, reason="wrong_type")
        self.start(c.ClockKind.DISPATCH, self.policy.desk_limit(is_urgent=self.is_urgent, source=self.plan.source), lead)
        self.event(
            "return", lead, Role.DEPARTMENT_LEAD, to=State.RETURNED, text=text, reason="wrong_type",
            department_id=department_id, lead=department_id,
        )  # fmt: skip
        self.done(lead, TaskKind.LEAD, state="declined", answer=text, outcome="wrong_type")
        self.fields["returns"] = self.fields.get("returns", 0) + 1

    def _acknowledge(self, *, again: bool = False) -> None:
        hand = self.crew.hand
        if again:
            self.wait(5, 60)
        else:
            self.share(c.ClockKind.ACKNOWLEDGE, *((0.1, 0.9) if self.rng.random() < 0.95 else (1.1, 2.0)))
        self.stop(hand, c.ClockKind.ACKNOWLEDGE)
        self.event("acknowledge", hand, Role.HANDLER, to=State.HANDLING, department_id=self.crew.department_id)
        self.fields.setdefault("acknowledged_at", self.at)
        self.fields["handler_id"] = hand.person_id

    def _work(self, *, late: bool) -> None:
        hand, lead, department_id = self.crew.hand, self.crew.lead, self.crew.department_id
        self._more_voices()
        if late:
            self._run_late()
        handle = self.clocks.get(c.ClockKind.HANDLE)
        counted = c.counted_by(handle, self.at, self.calendar) / handle.limit if handle else 0.0
        low = max(counted + 0.02, 1.05) if late else min(counted + 0.02, 0.9)
        self.share(c.ClockKind.HANDLE, low, low + 0.5 if late else max(low, 0.93))
        self._prove()
        text = texts.pick(self.rng, self.subject.done)
        self.event("handle", hand, Role.HANDLER, to=State.HANDLED, text=text, department_id=department_id)
        self.fields["handled_at"] = self.at
        self._confirm_soon(late=late)
        self.stop(lead, c.ClockKind.HANDLE, c.ClockKind.ACKNOWLEDGE)
        self.start(c.ClockKind.CHECK, self.policy.spot_limit(is_urgent=self.is_urgent), lead)
        self.event("confirm", lead, Role.DEPARTMENT_LEAD, to=State.CHECKING, department_id=department_id)
        self.done(lead, TaskKind.LEAD)
        self.fields["confirmed_at"] = self.at
        if self.condition.edition.needs_check:
            worker, due_at = self.crew.worker, self.clocks[c.ClockKind.CHECK].due_at
            self.task(TaskKind.CHECK, lead, person_id=worker.person_id, due_at=due_at)

    def _confirm_soon(self, *, late: bool) -> None:
        """The department's own look; what was done in time is confirmed in time."""
        handle = self.clocks.get(c.ClockKind.HANDLE)
        if handle is None or late:
            self.wait(2, 15)
            return
        counted = c.counted_by(handle, self.at, self.calendar) / handle.limit
        self.share(c.ClockKind.HANDLE, counted + 0.002, min(counted + 0.05, max(0.99, counted + 0.002)))

    def _run_late(self) -> None:
        """The handling clock's marks come due, the system urges, the department answers."""
        handle = self.clocks.get(c.ClockKind.HANDLE)
        if handle is None:
            return
        for mark, share in (("yellow", c.YELLOW_SHARE), ("red", 1.0)):
            moment = c.moment_of(handle, share, self.calendar) + timedelta(seconds=1)
            if moment > self.at:
                self.pass_to(moment)
                facts: dict[str, Any] = {"clock": handle.kind.value, "mark": mark, "due": handle.due_at.isoformat()}
                self.event("light", Actor(None), "", adds=True, **facts)
        self._urge("clock")

    def _urge(self, cause: str) -> None:
        system, lead, department_id = Actor.system(), self.crew.lead, self.crew.department_id
        self.event("urge", system, Role.SYSTEM, adds=True, department_id=department_id, cause=cause)
        due_at = self.calendar.add(self.at, ANSWER_LIMIT).at
        self.task(TaskKind.URGE, system, department_id=department_id, due_at=due_at, facts={"cause": cause})
        self.fields["urges"] = self.fields.get("urges", 0) + 1
        self.wait(10, 40)
        answer = texts.pick(self.rng, texts.URGED)
        self.event("answer_urge", lead, Role.DEPARTMENT_LEAD, adds=True, text=answer, department_id=department_id, urges=1)
        self.done(lead, TaskKind.URGE, answer=answer)

    def _more_voices(self) -> None:
        """Others meet the same thing while it is at work."""
        if self.voices:
            return
        for _n in range(self.plan.more_voices):
            self.wait(1, 5)
            self.voices.append(self.at)
            self.event("me_too", Actor.resident(None), Role.RESIDENT, adds=True)
        if len(self.voices) == self.policy.repeat_urge - 1:
            self._urge("repeat")

    def _prove(self) -> None:
        """Every proof the closing condition asks for."""
        for wanted in self.condition.required_proofs:
            if wanted["phase"] == "before" and any(proof["phase"] == "report" for proof in self.proofs):
                continue  # a report's own photo counts
            text = "" if wanted["kind"] == "photo" else texts.pick(self.rng, self.subject.done)
            shown = {"kind": wanted["kind"], "phase": wanted["phase"], "text": text, "at": self.at}
            by = {"by_id": self.crew.hand.person_id, "department_id": self.crew.department_id}
            came_back = self.fields.get("reworks", 0) + self.fields.get("reopens", 0)
            self.proofs += [shown | by | {"round": came_back} for _n in range(wanted["at_least"])]

    def _check_fail(self) -> None:
        worker, text = self.crew.worker, texts.pick(self.rng, texts.NOT_DONE)
        self.share(c.ClockKind.CHECK, 0.2, 0.9)
        self.stop(worker, c.ClockKind.CHECK)
        if handle := self.clocks.get(c.ClockKind.HANDLE):
            again = c.resume(handle, at=self.at, calendar=self.calendar, by=worker.name, reason="rework")
            self.clocks[c.ClockKind.HANDLE] = again
        department_id = self.crew.department_id
        self.event("check_fail", worker, Role.GRID_WORKER, to=State.REWORK, text=text, department_id=department_id)
        self.done(worker, TaskKind.CHECK, answer=text, outcome="failed")
        self.task(TaskKind.LEAD, worker, department_id=department_id, due_at=moving.handle_due(self.clocks), asked=text)
        self.fields["reworks"] = self.fields.get("reworks", 0) + 1

    def _close(self) -> None:
        worker, desk = self.crew.worker, self.crew.desk
        self.share(c.ClockKind.CHECK, *((0.1, 0.9) if self.rng.random() < 0.94 else (1.1, 1.6)))
        self.stop(worker, c.ClockKind.CHECK)
        if self.condition.edition.needs_check:
            self.event("check_pass", worker, Role.GRID_WORKER)
            self.done(worker, TaskKind.CHECK, outcome="passed")
            self.fields["checked_at"] = self.at
            self.wait(5, 90)
        if self.plan.is_appealed:
            self._appeal()
        reply, role, by = texts.pick(self.rng, self.subject.replies), Role.ACCEPTOR, desk
        if self.plan.source == "hotline":
            by, role = self._ask_hotline(reply), Role.SYSTEM
        self.stop(by, *moving.EVERY_CLOCK)
        self.event("close", by, role, to=State.CLOSED, closing=str(Closing.NORMAL))
        self.done(by, state="withdrawn")
        self.fields |= {"closing": Closing.NORMAL, "reply": reply}

    def _ask_hotline(self, reply: str) -> Actor:
        desk, question = self.crew.desk, {"question": "close", "reply": reply}
        self.event("ask_hotline", desk, Role.ACCEPTOR, adds=True, question="close")
        self.task(TaskKind.HOTLINE, desk, role=str(Role.ACCEPTOR), facts=question)
        self.wait(20, 200)
        self.event("answer_hotline", desk, Role.ACCEPTOR, question="close", granted=True)
        self.done(desk, TaskKind.HOTLINE, outcome="yes")
        return Actor.system()

    def _appeal(self) -> None:
        """Asked by the department, looked at by a supervisor and then by the duty leader."""
        handle, lead = self.clocks.get(c.ClockKind.HANDLE), self.crew.lead
        if handle is None or not handle.is_late:
            return
        text, department_id = texts.pick(self.rng, texts.APPEALED), self.crew.department_id
        self.event("ask_appeal", lead, Role.DEPARTMENT_LEAD, adds=True, text=text, department_id=department_id)
        looks = ((self.crew.supervisor, Role.SUPERVISOR), (self.crew.duty, Role.DUTY_LEADER))
        for review, (by, role) in enumerate(looks, 1):
            self.task(TaskKind.APPEAL, lead, role=str(role), asked=text, facts={"review": review})
            self.wait(30, 300)
            granted = self.rng.random() < 0.75
            self.done(by, TaskKind.APPEAL, outcome="yes" if granted else "no")
            self.event("review_appeal", by, role, granted=granted, review=review, department_id=department_id)
            if not granted:
                return
        late = self.clocks[c.ClockKind.HANDLE]
        self.clocks[c.ClockKind.HANDLE] = c.exempt(late, at=self.at, by=self.crew.duty.name, reason=text)

    def _reopen(self) -> None:
        """The fix did not hold: once more round, by the same department."""
        self.wait(300, 4000)
        resident, text = Actor.resident(None), texts.pick(self.rng, texts.NOT_DONE)
        self.start(c.ClockKind.DISPATCH, self.policy.desk_limit(is_urgent=False, source=self.plan.source), resident)
        self.event("reopen", resident, Role.RESIDENT, to=State.REOPENED, text=text, lead=self.crew.department_id)
        self.fields |= {"reopens": 1, **dict.fromkeys(("handled_at", "confirmed_at", "checked_at"))}
        self._dispatch()
        self._acknowledge()
        self._work(late=False)
        self._close()

    def _rate(self) -> None:
        if not self.plan.is_rated:
            return
        self.wait(30, 3000)
        mark = self.rng.choice((5, 5, 4, 4, 3)) if self.plan.is_solved else self.rng.choice((1, 2))
        self.event("rate", Actor.resident(None), Role.RESIDENT, adds=True, solved=self.plan.is_solved, satisfaction=mark)
        self.rating = (self.at, self.plan.is_solved, mark)

    def _end(self, move: str, by: Actor, role: Role, to: State, reason: str, choices: Sequence[str]) -> None:
        self.wait(20, 200)
        self.stop(by, *moving.EVERY_CLOCK)
        self.event(move, by, role, to=to, text=texts.pick(self.rng, tuple(choices)), reason=reason)
        self.done(by, state="withdrawn")
        self.fields["reason_code"] = reason
