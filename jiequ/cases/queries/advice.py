"""What the triage suggests for a case, as a form can offer it: a filing condition or a department, how sure, and why.

Advice only: nothing is chosen by it that a person does not see and send. Departments whose duty list refuses the type are
never suggested, and types that are not in force neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jiequ.people.models import Department
from jiequ.triage import services as triage
from jiequ.triage.services import Advice, Ask, Level, reason_words, split_type, type_code, type_name

from ..models import Case, Report
from ..taught import OTHER
from .types import TypeChoice, current_types, said


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose. ``value``: what the form's field would hold, None for "not ours"; ``key``: the key that takes it."""

    value: int | None
    name: str
    percent: int
    reasons: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Offer:
    """At most three choices for a form's field, the best first. ``is_filled``: the first stands in the form already."""

    field: str
    level: Level
    choices: tuple[Choice, ...]
    version: int
    urgent: tuple[str, ...] = ()

    @property
    def is_filled(self) -> bool:
        return self.level == Level.FILL

    @property
    def is_marked(self) -> bool:
        return self.level in {Level.FILL, Level.PRESELECT}

    @property
    def initial(self) -> int | None:
        """What the form begins with; None if it is left to the reader."""
        return self.choices[0].value if self.is_filled and self.choices else None


def words_of(reports: Sequence[Report]) -> str:
    """What the first report that says something says."""
    return next((report.words for report in reports if report.words.strip()), "")


def ask_of(case: Case, words: str) -> Ask:
    """A case as the triage is asked about it."""
    community = case.community.code12 if case.community_id and case.community else ""
    return Ask(words, case.street.code9, community, case.source, case.reported_at)


def types_by_code() -> dict[str, TypeChoice]:
    """The types in force by the triage's codes, from the cache."""
    return {type_code(kind.kind, kind.code): kind for major in current_types() for kind in major.types}


def type_advice(ask: Ask) -> Advice:
    """The triage's answer among the types in force."""
    return triage.suggest_type(ask, among=frozenset({*types_by_code(), OTHER}))


def type_offer(case: Case, reports: Sequence[Report]) -> Offer | None:
    """Which filing condition the case may be accepted under; None where there is nothing worth saying."""
    return offer_of(type_advice(ask_of(case, words_of(reports))))


def offer_of(advice: Advice) -> Offer | None:
    """A type's advice as a form's choices, the first filing condition of each type; none where none is likely enough."""
    kinds = types_by_code()
    choices = [
        Choice(
            _condition(kinds.get(one.code)), name_of(one.code, kinds), _percent(one.confidence), _why(one, kinds), str(place)
        )
        for place, one in enumerate(advice.choices if advice.level != Level.NONE else (), 1)
    ]
    if not choices and not advice.urgent:
        return None
    level = Level.PRESELECT if advice.level == Level.FILL and choices and choices[0].value is None else advice.level
    return Offer("condition_id", level, tuple(choices), advice.version, advice.urgent)


def _condition(kind: TypeChoice | None) -> int | None:
    return kind.conditions[0].id if kind and kind.conditions else None


def name_of(code: str, kinds: Mapping[str, TypeChoice]) -> str:
    """A type's name in the reader's language."""
    return kinds[code].name if code in kinds else type_name(code)


def _percent(confidence: float) -> int:
    return max(1, min(99, round(100 * confidence)))


def _why(suggestion: triage.Suggestion, kinds: Mapping[str, TypeChoice]) -> tuple[str, ...]:
    told = (reason_words(reason, lambda code: name_of(code, kinds)) for reason in suggestion.reasons)
    return tuple(one for one in told if one)


def department_offer(
    case: Case, departments: Sequence[Department], outside: frozenset[int], words: str, *, default: str, at: datetime
) -> Offer | None:
    """Which department the case may be sent to. ``outside``: those whose duty list refuses the type; ``default``: the
    catalogue's for it. None where the type is not known yet, or there is nothing worth saying."""
    if case.event_type is None:
        return None
    code = type_code(case.event_type.kind, case.event_type.code)
    return department_offer_of(ask_of(case, words), code, departments, outside, default=default, at=at)


def lead_offer(
    case: Case, departments: Sequence[Department], outside: frozenset[int], *, default: str, at: datetime
) -> Offer | None:
    """The same for one of many cases on a page, from what is read of each anyway. No SELECT beyond the triage's own."""
    kind = next((one for one in types_by_code().values() if one.id == case.event_type_id), None)
    if kind is None:
        return None
    community = case.community.code12 if case.community_id and case.community else ""
    ask = Ask(case.title, community[:9], community, case.source, case.reported_at)
    return department_offer_of(ask, type_code(kind.kind, kind.code), departments, outside, default=default, at=at)


def department_offer_of(
    ask: Ask, code: str, departments: Sequence[Department], outside: frozenset[int], *, default: str, at: datetime
) -> Offer | None:
    """Which department matters of a type go to, as a form's choices."""
    allowed = {one.key: one for one in departments if one.pk not in outside}
    advice = triage.suggest_department(
        ask,
        type_code=code,
        allowed=sorted(allowed),
        at=at,
        default=default if default in allowed else "",
    )
    choices = [
        Choice(
            allowed[one.code].pk,
            said(allowed[one.code].name_zh, allowed[one.code].name_en),
            _percent(one.confidence),
            _why(one, {}),
            str(n),
        )
        for n, one in enumerate(advice.choices, 1)
    ]
    return Offer("lead_id", advice.level, tuple(choices), advice.version) if choices else None


def is_a_type(code: str) -> bool:
    """False for "not ours"."""
    return bool(split_type(code)[1])
