"""Two streets seeded alike, with canary words in whatever names a person or repeats what one said (RELIABILITY rows 22, 23)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from jiequ.cases import services
from jiequ.cases.access import case_for
from jiequ.cases.models import Case, CaseEvent, Delivery, FilingCondition, ImportIssue, IssueCase, Proof, SavedFilter, Topic
from jiequ.cases.services import areas, hooks
from jiequ.channels.models import CallBack, InboxItem, Message
from jiequ.channels.services import Notice, open_call_back, seal_phone, send
from jiequ.core.secrets import seal
from jiequ.core.worker import BATCH, work_once
from jiequ.doors.chat.models import Voice
from jiequ.doors.chat.reporting import VOICE_PURPOSE
from jiequ.doors.hotline import purposes
from jiequ.doors.hotline.models import Letter, Order
from jiequ.doors.hotline.services import make_source
from jiequ.grid.models import GridMember, MonitoringPoint, ResponsibilityGrid
from jiequ.grid.services import PlaceFacts, add_place, add_point
from jiequ.grid.services.points import PointFacts
from jiequ.insight.models import Export
from jiequ.people.access import actor_for
from jiequ.people.models import Department, Leave, Person, Post, Shift
from jiequ.people.rules import Actor, Role
from jiequ.people.services import allow_token
from jiequ.sense.models import Asset, Camera, Flight, Mosaic, OdmServer, Release, Verdict
from tests.actors import LAT, LON, NOW, SINCE, STEP, World, hashed_password
from tests.casework import make_condition, make_picture
from tests.support.suspects import comparison, permit, square, suspect

REASON = "核对电话"


@dataclass(frozen=True)
class Canaries:
    """One street's: each word stands nowhere else."""

    words: str
    address: str
    reporter: str
    phone: str
    staff: str
    staff_phone: str
    said: str
    department: str

    def all(self) -> tuple[str, ...]:
        return (self.words, self.address, self.reporter, self.phone, self.staff, self.staff_phone, self.said, self.department)


def canaries(letter: str, digit: int) -> Canaries:
    """``Q`` and 7: 鸣Q言, 鸣Q址 …, phones that begin with 1397777."""
    return Canaries(
        words=f"鸣{letter}言",
        address=f"鸣{letter}址",
        reporter=f"鸣{letter}人",
        phone=f"139{digit}{digit}{digit}{digit}0001",
        staff=f"鸣{letter}员",
        staff_phone=f"139{digit}{digit}{digit}{digit}0002",
        said=f"鸣{letter}说",
        department=f"鸣{letter}部",
    )


@dataclass
class Side:
    """One street: who works there, and one of everything that has an id."""

    canary: Canaries
    street_id: int
    grid: str
    operator: str
    handler: str
    worker: Person
    lead: Person
    leader: Person
    department: Department
    cases: dict[str, Case] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scene:
    """The world with both streets seeded; ``a`` is 龙涧街道, where the named actors work."""

    world: World
    condition: FilingCondition
    a: Side
    b: Side
    outside_token: str = ""

    def clients(self) -> dict[str, Any]:
        """A browser for everybody whose sight ends at street A's border, and for nobody."""
        names = ("lin", "chen", "liu", "huang", "wu", "zhao", "qian", "ding", "he", "liang", "zhou")
        return {name: self.world.client(name) for name in names}


def make_scene(world: World) -> Scene:
    """Everything on both sides, by the real services."""
    condition = make_condition()
    sides = [_side_a(world), _side_b(world)]
    scene = Scene(world, condition, *sides)
    for side in sides:
        _seed(scene, side)
    for _ in range(20):
        if not work_once(at=NOW + timedelta(seconds=30), limit=BATCH):
            break
    for side in sides:
        _late_ids(scene, side)
    return scene


