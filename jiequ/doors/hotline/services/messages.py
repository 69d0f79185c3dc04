"""Answers and call-backs as they come in, by HTTP or in a file: the same fields, the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE

from .. import rules
from ..models import Source
from .answers import Answer, answer
from .visits import Said, record_visit

QUESTIONS = ("return", "extend", "close")


def kind_of(name: str) -> str:
    """What a file holds, by the first word of its name: answers, visits, else orders."""
    first = name.lower().replace("_", "-").split("-")[0].split(".")[0]
    return first if first in {"answers", "visits"} else "orders"


def opened(cells: Mapping[str, str]) -> dict[str, Any]:
    """Cells in which an object of a JSON file was kept as a text, as that object again."""
    return {name: _object(value) if value[:1] == "{" else value for name, value in cells.items()}


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def take(source: Source, kind: str, cells: Mapping[str, str], *, at: datetime) -> tuple[str, str]:
    """An answer or a call-back of a file: (outcome, why). Raises Refusal for one that cannot be taken."""
    if kind == "answers":
        answer(source, answer_of(cells), at=at)
        return "new", ""
    _visit, is_new = record_visit(source, said_of(cells, at), at=at)
    return ("new" if is_new else "known"), ""


def answer_of(cells: Mapping[str, str]) -> Answer:
    """An answer: ``ask`` (our key), or ``number`` and ``question``; ``granted``, ``due``, ``text``. Refusal with the field."""
    granted = _yes_or_no(cells, "granted")
    if granted is None:
        raise Refusal("granted_missing", _("请给出 granted：yes 或 no。"), facts={"field": "granted"})
    question = cells.get("question", "")
    if not cells.get("ask") and question not in QUESTIONS:
        raise Refusal("ask_missing", _("请给 ask，或 number 和 question（return、extend、close）。"), facts={"field": "ask"})
    return Answer(
        granted=granted,
        key=cells.get("ask", "")[:40],
        number=cells.get("number", "")[:100],
        question=question,
        text=cells.get("text", "")[:500],
        due_at=_moment(cells, "due"),
    )


def said_of(cells: Mapping[str, str], at: datetime) -> Said:
    """A call-back: ``visit``, ``number``, ``at``, ``contacted``, ``solved``, ``satisfaction``, ``text``; or a Refusal."""
    try:
        satisfaction = rules.score_of(cells.get("satisfaction"))
    except ValueError:
        raise Refusal("bad_score", _("满意度应是 1 至 5，或“满意”这样的词。"), facts={"field": "satisfaction"}) from None
    return Said(
        ref=cells.get("visit", ""),
        number=cells.get("number", "")[:100],
        at=_moment(cells, "at") or at,
        contacted=_yes_or_no(cells, "contacted"),
        solved=_yes_or_no(cells, "solved"),
        satisfaction=satisfaction,
        text=cells.get("text", ""),
    )


def _yes_or_no(cells: Mapping[str, str], field: str) -> bool | None:
    try:
        return rules.yes_or_no(cells.get(field))
    except ValueError:
        raise Refusal("bad_word", _("%(field)s 应是 yes 或 no。") % {"field": field}, facts={"field": field}) from None


def _moment(cells: Mapping[str, str], field: str) -> datetime | None:
    text = cells.get(field, "").strip()
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2100:
        raise Refusal("bad_time", _("%(field)s 不是一个时间。") % {"field": field}, facts={"field": field})
    return found if found.tzinfo else found.replace(tzinfo=ZONE)
