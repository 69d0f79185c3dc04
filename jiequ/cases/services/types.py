"""Changing event types, duty lists and control areas. A change of a type makes a new edition; the past stays."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError
from shapely.geometry import shape

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.ids import next_value
from jiequ.core.worktime import Limit, Unit
from jiequ.grid.models import Community
from jiequ.people.models import Department
from jiequ.people.rules import Actor, Role

from .. import type_rules as rules
from ..models.types import ControlArea, DutyList, EventType, FilingCondition, TypeEdition
from ..queries import types as queries

CATALOGUE = Path(__file__).resolve().parents[1] / "catalogue"
MOST_CORNERS = 500


# --- types -----------------------------------------------------------------------------------------------------------
def load_catalogue(*, by: Actor, at: datetime) -> int:
    """Add the starter catalogue's types that are not there yet; returns how many. What is there is left as it is."""
    _administrator_or_system(by)
    conditions = _catalogue_conditions()
    with writing():
        present = set(EventType.objects.values_list("kind", "code"))
        rows = [row for row in _catalogue("event_types.csv") if (row["kind"], row["code"]) not in present]
        if not rows:
            return 0
        types = EventType.objects.bulk_create(
            EventType(kind=row["kind"], code=row["code"], is_active=row["is_active"] == "1") for row in rows
        )
        drafts = [_catalogue_draft(row, conditions[row["kind"], row["code"]]) for row in rows]
        editions = TypeEdition.objects.bulk_create(
            _edition(event_type, 1, draft, by=None, at=at) for event_type, draft in zip(types, drafts, strict=True)
        )
        FilingCondition.objects.bulk_create(
            row for edition, draft in zip(editions, drafts, strict=True) for row in _conditions(edition, draft)
        )
        _changed(by, "type.catalogue_loaded", "catalogue", "starter", at, {"added": len(rows)})
    return len(rows)


def create_type(*, kind: str, code: str, draft: rules.TypeDraft, by: Actor, at: datetime) -> TypeEdition:
    """A new type with its first edition. Refusal for a draft with problems or a code that is taken."""
    _administrator(by)
    _check(draft)
    if kind not in set(rules.EventKind):
        raise Refusal("type.kind", _("请选择是事件还是部件。"))
    if not (code.isascii() and code.isalnum() and code.isupper() | code.isdigit() and 2 <= len(code) <= 8):
        raise Refusal("type.code", _("代码是2到8位数字或大写字母。"))
    with writing():
        try:
            with transaction.atomic():
                event_type = EventType.objects.create(kind=kind, code=code)
        except IntegrityError as error:
            raise Refusal("type.code_taken", _("代码%(code)s已经有了。") % {"code": code}) from error
        edition = _store(event_type, 1, draft, by=by, at=at)
        _changed(by, "type.created", "event_type", event_type.pk, at, {"code": code, "kind": kind})
    return edition


def edit_type(*, event_type_id: int, edition: int, draft: rules.TypeDraft, by: Actor, at: datetime) -> TypeEdition:
    """Make the next edition. ``edition`` is the number the reader saw: Stale if there is a newer one.

    Cases keep the filing condition they were filed under. Refusal for a draft with problems or without a change.
    """
    _administrator(by)
    _check(draft)
    with writing():
        if draft_of(current_edition(event_type_id)) == draft:
            raise Refusal("type.unchanged", _("没有改动，不需要新版本。"))
        moved = EventType.objects.filter(pk=event_type_id, edition=edition).update(edition=F("edition") + 1)
        if not moved:
            raise Stale("type.stale", _("这个类型刚被别人改过，请看过最新版本再改。"))
        event_type = EventType.objects.get(pk=event_type_id)
        made = _store(event_type, edition + 1, draft, by=by, at=at)
        _changed(by, "type.edited", "event_type", event_type_id, at, {"edition": edition + 1})
    return made


