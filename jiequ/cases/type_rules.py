"""Event types and their filing conditions, as plain values and the rules for them. Pure; imports nothing of Django.

One event type has several filing conditions (立案条件), each with its own limit, unit, closing condition and proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from jiequ.core.worktime import FIELD_UNITS, Limit

IMPORTED_CODE, IMPORTED_MAJOR = "IMPORT", "99IM"
"""The type of imported orders that are still to be classed (docs/operations.md); never in use for new cases."""
MAX_CONDITIONS = 12
MAX_LIMIT = Decimal(9999)
MAX_PROOFS = 9


class EventKind(StrEnum):
    """Events and components have code spaces of their own; a code is unique only together with its kind."""

    EVENT = "event"
    COMPONENT = "component"


class Covers(StrEnum):
    """What a limit promises: the whole handling, or only the next step of a lawful procedure (DOMAIN §10)."""

    WHOLE = "whole"
    NEXT_STEP = "next_step"


class Starts(StrEnum):
    """When the limit begins to run: at dispatch, or at the release to a round (9104)."""

    DISPATCH = "dispatch"
    RELEASE = "release"


class ProofKind(StrEnum):
    """What shows that the work was done."""

    PHOTO = "photo"
    NOTE = "note"
    DOCUMENT = "document"


class ProofPhase(StrEnum):
    """When a proof is made. A report's own photo counts as one of before: nobody is asked for it twice."""

    BEFORE = "before"
    PROCESS = "process"
    AFTER = "after"


class Strength(StrEnum):
    """How strong a limit's source is: A a published table names it; B a neighbouring one does; C practice; P ours."""

    PUBLISHED = "A"
    NEIGHBOURING = "B"
    PRACTICE = "C"
    OURS = "P"


@dataclass(frozen=True, slots=True)
class ProofNeed:
    """At least so many proofs of a kind, of a phase."""

    kind: ProofKind
    phase: ProofPhase
    at_least: int = 1

    def as_json(self) -> dict[str, Any]:
        """The shape kept in ``FilingCondition.required_proofs``."""
        return {"kind": self.kind.value, "phase": self.phase.value, "at_least": self.at_least}


SLOTS = (
    (ProofKind.PHOTO, ProofPhase.BEFORE),
    (ProofKind.PHOTO, ProofPhase.PROCESS),
    (ProofKind.PHOTO, ProofPhase.AFTER),
    (ProofKind.NOTE, ProofPhase.AFTER),
    (ProofKind.DOCUMENT, ProofPhase.AFTER),
)
"""The proofs a condition may ask for; more would be asked of people than anybody looks at."""


@dataclass(frozen=True, slots=True)
class ConditionDraft:
    """A filing condition as somebody wants it. ``limit_from`` names whose limit it is when it is not this city's."""

    key: str
    name_zh: str
    limit: Limit
    closing_zh: str
    proofs: tuple[ProofNeed, ...]
    name_en: str = ""
    closing_en: str = ""
    covers: Covers = Covers.WHOLE
    starts: Starts = Starts.DISPATCH
    has_light: bool = True
    limit_from_zh: str = ""
    limit_from_en: str = ""
    source: str = ""
    strength: Strength = Strength.OURS


@dataclass(frozen=True, slots=True)
class TypeDraft:
    """An event type's edition as somebody wants it."""

    name_zh: str
    major_code: str
    major_zh: str
    lead_department_key: str
    conditions: tuple[ConditionDraft, ...]
    name_en: str = ""
    major_en: str = ""
    assist_department_keys: tuple[str, ...] = ()
    priority: int = 2
    needs_check: bool = True
    needs_verify: bool = False
    is_confidential: bool = False
    std_trace: str = ""
    trace_strength: Strength = Strength.OURS
    note: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a draft: a code, and the condition it stands in (None: the type itself)."""

    code: str
    condition: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def problems(draft: TypeDraft) -> list[Problem]:
    """Everything that keeps a draft from being an edition."""
    found = [Problem(f"type.{name}") for name in _missing(draft, "name_zh", "major_code", "major_zh")]
    if not draft.lead_department_key:
        found.append(Problem("type.lead_department_key"))
    if draft.lead_department_key in draft.assist_department_keys:
        found.append(Problem("type.lead_also_assists"))
    if not 0 <= draft.priority <= 3:
        found.append(Problem("type.priority"))
    if not 1 <= len(draft.conditions) <= MAX_CONDITIONS:
        found.append(Problem("type.conditions", facts={"most": MAX_CONDITIONS}))
    keys = [condition.key for condition in draft.conditions]
    for index, condition in enumerate(draft.conditions):
        found += [Problem(code, index) for code in _condition_codes(condition)]
        if keys.index(condition.key) != index:
            found.append(Problem("condition.key_twice", index))
    return found


def _condition_codes(condition: ConditionDraft) -> Iterable[str]:
    for name in _missing(condition, "key", "name_zh", "closing_zh"):
        yield f"condition.{name}"
    if not 0 < condition.limit.value <= MAX_LIMIT:
        yield "condition.limit_value"
    if condition.limit.unit not in FIELD_UNITS:
        yield "condition.limit_unit"
    slots = [(proof.kind, proof.phase) for proof in condition.proofs]
    if not slots:
        yield "condition.no_proof"
    if len(set(slots)) != len(slots) or not set(slots) <= set(SLOTS):
        yield "condition.proofs"
    if any(not 1 <= proof.at_least <= MAX_PROOFS for proof in condition.proofs):
        yield "condition.proof_count"


def _missing(draft: Any, *names: str) -> list[str]:
    return [name for name in names if not getattr(draft, name).strip()]


def proofs_from_text(text: str) -> tuple[ProofNeed, ...]:
    """ "photo:before photo:after:2" → needs. ValueError for an unknown word."""
    needs = []
    for part in text.split():
        kind, phase, *count = part.split(":")
        needs.append(ProofNeed(ProofKind(kind), ProofPhase(phase), int(count[0]) if count else 1))
    return tuple(needs)


def proofs_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[ProofNeed, ...]:
    """From ``FilingCondition.required_proofs``."""
    return tuple(ProofNeed(ProofKind(p["kind"]), ProofPhase(p["phase"]), int(p["at_least"])) for p in stored)


# --- what changed between two editions -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed: the field, the condition's key (empty: the type itself), and both values.

    A condition that came or went has the field ``condition`` and None on the side where it is not.
    """

    field: str
    condition: str
    before: Any
    after: Any


def differences(old: TypeDraft, new: TypeDraft) -> list[Difference]:
    """What an edition changed, in the order of its fields, then of its conditions (by key)."""
    found = _field_differences(old, new, "", leave_out="conditions")
    before = {condition.key: condition for condition in old.conditions}
    after = {condition.key: condition for condition in new.conditions}
    for key in dict.fromkeys([*before, *after]):
        if key in before and key in after:
            found += _field_differences(before[key], after[key], key, leave_out="key")
        else:
            found.append(Difference("condition", key, before.get(key), after.get(key)))
    if [k for k in before if k in after] != [k for k in after if k in before]:
        found.append(Difference("order", "", tuple(before), tuple(after)))
    return found


def _field_differences(old: Any, new: Any, condition: str, *, leave_out: str) -> list[Difference]:
    names = [f.name for f in fields(old) if f.name != leave_out]
    return [
        Difference(name, condition, getattr(old, name), getattr(new, name))
        for name in names
        if getattr(old, name) != getattr(new, name)
    ]
