"""A case as one line of a list, in the reader's words: shared by every page that lists cases, in this app and above."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language

from .. import words
from ..flow import State
from ..models import Case
from ..type_rules import IMPORTED_MAJOR
from .line import Line, line_of
from .lists import light_of
from .types import said


def row(case: Case | Line, at: datetime, *, metres: float | None = None, url: str = "") -> dict[str, Any]:
    """A line of a list (web/parts/case_row.html)."""
    line = case if isinstance(case, Line) else line_of(case)
    light, language = light_of(line, at), get_language()
    return {
        "id": line.pk,
        "mark": f"{line.version}-{line.changed_at.timestamp():.3f}-{light}",  # another: it says other things
        "version": line.version,
        "url": url or case_url(line.number),
        "number": line.number,
        "type_name": _type_words(line.title, line.major, line.type_zh, line.type_en, language),
        "place": _place(line.address, said(line.community_zh or "", line.community_en or "", language)),
        "light": "done" if line.state == State.CLOSED else light.value,
        "due_at": line.due_at if line.ended_at is None else None,
        "is_provisional": line.is_promise_provisional,
        "state": _state_words(line.state, language),
        "state_tone": words.TONES.get(line.state, "go"),
        "distance_m": metres,
        "is_urgent": line.is_urgent,
        "voices": line.voices,
        "lead": said(line.lead_zh or "", line.lead_en or "", language),
    }


@cache
def _state_words(state: str, _language: str | None) -> str:
    return str(words.STATES[state])


def case_url(number: str) -> str:
    """The page of a case; a list asks this fifty times, so the route is looked up once."""
    return _pattern("cases:case", 1, get_script_prefix()).replace("@", number)


def peek_url(number: str) -> str:
    """The case as it stands beside a tray."""
    return _pattern("cases:peek", 1, get_script_prefix()).replace("@", number)


def move_url(number: str, name: str) -> str:
    """The page of a move of a case."""
    return _pattern("cases:move", 2, get_script_prefix()).replace("@", number, 1).replace("@", name, 1)


@cache
def _pattern(route: str, places: int, _prefix: str) -> str:
    return reverse(route, args=["0"] * places).replace("/0", "/@")


def type_name(case: Case) -> str:
    """What it is: the type as it was filed, else the first words."""
    if case.condition_id and case.condition:
        edition = case.condition.edition
        return _type_words(case.title, edition.major_code, edition.name_zh, edition.name_en)
    return words.masked(case.title)


def _type_words(title: str, major: str | None, chinese: str | None, english: str | None, language: str | None = None) -> str:
    if chinese and major != IMPORTED_MAJOR:  # an imported word that waits for its meaning is shown as it came
        return said(chinese, english or "", language)
    return words.masked(title)


def place_words(case: Case) -> str:
    """Where, in words; a phone that a reporter wrote among them stands on the case's page only, for the desk."""
    return _place(case.address, named(case.community) if case.community_id else "")


def _place(address: str, community: str) -> str:
    return " · ".join(part for part in (words.masked(address), community) if part)


def named(thing: Any) -> str:
    """A department's or community's name in the reader's language."""
    return "" if thing is None else said(thing.name_zh, thing.name_en)


def source_words(source: str) -> str:
    """Where a case came from."""
    return _source_words(source, get_language())


@cache
def _source_words(source: str, _language: str | None) -> str:
    return str(words.SOURCES[source])