def deactivate_type(*, event_type_id: int, by: Actor, at: datetime) -> None:
    """No new case of this type; open cases go on. Refusal if it is out of use already."""
    _set_active(event_type_id, False, by=by, at=at)


def activate_type(*, event_type_id: int, by: Actor, at: datetime) -> None:
    """New cases of this type again. Refusal if it is in use already."""
    _set_active(event_type_id, True, by=by, at=at)


def current_edition(event_type_id: int) -> TypeEdition:
    """The edition in force; NotFound for no such type."""
    found = TypeEdition.objects.filter(queries.in_force(), event_type_id=event_type_id).first()
    if found is None:
        raise NotFound("type.missing", _("没有这个类型。"))
    return found


def draft_of(edition: TypeEdition) -> rules.TypeDraft:
    """An edition as a draft: to fill the form, and to see whether anything changed. One SELECT for its conditions."""
    return rules.TypeDraft(
        **{name: getattr(edition, name) for name in _PLAIN},
        assist_department_keys=tuple(edition.assist_department_keys),
        trace_strength=rules.Strength(edition.trace_strength),
        conditions=tuple(_condition_draft(row) for row in sorted(edition.conditions.all(), key=lambda r: r.position)),
    )


_PLAIN = (
    "name_zh", "name_en", "major_code", "major_zh", "major_en", "lead_department_key", "priority", "needs_check",
    "needs_verify", "is_confidential", "std_trace", "note",
)  # fmt: skip


def _condition_draft(row: FilingCondition) -> rules.ConditionDraft:
    return rules.ConditionDraft(
        key=row.key,
        name_zh=row.name_zh,
        name_en=row.name_en,
        limit=Limit(row.limit_value, Unit(row.limit_unit)),
        closing_zh=row.closing_condition_zh,
        closing_en=row.closing_condition_en,
        proofs=rules.proofs_from_json(row.required_proofs),
        covers=rules.Covers(row.covers),
        starts=rules.Starts(row.starts),
        has_light=row.has_light,
        limit_from_zh=row.limit_from_zh,
        limit_from_en=row.limit_from_en,
        source=row.source,
        strength=rules.Strength(row.strength),
    )


def _set_active(event_type_id: int, is_active: bool, *, by: Actor, at: datetime) -> None:
    _administrator(by)
    with writing():
        if not EventType.objects.filter(pk=event_type_id, is_active=not is_active).update(is_active=is_active):
            raise Refusal("type.already", _("这个类型已经是这样了，或者不存在。"))
        _changed(by, "type.activated" if is_active else "type.deactivated", "event_type", event_type_id, at, {})


def _store(event_type: EventType, number: int, draft: rules.TypeDraft, *, by: Actor, at: datetime) -> TypeEdition:
    edition = _edition(event_type, number, draft, by=by, at=at)
    edition.save(force_insert=True)
    FilingCondition.objects.bulk_create(_conditions(edition, draft))
    return edition


def _edition(event_type: EventType, number: int, draft: rules.TypeDraft, *, by: Actor | None, at: datetime) -> TypeEdition:
    return TypeEdition(
        event_type=event_type,
        number=number,
        **{name: getattr(draft, name) for name in _PLAIN},
        assist_department_keys=list(draft.assist_department_keys),
        trace_strength=draft.trace_strength.value,
        effective_at=at,
        made_by=by.person_id if by else None,
    )


def _conditions(edition: TypeEdition, draft: rules.TypeDraft) -> list[FilingCondition]:
    return [
        FilingCondition(
            edition=edition,
            position=position,
            key=condition.key,
            name_zh=condition.name_zh,
            name_en=condition.name_en,
            limit_value=Decimal(condition.limit.value),
            limit_unit=condition.limit.unit.value,
            closing_condition_zh=condition.closing_zh,
            closing_condition_en=condition.closing_en,
            required_proofs=[proof.as_json() for proof in condition.proofs],
            covers=condition.covers.value,
            starts=condition.starts.value,
            has_light=condition.has_light,
            limit_from_zh=condition.limit_from_zh,
            limit_from_en=condition.limit_from_en,
            source=condition.source,
            strength=condition.strength.value,
        )
        for position, condition in enumerate(draft.conditions, start=1)
    ]