def _side_a(world: World) -> Side:
    marks = canaries("Z", 6)
    Department.objects.filter(pk=world.sanitation.pk).update(name_zh=marks.department, name_en=marks.department)
    return Side(marks, world.street.pk, "a", "lin", "huang", world.chen, world.wu, world.he, world.sanitation)


def _side_b(world: World) -> Side:
    marks = canaries("Q", 7)
    Department.objects.filter(pk=world.other_sanitation.pk).update(name_zh=marks.department, name_en=marks.department)
    Person.objects.filter(pk__in=[world.wai.pk, world.wai_handler.pk]).update(name=marks.staff)
    world.wai.refresh_from_db()
    world.wai_handler.refresh_from_db()
    street, department = world.other_street, world.other_sanitation
    worker = _person("bei", marks, "2", Role.GRID_WORKER, street.pk, None)
    lead = _person("nan", marks, "3", Role.DEPARTMENT_LEAD, street.pk, department.pk)
    leader = _person("dong", marks, "4", Role.LEADER, street.pk, None)
    world.people |= {"bei": worker, "nan": lead, "dong": leader}
    area = ResponsibilityGrid.objects.create(street=street, name="责任网格c", worker=worker)
    GridMember.objects.create(responsibility_grid=area, unit_grid=world.grids["c"])
    world.responsibility_grids["c"] = area
    return Side(marks, street.pk, "c", "wai", "wai_handler", worker, lead, leader, department)


def _person(name: str, marks: Canaries, digit: str, role: Role, street_id: int, department_id: int | None) -> Person:
    person = Person.objects.create(
        username=name,
        name=marks.staff,
        phone=marks.staff_phone[:-1] + digit,
        street_id=street_id,
        account="staff",
        password=hashed_password(),
        created_at=NOW,
    )
    Post.objects.create(
        person=person, account="staff", role=role.value, street_id=street_id, department_id=department_id, starts_on=SINCE
    )
    return person


# -- one street ------------------------------------------------------------------------------------------------------


class _Hands:
    """The people of one street, moving its cases."""

    def __init__(self, scene: Scene, side: Side) -> None:
        self.scene, self.side = scene, side

    def actor(self, who: Person | str) -> Actor:
        return actor_for(who, at=NOW) if isinstance(who, Person) else self.scene.world.actor(who)

    def fresh(self, case: Case, who: Person | str) -> Case:
        return case_for(self.actor(who), case.number)

    def report(self, name: str, **changes: Any) -> Case:
        marks = self.side.canary
        lon, lat = self.scene.world.point_in(self.side.grid)
        account = services.Account(
            source="resident",
            words=f"{marks.words}，请看",
            place=services.Place(x=lon, y=lat, system="cgcs2000", accuracy_m=8, words=marks.address),
            contact=services.Contact(name=marks.reporter, phone=marks.phone),
            pictures=[make_picture(self.side.street_id, f"r{self.side.grid}{name}")],
        )
        done = services.report_case(
            street_id=self.side.street_id, account=replace(account, **changes), by=Actor.resident(None), at=NOW
        )
        self.side.cases[name], self.side.tokens[name] = done.case, done.token
        return done.case

    def move(self, name: str, service: str, who: Person | str, **values: Any) -> None:
        case = self.fresh(self.side.cases[name], who)
        getattr(services, service)(case, by=self.actor(who), at=NOW, **values)

    def up_to(self, name: str, steps: int) -> None:
        """Report ``name`` and make the first ``steps`` moves of the loop."""
        side, marks = self.side, self.side.canary
        self.report(name)
        way: list[tuple[str, Person | str, dict[str, Any]]] = [
            ("accept", side.operator, {"condition_id": self.scene.condition.pk, "text": marks.said}),
            ("dispatch", side.operator, {"lead_id": side.department.pk, "text": marks.said}),
            ("acknowledge", side.handler, {}),
            ("handle", side.handler, {"text": marks.said, "shown": [self.shown(name)]}),
            ("confirm", side.lead, {"text": marks.said}),
            ("check_pass", side.worker, {"text": marks.said}),
            ("close", side.operator, {"reply": marks.said}),
        ]
        for service, who, values in way[:steps]:
            self.move(name, service, who, **values)

    def shown(self, name: str) -> services.Shown:
        return services.Shown(picture=make_picture(self.side.street_id, f"h{self.side.grid}{name}"))


