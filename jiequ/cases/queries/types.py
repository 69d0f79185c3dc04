"""Questions about event types: what can be picked, what a duty list forbids, where reporting is not asked for.

The types in force are kept per process and language; the counter that every change raises is looked at again at most
every ``LOOK_AGAIN_SECONDS``. Filing checks the condition itself, so a late reader can offer an old one but not use it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from shapely.geometry import Point, shape

from jiequ.core.models import Counter
from jiequ.core.prepared import Bind, Prepared
from jiequ.core.worktime import Unit
from jiequ.grid.queries import locate
from jiequ.people.models import Department
from jiequ.people.rules import DepartmentKind

from ..models.types import ControlArea, DutyList, EventType, FilingCondition, TypeEdition

COUNTER = "event_types"
LOOK_AGAIN_SECONDS = 5.0
RECENT = 5


@dataclass(frozen=True, slots=True)
class ConditionChoice:
    """A filing condition to pick, in one language; ``limit`` is said in words ("4 工作时")."""

    id: int
    key: str
    name: str
    limit: str
    closing: str
    proofs: tuple[str, ...]
    limit_from: str
    is_next_step: bool


@dataclass(frozen=True, slots=True)
class TypeChoice:
    """An event type to pick, with its conditions in order."""

    id: int
    kind: str
    code: str
    name: str
    major: str
    priority: int
    lead_department_key: str
    assist_department_keys: tuple[str, ...]
    is_confidential: bool
    conditions: tuple[ConditionChoice, ...]


@dataclass(frozen=True, slots=True)
class MajorChoice:
    """A major (大类) with its types."""

    code: str
    name: str
    types: tuple[TypeChoice, ...]


@dataclass(frozen=True, slots=True)
class TypePicker:
    """What a type picker shows: the last used on top, then all by major."""

    recent: tuple[TypeChoice, ...]
    majors: tuple[MajorChoice, ...]


@dataclass(frozen=True, slots=True)
class DutyRefusal:
    """Somebody's duty list does not hold the type: whose, and the clause to cite."""

    holder: str
    clause: str
    department_id: int | None


@dataclass(frozen=True, slots=True)
class ControlNotice:
    """A control area that covers a place and a type now, with the words for the reporter."""

    id: int
    name: str
    notice: str
    ends_at: datetime


# --- picking ---------------------------------------------------------------------------------------------------------
_kept: dict[str, tuple[float, int, tuple[MajorChoice, ...]]] = {}


def current_types(language: str | None = None) -> tuple[MajorChoice, ...]:
    """Every active type with the conditions of its edition in force, by major. Three statements at most, mostly none."""
    language = _spoken(language)
    held = _kept.get(language)
    if held is not None and time.monotonic() - held[0] < LOOK_AGAIN_SECONDS:
        return held[2]
    edition = _edition()
    majors = held[2] if held is not None and held[1] == edition else _read(language)
    _kept[language] = (time.monotonic(), edition, majors)
    return majors


def forget() -> None:
    """Read the types again at the next question (after a change in this process; tests)."""
    _kept.clear()


def type_picker(
    street_id: int, person_id: int | None, *, recent: Sequence[int] = (), language: str | None = None
) -> TypePicker:
    """The picker of one person: ``recent`` are type ids, last used first; at most five of those in force are shown.

    Types are the same in every street today; ``street_id`` and ``person_id`` name whose picker it is.
    """
    majors = current_types(language)
    by_id = {choice.id: choice for major in majors for choice in major.types}
    last = tuple(by_id[i] for i in dict.fromkeys(recent) if i in by_id)[:RECENT]
    return TypePicker(last, majors)


def type_choice(event_type_id: int, language: str | None = None) -> TypeChoice | None:
    """One type in force, from the same cache; None if it is not."""
    types = (choice for major in current_types(language) for choice in major.types)
    return next((choice for choice in types if choice.id == event_type_id), None)


