"""Every act of triage, and what it suggests."""

from __future__ import annotations

from .. import language
from ..codes import split_type, type_code
from ..engine.generator import say as invented
from ..engine.masking import mask as mask_personal
from ..engine.replies import Flag, Told, flags_of
from ..engine.results import Level, Reason, Suggestion
from ..feed import Alarm, CaseRow, DispatchRow, Feed, TypeFact, on_alarm
from ..feed import register as register_feed
from ..language import NoAnswer, draft_reply, summary, tie_break
from ..marking import marked_parts
from ..models import Cause, Lesson
from ..words import flag_words, hidden_words, reason_words, type_name
from .judging import count_past_weeks
from .learning import ask as learn_anew
from .learning import is_caught_up
from .lessons import forget, taken_back, taught
from .suggesting import NOTHING, Advice, Ask, explain, suggest_department, suggest_type

language_is_on = language.is_on

__all__ = [
    "NOTHING",
    "Advice",
    "Alarm",
    "Ask",
    "CaseRow",
    "Cause",
    "DispatchRow",
    "Feed",
    "Flag",
    "Lesson",
    "Level",
    "NoAnswer",
    "Reason",
    "Suggestion",
    "Told",
    "TypeFact",
    "count_past_weeks",
    "draft_reply",
    "explain",
    "flag_words",
    "flags_of",
    "forget",
    "hidden_words",
    "invented",
    "is_caught_up",
    "language_is_on",
    "learn_anew",
    "marked_parts",
    "mask_personal",
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
