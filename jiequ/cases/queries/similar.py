"""Closed cases that read most like this one: what the triage shows beside its reasons."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from jiequ.people.rules import Actor
from jiequ.triage.services import split_type, type_code

from ..flow import State
from ..models import Case, Report

LOOKED_AT = 300


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed case with the words that opened it and the department that dealt with it."""

    case: Case
    words: str
    type_code: str


def closed_like(case: Case, codes: list[str], actor: Actor) -> dict[str, Closed]:
    """The newest closed cases of these types that the reader may see, with words, by number. One SELECT."""
    said = Report.objects.filter(origin=OuterRef("pk")).exclude(words="").order_by("pk").values("words")[:1]
    rows = Case.objects.visible_to(actor).filter(
        street_id=case.street_id,
        state=State.CLOSED,
        event_type__code__in=[split_type(code)[1] for code in codes],
        is_confidential=False,
    )
    told = rows.annotate(said=Subquery(said)).filter(said__isnull=False).exclude(pk=case.pk)
    found = told.select_related("event_type", "condition__edition", "lead").order_by("-pk")[:LOOKED_AT]
    return {
        one.number: Closed(one, str(one.said), type_code(one.event_type.kind, one.event_type.code))
        for one in found
        if one.event_type is not None
    }