def type_by_code(kind: str, code: str, language: str | None = None) -> TypeChoice | None:
    """One type in force by its kind and code, from the same cache; None if it is not."""
    types = (choice for major in current_types(language) for choice in major.types)
    return next((choice for choice in types if (choice.kind, choice.code) == (kind, code)), None)


def type_of(condition_id: int | None, language: str | None = None) -> int | None:
    """The type a filing condition in force belongs to, from the same cache; None if there is none."""
    types = (choice for major in current_types(language) for choice in major.types)
    return next((t.id for t in types for c in t.conditions if c.id == condition_id), None) if condition_id else None


def in_force() -> Q:
    """A filter on TypeEdition: the edition each type has now."""
    return Q(number=F("event_type__edition"))


def _edition() -> int:
    row = Counter.objects.filter(name=COUNTER).values_list("value").first()
    return int(row[0]) if row else 0


def _read(language: str) -> tuple[MajorChoice, ...]:
    editions = (
        TypeEdition.objects.filter(in_force(), event_type__is_active=True)
        .select_related("event_type")
        .prefetch_related(Prefetch("conditions", FilingCondition.objects.order_by("position")))
        .order_by("major_code", "event_type__kind", "event_type__code")
    )
    with override(language):
        groups: dict[str, list[TypeChoice]] = {}
        names: dict[str, str] = {}
        for edition in editions:
            choice = _type_choice(edition, language)
            groups.setdefault(edition.major_code, []).append(choice)
            names.setdefault(edition.major_code, choice.major)
    return tuple(MajorChoice(code, names[code], tuple(types)) for code, types in groups.items())


def _type_choice(edition: TypeEdition, language: str) -> TypeChoice:
    return TypeChoice(
        id=edition.event_type_id,
        kind=edition.event_type.kind,
        code=edition.event_type.code,
        name=said(edition.name_zh, edition.name_en, language),
        major=said(edition.major_zh, edition.major_en, language),
        priority=edition.priority,
        lead_department_key=edition.lead_department_key,
        assist_department_keys=tuple(edition.assist_department_keys),
        is_confidential=edition.is_confidential,
        conditions=tuple(condition_choice(condition, language) for condition in edition.conditions.all()),
    )


def condition_choice(condition: FilingCondition, language: str | None = None) -> ConditionChoice:
    """A filing condition in the reader's words."""
    language = _spoken(language)
    return ConditionChoice(
        id=condition.pk,
        key=condition.key,
        name=said(condition.name_zh, condition.name_en, language),
        limit=limit_words(condition.limit_value, Unit(condition.limit_unit)),
        closing=said(condition.closing_condition_zh, condition.closing_condition_en, language),
        proofs=tuple(proof_words(p["kind"], p["phase"], p["at_least"]) for p in condition.required_proofs),
        limit_from=said(condition.limit_from_zh, condition.limit_from_en, language),
        is_next_step=condition.covers == "next_step",
    )


# --- words -----------------------------------------------------------------------------------------------------------
def said(chinese: str, english: str, language: str | None = None) -> str:
    """The text in the reader's language; Chinese where there is no English."""
    return english or chinese if _spoken(language) == "en" else chinese


def limit_words(value: Decimal, unit: Unit) -> str:
    """A limit as people say it: "4 工作时", "4 work hours"."""
    number = f"{value:f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    count = 1 if number == "1" else 2
    words = {
        Unit.URGENT_HOUR: ngettext("%(n)s紧急工作时", "%(n)s紧急工作时", count),
        Unit.WORK_HOUR: ngettext("%(n)s工作时", "%(n)s工作时", count),
        Unit.WORK_DAY: ngettext("%(n)s工作日", "%(n)s工作日", count),
        Unit.NATURAL_DAY: ngettext("%(n)s自然日", "%(n)s自然日", count),
    }
    return words[unit] % {"n": number}


