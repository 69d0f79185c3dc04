"""A case and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from jiequ.cases.flow import ENDED, Closing, State
from jiequ.grid.models import GridMember
from jiequ.people.rules import DEPARTMENT_ROLES, DESK_ROLES, Actor, Role


class Source(models.TextChoices):
    """Where a case came from (DOMAIN §2, 发现). The words on screen are in words.py."""

    RESIDENT = "resident"
    CALLER = "caller"
    STAFF = "staff"
    LEADER = "leader"
    HOTLINE = "hotline"
    CAMERA = "camera"
    DRONE = "drone"
    OUTSIDE = "outside"
    SPLIT = "split"


STREET_FOUND = frozenset({Source.STAFF, Source.LEADER, Source.CAMERA, Source.DRONE})
"""Sources that count as found by the street itself (主动发现, DOMAIN §10)."""


class TaskKind(models.TextChoices):
    """What somebody is asked for on a case; the open ones addressed to you are your to-do list. Words: words.py."""

    LEAD = "lead"
    ASSIST = "assist"
    VERIFY = "verify"
    CHECK = "check"
    CONSULT = "consult"
    CALL = "call"
    URGE = "urge"
    SUSPEND = "suspend"
    EXTEND = "extend"
    APPEAL = "appeal"
    HOTLINE = "hotline"
    SAMPLE = "sample"


class CaseQuerySet(models.QuerySet["Case"]):
    """Cases, narrowed to those a person may see."""

    def visible_to(self, actor: Actor) -> CaseQuerySet:
        """The only way to a case: tenant and seat are part of the query, so a missing case and a hidden one look alike."""
        sight = _sight(actor)
        return self.filter(sight if actor.only_street is None else sight & Q(street_id=actor.only_street))


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground on which an actor sees cases. ``streets``: by a seat at the desk there; ``departments``: by their tasks."""

    where: Q
    streets: tuple[int, ...] = ()
    departments: tuple[int, ...] = ()
    is_desk: bool = False


def grounds(actor: Actor) -> list[Ground]:
    """On what an actor sees cases; any of them is enough.

    Each fits an index, all in one OR fit none: long lists are read ground by ground (``queries.keyset``).
    """
    is_everywhere = any(seat.role in DESK_ROLES and seat.street_id is None for seat in actor.seats)
    if actor.has(Role.SYSTEM) or (actor.person_id is not None and is_everywhere):
        return [Ground(Q(), is_desk=True)]
    found: list[Ground] = []
    if actor.report_id is not None:
        found.append(Ground(Q(Exists(_apps_report().filter(case=OuterRef("pk"), pk=actor.report_id)))))
    if actor.person_id is None:
        return found
    if streets := actor.streets(*DESK_ROLES):
        found.append(Ground(Q(street_id__in=sorted(streets)), streets=tuple(sorted(streets)), is_desk=True))
    if departments := tuple(sorted(actor.departments(*DEPARTMENT_ROLES, Role.BUREAU))):
        of_them = Task.objects.filter(case=OuterRef("pk"), department_id__in=departments)
        found.append(Ground(Q(Exists(of_them)), departments=departments))
    if actor.has(Role.GRID_WORKER):
        mine = GridMember.objects.filter(responsibility_grid__worker__in=actor.person_ids)
        found.append(Ground(Q(unit_grid__in=mine.values("unit_grid"))))
        found.append(Ground(Q(Exists(Task.objects.filter(case=OuterRef("pk"), person_id__in=actor.person_ids)))))
    return [*found, Ground(Q(opened_by_id=actor.person_id))]


def at_desk_in(actor: Actor, streets: frozenset[int]) -> frozenset[int]:
    """Those of the streets all of whose cases the actor sees by a seat at the desk: a ground that needs no query."""
    desks = [ground for ground in grounds(actor) if ground.is_desk]
    if all(ground.where for ground in desks):
        streets &= frozenset(street for ground in desks for street in ground.streets)
    return frozenset(street for street in streets if actor.may_enter(street))


def _sight(actor: Actor) -> Q:
    sight: Q = Q(pk__in=())
    for ground in grounds(actor):
        if not ground.where:
            return Q()
        sight |= ground.where
    return sight


def _apps_report() -> models.QuerySet[models.Model]:
    return apps.get_model("cases", "Report")._default_manager.all()


