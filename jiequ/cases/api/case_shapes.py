"""What the programs' door tells of cases and of what they refer to. Nothing here names who reported (DOMAIN §9)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from ..flow import State
from ..models import Source
from .shapes import Schema, Strict

NUMBER = r"^[A-Z]{1,8}-\d{4}-\d{6,10}$"
CODE9, CODE12 = r"^\d{9}$", r"^\d{12}$"
Id = Annotated[int, Field(ge=1, le=10**18 - 1)]
Level = Literal["green", "yellow", "red", "paused", "none"]


class TypeOut(Schema):
    """An event type, and the filing condition the case was filed under."""

    kind: str
    code: str
    name: str
    condition: str


class DepartmentRef(Schema):
    """A department, shortly."""

    id: int
    key: str
    name: str


class CaseRow(Schema):
    """A line of a list."""

    number: str
    version: int
    state: str
    state_words: str
    light: Level
    title: str
    type: TypeOut | None
    is_urgent: bool
    is_confidential: bool
    is_suspect: bool
    is_late: bool
    source: str
    voices: int
    street: str
    community: str | None
    unit_grid: str | None
    address: str
    lon: float | None
    lat: float | None
    lead: DepartmentRef | None
    reported_at: datetime
    happened_from: datetime | None
    happened_until: datetime | None
    due_at: datetime | None
    promised_at: datetime | None
    is_promise_provisional: bool
    changed_at: datetime
    ended_at: datetime | None
    url: str


class CasesOut(Schema):
    """A page of a list, newest first; ``next`` is the ``cursor`` of the following page, null at the end."""

    ok: Literal[True] = True
    cases: list[CaseRow]
    next: str | None


class EventOut(Schema):
    """One line of the timeline as staff see it."""

    id: int
    move: str
    words: str
    state: str
    at: datetime
    by: str
    role: str
    departments: list[str]
    reason: str
    text: str


class TaskOut(Schema):
    """What somebody is asked for on the case."""

    id: int
    kind: str
    words: str
    state: str
    department: DepartmentRef | None
    person: str | None
    role: str
    asked: str
    answer: str
    group: str
    opened_at: datetime
    due_at: datetime | None
    done_at: datetime | None


class ClockOut(Schema):
    """One of the case's clocks; counted time in seconds of its own unit."""

    kind: str
    words: str
    due_at: datetime
    is_running: bool
    is_late: bool
    is_provisional: bool
    is_exempt: bool
    counted_seconds: int
    limit_seconds: int


class ProofOut(Schema):
    """A photo, a note or the number of a document; ``picture`` is where the photo is."""

    id: int
    kind: str
    phase: str
    text: str
    at: datetime
    picture: str | None
    thumb: str | None


class ReportOut(Schema):
    """One account of the matter: what was said and where, never by whom."""

    id: int
    source: str
    at: datetime
    words: str
    place: str
    has_reporter: bool
    wants_call: bool


class CaseOut(CaseRow):
    """One case, whole. ``moves``: what the caller can do now."""

    ok: Literal[True] = True
    closing: str
    reason: str
    reply: str
    handler: str | None
    merged_into: str | None
    accepted_at: datetime | None
    dispatched_at: datetime | None
    handled_at: datetime | None
    returns: int
    reworks: int
    reopens: int
    urges: int
    moves: list[str]
    timeline: list[EventOut]
    tasks: list[TaskOut]
    clocks: list[ClockOut]
    proofs: list[ProofOut]
    reports: list[ReportOut]


class MovedOut(Schema):
    """What a move came to: the event to undo until ``undo_until``, and where the case stands now."""

    ok: Literal[True] = True
    number: str
    version: int
    state: str
    event: int | None
    undo_until: datetime | None
    made: str | None
    url: str


class OpenedOut(Schema):
    """A case that was opened."""

    ok: Literal[True] = True
    number: str
    version: int
    state: str
    report: int
    url: str


class PictureOut(Schema):
    """A photo that passed the door: name it in a move or a report within twelve hours."""

    ok: Literal[True] = True
    picture: str
    width: int
    height: int
    ends_at: datetime


class ToDoOut(Schema):
    """One open task of the caller's, with its case."""

    task: TaskOut
    case: CaseRow


class ToDosOut(Schema):
    """待办: by light, then by due time; at most 200."""

    ok: Literal[True] = True
    tasks: list[ToDoOut]


class ConditionOut(Schema):
    """A filing condition: what closes the case, by when, with which proofs."""

    id: int
    key: str
    name: str
    limit: str
    closing: str
    proofs: list[str]


class EventTypeOut(Schema):
    """An event type in force."""

    id: int
    kind: str
    code: str
    name: str
    major: str
    lead_department_key: str
    assist_department_keys: list[str]
    is_confidential: bool
    conditions: list[ConditionOut]


class TypesOut(Schema):
    """Every event type in force."""

    ok: Literal[True] = True
    types: list[EventTypeOut]


class DepartmentOut(DepartmentRef):
    """A department a case can be sent to, or a district bureau that can be called."""

    kind: str
    street: str | None


class DepartmentsOut(Schema):
    """The departments of the caller's streets and the bureaus of the district."""

    ok: Literal[True] = True
    departments: list[DepartmentOut]


class StreetOut(Schema):
    """A street the caller works in."""

    code: str
    name: str
    prefix: str


class StreetsOut(Schema):
    """The caller's streets."""

    ok: Literal[True] = True
    streets: list[StreetOut]


class GridsOut(Schema):
    """The unit grids of a street: a GeoJSON FeatureCollection in CGCS2000."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[dict[str, Any]]


class CasesIn(Strict):
    """How a list is narrowed; what is left out narrows nothing."""

    state: State | None = None
    light: Literal["green", "yellow", "red", "paused"] | None = None
    kind: Literal["event", "component"] = "event"
    type: Annotated[str, Field(max_length=8)] | None = None
    department: Id | None = None
    street: Annotated[str, Field(pattern=CODE9)] | None = None
    community: Annotated[str, Field(pattern=CODE12)] | None = None
    source: Source | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    cursor: Annotated[str, Field(pattern=r"^\d{1,18}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