def proof_words(kind: str, phase: str, at_least: int = 1) -> str:
    """A required proof as people say it: "处置后照片", "处置后照片 2 份"."""
    words = {
        ("photo", "before"): _("处置前照片"),
        ("photo", "process"): _("现场照片"),
        ("photo", "after"): _("处置后照片"),
        ("note", "after"): _("办理说明"),
        ("document", "after"): _("文书或回执"),
    }
    name = words[kind, phase]
    return name if at_least == 1 else _("%(name)s（%(n)d份）") % {"name": name, "n": at_least}


def _spoken(language: str | None) -> str:
    return "en" if (language or get_language() or "zh-hans").startswith("en") else "zh-hans"


# --- duty lists ------------------------------------------------------------------------------------------------------
def _broken() -> QuerySet[DutyList]:
    at_work = Department.objects.filter(pk__in=Bind("departments"), kind=DepartmentKind.COMMUNITY.value)
    of_community = Q(Exists(at_work.filter(street_id=OuterRef("street_id"))), community_id=Bind("community"))
    allowed = DutyList.types.through.objects.filter(eventtype_id=Bind("type")).values("dutylist_id")
    concerned = DutyList.objects.filter(Q(department_id__in=Bind("departments")) | of_community)
    return concerned.exclude(pk__in=allowed).select_related("department", "community").defer("community__outline")


_BROKEN = Prepared(_broken)


def _with_duty() -> QuerySet[Department]:
    return _marked_by_duty().filter(pk__in=Bind("departments"))


def _marked_by_duty() -> QuerySet[Department]:
    allowed = DutyList.types.through.objects.filter(eventtype_id=Bind("type")).values("dutylist_id")
    broken = DutyList.objects.exclude(pk__in=allowed)
    of_community = Exists(broken.filter(community_id=Bind("community"), street_id=OuterRef("street_id")))
    outside = Q(Exists(broken.filter(department_id=OuterRef("pk")))) | Q(of_community, kind=DepartmentKind.COMMUNITY.value)
    found = Department.objects.filter(is_active=True, street_id=Bind("street"))
    return found.annotate(is_outside=ExpressionWrapper(outside, BooleanField()))


_WITH_DUTY = Prepared(_with_duty)
_OWN_WITH_DUTY = Prepared(lambda: _marked_by_duty().order_by("kind", "key"))


def departments_for(
    ids: Iterable[int], *, street_id: int, community_id: int | None, event_type_id: int
) -> tuple[dict[int, Department], bool]:
    """The active departments of a street among these, by id, and whether a duty list refuses the type to one of them
    (``duty_refusals`` says which and why). One SELECT."""
    found = _WITH_DUTY(departments=list(ids), street=street_id, community=community_id, type=event_type_id)
    return {one.pk: one for one in found}, any(one.is_outside for one in found)  # type: ignore[attr-defined]


def own_with_duty(street_id: int, *, community_id: int | None, event_type_id: int) -> tuple[list[Department], frozenset[int]]:
    """A street's own active departments in their order, and the ids of those whose duty list refuses the type. One SELECT."""
    found = _OWN_WITH_DUTY(street=street_id, community=community_id, type=event_type_id)
    return found, frozenset(one.pk for one in found if one.is_outside)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Duties:
    """The duty lists of some streets: the types that each department, and each community for its committee, answers for."""

    of_department: Mapping[int, frozenset[int]]
    of_community: Mapping[int, frozenset[int]]

    def outside(self, departments: Iterable[Department], *, community_id: int | None, event_type_id: int) -> frozenset[int]:
        """Those of the departments whose list refuses the type."""
        community = self.of_community.get(community_id or 0)
        is_refused = community is not None and event_type_id not in community
        return frozenset(
            one.pk
            for one in departments
            if event_type_id not in self.of_department.get(one.pk, (event_type_id,))
            or (is_refused and one.kind == DepartmentKind.COMMUNITY)
        )