# --- duty lists ------------------------------------------------------------------------------------------------------
def set_duty_list(
    *,
    street_id: int,
    clause: str,
    codes: Iterable[tuple[str, str]],
    by: Actor,
    at: datetime,
    department_id: int | None = None,
    community_id: int | None = None,
    version: int = 0,
) -> DutyList:
    """Say what one department or community answers for: ``codes`` are (kind, code). ``version`` 0 makes the first list.

    Stale if somebody changed it since; Refusal for no clause, an unknown code, or a holder of another street.
    """
    _administrator(by)
    if not clause.strip():
        raise Refusal("duty.clause", _("请写明依据的条款，派遣被拒绝时要引用它。"))
    if (department_id is None) == (community_id is None):
        raise Refusal("duty.holder", _("请选择一个部门或一个社区。"))
    types = _types(codes)
    with writing():
        _check_holder(street_id, department_id, community_id)
        holder = {"street_id": street_id, "department_id": department_id, "community_id": community_id}
        fields = {"clause": clause.strip()[:300], "changed_at": at, "changed_by": by.person_id}
        row = _versioned(DutyList, holder, fields, version, _("这份职责清单刚被别人改过，请看过最新内容再改。"))
        row.types.set(types)
        facts = {"department": department_id, "community": community_id, "codes": [t.code for t in types]}
        _changed(by, "duty_list.set", "duty_list", row.pk, at, facts, street_id=street_id)
    return row


def remove_duty_list(*, duty_list_id: int, version: int, by: Actor, at: datetime) -> None:
    """From now on that department or community may be sent anything again."""
    _administrator(by)
    with writing():
        row = DutyList.objects.filter(pk=duty_list_id, version=version).first()
        if row is None:
            raise Stale("duty.stale", _("这份职责清单刚被别人改过，请看过最新内容再改。"))
        row.types.clear()
        row.delete()
        _changed(by, "duty_list.removed", "duty_list", duty_list_id, at, {}, street_id=row.street_id)


# --- control areas ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AreaDraft:
    """A control area as somebody wants it: a GeoJSON polygon (CGCS2000) or a community, from a moment to another."""

    name: str
    notice_zh: str
    starts_at: datetime
    ends_at: datetime
    notice_en: str = ""
    geometry: Mapping[str, Any] | None = None
    community_id: int | None = None
    codes: tuple[tuple[str, str], ...] = ()


def set_control_area(
    *, street_id: int, draft: AreaDraft, by: Actor, at: datetime, area_id: int | None = None, version: int = 0
) -> ControlArea:
    """Make or change a control area. Stale if somebody changed it since; Refusal for what cannot be a place or a time."""
    _administrator(by)
    if not draft.name.strip() or not draft.notice_zh.strip():
        raise Refusal("area.words", _("请填写名称和给上报人的说明。"))
    if draft.ends_at <= draft.starts_at:
        raise Refusal("area.times", _("结束时间要晚于开始时间。"))
    if (draft.geometry is None) == (draft.community_id is None):
        raise Refusal("area.place", _("请画一个范围，或者选一个社区。"))
    geometry = None if draft.geometry is None else checked_polygon(draft.geometry)
    types = _types(draft.codes)
    fields = {
        "name": draft.name.strip()[:80],
        "notice_zh": draft.notice_zh.strip()[:300],
        "notice_en": draft.notice_en.strip()[:400],
        "geometry": geometry,
        "community_id": draft.community_id,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "changed_at": at,
        "changed_by": by.person_id,
    }
    with writing():
        _check_holder(street_id, None, draft.community_id)
        identity = {"street_id": street_id} | ({"pk": area_id} if area_id else {})
        row = _versioned(ControlArea, identity, fields, version, _("这个管控区域刚被别人改过，请看过最新内容再改。"))
        row.types.set(types)
        facts = {"codes": [t.code for t in types], "community": draft.community_id}
        _changed(by, "control_area.set", "control_area", row.pk, at, facts, street_id=street_id)
    return row


