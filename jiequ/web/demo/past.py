"""The earlier months in bulk: every plan of a stretch of time written down and stored, a transaction for some hundred."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any

from jiequ.cases import clocks as c
from jiequ.cases.models import Case, CaseEvent, FilingCondition, Proof, Rating, Report, Reporter, Task
from jiequ.cases.offers import committee_key
from jiequ.cases.policy import Policy
from jiequ.cases.pyramid import Place, group_of
from jiequ.cases.services import HOTLINE_NAME, moving, rollups, searching
from jiequ.cases.services.intake import LAST4_LOOKUP, NAME_PURPOSE, PHONE_LOOKUP
from jiequ.channels.services import seal_phone
from jiequ.core import audit, secrets
from jiequ.core.bulk import Inserter, new_ids
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.ids import next_numbers
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.grid.models import Community
from jiequ.grid.queries import Spot, locate
from jiequ.grid.rules import q18
from jiequ.people.access import actor_for
from jiequ.people.models import Department, Person, Post
from jiequ.people.rules import Actor

from . import photos, texts
from .pen import Crew, Pen, TooYoung
from .year import Plan

NAMED = ("lin", "liang", "he", "du")
_CASE = tuple(
    "id number version state closing title source event_type_id condition_id is_urgent reason_code reply street_id community_id"
    " unit_grid_id address lon lat q18 raw_x raw_y raw_system accuracy_m clocks promised_at is_promise_provisional reported_at"
    " accepted_at dispatched_at acknowledged_at handled_at confirmed_at checked_at ended_at changed_at is_late is_exempt"
    " lead_id first_lead_id handler_id opened_by_id returns reworks reopens urges voices".split()
)
_COUNTS = ("returns", "reworks", "reopens", "urges")
_REPORT = tuple(
    "id case_id origin_id reporter_id street_id source system source_ref words place_words lon lat at by_id tokens".split()
)
_REPORTER = tuple("id name_sealed phone_sealed phone_blind last4_blind noticed_at keep_until".split())
_EVENT = tuple("case_id move state reason_code text facts at by_id by_name by_role department_id".split())
_TASK = tuple(
    "case_id street_id kind state asked facts outcome answer department_id person_id role opened_at due_at done_at"
    " opened_version done_version opened_by_id done_by_id".split()
)
_PROOF = tuple("case_id report_id kind phase picture_id text at by_id department_id round".split())
_RATING = tuple("report_id case_id is_solved satisfaction at".split())


@dataclass
class _Made:
    """A matter written down, with where it is and its ids."""

    pen: Pen
    lon: float
    lat: float
    address: str
    spot: Spot
    said: str
    pk: int = 0
    number: str = ""
    reports: Sequence[int] = ()
    reporter_id: int | None = None


class Past:
    """Writes plans of one street. Holds what is looked up once."""

    def __init__(self, street: Street, now: datetime) -> None:
        self.street, self.now = street, now
        self.policy, self.calendar = Policy.of(street.settings), calendar_for()
        self.subjects = {subject.code: subject for subject in texts.SUBJECTS}
        self.actors: dict[int, Actor] = {}
        self.kept = photos.kept(street)

    def write(self, plans: Iterable[Plan]) -> int:
        """Store what the plans come to; returns how many cases that was. What would not be over yet is left out."""
        made = [one for plan in plans if (one := self._one(plan)) is not None]
        if made:
            with writing():
                self._store(made)
        return len(made)

    # ---- one matter

    def _one(self, plan: Plan) -> _Made | None:
        subject = self.subjects[plan.code]
        condition = self._condition(plan.code)
        rng = Random(plan.seed)
        lon, lat, address = texts.somewhere(rng, self.street.pk, plan.code)
        spot = locate(lon, lat)
        if condition is None or spot is None or spot.street_id != self.street.pk:
            return None
        crew = self._crew(condition, spot, rng)
        if crew is None:
            return None
        pen = Pen(plan, subject, condition, crew, self.now, self.calendar, self.policy, plan.at, rng)
        pen.is_urgent = subject.is_urgent and rng.random() < 0.4
        pen.refusal = texts.refusal(rng, plan.source) if plan.end == "rejected" else ""
        said = texts.words_of(rng, subject, address, pen.refusal)
        self._photo_of_report(pen)
        try:
            pen.write()
        except TooYoung:
            return None
        return _Made(pen, lon, lat, address, spot, said)

    def _photo_of_report(self, pen: Pen) -> None:
        """What is seen has a photo; a call has none. A self-handled matter shows how it looks after."""
        plan = pen.plan
        by = {"by_id": pen.crew.worker.person_id if plan.source == "staff" else None, "department_id": None, "round": 0}
        if plan.end == "self_handled":
            pen.proofs.append({"kind": "photo", "phase": "after", "text": "", "at": plan.at, **by})
        elif pen.refusal in texts.NOT_OURS:
            return
        elif plan.source in {"staff", "camera", "leader"} or (plan.source == "resident" and pen.rng.random() < 0.8):
            pen.proofs.append({"kind": "photo", "phase": "report", "text": "", "at": plan.at, **by})

    def _condition(self, code: str) -> FilingCondition | None:
        if code not in self._conditions:
            self._conditions[code] = texts.condition_of(self.subjects[code])
        return self._conditions[code]

    @cached_property
    def _conditions(self) -> dict[str, FilingCondition | None]:
        return {}

    # ---- people

    def _crew(self, condition: FilingCondition, spot: Spot, rng: Random) -> Crew | None:
        edition = condition.edition
        own = committee_key(self._communities[spot.community_id])
        keys = [own if key == "sq" else key for key in (edition.lead_department_key, *edition.assist_department_keys, own)]
        department = next((self._departments[key] for key in keys if key in self._departments), None)
        if department is None or not self._crews[department.pk]["lead"]:
            return None
        hands = self._crews[department.pk]["hand"] or self._crews[department.pk]["lead"]
        desk, duty, leader, supervisor = (self._actor(self._named[name]) for name in NAMED)
        return Crew(
            desk=desk,
            duty=duty,
            leader=leader,
            supervisor=supervisor,
            worker=self._actor(spot.worker_id) if spot.worker_id else desk,
            department_id=department.pk,
            names=moving.named([department]),
            lead=self._actor(self._crews[department.pk]["lead"][0]),
            hand=self._actor(rng.choice(hands)),
        )

    def _actor(self, person_id: int) -> Actor:
        if person_id not in self.actors:
            self.actors[person_id] = actor_for(Person.objects.get(pk=person_id), at=self.now)
        return self.actors[person_id]

    @cached_property
    def _named(self) -> dict[str, int]:
        return dict(Person.objects.filter(username__in=NAMED).values_list("username", "pk"))

    @cached_property
    def _communities(self) -> dict[int, Community]:
        return {community.pk: community for community in Community.objects.filter(street=self.street)}

    @cached_property
    def _departments(self) -> dict[str, Department]:
        return {department.key: department for department in Department.objects.filter(street=self.street)}

    @cached_property
    def _crews(self) -> dict[int, dict[str, list[int]]]:
        found: dict[int, dict[str, list[int]]] = defaultdict(lambda: {"lead": [], "hand": []})
        held = (
            Post.objects.filter(department__street=self.street).order_by("pk").values_list("department_id", "role", "person_id")
        )
        for department_id, role, person_id in held:
            if department_id is not None:
                found[department_id]["lead" if role == "department_lead" else "hand"].append(person_id)
        return found

    # ---- the tables

    def _store(self, made: Sequence[_Made]) -> None:
        self._number(made)
        Inserter(Case, *_CASE)(self._case(one) for one in made)
        self._store_reporters(made)
        Inserter(Report, *_REPORT)(row for one in made for row in self._reports(one))
        Inserter(CaseEvent, *_EVENT)(self._event(one, event) for one in made for event in one.pen.events)
        Inserter(Task, *_TASK)(self._task(one, task) for one in made for task in one.pen.tasks)
        Inserter(Proof, *_PROOF)(self._proof(one, proof) for one in made for proof in one.pen.proofs)
        Inserter(Rating, *_RATING)(
            (one.reports[0], one.pk, one.pen.rating[1], one.pen.rating[2], one.pen.rating[0]) for one in made if one.pen.rating
        )
        audit.record_many(self._audit(one, event) for one in made for event in one.pen.events if event["move"] != "light")
        rollups.count_in_places(
            Place(self.street.pk, group_of(one.pen.state), one.pen.condition.edition.event_type_id, q18(one.lon, one.lat))
            for one in made
            if self._is_filed(one)
        )
        rollups.count_in_places(
            Place(self.street.pk, group_of(one.pen.state), None, q18(one.lon, one.lat))
            for one in made
            if not self._is_filed(one)
        )

    def _is_filed(self, one: _Made) -> bool:
        return one.pen.plan.end != "rejected"

    def _number(self, made: Sequence[_Made]) -> None:
        years: defaultdict[int, list[_Made]] = defaultdict(list)
        for one, pk in zip(made, new_ids(Case, len(made)), strict=True):
            one.pk = pk
            years[one.pen.plan.at.astimezone(ZONE).year].append(one)
        for year, group in years.items():
            for one, number in zip(group, next_numbers(self.street.prefix, year, len(group)), strict=True):
                one.number = number
        ids = iter(new_ids(Report, sum(1 + len(one.pen.voices) for one in made)))
        for one in made:
            one.reports = [next(ids) for _n in range(1 + len(one.pen.voices))]

    def _case(self, one: _Made) -> tuple[Any, ...]:
        pen, plan = one.pen, one.pen.plan
        edition, is_filed = pen.condition.edition, self._is_filed(one)
        handle = pen.clocks.get(c.ClockKind.HANDLE)
        promise = pen.clocks.get(c.ClockKind.OUTER) or handle
        values: dict[str, Any] = {
            "id": one.pk,
            "number": one.number,
            "version": pen.version,
            "state": pen.state,
            "closing": "",
            "title": (one.said if pen.refusal in texts.NOT_OURS else edition.name_zh)[:40],
            "source": plan.source,
            "event_type_id": edition.event_type_id if is_filed else None,
            "condition_id": pen.condition.pk if is_filed else None,
            "is_urgent": pen.is_urgent,
            "reason_code": "",
            "reply": "",
            "street_id": self.street.pk,
            "community_id": one.spot.community_id,
            "unit_grid_id": one.spot.unit_grid_id,
            "address": one.address,
            "lon": one.lon,
            "lat": one.lat,
            "q18": q18(one.lon, one.lat),
            "raw_x": one.lon,
            "raw_y": one.lat,
            "raw_system": "cgcs2000",
            "accuracy_m": 12.0,
            "clocks": c.dump(pen.clocks),
            "promised_at": promise.due_at if promise else None,
            "is_promise_provisional": bool(promise and promise.is_provisional),
            "reported_at": plan.at,
            "changed_at": pen.at,
            "is_late": bool(handle and handle.was_due_by(pen.at)),
            "is_exempt": bool(handle and handle.is_exempt),
            "opened_by_id": pen.events[0]["by_id"],
            "voices": 1 + len(pen.voices),
        }
        values |= pen.fields
        return tuple(values.get(name, 0 if name in _COUNTS else None) for name in _CASE)

    def _store_reporters(self, made: Sequence[_Made]) -> None:
        named = [one for one in made if one.pen.plan.source in {"resident", "caller", "hotline"}]
        for one, pk in zip(named, new_ids(Reporter, len(named)) if named else (), strict=True):
            one.reporter_id = pk
        Inserter(Reporter, *_REPORTER)(self._reporter(one) for one in named)

    def _reporter(self, one: _Made) -> tuple[Any, ...]:
        phone = texts.phone(one.pen.rng)
        ended = one.pen.fields.get("ended_at", one.pen.at)
        return (
            one.reporter_id,
            secrets.seal(texts.resident(one.pen.rng), NAME_PURPOSE),
            seal_phone(phone),
            secrets.blind(phone, PHONE_LOOKUP),
            secrets.blind(phone[-4:], LAST4_LOOKUP),
            one.pen.plan.at,
            ended.date().replace(year=ended.year + 1, day=min(ended.day, 28)),
        )

    def _reports(self, one: _Made) -> Iterable[tuple[Any, ...]]:
        pen, plan = one.pen, one.pen.plan
        system, ref = (HOTLINE_NAME, f"12345-{plan.number}") if plan.source == "hotline" else ("", "")
        said = one.said
        tail = (one.address, one.lon, one.lat)
        by_id, edition = pen.events[0]["by_id"], pen.condition.edition
        voices = [texts.report_words(pen.rng, pen.subject, one.address) for _voice in pen.voices]
        tokens = searching.split(self.street.pk, [edition.name_zh, edition.name_en, one.address, said, *voices])
        yield (
            *(one.reports[0], one.pk, one.pk, one.reporter_id, self.street.pk, plan.source, system, ref, said),
            *(*tail, plan.at, by_id, tokens),
        )
        for pk, at, words in zip(one.reports[1:], pen.voices, voices, strict=True):
            yield (pk, one.pk, one.pk, None, self.street.pk, "resident", "", "", words, *tail, at, None, "")

    def _event(self, one: _Made, event: dict[str, Any]) -> tuple[Any, ...]:
        if event["move"] == "me_too":
            place = one.pen.voices.index(event["at"]) + 1
            event["facts"]["report"] = one.reports[place]
        return (one.pk, *(event[name] for name in _EVENT[1:]))

    def _task(self, one: _Made, task: dict[str, Any]) -> tuple[Any, ...]:
        plain: dict[str, Any] = {"case_id": one.pk, "street_id": self.street.pk, "asked": "", "facts": {}, "outcome": ""}
        values = plain | {"answer": "", "role": ""} | task
        return tuple(values.get(name) for name in _TASK)

    def _proof(self, one: _Made, proof: dict[str, Any]) -> tuple[Any, ...]:
        is_after = proof["phase"] not in {"report", "before"}
        picture_id = self._picture(one.pen, is_after=is_after) if proof["kind"] == "photo" else None
        report_id = one.reports[0] if proof["phase"] == "report" or one.pen.plan.end == "self_handled" else None
        values = {"case_id": one.pk, "report_id": report_id, "picture_id": picture_id, **proof}
        return tuple(values[name] for name in _PROOF)

    def _picture(self, pen: Pen, *, is_after: bool) -> int:
        """One of three drawn photos of the kind; the past's cases share rows."""
        scene = (pen.subject.picture, is_after, pen.plan.number % 3)
        if scene not in self.kept:
            self.kept[scene] = photos.keep(self.street, scene, at=self.now)
        return self.kept[scene]

    def _audit(self, one: _Made, event: dict[str, Any]) -> audit.Entry:
        facts = {"state": str(event["state"])} | ({"reason_code": event["reason_code"]} if event["reason_code"] else {})
        return audit.Entry(
            self.street.pk, event["by_id"], f"case.{event['move']}", "case", str(one.pk), event["at"], facts
        )  # fmt: skip