def duties_of(street_ids: Iterable[int]) -> Duties:
    """The duty lists of these streets, for many cases at once. One SELECT."""
    rows = DutyList.objects.filter(street_id__in=list(street_ids)).values_list("department_id", "community_id", "types")
    found: dict[tuple[bool, int], set[int]] = {}
    for department_id, community_id, type_id in rows:
        found.setdefault((department_id is not None, department_id or community_id), set()).add(type_id)
    parts = [{pk: frozenset(ids) for (is_own, pk), ids in found.items() if is_own is of} for of in (True, False)]
    return Duties(*parts)


def duty_refusals(*, department_ids: Iterable[int], community_id: int | None, event_type_id: int) -> list[DutyRefusal]:
    """The duty lists that a task of this type would break, in the order asked. One statement.

    A department with no list may be sent anything. A community's list counts for departments of the community kind.
    """
    ids = list(department_ids)
    broken = _BROKEN(departments=ids, community=community_id, type=event_type_id)
    order = {department_id: place for place, department_id in enumerate(ids)}
    return [_refusal(row) for row in sorted(broken, key=lambda row: order.get(row.department_id or 0, len(order)))]


def duty_refusal(department_id: int, community_id: int | None, event_type_id: int) -> str | None:
    """The clause by which this department, or this community for its committee, may not be sent the type; else None."""
    broken = duty_refusals(department_ids=[department_id], community_id=community_id, event_type_id=event_type_id)
    return broken[0].clause if broken else None


def _refusal(row: DutyList) -> DutyRefusal:
    holder = row.department or row.community
    assert holder is not None
    return DutyRefusal(said(holder.name_zh, holder.name_en), row.clause, row.department_id)


# --- control areas ---------------------------------------------------------------------------------------------------
def control_notice(
    lon: float | None,
    lat: float | None,
    type: int | None,
    at: datetime,
    *,
    community_id: int | None = None,
    street_id: int | None = None,
) -> ControlNotice | None:
    """The control area that asks not to report this type here now, with its notice; None if there is none.

    ``type`` is an event type's id (None: not known yet, so only areas for every type count). ``lon``, ``lat`` are
    CGCS2000; an area that is a community covers the unit grids of it, or the community given.
    """
    rows = ControlArea.objects.filter(starts_at__lte=at, ends_at__gt=at)
    if street_id is not None:
        rows = rows.filter(street_id=street_id)
    through = ControlArea.types.through.objects
    named = through.filter(controlarea_id=OuterRef("pk"))
    rows = rows.filter(~Exists(named) | Exists(named.filter(eventtype_id=type))) if type else rows.exclude(Exists(named))
    found = list(rows.order_by("pk"))
    if community_id is None and lon is not None and lat is not None and any(row.community_id for row in found):
        spot = locate(lon, lat)
        community_id = spot.community_id if spot else None
    for row in found:
        if _covers(row, lon, lat, community_id):
            return ControlNotice(row.pk, row.name, said(row.notice_zh, row.notice_en), row.ends_at)
    return None


def _covers(area: ControlArea, lon: float | None, lat: float | None, community_id: int | None) -> bool:
    if area.community_id is not None:
        return area.community_id == community_id
    if lon is None or lat is None:
        return False
    return bool(shape(area.geometry).covers(Point(lon, lat)))


# --- for the desk ----------------------------------------------------------------------------------------------------
def listed_types() -> list[TypeEdition]:
    """The edition in force of every type, inactive ones too, with type and conditions. Two statements."""
    return list(
        TypeEdition.objects.filter(in_force())
        .select_related("event_type")
        .prefetch_related("conditions")
        .order_by("major_code", "event_type__kind", "event_type__code")
    )


def editions_of(event_type_id: int) -> list[TypeEdition]:
    """Every edition of a type, newest first, with conditions. Two statements."""
    return list(
        TypeEdition.objects.filter(event_type_id=event_type_id)
        .select_related("event_type")
        .prefetch_related("conditions")
        .order_by("-number")
    )


def event_type(kind: str, code: str) -> EventType | None:
    """A type by its kind and code."""
    return EventType.objects.filter(kind=kind, code=code).first()