def end_control_area(*, area_id: int, version: int, by: Actor, at: datetime) -> None:
    """Reports are welcome again from now on; the row stays as a record. Refusal if it has not begun or is over."""
    _administrator(by)
    with writing():
        current = ControlArea.objects.filter(pk=area_id, version=version, starts_at__lt=at, ends_at__gt=at)
        if not current.update(ends_at=at, version=F("version") + 1, changed_at=at, changed_by=by.person_id):
            raise Stale("area.stale", _("这个管控区域没有在进行，或刚被别人改过。"))
        street_id = ControlArea.objects.values_list("street_id", flat=True).get(pk=area_id)
        _changed(by, "control_area.ended", "control_area", area_id, at, {}, street_id=street_id)


def checked_polygon(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """The polygon, if it is one: closed, simple, at most 500 corners, within China, at most 25 km². Refusal otherwise."""
    problem = Refusal("area.geometry", _("这个范围不是一个完整的多边形，请重新画，或改选社区。"))
    if geometry.get("type") != "Polygon" or len(str(geometry)) > 60_000:
        raise problem
    try:
        polygon = shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise problem from error
    west, south, east, north = polygon.bounds if not polygon.is_empty else (0.0, 0.0, 0.0, 0.0)
    within_china = west >= 73 and east <= 136 and south >= 3 and north <= 54
    is_small = east - west <= 0.06 and north - south <= 0.06
    if not (within_china and is_small and polygon.is_valid) or len(polygon.exterior.coords) > MOST_CORNERS:
        raise problem
    return {"type": "Polygon", "coordinates": [[[x, y] for x, y, *_rest in ring] for ring in geometry["coordinates"]]}


# --- small parts -----------------------------------------------------------------------------------------------------
def _versioned(model: Any, identity: dict[str, Any], fields: dict[str, Any], version: int, stale: str) -> Any:
    """Insert version 1, or update exactly the version the reader saw; Stale with that sentence otherwise."""
    if version == 0:
        try:
            with transaction.atomic():
                return model.objects.create(**identity, **fields)
        except IntegrityError as error:
            raise Stale("stale", stale) from error
    if not model.objects.filter(**identity, version=version).update(version=F("version") + 1, **fields):
        raise Stale("stale", stale)
    return model.objects.get(**identity)


def _types(codes: Iterable[tuple[str, str]]) -> list[EventType]:
    wanted = set(codes)
    found = [t for t in EventType.objects.order_by("code") if (t.kind, t.code) in wanted]
    unknown = sorted(code for kind, code in wanted - {(t.kind, t.code) for t in found})
    if unknown:
        raise Refusal("type.unknown", _("没有这些代码：%(codes)s。") % {"codes": "、".join(unknown)})
    return found


def _check_holder(street_id: int, department_id: int | None, community_id: int | None) -> None:
    own_department = department_id is None or Department.objects.filter(pk=department_id, street_id=street_id).exists()
    own_community = community_id is None or Community.objects.filter(pk=community_id, street_id=street_id).exists()
    if not (own_department and own_community):
        raise NotFound("duty.holder", _("这个街道没有这个部门或社区。"))


def _administrator(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("forbidden", _("只有系统管理员能改类型、职责清单和管控区域。"))


def _administrator_or_system(by: Actor) -> None:
    if not by.has(Role.SYSTEM):
        _administrator(by)


def _changed(
    by: Actor, action: str, kind: str, object_id: int | str, at: datetime, facts: dict[str, Any], *,
    street_id: int | None = None,
) -> None:  # fmt: skip
    """The audit row, the raised counter, and a fresh read in this process."""
    audit.record(
        street_id=street_id,
        person_id=by.person_id,
        action=action,
        object_kind=kind,
        object_id=object_id,
        at=at,
        facts=facts,
    )
    next_value(queries.COUNTER)
    transaction.on_commit(queries.forget)


def _check(draft: rules.TypeDraft) -> None:
    found = rules.problems(draft)
    if found:
        raise Refusal(found[0].code, problem_words(found[0]), facts={"codes": [p.code for p in found]})


def problem_words(problem: rules.Problem) -> str:
    """What is wrong with a draft, as a sentence."""
    words = {
        "type.name_zh": _("请填写类型的名称。"),
        "type.major_code": _("请填写大类代码。"),
        "type.major_zh": _("请填写大类名称。"),
        "type.lead_department_key": _("请选择主办部门。"),
        "type.lead_also_assists": _("主办部门不能同时是协办部门。"),
        "type.priority": _("紧急程度是0到3。"),
        "type.conditions": _("立案条件至少一条，最多%(most)d条。"),
        "condition.key": _("每条立案条件要有代号。"),
        "condition.key_twice": _("有两条立案条件用了同一个代号。"),
        "condition.name_zh": _("每条立案条件要有名称。"),
        "condition.closing_zh": _("每条立案条件要写明结案条件。"),
        "condition.limit_value": _("时限要大于0，不超过9999。"),
        "condition.limit_unit": _("时限单位只能是紧急工作时、工作时、工作日、自然日。"),
        "condition.no_proof": _("每条立案条件至少要一种证明。"),
        "condition.proofs": _("证明的种类不对。"),
        "condition.proof_count": _("每种证明1到9份。"),
    }
    sentence = words[problem.code] % problem.facts if problem.facts else words[problem.code]
    if problem.condition is None:
        return sentence
    return _("第%(n)d条立案条件：%(sentence)s") % {"n": problem.condition + 1, "sentence": sentence}


# --- the starter catalogue -------------------------------------------------------------------------------------------
def _catalogue(name: str) -> list[dict[str, str]]:
    with (CATALOGUE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def catalogue_departments() -> Sequence[Mapping[str, str]]:
    """The departments that the starter catalogue names: key, name_zh, name_en, kind. ``sq`` is the place's community."""
    return _catalogue("departments.csv")


def _catalogue_conditions() -> dict[tuple[str, str], list[rules.ConditionDraft]]:
    found: dict[tuple[str, str], list[rules.ConditionDraft]] = defaultdict(list)
    for row in _catalogue("conditions.csv"):
        found[row["kind"], row["code"]].append(
            rules.ConditionDraft(
                key=row["key"],
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                limit=Limit(Decimal(row["limit_value"]), Unit(row["limit_unit"])),
                closing_zh=row["closing_condition_zh"],
                closing_en=row["closing_condition_en"],
                proofs=rules.proofs_from_text(row["required_proofs"]),
                covers=rules.Covers(row["covers"]),
                starts=rules.Starts(row["starts"]),
                has_light=row["has_light"] == "1",
                limit_from_zh=row["limit_from_zh"],
                limit_from_en=row["limit_from_en"],
                source=row["source"],
                strength=rules.Strength(row["strength"]),
            )
        )
    return found


def _catalogue_draft(row: Mapping[str, str], conditions: Sequence[rules.ConditionDraft]) -> rules.TypeDraft:
    return rules.TypeDraft(
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        major_code=row["major_code"],
        major_zh=row["major_zh"],
        major_en=row["major_en"],
        lead_department_key=row["lead_department_key"],
        assist_department_keys=tuple(row["assist_department_keys"].split()),
        priority=int(row["priority"]),
        needs_check=row["needs_check"] == "1",
        needs_verify=row["needs_verify"] == "1",
        is_confidential=row["is_confidential"] == "1",
        std_trace=row["std_trace"],
        trace_strength=rules.Strength(row["trace_strength"]),
        note=row["note"],
        conditions=tuple(conditions),
    )
