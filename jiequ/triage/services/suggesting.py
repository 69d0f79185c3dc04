"""What is suggested: a type and its urgency from the words, a department from the type and the place. Advice, nothing more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .. import running
from ..codes import groups_of
from ..engine.results import Level, Suggestion
from ..marking import Mark
from ..minds import Matter, Memory, Report, Row, Similar, advise, weigher_for
from ..models import Kind

SURE, LIKELY = 0.8, 0.5
"""From where on a department stands in the form, or is marked among three."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is known of a report. ``street``: nine digits; ``community``: twelve; ``source``: as a case has it."""

    words: str
    street: str = ""
    community: str = ""
    source: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """At most three answers, best first; ``version`` 0: the start model. ``urgent``: the words that make it so."""

    level: Level
    choices: tuple[Suggestion, ...] = ()
    version: int = 0
    urgent: tuple[str, ...] = ()
    urgent_level: int | None = None
    marks: tuple[Mark, ...] = ()
    similar: tuple[Similar, ...] = ()

    @property
    def first(self) -> Suggestion | None:
        return self.choices[0] if self.choices else None


NOTHING = Advice(Level.NONE)


def suggest_type(ask: Ask, *, among: Collection[str] | None = None) -> Advice:
    """Which type a report is of. ``among``: the codes in force; no other is named."""
    if not ask.words.strip():
        return NOTHING
    now = running.current()
    with now.lock:
        return _type_advice(ask, now, now.memory, among)


def explain(ask: Ask, *, closed: Sequence[tuple[str, str, str]] = (), among: Collection[str] | None = None) -> Advice:
    """The same with the n-grams that decided, and the three most similar of ``closed`` cases (number, words, type)."""
    if not ask.words.strip():
        return NOTHING
    now = running.current()
    with now.lock:
        plain = _type_advice(ask, now, now.memory, among)
        assert now.model is not None
        memory = Memory.of([Row(*one) for one in closed], weigher_for(now.model))
    return replace(plain, similar=tuple(memory.nearest(ask.words)))


def _type_advice(ask: Ask, now: running.Running, memory: Memory | None, among: Collection[str] | None) -> Advice:
    hour = None if ask.at is None else running.hour_of(ask.at)
    report = Report(words=ask.words, source=ask.source, place=ask.community, hour=hour)
    assert now.model is not None
    found = advise(report, model=now.model, memory=memory, urgent=now.urgent, among=among)
    number = now.in_use[Kind.TYPE].number if Kind.TYPE in now.in_use else 0
    urgency = found.urgency
    return Advice(
        level=found.level,
        choices=found.suggestions,
        version=number,
        urgent=urgency.words if urgency else (),
        urgent_level=urgency.level if urgency else None,
        marks=found.marks,
        similar=found.similar,
    )


def suggest_department(ask: Ask, *, type_code: str, allowed: Sequence[str], at: datetime, default: str = "") -> Advice:
    """Which of the ``allowed`` departments (by key, the duty lists already applied) such cases go to. Never another.

    ``default``: the department the catalogue names for the type.
    """
    now = running.current()
    matter = Matter(
        type=type_code,
        street=ask.street,
        grid=ask.community,
        source=ask.source,
        groups=groups_of(type_code),
        hour=None if ask.at is None else running.hour_of(ask.at),
        text=ask.words,
    )
    with now.lock:
        assert now.dispatcher is not None
        found = now.dispatcher.suggest(matter, day=running.day_of(at), allowed=allowed, default=default)
    kept = tuple(one for one in found if one.code in allowed)[:3]
    number = now.in_use[Kind.DEPARTMENT].number if Kind.DEPARTMENT in now.in_use else 0
    return Advice(level_of(kept), kept, number)


def names_of_types() -> dict[str, str]:
    """The types in force, their own names by code."""
    return {one.code: one.name for one in running.types_in_force()}


def level_of(choices: Sequence[Suggestion]) -> Level:
    """How far a department goes by itself."""
    if not choices:
        return Level.NONE
    if choices[0].confidence >= SURE:
        return Level.FILL
    return Level.PRESELECT if choices[0].confidence >= LIKELY else Level.CHOICES