class Case(models.Model):
    """One matter at one place, from the first report to the rating."""

    number = models.CharField(max_length=20, unique=True)
    version = models.PositiveIntegerField(default=1)

    state = models.CharField(max_length=12, choices=[(s, s) for s in State], default=State.REPORTED)
    closing = models.CharField(max_length=12, blank=True, choices=[(c, c) for c in Closing])
    title = models.CharField(max_length=80)
    source = models.CharField(max_length=12, choices=Source.choices)
    imported_from = models.CharField(
        max_length=40,
        blank=True,
        help_text="the system it was imported from (its number: Report.source_ref); indicators leave it out",
    )
    event_type = models.ForeignKey("cases.EventType", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    condition = models.ForeignKey(
        "cases.FilingCondition", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    is_urgent = models.BooleanField(default=False)
    is_confidential = models.BooleanField(default=False, help_text="举报: the handler learns nothing of the reporter")
    is_suspect = models.BooleanField(default=False, help_text="held for a look at suspected abuse; never dropped")
    reason_code = models.CharField(max_length=30, blank=True)
    reply = models.TextField(blank=True, help_text="the last sentence written for the reporter")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged_cases", db_index=False)
    split_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="split_cases", db_index=False)
    state_before = models.CharField(max_length=12, blank=True)

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    community = models.ForeignKey("grid.Community", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    unit_grid = models.ForeignKey("grid.UnitGrid", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    address = models.CharField(max_length=200, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    raw_x = models.FloatField(null=True)
    raw_y = models.FloatField(null=True)
    raw_system = models.CharField(max_length=8, blank=True)
    accuracy_m = models.FloatField(null=True)
    q18 = models.BigIntegerField(null=True)
    happened_from = models.DateTimeField(null=True, help_text="when it happened, as told and confirmed by a person")
    happened_until = models.DateTimeField(null=True)

    clocks = models.JSONField(default=dict)
    yellow_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    promised_at = models.DateTimeField(null=True)
    is_promise_provisional = models.BooleanField(default=False)
    reported_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    is_exempt = models.BooleanField(default=False)

    lead = models.ForeignKey("people.Department", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_lead = models.ForeignKey("people.Department", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    handler = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_by = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    returns = models.PositiveSmallIntegerField(default=0)
    reworks = models.PositiveSmallIntegerField(default=0)
    reopens = models.PositiveSmallIntegerField(default=0)
    urges = models.PositiveSmallIntegerField(default=0)
    voices = models.PositiveIntegerField(default=1, help_text="reports of this matter, 'me too' included")

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["street", "-id"], name="case_street_newest"),
            models.Index(fields=["street", "state", "-id"], name="case_street_state_newest"),
            models.Index(fields=["street", "reported_at"], name="case_street_reported"),
            models.Index(fields=["community", "-id"], name="case_community_newest"),
            models.Index(fields=["unit_grid", "-id"], name="case_unit_grid_newest"),
            models.Index(fields=["event_type", "-id"], name="case_type_newest"),
            models.Index(fields=["lead", "-id"], name="case_lead_newest"),
            models.Index(fields=["handler", "-id"], name="case_handler_newest", condition=Q(handler__isnull=False)),
            models.Index(fields=["opened_by", "-id"], name="case_opened_by_newest", condition=Q(opened_by__isnull=False)),
            # all that the board counts open cases by: a small index, for open cases are few (bench insight)
            models.Index(
                fields=[
                    *("street", "state", "due_at", "yellow_at", "lead", "community", "event_type"),
                    *("is_urgent", "voices", "returns", "opened_by", "ended_at"),
                ],
                condition=Q(ended_at__isnull=True),
                name="case_open_board",
            ),
            # all that a point on the map is made of, so that 4,000 of them are read from the index alone (bench map)
            models.Index(
                fields=["q18", "number", "state", "event_type", "due_at", "yellow_at", "lon", "lat", "street", "opened_by"],
                name="case_on_map",
            ),
            models.Index(fields=["street", "-voices"], name="case_repeated", condition=Q(voices__gt=1)),
            models.Index(
                fields=["street", "due_at", "state", "is_suspect"], condition=Q(ended_at__isnull=True), name="case_open_by_due"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(State)), name="case_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[State.DISPATCHED, State.HANDLING, State.SUSPENDED, State.HANDLED, State.REWORK])
                | Q(lead__isnull=False),
                name="case_at_work_has_a_lead",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.REPORTED, State.VERIFYING, State.REJECTED, State.MERGED])
                | Q(event_type__isnull=False, condition__isnull=False),
                name="case_filed_has_type_and_condition",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.MERGED) | Q(merged_into__isnull=False), name="case_merged_says_into_which"
            ),
            models.CheckConstraint(condition=~Q(state=State.CLOSED) | ~Q(closing=""), name="case_closed_says_how"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(ENDED), ended_at__isnull=False) | ~Q(state__in=sorted(ENDED)) & Q(ended_at=None),
                name="case_ended_says_when",
            ),
            models.CheckConstraint(
                condition=Q(lon__isnull=True, lat__isnull=True, q18__isnull=True)
                | Q(lon__isnull=False, lat__isnull=False, q18__isnull=False),
                name="case_point_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(happened_from__isnull=True, happened_until__isnull=True)
                | Q(happened_from__isnull=False, happened_until__gte=F("happened_from")),
                name="case_happened_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CaseEvent(models.Model):
    """One line of a case's timeline: a move, a clock's mark or a failed notice. Never removed.

    Never changed, but that a reporter's erasure empties what it quotes of their words (``moving.forget_words``).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    move = models.CharField(max_length=24)
    state = models.CharField(max_length=12)
    reason_code = models.CharField(max_length=30, blank=True)
    text = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    by_id = models.BigIntegerField(null=True, db_column="by_person_id")
    by_name = models.CharField(max_length=60, blank=True)
    by_role = models.CharField(max_length=20, blank=True)
    department_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["by_id", "-id"], name="event_by_whom"),
            models.Index(fields=["at"], name="event_returned", condition=Q(move="return")),
            models.Index(fields=["at"], name="event_at"),  # what happened in a span, for other systems (doors.open311)
            models.Index(fields=["-case"], condition=Q(move="not_delivered"), name="event_not_delivered"),
        ]


class Task(models.Model):
    """Something one department, person or role is asked for on a case; open until answered or withdrawn."""

    class State(models.TextChoices):
        OPEN = "open"
        DONE = "done"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    kind = models.CharField(max_length=10, choices=TaskKind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    group = models.CharField(max_length=24, blank=True, help_text="the tasks of one question (会商)")
    asked = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    outcome = models.CharField(max_length=30, blank=True)
    answer = models.TextField(blank=True)
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    department = models.ForeignKey("people.Department", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=20, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="acknowledged (应答), never a read receipt")
    done_at = models.DateTimeField(null=True)
    opened_version = models.PositiveIntegerField(help_text="the case's version after the move that opened it")
    done_version = models.PositiveIntegerField(null=True)
    opened_by_id = models.BigIntegerField(null=True)
    done_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [  # each begins with what the foreign key alone would be looked up by
            models.Index(fields=["case", "state"], name="task_case_state"),
            models.Index(fields=["department", "state"], name="task_department_state"),
            models.Index(fields=["department", "-case"], name="task_department_newest"),
            models.Index(fields=["person", "state"], name="task_person_state"),
            models.Index(fields=["street", "role", "state"], name="task_role_state"),
            models.Index(fields=["street", "state", "done_at"], name="task_urges", condition=Q(kind="urge")),
            models.Index(fields=["street", "state", "done_at"], name="task_samples", condition=Q(kind="sample")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(kind="lead", state="open"), name="task_one_lead_at_a_time"),
            models.UniqueConstraint(
                fields=["case", "kind"],
                condition=Q(kind__in=["verify", "check", "suspend", "extend", "call", "hotline"], state="open"),
                name="task_one_question_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["case", "department"], condition=Q(kind="assist", state="open"), name="task_assist_once_a_department"
            ),
            models.CheckConstraint(
                condition=Q(department__isnull=False) | Q(person__isnull=False) | ~Q(role=""), name="task_is_for_someone"
            ),
        ]


class Proof(models.Model):
    """A photo or a note that shows what was found or done."""

    class Phase(models.TextChoices):
        REPORT = "report"
        BEFORE = "before"
        PROCESS = "process"
        AFTER = "after"
        CHECK = "check"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="proofs")
    report = models.ForeignKey("cases.Report", null=True, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=10, default="photo")
    phase = models.CharField(max_length=10, choices=Phase.choices)
    picture = models.ForeignKey("core.Picture", null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    by_id = models.BigIntegerField(null=True, db_column="by_person_id")
    department_id = models.BigIntegerField(null=True)
    round = models.PositiveSmallIntegerField(default=0, help_text="how often the case had come back when it was taken")

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(picture__isnull=False) | ~Q(text=""), name="proof_shows_something")]
