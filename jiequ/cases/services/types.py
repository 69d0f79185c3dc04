"""Changing event types, duty lists and control areas. A change of a type makes a new edition; the past stays."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.ids import next_value
from jiequ.core.worktime import Limit, Unit
from jiequ.people.rules import Actor, Role

from .. import catalogue
from .. import type_rules as rules
from ..models.types import EventType, FilingCondition, TypeEdition
from ..queries import types as queries


# --- types -----------------------------------------------------------------------------------------------------------
def load_catalogue(*, by: Actor, at: datetime) -> int:
    """Add the starter catalogue's types that are not there yet; returns how many. What is there is left as it is."""
    administrator_or_system(by)
    with writing():
        present = set(EventType.objects.values_list("kind", "code"))
        entries = [entry for entry in catalogue.entries() if (entry.kind, entry.code) not in present]
        if not entries:
            return 0
        types = EventType.objects.bulk_create(EventType(kind=e.kind, code=e.code, is_active=e.is_active) for e in entries)
        drafts = [entry.draft for entry in entries]
        editions = TypeEdition.objects.bulk_create(
            _edition(event_type, 1, draft, by=None, at=at) for event_type, draft in zip(types, drafts, strict=True)
        )
        FilingCondition.objects.bulk_create(
            row for edition, draft in zip(editions, drafts, strict=True) for row in _conditions(edition, draft)
        )
        changed(by, "type.catalogue_loaded", "catalogue", "starter", at, {"added": len(entries)})
    return len(entries)


def create_type(*, kind: str, code: str, draft: rules.TypeDraft, by: Actor, at: datetime) -> TypeEdition:
    """A new type with its first edition. Refusal for a draft with problems or a code that is taken."""
    administrator(by)
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
        changed(by, "type.created", "event_type", event_type.pk, at, {"code": code, "kind": kind})
    return edition


def edit_type(*, event_type_id: int, edition: int, draft: rules.TypeDraft, by: Actor, at: datetime) -> TypeEdition:
    """Make the next edition. ``edition`` is the number the reader saw: Stale if there is a newer one.

    Cases keep the filing condition they were filed under. Refusal for a draft with problems or without a change.
    """
    administrator(by)
    _check(draft)
    with writing():
        if draft_of(current_edition(event_type_id)) == draft:
            raise Refusal("type.unchanged", _("没有改动，不需要新版本。"))
        moved = EventType.objects.filter(pk=event_type_id, edition=edition).update(edition=F("edition") + 1)
        if not moved:
            raise Stale("type.stale", _("这个类型刚被别人改过，请看过最新版本再改。"))
        event_type = EventType.objects.get(pk=event_type_id)
        made = _store(event_type, edition + 1, draft, by=by, at=at)
        changed(by, "type.edited", "event_type", event_type_id, at, {"edition": edition + 1})
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
    administrator(by)
    with writing():
        if not EventType.objects.filter(pk=event_type_id, is_active=not is_active).update(is_active=is_active):
            raise Refusal("type.already", _("这个类型已经是这样了，或者不存在。"))
        changed(by, "type.activated" if is_active else "type.deactivated", "event_type", event_type_id, at, {})


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


def type_for_imports(*, at: datetime) -> FilingCondition:
    """What an imported, closed order is filed under until its own words have a meaning here; made at the first need.

    Out of use, so that nobody can choose it; without a light, because its limit is nobody's (P).
    """
    known = FilingCondition.objects.filter(edition__event_type__kind="event", edition__event_type__code=rules.IMPORTED_CODE)
    if (found := known.select_related("edition").order_by("pk").first()) is not None:
        return found
    event_type = EventType.objects.create(kind="event", code=rules.IMPORTED_CODE, is_active=False)
    limit = Limit(Decimal(5), Unit.WORK_DAY)
    condition = rules.ConditionDraft(
        key="default",
        name_zh="其他（导入，待归类）",  # data
        name_en="Other (imported, to be classed)",
        limit=limit,
        closing_zh="在原系统中已办结",  # data
        closing_en="Closed in the system it came from",
        proofs=(),
        has_light=False,
        strength=rules.Strength.OURS,
    )
    draft = rules.TypeDraft(
        name_zh=condition.name_zh,
        name_en=condition.name_en,
        major_code=rules.IMPORTED_MAJOR,
        major_zh="其他",  # data
        major_en="Other",
        lead_department_key="zhzx",
        needs_check=False,
        conditions=(condition,),
    )
    _store(event_type, 1, draft, by=Actor.system(), at=at)
    changed(Actor.system(), "type.created", "event_type", event_type.pk, at, {"code": rules.IMPORTED_CODE})
    return FilingCondition.objects.select_related("edition").get(edition__event_type=event_type)


# --- small parts -----------------------------------------------------------------------------------------------------
def administrator(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("forbidden", _("只有系统管理员能改类型、职责清单和管控区域。"))


def administrator_or_system(by: Actor) -> None:
    if not by.has(Role.SYSTEM):
        administrator(by)


def changed(
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
