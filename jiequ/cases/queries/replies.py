"""Standard replies as a street has them: the shipped set, with the street's own editions in its place."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format

from jiequ.core.models import Street

from ..catalogue import FOLDER
from ..models import Case, StandardReply
from .rows import named, type_name
from .types import said

PLACES = ("number", "type", "department", "due", "street")
"""What a reply may name: {number} {type} {department} {due} {street}."""
_PLACE = re.compile(r"\{(\w+)\}")
MOVES = ("reject", "close", "force_close", "cancel", "note")
"""The steps with standard sentences: four speak to reporters, a note to those at work on the case."""
FIELDS = {"note": "text"}
"""Which field of a step's form takes the sentence; ``reply`` where nothing is said here."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply in force. ``edition`` 0: as it was shipped."""

    key: str
    move: str
    reason_code: str
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    event_type_id: int | None = None
    edition: int = 0
    is_active: bool = True


@cache
def shipped() -> tuple[Reply, ...]:
    """The set that comes with the product (P)."""
    with (FOLDER / "replies.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_shipped(row) for row in csv.DictReader(file))


def _shipped(row: dict[str, str]) -> Reply:
    titles, bodies = (row["title_zh"], row["title_en"]), (row["body_zh"], row["body_en"])
    return Reply(row["key"], row["move"], row["reason_code"], *titles, *bodies)


def replies_of(street_id: int, *, all_of_them: bool = False) -> list[Reply]:
    """A street's replies in force, its own after the shipped ones; with ``all_of_them`` the switched-off too. One SELECT."""
    found = {reply.key: reply for reply in shipped()}
    for row in StandardReply.objects.filter(street_id=street_id).order_by("edition", "pk"):
        found[row.key] = _of_row(row)
    return [reply for reply in found.values() if all_of_them or reply.is_active]


def _of_row(row: StandardReply) -> Reply:
    return Reply(**{name: getattr(row, name) for name in Reply.__slots__})


def editions(street_id: int, key: str) -> list[StandardReply]:
    """Every edition of a reply, the newest first. One SELECT."""
    rows = StandardReply.objects.filter(street_id=street_id, key=key).select_related("made_by")
    return list(rows.order_by("-edition"))


def places_in(text: str) -> set[str]:
    """The names in braces. ValueError for any other brace: nothing is formatted, only put in its place."""
    if set("{}") & set(_PLACE.sub("", text)):
        raise ValueError("a brace that holds no plain name")
    return set(_PLACE.findall(text))


def offered(case: Case, move: str, languages: Iterable[str]) -> list[dict[str, Any]]:
    """The replies that fit a case and a move, filled in, in each of the languages in turn. One SELECT.

    One that names what the case does not have (no department yet) is not offered. ``use`` tells one from its translation;
    ``field`` is the form's field it goes into.
    """
    if move not in MOVES:
        return []
    fits = [r for r in replies_of(case.street_id) if r.move == move and r.event_type_id in {None, case.event_type_id}]
    return [one for language in languages for one in _in_language(fits, language, _values(case, language))]


def _in_language(fits: Iterable[Reply], language: str, values: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "key": r.key,
            "use": f"{r.key}:{language}",
            "language": language,
            "field": FIELDS.get(r.move, "reply"),
            "title": said(r.title_zh, r.title_en),
            "reason": r.reason_code,
            "text": text,
        }
        for r in fits
        if (text := _filled(_in(language, r.body_zh, r.body_en), values))
    ]


def text_of(case: Case, move: str, use: str) -> str:
    """A reply by its ``use`` (its key alone: in the first language), filled in; empty for one that does not fit."""
    if not use:
        return ""
    languages = languages_for(move, case.reports.order_by("pk").values_list("language", flat=True))
    return next((one["text"] for one in offered(case, move, languages) if use in {one["use"], one["key"]}), "")


def languages_for(move: str, reporters: Iterable[str]) -> list[str]:
    """The languages to offer: each reporter's for words they will read, then the page's own; a note's is the page's alone."""
    page = "en" if (translation.get_language() or "").startswith("en") else "zh-hans"
    read = [] if move in FIELDS else [language for language in reporters if language]
    return list(dict.fromkeys([*read, page]))


def sample(reply: Reply, street: Street) -> Reply:
    """A reply of a street with invented values in its places, for the editor."""
    zh = {"number": "LG-2026-000123", "type": "暴露垃圾", "department": "环卫站", "due": "3月5日"}  # data
    en = {
        "number": "LG-2026-000123",
        "type": "rubbish",
        "department": "the sanitation station",
        "due": "5 March",
    }
    zh["street"], en["street"] = street.name_zh, street.name_en or street.name_zh
    return replace(reply, body_zh=_filled(reply.body_zh, zh), body_en=_filled(reply.body_en, en))


def _in(language: str, chinese: str, english: str) -> str:
    return english if language == "en" and english else chinese


def _in_a_sentence(name: str, language: str) -> str:
    """A type's name as it stands in the middle of a sentence: English begins it small, abbreviations apart."""
    return name[:1].lower() + name[1:] if language == "en" and name[1:2].islower() else name


def _filled(text: str, values: dict[str, str]) -> str:
    if not places_in(text) <= {name for name, value in values.items() if value}:
        return ""
    return _PLACE.sub(lambda place: values[place.group(1)], text)


def _values(case: Case, language: str) -> dict[str, str]:
    with translation.override(language):
        return {
            "number": case.number,
            "type": _in_a_sentence(type_name(case), language) if case.condition_id else "",
            "department": named(case.lead) if case.lead_id else "",
            "due": date_format(timezone.localtime(case.promised_at), "MONTH_DAY_FORMAT") if case.promised_at else "",
            "street": named(case.street),
        }