def _seed(scene: Scene, side: Side) -> None:
    hands, marks = _Hands(scene, side), side.canary
    for steps, name in enumerate(
        ("reported", "accepted", "dispatched", "handling", "handled", "checking", "checked", "closed")
    ):
        hands.up_to(name, steps)
    hands.report("held", is_suspect=True)
    hands.report("secret", is_confidential=True)
    hands.up_to("hotline", 0)
    hands.move("handling", "urge", side.leader, text=marks.said)
    hands.move("handling", "ask_extend", side.lead, share=0.5, text=marks.said)
    hands.move("reported", "note", side.operator, text=marks.said)
    hands.move("accepted", "ask_consult", side.leader, question=marks.said, department_ids=[side.department.pk],
               answer_by=NOW + timedelta(hours=3))  # fmt: skip
    _rated(scene, side)
    _people(scene, side)
    _map(scene, side)
    _messages(scene, side)
    _suspects(side)
    _ways(side)


def _ways(side: Side) -> None:
    """A flight with its mosaic, a fixed camera over a point."""
    flight = Flight.objects.create(street_id=side.street_id, name=side.canary.said, flown_on=NOW.date(), made_at=NOW)
    server = OdmServer.objects.create(name=f"拼图{side.grid}", url="https://example.org", made_at=NOW)
    row = Mosaic.objects.create(street_id=side.street_id, flight=flight, server=server, asked_at=NOW)
    camera = Camera.objects.create(
        street_id=side.street_id, point_id=side.ids["point_id"], name=side.canary.said[:40], way="http",
        address="https://example.org/", every_minutes=60, next_at=NOW, made_at=NOW,
    )  # fmt: skip
    side.ids |= {"flight_id": flight.pk, "server_id": server.pk, "mosaic_id": row.pk, "camera_id": camera.pk}


def _suspects(side: Side) -> None:
    """One that is judged: a verdict to take back, an outline, a picture asked for."""
    found = suspect(comparison(side.street_id))
    side.ids["suspect_id"] = found.pk
    Asset.objects.filter(street_id=side.street_id).update(name=side.canary.said)
    assert found.latest is not None
    side.ids["comparison_id"] = found.latest.comparison_id
    side.ids["asset_id"] = side.ids["one_id"] = found.latest.comparison.before_id
    side.ids["other_id"] = found.latest.comparison.after_dsm_id  # two that are not compared: their page says why
    side.ids["permit_id"] = permit(side.street_id, square(), title=side.canary.said).pk
    side.ids["verdict_id"] = Verdict.objects.create(
        suspect=found, finding=found.latest, said="confirmed", before={"state": "open", "version": 1}, made_at=NOW, made_by=0
    ).pk
    assert found.latest is not None
    after = found.latest.comparison.after
    side.ids["release_id"] = Release.objects.create(suspect=found, asset=after, bounds=[], made_at=NOW, made_by=0).pk


def _rated(scene: Scene, side: Side) -> None:
    report = side.cases["closed"].reports.get()
    resident = Actor.resident(report.pk)
    case = Case.objects.select_related("street").get(pk=side.cases["closed"].pk)
    services.rate(case, report=report, is_solved=True, satisfaction=4, text=side.canary.said, by=resident, at=NOW)


