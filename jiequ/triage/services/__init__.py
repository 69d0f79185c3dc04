"""Every act of triage, and what it suggests."""

from __future__ import annotations

from .. import language
from ..codes import split_type, type_code
from ..engine.results import Level, Reason, Suggestion
from ..feed import Alarm, CaseRow, DispatchRow, Feed, TypeFact, on_alarm
from ..feed import register as register_feed
from ..language import NoAnswer, draft_reply, summary, tie_break
from ..marking import marked_parts
from ..models import Lesson
from ..words import reason_words, type_name
from .lessons import forget, taken_back, taught
from .suggesting import NOTHING, Advice, Ask, explain, suggest_department, suggest_type

language_is_on = language.is_on

__all__ = [
    "NOTHING",
    "Advice",
    "Alarm",
    "Ask",
    "CaseRow",
    "DispatchRow",
    "Feed",
    "Lesson",
    "Level",
    "NoAnswer",
    "Reason",
    "Suggestion",
    "TypeFact",
    "draft_reply",
    "explain",
    "forget",
    "language_is_on",
    "marked_parts",
    "on_alarm",
    "reason_words",
    "register_feed",
    "split_type",
    "suggest_department",
    "suggest_type",
    "summary",
    "taken_back",
    "taught",
    "tie_break",
    "type_code",
    "type_name",
]
