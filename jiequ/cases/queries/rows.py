"""A case as one line of a list, in the reader's words: shared by every page that lists cases, in this app and above."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from .. import words
from ..flow import State
from ..models import Case
from ..type_rules import IMPORTED_MAJOR
from .lists import light_of
from .types import said


def row(case: Case, at: datetime, *, metres: float | None = None, url: str = "") -> dict[str, Any]:
    """A line of a list (web/parts/case_row.html)."""
    return {
        "id": case.pk,
        "mark": f"{case.version}-{case.changed_at.timestamp():.3f}-{light_of(case, at)}",  # another: it says other things
        "version": case.version,
        "url": url or reverse("cases:case", args=[case.number]),
        "number": case.number,
        "type_name": type_name(case),
        "place": place_words(case),
        "light": "done" if case.state == State.CLOSED else light_of(case, at).value,
        "due_at": case.due_at if case.ended_at is None else None,
        "is_provisional": case.is_promise_provisional,
        "state": str(words.STATES[case.state]),
        "state_tone": words.TONES.get(case.state, "go"),
        "distance_m": metres,
        "is_urgent": case.is_urgent,
        "voices": case.voices,
        "lead": named(case.lead) if case.lead_id else "",
    }


def type_name(case: Case) -> str:
    """What it is: the type as it was filed, else the first words."""
    if case.condition_id and case.condition:
        edition = case.condition.edition
        if edition.major_code != IMPORTED_MAJOR:  # an imported word that waits for its meaning is shown as it came
            return said(edition.name_zh, edition.name_en)
    return words.masked(case.title)


def place_words(case: Case) -> str:
    """Where, in words; a phone that a reporter wrote among them stands on the case's page only, for the desk."""
    parts = [words.masked(case.address), named(case.community) if case.community_id else ""]
    return " · ".join(part for part in parts if part)


def named(thing: Any) -> str:
    """A department's or community's name in the reader's language."""
    return "" if thing is None else said(thing.name_zh, thing.name_en)


def source_words(source: str) -> str:
    """Where a case came from."""
    return str(words.SOURCES[source])