def _people(scene: Scene, side: Side) -> None:
    side.ids["leave_id"] = Leave.objects.create(
        person=side.lead,
        deputy=scene.world.people[side.handler],
        starts_at=NOW + timedelta(days=3),
        ends_at=NOW + timedelta(days=4),
    ).pk
    side.ids["shift_id"] = Shift.objects.create(
        person=side.worker,
        role=Role.GRID_WORKER.value,
        street_id=side.street_id,
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(hours=7),
    ).pk
    operator = scene.world.people[side.operator]
    side.ids["filter_id"] = SavedFilter.objects.create(person=operator, name="急件", query="urgent=1").pk
    side.ids["post_id"] = Post.objects.filter(person=side.lead).get().pk
    side.ids["person_id"], side.ids["department_id"] = side.lead.pk, side.department.pk
    side.ids["token_id"] = allow_token(
        name="程序",
        person_id=side.lead.pk,
        scopes=["cases:read"],
        street_id=None,
        days=30,
        by=scene.world.actor("xi"),
        at=NOW,
    ).pk


def _map(scene: Scene, side: Side) -> None:
    lon, lat = scene.world.point_in(side.grid)
    xi = scene.world.actor("xi")
    facts = PointFacts(code=f"M{side.grid}", name="公示点位", kind=MonitoringPoint._meta.get_field("kind").choices[0][0],
                       x=lon, y=lat)  # fmt: skip
    side.ids["point_id"] = add_point(street_id=side.street_id, facts=facts, by=xi, at=NOW).pk
    estate = PlaceFacts(scene.world.grids[side.grid].community_id, "estate", "公示小区", lon, lat)
    side.ids["place_id"] = add_place(street_id=side.street_id, facts=estate, by=xi, at=NOW).pk
    side.ids["grid_id"] = scene.world.responsibility_grids[side.grid].pk
    side.ids["duty_list_id"] = areas.set_duty_list(
        street_id=side.street_id, clause=side.canary.said, codes=[("event", "0110")], by=xi, at=NOW,
        department_id=side.department.pk,
    ).pk  # fmt: skip
    column = {"a": 0, "c": 2}[side.grid]
    ring = [[LON + column * STEP, LAT], [LON + (column + 1) * STEP, LAT], [LON + column * STEP, LAT + STEP]]
    draft = areas.AreaDraft(
        name="公示施工",
        notice_zh="施工",
        starts_at=NOW,
        ends_at=NOW + timedelta(days=1),
        geometry={"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    )
    side.ids["area_id"] = areas.set_control_area(street_id=side.street_id, draft=draft, by=xi, at=NOW).pk
    system, token = services.make_system(
        name=f"摄像头{side.grid}", kind="camera", street_id=side.street_id, is_trusted=False, by=xi, at=NOW
    )
    side.ids["system_id"], side.tokens["system"] = system.pk, token
    webhook, _secret = hooks.make_webhook(
        name=f"回调{side.grid}", url="https://example.org/", events=["close"], street_id=side.street_id, by=xi, at=NOW
    )
    lost = Delivery(key=f"whd_{side.grid}", webhook=webhook, kind="ping", body="{}", state="not_delivered", made_at=NOW,
                    due_at=NOW, next_at=NOW, ended_at=NOW)  # fmt: skip
    lost.save()
    side.ids["webhook_id"], side.ids["delivery_id"] = webhook.pk, lost.pk
    _hotline(scene, side)
    issue = ImportIssue.objects.create(
        street_id=side.street_id, system="old", kind="unit", value=side.canary.said[:200], seen_at=NOW
    )
    IssueCase.objects.create(issue=issue, case=side.cases["closed"])
    side.ids["issue_id"] = issue.pk
    side.ids["export_id"] = Export.objects.create(
        key=f"export-{side.street_id}",
        what="board",
        form="xlsx",
        asked_at=NOW,
        expires_at=NOW + timedelta(days=1),
        person=side.leader,
        street_id=side.street_id,
    ).pk


def _hotline(scene: Scene, side: Side) -> None:
    """A source of the street, an order that was changed since, and a letter that did not arrive."""
    xi, case, marks = scene.world.actor("xi"), side.cases["hotline"], side.canary
    source, token = make_source(
        name=f"热线{side.grid}", slug=f"gz-{side.grid}", street_id=side.street_id, is_trusted=False, by=xi, at=NOW
    )
    content = {"工单编号": "GZ-1", "诉求内容": marks.words, "来电人": marks.reporter, "联系电话": marks.phone}
    order = Order.objects.create(
        source=source,
        number="GZ-1",
        said_hash="1",
        state="update",
        case=case,
        content_sealed=seal(json.dumps(content), purposes.ORDER),
        first_at=NOW,
        last_at=NOW,
    )
    letter = Letter.objects.create(
        key=f"hl_{side.grid}",
        source=source,
        case=case,
        number="GZ-1",
        kind="close",
        body_sealed=seal("{}", purposes.LETTER),
        state="not_delivered",
        made_at=NOW,
        next_at=NOW,
        ended_at=NOW,
    )
    side.ids |= {"source_id": source.pk, "order_id": order.pk, "letter_id": letter.pk}
    side.tokens["hotline"] = token


def _messages(scene: Scene, side: Side) -> None:
    """One notice that reached nobody, and one call-back for the desk."""
    about = f"case:{side.cases['closed'].pk}"
    facts = {"number": side.cases["closed"].number}
    sealed = seal_phone(side.canary.phone)
    send(
        [Notice(template="reporter_closed", facts=facts, about=about, key=f"lost-{side.grid}", to_phone_sealed=sealed,
                street_id=side.street_id)],
        at=NOW,
    )  # fmt: skip
    message = Message.objects.get(key=f"lost-{side.grid}")
    open_call_back(message, at=NOW)
    Message.objects.filter(pk=message.pk).update(state="not_delivered", ended_at=NOW)
    side.ids["message_id"] = message.pk
    side.ids["call_back_id"] = CallBack.objects.get(message=message).pk


def _late_ids(scene: Scene, side: Side) -> None:
    """Ids of what the jobs made."""
    closed = side.cases["closed"]
    side.ids |= {
        "number": closed.number,
        "report_id": closed.reports.get().pk,
        "proof_id": Proof.objects.filter(case=closed, picture__isnull=False).earliest("pk").pk,
        "event_id": CaseEvent.objects.filter(case=closed, move="close").get().pk,
        "street_id": side.street_id,
        "token": side.tokens["closed"],
        "lot_id": _lot(scene, side),
        "voice_id": Voice.objects.create(report_id=closed.reports.get().pk, sound_sealed=seal("", VOICE_PURPOSE), at=NOW).pk,
        "note_id": services.give_desk(street_id=side.street_id, text="", by=scene.world.actor(side.operator), at=NOW).pk,
        "topic_id": _topic(scene, side),
        "item_id": InboxItem.objects.filter(person=side.worker).earliest("pk").pk,
    }


def _topic(scene: Scene, side: Side) -> int:
    """A place topic that the operator confirmed."""
    case = Case.objects.get(pk=side.cases["accepted"].pk)
    where = {"lon": 113.5, "lat": 23.1, "radius_m": 60.0, "confirmed_at": NOW}
    by = scene.world.actor(side.operator).person_id or 0
    return Topic.objects.create(
        event_type_id=case.event_type_id or 0, anchor=case, street_id=side.street_id, confirmed_by_id=by, **where
    ).pk


def _lot(scene: Scene, side: Side) -> int:
    """Several cases at once, by the operator."""
    by = scene.world.actor(side.operator)
    case = side.cases["accepted"]
    values: dict[str, int | None] = {}
    return services.open_lot(
        move="dispatch", cases={case.pk: 99}, values=values, back_to="", key=f"lot-of-{side.grid}-0001", by=by, at=NOW
    ).pk


def absent(name: str) -> Any:
    """An id of that kind that nothing has."""
    return {"number": "LG-2026-999999", "token": "x" * 43}.get(name, 999_999_999)
